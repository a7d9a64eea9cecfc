"""What a gateway is told at its start: places, limits, upstreams, canaries."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from package_hunter.model.ecosystem import known, to_data
from package_hunter.model.observation import Canary


@dataclass(frozen=True, slots=True)
class Limits:
    """What one scan may make the gateway do. Bytes and seconds; records are counted by kind."""

    connections: int = 2_000  # open at the same time; beyond it the longest idle one is dropped
    accepted: int = 100_000  # in a whole scan; later ones are reset
    records: int = 20_000
    body_bytes: int = 64 << 10  # of a request's body, kept in its record
    head_bytes: int = 4 << 10  # of a raw connection, kept in its record
    log_bytes: int = 256 << 20
    names: int = 50_000
    idle_seconds: float = 2.0  # of silence; then our side of the connection is closed, the box's still heard
    unfinished_seconds: float = 5.0  # the same where a request has begun and the rest of it is missing
    # of silence after that; between two requests of a package manager to a registry; for a request's head to be
    # complete; and for the box to take any of an answer
    patience_seconds: float = 60.0
    head_seconds: float = 20.0  # a connection's first bytes must tell what it speaks after so long
    inbound_bytes: int = 8 << 30  # from the box, in a whole scan; then its connections are closed
    artefact_bytes: int = 1 << 30
    metadata_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Upstream:
    """A registry as the host's own configuration names it.

    ``url`` ends with a slash. ``scopes`` are the npm scopes that go to it and nowhere else. ``auth`` is the
    value of the Authorization header that the host's configuration gives, ``cafile`` a PEM bundle, ``cert``
    a client certificate and key in one PEM, ``proxy`` a URL. ``default`` marks the one for all other names.

    ``second_names`` are addresses that are this very registry under another name, so that its token may be sent
    there. ``stands_for`` are addresses of other registries that it answers for, as the host's configuration
    wants it; no token of its own is for them. Both are answered by ``url`` and nobody else. They come from
    the package managers' own code and the host's configuration, never from what a project says.
    """

    ecosystem: str
    url: str
    default: bool = True
    scopes: tuple[str, ...] = ()
    auth: str | None = field(default=None, repr=False)
    cafile: str | None = None
    proxy: str | None = field(default=None, repr=False)
    verify: bool = True
    replaces: str = ""  # the source that package managers in the box have by default, where it is another
    second_names: tuple[str, ...] = ()
    stands_for: tuple[str, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address under which it is asked, its own first."""
        return (self.url, *self.second_names, *self.stands_for)


@dataclass(frozen=True, slots=True)
class GatewaySpec:
    """One scan's gateway. ``run_dir`` is the scan's own folder, ``cache_dir`` shared between scans."""

    scan_id: str
    run_dir: Path
    cache_dir: Path
    upstreams: tuple[Upstream, ...] = ()
    canaries: tuple[Canary, ...] = ()
    limits: Limits = field(default_factory=Limits)
    offline: bool = False
    cache_bytes: int = 5 << 30
    fetch_hosts: tuple[str, ...] = ()  # hosts whose files are fetched truly, read-only
    world: str = "default"  # of ecosystems.worlds, by name: some services answer otherwise in some
    # of what is fetched: address, encoding (decoy.encodings), names under which a JSON object has it
    encoded: tuple[tuple[str, str, tuple[str, ...]], ...] = ()
    uid: int | None = None  # whom the gateway becomes; None: it stays who it is (only without root)


def to_wire(spec: GatewaySpec, ca_cert: bytes, ca_key: bytes) -> dict[str, Any]:
    """The form that goes to the gateway process over its control socket (it holds the host's credentials)."""
    from package_hunter.model import wire  # not for the gateway, which is to start fast (see record.py)

    return {
        "spec": wire.plain(GatewaySpec, spec),
        "ecosystems": to_data(known()),
        "ca_cert": base64.b64encode(ca_cert).decode(),
        "ca_key": base64.b64encode(ca_key).decode(),
    }


def from_wire(message: Mapping[str, Any]) -> tuple[GatewaySpec, bytes, bytes]:
    """The inverse of ``to_wire``."""
    data = dict(message["spec"])
    data["run_dir"], data["cache_dir"] = Path(data["run_dir"]), Path(data["cache_dir"])
    data["limits"] = Limits(**data["limits"])
    lists = ("scopes", "second_names", "stands_for")
    data["upstreams"] = tuple(Upstream(**{**u, **{k: tuple(u[k]) for k in lists}}) for u in data["upstreams"])
    data["canaries"] = tuple(Canary(**{**c, "lawful": tuple(c["lawful"])}) for c in data["canaries"])
    data["fetch_hosts"] = tuple(data["fetch_hosts"])
    data["encoded"] = tuple((url, name, tuple(members)) for url, name, members in data["encoded"])
    return GatewaySpec(**data), base64.b64decode(message["ca_cert"]), base64.b64decode(message["ca_key"])
