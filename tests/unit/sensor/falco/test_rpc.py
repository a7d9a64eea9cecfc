"""Falco's gRPC output, against a server of the real gRPC library that speaks as Falco 0.43 does."""

from __future__ import annotations

import datetime
import json
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.errors import HostError
from package_hunter.sensor.falco.alert import BadAlertError, parse
from package_hunter.sensor.falco.place import Rpc, place
from package_hunter.sensor.falco.rpc import RpcSource, as_json
from tests.support.falco_rpc_server import Server, response
from tests.support.requires import needs_module


def test_a_response_is_the_alert() -> None:
    alert = parse(as_json(response("Some rule", evt="execve", **{"proc.pid": "42"})))
    assert (alert.rule, alert.priority, alert.pid) == ("Some rule", "Notice", 42)
    assert (alert.time_ns, alert.tags) == (1795435200_000000007, ("one", "two"))
    assert json.loads(as_json(response("r", priority=0)))["priority"] == "Emergency"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_alert_or_refused(data: bytes) -> None:
    try:
        parse(as_json(data))
    except BadAlertError:
        pass


@given(st.data())
def test_damaged_responses(data: st.DataObject) -> None:
    whole = bytearray(response("Some rule", a="b"))
    whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    try:
        parse(as_json(bytes(whole)))
    except BadAlertError:
        pass


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.01)


def test_unix_socket_and_a_server_that_comes_again(tmp_path: Path) -> None:
    where = place(f"unix://{tmp_path}/falco.sock")
    assert where == Rpc(f"unix://{tmp_path}/falco.sock")
    server = Server(where.target)
    got: list[bytes] = []
    source = RpcSource(where)
    source.start(got.append)
    server.waiting += [response("first"), response("second")]
    until(lambda: len(got) == 2)
    server.stop()
    server = Server(where.target)
    server.waiting.append(response("third"))
    until(lambda: len(got) == 3)
    source.stop()
    server.stop()
    assert [parse(item).rule for item in got] == ["first", "second", "third"]


def _certificate(name: str, issuer: tuple[Any, Any] | None = None) -> tuple[Any, Any]:
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(issuer[0].subject if issuer else named)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(1))
        .not_valid_after(now + datetime.timedelta(1))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
    )
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256()), key


def _pem(thing: Any) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return bytes(thing.private_bytes(*form))


def test_certificates_on_both_sides(tmp_path: Path) -> None:
    grpc = needs_module("grpc")
    authority = _certificate("authority")
    server_pair, client_pair = _certificate("localhost", authority), _certificate("client", authority)
    (tmp_path / "ca.crt").write_bytes(_pem(authority[0]))
    (tmp_path / "client.crt").write_bytes(_pem(client_pair[0]))
    (tmp_path / "client.key").write_bytes(_pem(client_pair[1]))
    credentials = grpc.ssl_server_credentials(
        [(_pem(server_pair[1]), _pem(server_pair[0]))], _pem(authority[0]), require_client_auth=True
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Server(f"localhost:{port}", credentials)
    got: list[bytes] = []
    source = RpcSource(place(f"grpc://localhost:{port}{tmp_path}"))  # type: ignore[arg-type]
    source.start(got.append)
    server.waiting.append(response("trusted"))
    until(lambda: got)
    source.stop()
    server.stop()
    assert parse(got[0]).rule == "trusted"


def test_a_missing_certificate_is_said(tmp_path: Path) -> None:
    needs_module("grpc")
    with pytest.raises(HostError, match=r"ca\.crt: No such file"):
        RpcSource(Rpc("localhost:5060", tmp_path)).start(lambda data: None)
