"""Results that are known already: the same resolved dependencies under the same rules, image and settings.

The key is made of what decides what an install does, not of the archive's bytes: of a project that only
installs packages from a registry, pinned by its lock file, its manifests and settings; of one that runs code of
its own, every file. A project whose versions are open has no key: tomorrow it may get others.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import select

from package_hunter import __version__
from package_hunter.config import Settings
from package_hunter.confined import StoppedError
from package_hunter.ecosystems import Staged
from package_hunter.ecosystems.locked import LockFile, lock_file
from package_hunter.ecosystems.npm.manifest import ROOT_EVENTS
from package_hunter.ecosystems.planner import in_child
from package_hunter.ecosystems.python.requirements import is_installable
from package_hunter.model.report import Report
from package_hunter.model.report_json import rfc3339
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.sandbox.image.build import find_image
from package_hunter.store import scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.models import KnownResult, Scan

_MANIFESTS = ("package.json", "pyproject.toml", "requirements.txt", "requirements.in", "Pipfile")
_RUNS_CODE = {"node_modules", "vendor", "binding.gyp", "Gemfile", "setup.py", "setup.cfg", "packages"}
_SAYS_NOTHING = ("version", "description", "author", "contributors", "license", "keywords", "repository")
_MAX_FILE = 32 << 20


def key_of(staged: Staged, manager: str | None, settings: Settings) -> str | None:
    """The key of a staged project's result; None where what it installs is not settled."""
    if settings.engine == "falco":
        return None  # which rules it has loaded is not known here
    if staged.folder is None or staged.top == "package":
        return None  # a single package: what it needs in turn is open
    try:
        settled = in_child(staged, _settled, list[str] | None)
    except StoppedError:
        return None  # the scan itself meets the same, and says so
    if settled is None:
        return None
    tree = settled or _every_file(staged.folder)
    detector = [_program(), find_image().name, settings.model_dump_json(), manager or ""]
    return _digest([*detector, *tree])


def _settled(staged: Staged) -> list[str] | None:
    """What decides the install, as texts: none where that is every file. None where it is not settled. Looks into
    the project's files: in a child without rights."""
    lock = lock_file(staged.tree, staged.project)
    if lock is None or not lock.whole:
        return None
    return _plain(staged, lock) or []


def _plain(staged: Staged, lock: LockFile) -> list[str] | None:
    """What decides the install of a project that runs no code of its own; None where it may."""
    tree, base = staged.tree, staged.project
    names = tree.names(base)
    manifest = tree.read_json(f"{base}/package.json", _MAX_FILE)
    if _RUNS_CODE & set(names) or not all(p.registry for p in lock.packages) or is_installable(tree, base):
        return None
    if manifest.get("workspaces") or set(manifest.get("scripts") or ()) & {*ROOT_EVENTS, "dependencies"}:
        return None
    found = [lock.name, *names]
    for name in names:
        if name.startswith("."):  # .npmrc, .yarnrc.yml, .pnpmfile.cjs: settings, or code that managers load
            if tree.kind(f"{base}/{name}") != "file" and name not in (".git", ".github", ".gitlab"):
                return None
            found += [name, _file(staged, name)]
    told = {k: v for k, v in manifest.items() if k not in _SAYS_NOTHING}
    found += [json.dumps(told, sort_keys=True), *(_file(staged, n) for n in _MANIFESTS[1:] if n in names)]
    return found + [repr(p) for p in lock.packages] + [_resolved(staged, lock)]


def _resolved(staged: Staged, lock: LockFile) -> str:
    """The lock file's own text; of npm's what is not the project's own name and version."""
    if not lock.name.endswith(".json") or lock.ecosystem != "npm":
        return _file(staged, lock.name)
    data: dict[str, Any] = staged.tree.read_json(f"{staged.project}/{lock.name}", _MAX_FILE)
    places = dict(data.get("packages") or {})
    root = {k: v for k, v in dict(places.pop("", None) or {}).items() if k not in _SAYS_NOTHING}
    return _digest([json.dumps([places, root, data.get("lockfileVersion")], sort_keys=True)])


def _file(staged: Staged, name: str) -> str:
    data = staged.tree.read(f"{staged.project}/{name}", _MAX_FILE)
    return "" if data is None else hashlib.sha256(data).hexdigest()


def _every_file(folder: Path) -> list[str]:
    """Names, modes and digests of a whole tree, links as what they point to."""
    found = []
    for root, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted([*names, *(f for f in folders if (Path(root) / f).is_symlink())]):
            path = Path(root) / name
            where = os.fsencode(path.relative_to(folder)).hex()
            if path.is_symlink():
                found.append(f"{where} -> {os.fsencode(path.readlink()).hex()}")
            elif path.is_file():
                mode = path.stat().st_mode & 0o111
                with path.open("rb") as file:
                    found.append(f"{where} {mode} {hashlib.file_digest(file, 'sha256').hexdigest()}")
    return found


@cache
def _program() -> str:
    """A digest of this program: rules, data and code."""
    home = Path(__file__).resolve().parent.parent

    def parts() -> Iterator[str]:
        yield __version__
        for path in sorted(home.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"{path.relative_to(home)} {hashlib.sha256(path.read_bytes()).hexdigest()}"

    return _digest(parts())


def _digest(parts: Iterator[str] | list[str]) -> str:
    """One digest of texts, none of which can pass for two."""
    whole = hashlib.sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        whole.update(len(data).to_bytes(8, "big") + data)
    return whole.hexdigest()


def known(store: Store, key: str, settings: Settings) -> Report | None:
    """The newest whole result of that key within `result_cache_seconds`, with its scan's id."""
    since = now_ms() - int(settings.result_cache_seconds * 1000)
    query = (
        select(Scan.id)
        .join(KnownResult, KnownResult.scan_id == Scan.id)
        .where(
            KnownResult.key == key,
            Scan.status == ScanStatus.FINISHED.value,
            Scan.verdict != Verdict.INCONCLUSIVE.value,
            Scan.finished >= since,
        )
        .order_by(Scan.finished.desc())
        .limit(1)
    )
    with store.read() as session:
        found = session.scalar(query)
        data = None if found is None else scans.report(session, found)
    return None if data is None else Report.from_json(data)


def note(store: Store, key: str, scan_id: Any) -> None:
    """This scan's result, once it is there, will stand for that key."""
    with store.write() as session:
        session.merge(KnownResult(scan_id=scan_id, key=key))


def as_new(report: Report, scan_id: str) -> Report:
    """An earlier result as that of another scan; what the policy made of it then is forgotten."""
    note = (
        f"Nothing was run: scan {report.id} of {rfc3339(report.finished)[:19]}Z saw the same dependencies "
        "under the same rules and image."
    )
    return replace(
        report,
        id=scan_id,
        findings=tuple(replace(f, waived=None) for f in report.findings),
        notices=(),
        coverage=replace(report.coverage, notes=(note, *report.coverage.notes)),
    )
