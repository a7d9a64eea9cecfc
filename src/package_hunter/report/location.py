"""Where in the project a package is brought in: the line of its lock file or manifest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from package_hunter.model.report import Report
from package_hunter.report.words import parse_purl

MAX_BYTES = 64 << 20
_FILES = {
    "npm": ("package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "package.json"),
    "pypi": ("poetry.lock", "uv.lock", "requirements.txt", "pyproject.toml", "setup.py"),
    "gem": ("Gemfile.lock", "Gemfile"),
}
_ALIASES = {"yarn": "npm", "pnpm": "npm", "pip": "pypi", "uv": "pypi", "poetry": "pypi", "bundler": "gem"}


@dataclass(frozen=True, slots=True)
class Location:
    """A file of the project, relative to it, and a line counted from 1."""

    file: str
    line: int = 1


def files_of(ecosystem: str) -> tuple[str, ...]:
    """Lock files and manifests of an ecosystem, the most telling first."""
    return _FILES.get(_ALIASES.get(ecosystem, ecosystem), _FILES["npm"])


def locate(report: Report, purl: str | None, root: Path | None = None) -> Location:
    """The place that brings the package in, its file named from the root of the repository that ``root`` (the
    scanned folder) lies in; without ``root`` the usual file's first line."""
    parts = parse_purl(purl)
    names = files_of(parts.type if parts is not None and parts.type in _FILES else report.target.ecosystem)
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
    wanted = re.compile(
        rf'"(?:[^"]*node_modules/)?{re.escape(name)}"\s*:|^"?{re.escape(name)}@|^\s*/?{re.escape(name)}\b'
        rf'|^name = "{re.escape(name)}"|gem "{re.escape(name)}"|^\./{re.escape(name)}\b'
    )
    with path.open(encoding="utf-8", errors="replace") as file:
        return next((number for number, line in enumerate(file, 1) if wanted.search(line)), None)
