"""Lawful uses of a canary: what an honest client does with the credential that lies there.

npm sends ~/.npmrc's token with plain reads of its registry, git its credentials to their host. Such a use is
recorded, not accused. Anything else is theft, also the right token sent to the right host in a write, or to
another registry of the host's.

A use is ``KIND``, or ``KIND@HOST`` where the credential is for one host alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import Upstream
from package_hunter.decoy.web import Ask
from package_hunter.model.ecosystem import Facts, derived

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
    """The host names of the configured registries, by ecosystem: ``hosts`` all that they answer under, ``own``
    a registry's own host -> the hosts that are this registry."""

    hosts: Mapping[str, frozenset[str]]
    own: Mapping[str, Mapping[str, frozenset[str]]] = field(default_factory=dict)

    @staticmethod
    def of(upstreams: Iterable[Upstream]) -> Registries:
        """Those of the host's configuration."""
        hosts: dict[str, frozenset[str]] = {}
        own: dict[str, dict[str, frozenset[str]]] = {}
        for one in upstreams:
            names = own.setdefault(one.ecosystem, {})
            host = host_of(one.url)
            names[host] = names.get(host, frozenset()) | {host, *map(host_of, one.second_names)}
            hosts[one.ecosystem] = hosts.get(one.ecosystem, frozenset()) | set(map(host_of, one.addresses))
        return Registries(hosts, own)

    def has(self, ecosystem: str, host: str) -> bool:
        """Whether requests to this host are a registry's to answer."""
        return host in self.hosts.get(ecosystem, frozenset())

    def takes(self, ecosystem: str, of: str, host: str) -> bool:
        """Whether ``host`` is the registry ``of`` (a host name), or any of the host's where that is not said."""
        own = self.own.get(ecosystem, {})
        return host in (own.get(of, frozenset()) if of else frozenset().union(*own.values()))


_Check = Callable[[Ask, Registries, str], bool]


def _reads_registry(facts: Facts) -> _Check:
    def check(ask: Ask, registries: Registries, of: str) -> bool:
        asks = ask.method == "POST" and ask.raw_path.startswith(facts.read_posts)
        return registries.takes(facts.name, of, ask.host) and (ask.method in _READS or asks)

    return check


def _docker(ask: Ask, _registries: Registries, of: str) -> bool:
    return ask.host == of and ask.raw_path.startswith("/v2/") and ask.method in _READS


def _issuer(hosts: tuple[str, ...]) -> _Check:
    def check(ask: Ask, _registries: Registries, _of: str) -> bool:
        fetch = ask.method == "POST" and ask.raw_path.endswith("/git-upload-pack")
        return ask.host in hosts and (ask.method in _READS or fetch)

    return check


_USES: dict[str, _Check] = {
    "github": _issuer(_GITHUB),
    "gitlab": _issuer(_GITLAB),
    "docker": _docker,
    # a job's own services; what its identity is then used for is another token's matter
    "actions": lambda ask, _registries, _of: ask.host.endswith(".actions.githubusercontent.com"),
    "identity": lambda ask, _registries, of: ask.host == of and ask.method in (*_READS, "POST"),
    # an access key id is public by design: every signed request to its own cloud names it
    "aws": lambda ask, _registries, _of: (
        ask.host.endswith(".amazonaws.com") and ask.headers.get("authorization", "")[:4] == "AWS4"
    ),
}


def is_lawful(uses: tuple[str, ...], ask: Ask, header: str, registries: Registries) -> bool:
    """Whether a canary with these uses was sent as its honest client would: in the Authorization header of a
    request that such a client makes, over TLS where the host offers it, to the host that it is for."""
    if header != "authorization" or (ask.peer.sni and ask.peer.sni != ask.host):
        return False
    parts = (use.partition("@") for use in uses)
    checks = _uses()
    return any(checks[kind](ask, registries, of) for kind, _, of in parts if kind in checks)


@derived
def _uses(known: tuple[Facts, ...]) -> Mapping[str, _Check]:
    return {**{one.read_use: _reads_registry(one) for one in known if one.read_use}, **_USES}
