"""Certificates made on the fly: one CA and one key a scan, one certificate a name."""

from __future__ import annotations

import datetime
import ipaddress
import os
import ssl
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_MAX_CONTEXTS = 512


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def make_ca() -> tuple[bytes, bytes]:
    """Certificate and key (PEM) of a CA for one scan, named as a public one might be."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Global Trust Services"),
            x509.NameAttribute(NameOID.COMMON_NAME, "Global Trust Services Root R3"),
        ]
    )
    start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=900)
    cert = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=7300))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.KeyUsage(True, False, False, False, False, True, True, False, False), critical=True
        )
        .sign(key, hashes.SHA256())
    )
    return cert.public_bytes(serialization.Encoding.PEM), _pem(key)


class Certificates:
    """TLS contexts by name. The name that a client asked for becomes its SSLObject's ``asked_name``."""

    def __init__(
        self,
        ca_cert: bytes,
        ca_key: bytes,
        folder: Path | None,
        speaks_h2: Callable[[str], bool] = lambda name: True,
    ) -> None:
        """``folder`` is where a certificate lies for the moment in which it is read; None: in memory. ``speaks_h2``:
        whether HTTP/2 is offered under a name."""
        self._speaks_h2 = speaks_h2
        self._ca = x509.load_pem_x509_certificate(ca_cert)
        key = serialization.load_pem_private_key(ca_key, None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._ca_key = key
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_pem = _pem(self._key)
        self._file = folder / ".certificate.pem" if folder else None
        self._contexts: OrderedDict[str, ssl.SSLContext] = OrderedDict()
        # validity covers worlds whose clock is shifted by some 400 days
        self._start = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=30)
        self._certificate("localhost")  # signing imports modules, which a confined process may not reach

    def context(self, name: str) -> ssl.SSLContext:
        """A server context whose certificate is for ``name`` (a host name or an address)."""
        context = self._contexts.get(name)
        if context is None:
            context = self._contexts[name] = self._make(name)
            if len(self._contexts) > _MAX_CONTEXTS:
                self._contexts.popitem(last=False)
        return context

    def only_http_1(self) -> None:
        """Offer HTTP/2 no more."""
        self._speaks_h2 = lambda name: False
        for context in self._contexts.values():
            context.set_alpn_protocols(["http/1.1"])

    def _make(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        h2 = ["h2"] if self._speaks_h2(name) else []
        context.set_alpn_protocols([*h2, "http/1.1"])  # as most servers prefer
        context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
        # A client that sends and goes without reading (curl's data connections of FTP) would leave tickets unread:
        # its kernel then resets the connection, and what of its data was not read yet is lost
        context.num_tickets = 0
        self._load(context, self._key_pem + self._certificate(name))
        context.sni_callback = self._on_sni
        return context

    def _load(self, context: ssl.SSLContext, pem: bytes) -> None:
        """``load_cert_chain`` takes only file names."""
        if self._file is None:
            with os.fdopen(os.memfd_create("certificate"), "wb") as memory:
                memory.write(pem)
                memory.flush()
                context.load_cert_chain(f"/proc/self/fd/{memory.fileno()}")
            return
        try:
            fd = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(fd, "wb") as file:
                file.write(pem)
            context.load_cert_chain(self._file)
        finally:
            self._file.unlink(missing_ok=True)

    def _on_sni(self, connection: ssl.SSLObject, name: str | None, _context: ssl.SSLContext) -> int | None:
        if name:
            connection.asked_name = name  # type: ignore[attr-defined]
            try:
                connection.context = self.context(name.lower())
            except ValueError:  # a name that no certificate can hold
                return ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        return None

    def _certificate(self, name: str) -> bytes:
        try:
            alternative: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name))
        except ValueError:
            alternative = x509.DNSName(name)
        cert = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64] or "localhost")]))
            .issuer_name(self._ca.subject)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._start)
            .not_valid_after(self._start + datetime.timedelta(days=820))
            .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
            .sign(self._ca_key, hashes.SHA256())
        )
        return cert.public_bytes(serialization.Encoding.PEM)
