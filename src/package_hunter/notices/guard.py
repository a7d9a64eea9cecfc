"""Which addresses may be spoken to. Users name the places that are told; none of them is to reach into the networks
that this server stands in (server-side request forgery), unless `PACKAGE_HUNTER_NOTICES_ALLOW` says so.

A name is resolved once, every address that it has is looked at, and the connection is made to one of exactly these:
a name that answers differently a moment later (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx

from package_hunter.errors import HunterError, UsageError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolver = Callable[[str, int], Sequence[str]]

NOTICES = "PACKAGE_HUNTER_NOTICES_ALLOW"
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# IANA's registries of special addresses say so; older Pythons' `is_global` does not
_ALSO_INNER = tuple(map(ipaddress.ip_network, ("192.0.0.0/24", "64:ff9b:1::/48", "3fff::/20", "5f00::/16")))
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")


class RefusedError(HunterError):
    """The place is one that notices do not go to. ``final``: what was given is an address, so that no other answer of
    a name can change it."""

    def __init__(self, message: str, advice: str = "", final: bool = False) -> None:
        super().__init__(message, advice)
        self.final = final


def literal(host: str, port: int) -> Sequence[str]:
    """The addresses that a host stands for whatever name servers say: itself, in any notation that connecting takes
    (``127.1``, ``0x7f000001``), or those of this machine's own name (RFC 6761, localhost); none of other names."""
    bare = host.strip("[]").rstrip(".").lower()
    local = bare == "localhost" or bare.endswith(".localhost")
    flags = 0 if local else socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(bare, port, type=socket.SOCK_STREAM, flags=flags)
    except (OSError, UnicodeError):
        return ()
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def resolve(host: str, port: int) -> Sequence[str]:
    """All addresses of a name, as text; OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def networks(text: str, setting: str = NOTICES) -> tuple[Network, ...]:
    """Networks of this setting, comma separated; UsageError."""
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise UsageError(f"{setting} is wrong: {error}.", "Give networks: 10.1.2.0/24,fd00::/8.") from error


@dataclass(frozen=True, slots=True)
class Guard:
    """``allowed``: networks that may be spoken to although they are not public; the ``setting`` that says so."""

    allowed: tuple[Network, ...] = ()
    resolver: Resolver = resolve
    setting: str = NOTICES

    def addresses(self, host: str, port: int, secure: bool) -> list[str]:
        """The addresses to connect to. RefusedError where one of them is not public, or where the connection would not
        be encrypted on its way out; OSError where the name has none."""
        final = bool(literal(host, port))
        return self._checked(self.resolver(host, port), secure, final)

    def check_literal(self, url: str) -> None:
        """UsageError where the URL's host is an address that `addresses` would refuse; a name is looked up when it is
        told something, and says nothing before."""
        parsed = httpx.URL(url)
        secure = parsed.scheme == "https"
        try:
            self._checked(literal(parsed.host, parsed.port or 443), secure, True)
        except RefusedError as error:
            raise UsageError(f"Nothing is told there: {error.message}", error.advice) from error

    def _checked(self, texts: Sequence[str], secure: bool, final: bool) -> list[str]:
        found = [ipaddress.ip_address(text) for text in texts]
        for address in found:
            if self._inside(address):
                continue
            if not _is_public(address):
                raise RefusedError(
                    "It has an address that is not public.",
                    f"Whoever runs the server can allow its network: {self.setting}.",
                    final,
                )
            if not secure:
                raise RefusedError("It would be told without encryption.", "Use https.", final)
        return [str(address) for address in found]

    def _inside(self, address: Address) -> bool:
        return any(address in network for network in self.allowed)


def _is_public(address: Address) -> bool:
    """Also of the IPv4 address that an IPv6 address stands for."""
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    if any(address in network for network in _ALSO_INNER):
        return False
    if isinstance(address, ipaddress.IPv4Address):
        return True
    inner = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in _NAT64 or address in _V4_COMPATIBLE:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return all(one is None or _is_public(one) for one in inner)
