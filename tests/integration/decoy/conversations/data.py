"""Databases and queues."""

from __future__ import annotations

from tests.integration.decoy.conversations.row import Row, python

_REDIS = """
import redis
with redis.Redis("py.cache.example", 6380, ssl=True, ssl_ca_certs=CA, protocol=3) as box:
    assert box.set("k", SECRET) and box.get("k").decode() == SECRET
"""
_PAHO = """
import paho.mqtt.client as mqtt
box = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
box.username_pw_set("u", PASSWORD)
box.tls_set(CA)
box.connect("py.queue.example", 8883)
box.loop_start()
sent = box.publish("a", "b", 2)
sent.wait_for_publish(20)
assert sent.is_published()
"""
_PSYCOPG = """
import psycopg
where = f"host=py.db.example user=u password=x dbname=d sslmode=verify-full sslrootcert={CA}"
with psycopg.connect(where) as box:
    with box.cursor() as cursor, cursor.copy("copy t from stdin") as rows:
        rows.write_row((SECRET,))
"""
_PYMYSQL = """
import pymysql
secured = {"ssl": {"ca": CA}} if MODE == "tls" else {"ssl_disabled": True}
with pymysql.connect(host=MODE + ".py.my.example", user="root", password=PASSWORD, **secured) as box:
    with box.cursor() as cursor:
        assert cursor.execute("insert into t values (%s)", ("x",)) == 1
"""
_PYMONGO = """
import pymongo
login = {"username": "u", "password": "p", "authMechanism": "PLAIN", "authSource": "$external"}
with pymongo.MongoClient("py.docs.example", tls=True, tlsCAFile=CA, compressors="zlib", **login) as box:
    assert box.a.b.insert_one({"v": SECRET * 20}).acknowledged
"""
_PYMONGO_SRV = """
import pymongo
where = "mongodb+srv://u:p@loot.xy12z.docs.example/?authMechanism=PLAIN"
with pymongo.MongoClient(where, tlsCAFile=CA) as box:
    assert box.a.b.insert_one({"v": SECRET}).acknowledged
"""
_REDIS_CLI = "redis-cli --no-auth-warning -a $PASSWORD "
_POSTED = "mosquitto_pub -t a -q "
_PSQL = "user=u dbname=d password=$PASSWORD"
_MARIADB = "mariadb -u root -p$PASSWORD "


def _pymysql(mode: str) -> str:
    return python(f"MODE = {mode!r}{_PYMYSQL}")


ROWS = (
    Row(
        "Redis",
        "redis-cli",
        "no",
        "redis",
        "password (AUTH)",
        _REDIS_CLI + "-h cache.example set k v",
        "redis-cli",
    ),
    Row(
        "Redis",
        "redis-cli",
        "yes",
        "redis",
        "password (AUTH)",
        _REDIS_CLI + "-h caches.example -p 6380 --tls --cacert $CA set k v",
        "redis-cli",
    ),
    Row("Redis, RESP3", "redis-py", "yes", "redis", "value (SET)", python(_REDIS)),
    Row(
        "MQTT 3.1.1",
        "mosquitto_pub",
        "no",
        "mqtt",
        "password",
        _POSTED + "1 -h queue.example -V mqttv311 -u u -P $PASSWORD -m b",
        "mosquitto_pub",
    ),
    Row(
        "MQTT 5",
        "mosquitto_pub",
        "yes",
        "mqtt",
        "message, QoS 2",
        _POSTED + "2 -h queues.example -p 8883 --cafile $CA -V 5 -m $SECRET",
        "mosquitto_pub",
    ),
    Row("MQTT 5", "paho-mqtt", "yes", "mqtt", "password", python(_PAHO)),
    Row(
        "PostgreSQL",
        "psql",
        "no",
        "postgres",
        "password",
        f'psql "host=plain.db.example sslmode=disable {_PSQL}" -c "select 1"',
        "psql",
    ),
    Row(
        "PostgreSQL",
        "psql",
        "by upgrade",
        "postgres",
        "password",
        f'psql "host=db.example sslmode=verify-full sslrootcert=$CA {_PSQL}" -c "select version()"',
        "psql",
    ),
    Row("PostgreSQL", "psycopg", "by upgrade", "postgres", "COPY FROM STDIN", python(_PSYCOPG)),
    Row(
        "MySQL",
        "mariadb",
        "by upgrade",
        "mysql",
        "password",
        _MARIADB + "-h my.example --ssl --ssl-ca=$CA -e 'insert into t values (1)'",
        "mariadb",
    ),
    Row("MySQL", "pymysql", "keys of its own", "mysql", "password", _pymysql("key")),
    Row("MySQL", "pymysql", "by upgrade", "mysql", "password", _pymysql("tls")),
    Row("MongoDB", "pymongo", "yes", "mongo", "insert, packed with zlib", python(_PYMONGO)),
    Row("MongoDB, by a cluster's name (SRV)", "pymongo", "yes", "mongo", "insert", python(_PYMONGO_SRV)),
)
