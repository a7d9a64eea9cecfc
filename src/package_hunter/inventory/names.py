"""Names and digests of packages as the inventory compares them. What comes in is out of boxes and strangers' files."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from packageurl import PackageURL

from package_hunter.errors import UsageError
from package_hunter.store.base import MAX_TARGET
from package_hunter.store.inventory_tables import MAX_VERSION
from package_hunter.store.scans import clean_text

_HEX = {"sha256": 64, "sha384": 96, "sha512": 128}  # SHA-1 and MD5 name no bytes: others can be made to fit
_DIGEST = re.compile(r"(sha-?(?:256|384|512))[-:=]([A-Za-z0-9+/=_-]{43,200})(?:\?\S*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Name:
    """A package: ``base`` is its purl without version, qualifiers and subpath; ``version`` may be empty."""

    base: str
    version: str

    @property
    def purl(self) -> str:
        """The whole, for people and answers."""
        if not self.version:
            return self.base
        try:
            return str(PackageURL(*_parts(self.base), version=self.version).to_string())
        except ValueError:
            return f"{self.base}@{self.version}"


def _parts(base: str) -> tuple[str, str | None, str]:
    found = PackageURL.from_string(base)
    return found.type, found.namespace, found.name


def name_of(purl: str) -> Name:
    """The name in a purl that somebody gave; UsageError where it is none."""
    found = name_in(purl)
    if found is None:
        raise UsageError("This is no package URL.", "It looks like pkg:npm/left-pad@1.3.0.")
    return found


def name_in(purl: str) -> Name | None:
    """The name in a purl out of a box or a document; None where it is none, or longer than we keep. A character that
    is percent-encoded there is the same as one that is not: in ``base`` all that nobody sees is encoded."""
    if len(purl) > MAX_TARGET:
        return None
    try:
        parsed = PackageURL.from_string(purl)
        base = str(PackageURL(parsed.type, parsed.namespace, parsed.name).to_string())
    except ValueError:
        return None
    version = parsed.version or ""
    if len(base) > MAX_TARGET or len(version) > MAX_VERSION or version != clean_text(version, MAX_VERSION):
        return None
    return Name(base, version)


def digests_in(text: str | None) -> frozenset[str]:
    """The digests in what lock files, reports and SBOMs write (``sha512-BASE64``, ``sha256:HEX``), as ``sha256:HEX``;
    what is no SHA-2 of the right length is left out."""
    found = (_digest(token) for token in (text or "")[:8_192].split()[:64])
    return frozenset(digest for digest in found if digest is not None)


def digest_of(text: str) -> str:
    """One digest that somebody asks for: as above, or 64, 96 or 128 hex digits alone; UsageError."""
    bare = text.strip().lower()
    kind = next((k for k, length in _HEX.items() if re.fullmatch(f"[0-9a-f]{{{length}}}", bare)), None)
    found = f"{kind}:{bare}" if kind else _digest(text.strip())
    if found is None:
        raise UsageError(
            "This is no digest.",
            "Give sha256:HEX, sha512-BASE64 as lock files have it, or the hex digits alone.",
        )
    return found


def _digest(token: str) -> str | None:
    hit = _DIGEST.fullmatch(token)
    if hit is None:
        return None
    kind, value = hit[1].lower().replace("-", ""), hit[2]
    if re.fullmatch(f"[0-9a-fA-F]{{{_HEX[kind]}}}", value):
        return f"{kind}:{value.lower()}"
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return None
    return f"{kind}:{raw.hex()}" if len(raw) * 2 == _HEX[kind] else None
