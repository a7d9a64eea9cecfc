"""OSV records of malicious packages: ``osv import FILE``.

Format: the OSV schema (``id``, ``withdrawn``, ``affected[].package``, ``versions``, ``ranges``). A record says
*malicious* where its id begins with ``MAL-`` (the prefix of OpenSSF's malicious-packages); its indicators are where
that repository puts them, in ``database_specific.iocs``. Records of mere weaknesses are left out: they accuse nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from packageurl import PackageURL
from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.inventory.condemn import Sentence, condemn, withdraw
from package_hunter.inventory.marks import as_host
from package_hunter.inventory.names import name_in
from package_hunter.store.inventory_tables import MAX_DIGEST
from package_hunter.store.scans import clean_text

MAX_BYTES = 256 << 20
AT_ONCE = 500
"""Records in one transaction."""
_MAX_SAID = 2_000
_MAX_HOSTS = 100
_MAX_LISTED = 20_000  # versions and ranges of one package
_MALICIOUS = "MAL-"
_TYPES = {
    "npm": "npm",
    "PyPI": "pypi",
    "RubyGems": "gem",
    "crates.io": "cargo",
    "Go": "golang",
    "Packagist": "composer",
    "NuGet": "nuget",
    "Maven": "maven",
    "Hex": "hex",
    "Pub": "pub",
}  # OSV's ecosystems -> types of purls (the purl specification's table)
_SPLIT = {"maven": ":", "npm": "/", "golang": "/", "composer": "/"}  # before the last one: the namespace
_ROTATE = (
    "Rotate every secret that a machine which installed it could read: registry and git tokens, SSH keys, cloud "
    "credentials, the secrets of CI jobs.",
)


@dataclass(slots=True)
class Imported:
    """What came of a file: records taken, withdrawn, left out (no word of malice, or not to be read), and projects
    that were told."""

    taken: int = 0
    withdrawn: int = 0
    left_out: int = 0
    told: int = 0


def read(data: bytes) -> list[Any]:
    """The records of a file: one, a list of them, or one a line; UsageError."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"The file has more than {MAX_BYTES} bytes.", "Import it in parts.")
    return list(_records(data))


def take(session: Session, records: Iterable[Any], done: Imported) -> None:
    """Import records; ``done`` counts. A hundred thousand of them are taken in parts: whoever else writes waits for a
    transaction's end."""
    for record in records:
        _one(session, record, done)


def _records(data: bytes) -> Iterator[Any]:
    try:
        whole = json.loads(data)
    except (ValueError, RecursionError):
        yield from _lines(data)
        return
    yield from whole if isinstance(whole, list) else [whole]


def _lines(data: bytes) -> Iterator[Any]:
    for number, line in enumerate(data.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as error:
                raise UsageError(
                    f"Line {number} is no JSON.", "Give an OSV record, a list of them, or one a line."
                ) from error


def _one(session: Session, record: Any, done: Imported) -> None:
    name = record.get("id") if isinstance(record, dict) else None
    if not isinstance(name, str) or not name.startswith(_MALICIOUS) or name != clean_text(name, MAX_DIGEST):
        done.left_out += 1
        return
    if record.get("withdrawn"):
        done.withdrawn += bool(withdraw(session, "osv", name))
        return
    sentences = list(_sentences(record, name))
    done.taken += bool(sentences)
    done.left_out += not sentences
    for sentence in sentences:
        done.told += condemn(session, sentence)


def _sentences(record: dict[str, Any], name: str) -> Iterator[Sentence]:
    said = next((t for key in ("summary", "details") if isinstance(t := record.get(key), str) and t), "")
    by_base: dict[str, dict[str, Any]] = {}
    for affected in _list(record.get("affected")):
        base = _base(affected.get("package") if isinstance(affected, dict) else None)
        if base is not None:
            known = by_base.setdefault(base, {"versions": [], "ranges": []})
            for key in known:
                known[key] = [*known[key], *_list(affected.get(key))][:_MAX_LISTED]
    for base, versions in by_base.items():
        yield Sentence(
            origin="osv",
            record=name,
            base=base,
            said=clean_text(said, _MAX_SAID) or "a public record says so.",
            versions=versions,
            rotate=_ROTATE,
            hosts=_hosts(record),
        )


def _base(package: Any) -> str | None:
    """The purl without version of OSV's ``package``; None where it is not to be read."""
    if not isinstance(package, dict):
        return None
    given, name = package.get("purl"), package.get("name")
    if isinstance(given, str):
        found = name_in(given)
        return None if found is None else found.base
    kind = _TYPES.get(str(package.get("ecosystem")).partition(":")[0])
    if kind is None or not isinstance(name, str):
        return None
    namespace, _, plain = name.rpartition(_SPLIT[kind]) if kind in _SPLIT else ("", "", name)
    try:
        made = name_in(PackageURL(kind, namespace or None, plain).to_string())
    except ValueError:
        return None
    return None if made is None else made.base


def _hosts(record: dict[str, Any]) -> tuple[str, ...]:
    own = record.get("database_specific")
    iocs = own.get("iocs") if isinstance(own, dict) else None
    found = [
        as_host(clean_text(one, 255))
        for key in ("domains", "ips", "ip_addresses")
        for one in _list(iocs.get(key) if isinstance(iocs, dict) else None)
        if isinstance(one, str)
    ]
    return tuple(dict.fromkeys(found))[:_MAX_HOSTS]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
