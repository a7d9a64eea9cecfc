"""What Redis answers to a command: a small memory, and success for whatever it does not know."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

_KEYS = 1_000
_BYTES = 1 << 20  # of all keys and values together
_OK = b"+OK\r\n"
_INFO = (
    b"# Server\r\nredis_version:7.4.1\r\nredis_mode:standalone\r\nos:Linux 6.1.0-28-amd64 x86_64\r\ntcp_port:6379\r\n"
    b"uptime_in_seconds:4112873\r\n# Replication\r\nrole:master\r\nconnected_slaves:0\r\n"
    b"# Keyspace\r\ndb0:keys=3817,expires=211,avg_ttl=0\r\n"
)
_ONE = frozenset(
    b"APPEND HDEL HSET INCR INCRBY DECR DECRBY LPUSH LREM LPUSHX MOVE PERSIST PUBLISH RPUSH RPUSHX SADD SETNX EXPIRE "
    b"EXPIREAT PEXPIRE PFADD SREM ZADD ZREM XDEL XACK SETBIT COPY RENAMENX HINCRBY HSETNX".split()
)
_NONE = frozenset(
    b"LLEN SCARD ZCARD HLEN XLEN STRLEN DBSIZE WAIT TOUCH SISMEMBER HEXISTS LASTSAVE PFCOUNT".split()
)
_NULL = frozenset(
    b"HGET LPOP RPOP SPOP LINDEX GETRANGE ZSCORE RANDOMKEY BLPOP BRPOP XREADGROUP XREAD".split()
)
_EMPTY = frozenset(
    b"KEYS LRANGE SMEMBERS ZRANGE HKEYS HVALS HGETALL COMMAND SLOWLOG XRANGE XREVRANGE ACL MODULE SORT ZRANGEBYSCORE "
    b"ZREVRANGE SINTER SUNION SDIFF HMGET LATENCY PUBSUB".split()
)


def text(value: bytes | None, three: bool = False) -> bytes:
    """A bulk string, or null as RESP2 or RESP3 has it."""
    if value is None:
        return b"_\r\n" if three else b"$-1\r\n"
    return b"$%d\r\n%b\r\n" % (len(value), value)


class Session:
    """One connection: ``reply`` is asked for each command in turn; ``over`` once the client has quit."""

    def __init__(self) -> None:
        self.over = False
        self._three = False
        self._name = b""
        self._queue: list[list[bytes]] | None = None
        self._memory: OrderedDict[bytes, bytes] = OrderedDict()
        self._size = 0
        self._followed = 0
        self._own: dict[bytes, Callable[[list[bytes]], bytes]] = {
            b"PING": self._ping, b"ECHO": lambda w: text(w[0] if w else b""), b"HELLO": self._hello,
            b"AUTH": lambda w: _OK if w else _wrong(b"auth"), b"CLIENT": self._client, b"QUIT": self._quit,
            b"GET": self._get, b"SET": self._set, b"SETEX": self._setex, b"PSETEX": self._setex,
            b"MGET": lambda w: self._many([self._get([k]) for k in w]), b"MSET": self._mset,
            b"DEL": self._delete, b"UNLINK": self._delete, b"EXISTS": self._exists,
            b"TYPE": lambda w: b"+string\r\n" if w and w[0] in self._memory else b"+none\r\n",
            b"TTL": lambda w: b":-1\r\n", b"PTTL": lambda w: b":-1\r\n",
            b"INFO": lambda w: text(_INFO), b"TIME": lambda w: self._many([text(b"1767225600"), text(b"51022")]),
            b"CONFIG": self._config, b"SCAN": lambda w: b"*2\r\n" + text(b"0") + b"*0\r\n",
            b"XADD": lambda w: text(b"1767225600000-0"), b"SCRIPT": lambda w: text(b"0" * 40),
            b"ROLE": lambda w: b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", b"MULTI": self._multi, b"EXEC": self._exec,
            b"DISCARD": self._discard, b"SUBSCRIBE": self._subscribe, b"PSUBSCRIBE": self._subscribe,
            b"UNSUBSCRIBE": self._unsubscribe, b"PUNSUBSCRIBE": self._unsubscribe,
            b"EVAL": lambda w: text(None, self._three), b"EVALSHA": lambda w: text(None, self._three),
            b"RESET": lambda w: b"+RESET\r\n",
        }  # fmt: skip

    def reply(self, words: list[bytes]) -> bytes:
        """The answer to a command (its words, at least one)."""
        name = words[0].upper()
        if self._queue is not None and name not in (b"EXEC", b"DISCARD", b"QUIT", b"RESET"):
            if len(self._queue) < _KEYS:
                self._queue.append(words[:8])
            return b"+QUEUED\r\n"
        return self._answer(name, words[1:])

    def _answer(self, name: bytes, rest: list[bytes]) -> bytes:
        if own := self._own.get(name):
            return own(rest)
        if name in _ONE:
            return b":1\r\n"
        if name in _NONE:
            return b":0\r\n"
        if name in _NULL:
            return text(None, self._three)
        if name in _EMPTY:
            return b"%0\r\n" if self._three and name == b"HGETALL" else b"*0\r\n"
        return _OK

    def _many(self, parts: list[bytes]) -> bytes:
        return b"*%d\r\n" % len(parts) + b"".join(parts)

    def _ping(self, words: list[bytes]) -> bytes:
        return text(words[0]) if words else b"+PONG\r\n"

    def _hello(self, words: list[bytes]) -> bytes:
        if words and words[0] not in (b"2", b"3"):
            return b"-NOPROTO unsupported protocol version\r\n"
        self._three = words[:1] == [b"3"] or (not words and self._three)
        facts = (
            (b"server", text(b"redis")), (b"version", text(b"7.4.1")),
            (b"proto", b":3\r\n" if self._three else b":2\r\n"), (b"id", b":40217\r\n"),
            (b"mode", text(b"standalone")), (b"role", text(b"master")), (b"modules", b"*0\r\n"),
        )  # fmt: skip
        head = b"%%%d\r\n" % len(facts) if self._three else b"*%d\r\n" % (2 * len(facts))
        return head + b"".join(text(name) + value for name, value in facts)

    def _client(self, words: list[bytes]) -> bytes:
        what = words[0].upper() if words else b""
        if what == b"SETNAME":
            self._name = b"".join(words[1:2])[:256]
        if what == b"GETNAME":
            return text(self._name or None, self._three)
        return b":40217\r\n" if what == b"ID" else _OK

    def _quit(self, words: list[bytes]) -> bytes:
        self.over = True
        return _OK

    def _get(self, words: list[bytes]) -> bytes:
        return text(self._memory.get(words[0]) if words else None, self._three)

    def _set(self, words: list[bytes]) -> bytes:
        if len(words) < 2:
            return _wrong(b"set")
        self._forget(words[0])
        self._memory[words[0]] = words[1]
        self._size += len(words[0]) + len(words[1])
        while self._size > _BYTES or len(self._memory) > _KEYS:
            self._forget(next(iter(self._memory)))
        return _OK

    def _setex(self, words: list[bytes]) -> bytes:
        return self._set(words[:1] + words[2:])

    def _mset(self, words: list[bytes]) -> bytes:
        for key, value in zip(words[::2], words[1::2], strict=False):
            self._set([key, value])
        return _OK

    def _forget(self, key: bytes) -> bool:
        value = self._memory.pop(key, None)
        self._size -= len(key) + len(value) if value is not None else 0
        return value is not None

    def _delete(self, words: list[bytes]) -> bytes:
        return b":%d\r\n" % sum(self._forget(key) for key in words)

    def _exists(self, words: list[bytes]) -> bytes:
        return b":%d\r\n" % sum(key in self._memory for key in words)

    def _config(self, words: list[bytes]) -> bytes:
        if not words or words[0].upper() != b"GET":
            return _OK
        known = {
            b"dir": b"/var/lib/redis",
            b"dbfilename": b"dump.rdb",
            b"databases": b"16",
            b"save": b"3600 1",
        }
        pairs = [text(k) + text(known[k]) for k in words[1:] if k in known]
        return (b"%%%d\r\n" % len(pairs) if self._three else b"*%d\r\n" % (2 * len(pairs))) + b"".join(pairs)

    def _multi(self, words: list[bytes]) -> bytes:
        self._queue = []
        return _OK

    def _exec(self, words: list[bytes]) -> bytes:
        queue, self._queue = self._queue, None
        if queue is None:
            return b"-ERR EXEC without MULTI\r\n"
        return self._many([self._answer(one[0].upper(), one[1:]) for one in queue])

    def _discard(self, words: list[bytes]) -> bytes:
        self._queue = None
        return _OK

    def _subscribe(self, words: list[bytes]) -> bytes:
        told = [self._follow(b"subscribe", channel, 1) for channel in words[:_KEYS]]
        return b"".join(told) or _wrong(b"subscribe")

    def _unsubscribe(self, words: list[bytes]) -> bytes:
        told = [self._follow(b"unsubscribe", channel, -1) for channel in words[:_KEYS]]
        return b"".join(told) or self._follow(b"unsubscribe", None, -self._followed)

    def _follow(self, kind: bytes, channel: bytes | None, more: int) -> bytes:
        self._followed = max(0, self._followed + more)
        head = b">3\r\n" if self._three else b"*3\r\n"
        return head + text(kind) + text(channel, self._three) + b":%d\r\n" % self._followed


def _wrong(name: bytes) -> bytes:
    return b"-ERR wrong number of arguments for '%b' command\r\n" % name
