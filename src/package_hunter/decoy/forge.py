"""Makes fake secrets: random, in the real ones' formats, with valid checksums; never equal between scans."""

from __future__ import annotations

import base64
import secrets
import string
import zlib
from dataclasses import dataclass, field

from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import Upstream
from package_hunter.model.box import HOME
from package_hunter.model.observation import Canary
from package_hunter.model.scan import BoxFile
from package_hunter.model.withheld import WithheldFile

BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
_BASE32 = string.ascii_uppercase + "234567"
_DAY = 86_400.0


def base62(number: int, width: int) -> str:
    """``number`` in base 62 (0-9A-Za-z), zero-padded."""
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")


def checked_token(prefix: str) -> str:
    """GitHub's and npm's token form: prefix, 30 random characters, their CRC-32 in base 62 (6).

    Source: "Behind GitHub's new authentication token formats" (GitHub, 2021); npm's follow it.
    """
    body = random_text(30)
    return f"{prefix}{body}{base62(zlib.crc32(body.encode()), 6)}"


def random_text(length: int, alphabet: str = BASE62) -> str:
    return "".join(secrets.choice(alphabet) for _ in range(length))


def aws_pair(prefix: str = "AKIA") -> tuple[str, str]:
    """An AWS access key id and its secret."""
    return prefix + random_text(16, _BASE32), random_text(40, BASE62 + "+/")


def jwt(issuer: str, subject: str) -> str:
    """A JSON web token with a random signature."""
    parts = (
        b'{"alg":"RS256","typ":"JWT","kid":"' + secrets.token_hex(10).encode() + b'"}',
        f'{{"iss":"{issuer}","sub":"{subject}","jti":"{secrets.token_hex(8)}"}}'.encode(),
        secrets.token_bytes(256),
    )
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@dataclass(slots=True)
class Forge:
    """Where the kinds of secrets put what they make. ``world`` is ``default`` (laptop and CI mixed),
    ``laptop``, ``github`` or ``gitlab``; ``now`` in seconds since the epoch, for file dates; ``withheld`` are
    the project's own credential files that stayed outside."""

    world: str
    upstreams: tuple[Upstream, ...]
    project: str | None
    now: float
    withheld: tuple[WithheldFile, ...] = ()
    canaries: list[Canary] = field(default_factory=list)
    files: list[BoxFile] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)

    def canary(self, kind: str, place: str, value: str, lawful: tuple[str, ...] = ()) -> str:
        """Register a secret; returns its value. ``place``: below the home, absolute, URL, ``env:NAME``, or
        ``memory:PROGRAM``."""
        place = place if place.startswith(("/", "env:", "http:", "memory:")) else f"{HOME}/{place}"
        self.canaries.append(Canary(f"{kind}-{len(self.canaries) + 1}", kind, place, value, lawful))
        return value

    def file(self, path: str, content: str | bytes, mode: int = 0o644, days: float | None = None) -> None:
        """A file below the home (or absolute), ``days`` old (random by default)."""
        path = path if path.startswith("/") else f"{HOME}/{path}"
        data = content.encode() if isinstance(content, str) else content
        age = days if days is not None else 3 + secrets.randbelow(400)
        self.files.append(BoxFile(path, data, mode, self.now - age * _DAY - secrets.randbelow(80_000)))

    def variable(self, name: str, kind: str, value: str, lawful: tuple[str, ...] = ()) -> str:
        """A secret in the environment."""
        self.env[name] = value
        return self.canary(kind, f"env:{name}", value, lawful)

    @property
    def ci(self) -> bool:
        return self.world in ("default", "github", "gitlab")

    def upstream(self, ecosystem: str) -> list[Upstream]:
        return [u for u in self.upstreams if u.ecosystem == ecosystem]

    def only_at(self, use: str, ecosystem: str) -> tuple[str, ...]:
        """The lawful use of a credential that is for the ecosystem's default registry and no other."""
        default = next((u for u in self.upstream(ecosystem) if u.default), None)
        return (f"{use}@{host_of(default.url)}",) if default else ()
