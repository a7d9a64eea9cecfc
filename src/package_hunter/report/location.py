"""Where in the project a package is brought in: the line of its lock file or manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from package_hunter.model.ecosystem import facts_of, known
from package_hunter.model.report import Report
from package_hunter.report.words import parse_purl

MAX_BYTES = 64 << 20


@dataclass(frozen=True, slots=True)
class Location:
    """A file of the project, relative to it, and a line counted from 1."""

    file: str
    line: int = 1

    @property
    def uri(self) -> str:
        """The file as a relative reference (RFC 3986, 4.2): what no URI may hold is percent-encoded, a colon too, since
        in a first segment it would end a scheme."""
        return quote(self.file.encode("utf-8", "surrogateescape"), safe="/~!$&'()*+,;=@")


def files_of(ecosystem: str) -> tuple[str, ...]:
    """Lock files and manifests of an ecosystem, the most telling first."""
    return (facts_of(ecosystem) or known()[0]).pins


def locate(report: Report, purl: str | None, root: Path | None = None) -> Location:
    """The place that brings the package in, its file named from the root of the repository that ``root`` (the
    scanned folder) lies in; without ``root`` the usual file's first line."""
    parts = parse_purl(purl)
    own = facts_of(parts.type) if parts is not None else None
    names = own.pins if own is not None else files_of(report.target.ecosystem)
    fallback = Location(names[-1] if report.target.purl else names[0])
    if root is None:
        return fallback
    prefix = _prefix(root)
    present = [name for name in names if (root / name).is_file() and not (root / name).is_symlink()]
    for name in present:
        if line := _line(root / name, _name(purl)):
            return Location(prefix + name, line)
    return Location(prefix + (present[0] if present else fallback.file))


def _prefix(root: Path) -> str:
    """The folder's way from the root of its repository, ``""`` where it is that root or in none."""
    folder = root.resolve()
    for above in (folder, *folder.parents):
        if (above / ".git").exists():
            way = folder.relative_to(above).as_posix()
            return "" if way == "." else f"{way}/"
    return ""


def _name(purl: str | None) -> str:
    parts = parse_purl(purl)
    if parts is None:
        return ""
    return f"{parts.namespace}/{parts.name}" if parts.namespace else parts.name


def _line(path: Path, name: str) -> int | None:
    if not name or path.stat().st_size > MAX_BYTES:
        return None
    forms = dict.fromkeys(form for one in known() for form in one.pin_lines)
    wanted = re.compile("|".join(form.replace("NAME", re.escape(name)) for form in forms))
    with path.open(encoding="utf-8", errors="replace") as file:
        return next((number for number, line in enumerate(file, 1) if wanted.search(line)), None)
