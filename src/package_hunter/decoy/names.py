"""Each name its own address, so that every later connection is known by its name."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

_REGISTRY_V4 = ipaddress.ip_network("198.18.0.0/24")
_OTHER_V4 = int(ipaddress.ip_address("198.18.1.0"))
_LAST_V4 = int(ipaddress.ip_address("198.19.255.254"))
_REGISTRY_V6 = int(ipaddress.ip_address("2001:2::"))
_OTHER_V6 = int(ipaddress.ip_address("2001:2:0:1::"))


class Names:
    """Hands out addresses and tells the names file (``address<TAB>name``) before anybody may use them."""

    def __init__(self, path: Path, registry_hosts: tuple[str, ...], limit: int) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
        self._by_name: dict[str, tuple[str, str]] = {}
        self._by_address: dict[str, str] = {}
        self._limit = min(limit, _LAST_V4 - _OTHER_V4)
        self._next = self._registries = 0
        for host in sorted(registry_hosts):
            self.registry(host)

    def addresses(self, name: str) -> tuple[str, str] | None:
        """The v4 and v6 address of ``name`` (lower case, no last dot); None when the limit is reached."""
        known = self._by_name.get(name)
        if known is not None:
            return known
        if self._next >= self._limit:
            return None
        self._next += 1
        return self._add(
            name,
            str(ipaddress.ip_address(_OTHER_V4 + self._next)),
            str(ipaddress.ip_address(_OTHER_V6 + self._next)),
        )

    def registry(self, host: str) -> None:
        """From now on this name has a registry's address, unless it was given out with another before."""
        if host not in self._by_name and self._registries < 254:
            self._registries += 1
            number = self._registries
            self._add(host, str(_REGISTRY_V4[number]), str(ipaddress.ip_address(_REGISTRY_V6 + number)))

    def is_registry(self, name: str) -> bool:
        """Whether ``name`` has a registry's address."""
        known = self._by_name.get(name)
        return known is not None and ipaddress.ip_address(known[0]) in _REGISTRY_V4

    def has(self, name: str) -> bool:
        """Whether ``name`` has addresses already."""
        return name in self._by_name

    def name(self, address: str) -> str | None:
        """The name that was resolved to ``address``."""
        return self._by_address.get(address)

    def _add(self, name: str, v4: str, v6: str) -> tuple[str, str]:
        self._by_name[name] = (v4, v6)
        self._by_address[v4] = self._by_address[v6] = name
        os.write(self._fd, f"{v4}\t{name}\n{v6}\t{name}\n".encode())
        return v4, v6

    def close(self) -> None:
        os.close(self._fd)
