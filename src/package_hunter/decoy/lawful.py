"""Lawful uses of a canary: what an honest client does with the credential that lies there.

npm sends ~/.npmrc's token with plain reads of its registry, git its credentials to their host. Such a use is
recorded, not accused. Anything else is theft, also the right token sent to the right host in a write.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from package_hunter.decoy.web import Ask

_GITHUB = (
    "github.com",
    "api.github.com",
    "uploads.github.com",
    "codeload.github.com",
    "raw.githubusercontent.com",
)
_GITLAB = ("gitlab.com",)
_READS = ("GET", "HEAD")


@dataclass(frozen=True, slots=True)
class Registries:
    """The host names of the configured registries, by ecosystem."""

    hosts: Mapping[str, frozenset[str]]

    def has(self, ecosystem: str, host: str) -> bool:
        return host in self.hosts.get(ecosystem, frozenset())


def _npm(ask: Ask, registries: Registries) -> bool:
    # `npm install` and `npm audit` ask with a POST which of the tree's packages have known weaknesses
    asks = ask.method == "POST" and ask.raw_path.startswith("/-/npm/v1/security/")
    return registries.has("npm", ask.host) and (ask.method in _READS or asks)


def _reads_registry(ecosystem: str) -> Callable[[Ask, Registries], bool]:
    def check(ask: Ask, registries: Registries) -> bool:
        return registries.has(ecosystem, ask.host) and ask.method in _READS

    return check


def _issuer(hosts: tuple[str, ...]) -> Callable[[Ask, Registries], bool]:
    def check(ask: Ask, _registries: Registries) -> bool:
        fetch = ask.method == "POST" and ask.raw_path.endswith("/git-upload-pack")
        return ask.host in hosts and (ask.method in _READS or fetch)

    return check


_USES: dict[str, Callable[[Ask, Registries], bool]] = {
    "npm-registry": _npm,
    "pypi-upload": _reads_registry("pypi"),
    "gem-registry": _reads_registry("gem"),
    "github": _issuer(_GITHUB),
    "gitlab": _issuer(_GITLAB),
    "docker": lambda ask, _: ask.raw_path.startswith("/v2/") and ask.method in _READS,
    # an access key id is public by design: every signed request to its own cloud names it
    "aws": lambda ask, _: (
        ask.host.endswith(".amazonaws.com") and ask.headers.get("authorization", "")[:4] == "AWS4"
    ),
}


def is_lawful(uses: tuple[str, ...], ask: Ask, header: str, registries: Registries) -> bool:
    """Whether a canary with these uses was sent as its honest client would: in the Authorization header of a
    request that such a client makes, over TLS where the host offers it, to the host that it is for."""
    if header != "authorization" or (ask.peer.sni and ask.peer.sni != ask.host):
        return False
    return any(_USES[use](ask, registries) for use in uses if use in _USES)
