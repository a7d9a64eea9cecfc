"""Results that are known already: given only where nothing that ran could differ.

The key is made of all that a scan is made of: every file of the project as the box gets it, the dependencies that
its lock files freeze (name, version, digest), image, program with its rules, settings, options, kernel and the
host's registries. Whether a lock file truly decided everything is seen afterwards: a result is noted only where
each package that was installed, and each archive that a registry sent, is one that a lock file pins by digest.
Neither accounts nor projects share results.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from packageurl import PackageURL
from sqlalchemy import ColumnElement, and_, exists, or_, select

from package_hunter import __version__
from package_hunter.access.view import EVERYTHING, LEGACY
from package_hunter.confined import StoppedError
from package_hunter.ecosystems.base import SourceTree
from package_hunter.ecosystems.locked import Pin, lock_files
from package_hunter.ecosystems.planner import in_child
from package_hunter.model.ecosystem import Facts, derived
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json
from package_hunter.model.scan import Package, ScanStatus, Verdict
from package_hunter.model.times import rfc3339
from package_hunter.sandbox.image.build import find_image
from package_hunter.store import scans
from package_hunter.store.database import Store, now_ms
from package_hunter.store.gate_tables import ScanOrigin
from package_hunter.store.models import KnownResult, Scan

if TYPE_CHECKING:
    from package_hunter.config import Settings
    from package_hunter.decoy.spec import Upstream
    from package_hunter.pipeline.options import Scan as Running

_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Known:
    """What a project's result is known by. ``pins``: the digests (as the lock files write them) that a
    package may have, by its purl."""

    key: str
    pins: Mapping[str, frozenset[str]]

    def settles(self, report: Report) -> bool:
        """Whether the lock files decided all that this scan installed and fetched."""
        if any(not item.refused and not item.stood_in for item in report.network.fetched):
            return False  # from outside of every registry: nobody pins its bytes
        if not all(self._pinned(package) for package in report.packages if _foreign(package)):
            return False
        files = {_stem(purl) for purl in self.pins}
        sent = (r.url for r in report.network.requests if r.registry)
        return all(name is None or name in files for name in map(_archive_of, sent))

    def _pinned(self, package: Package) -> bool:
        allowed = self.pins.get(package.purl)
        if not allowed:
            return False
        return package.integrity is None or bool(allowed & set(package.integrity.split()))


def known_by(
    scan: Running, source_tree: SourceTree, upstreams: Sequence[Upstream], listed: Sequence[Pin] | None = None
) -> Known | None:
    """What a project is known by; None where nothing freezes what it installs. ``listed``: what its lock files pin
    (`pins_of`), where that was read already."""
    options = scan.options
    if (options.engine or scan.config.engine) == "falco":
        return None  # which rules are loaded is not known here
    if source_tree.folder is None or source_tree.top == "package":
        return None  # a single package: what it needs in turn is open
    pins = _frozen(pins_of(source_tree) if listed is None else listed)
    if not pins:
        return None
    frozen = sorted((purl, sorted(digests)) for purl, digests in pins.items())
    depth = options.depth or scan.config.depth
    asked = [options.ecosystem, options.phases, depth, options.worlds, options.builtin_rules, options.engine]
    where = [source_tree.project, scan.withheld]
    rules = [hashlib.sha256(path.read_bytes()).hexdigest() for path in options.rule_files]
    made_with = [_program(), _image(), _settings(scan.config), os.uname().release, os.uname().machine, rules]
    parts = [repr(made_with), repr(asked), repr(where), repr(_registries(upstreams)), repr(frozen)]
    return Known(_digest([*parts, *_every_file(source_tree.folder)]), pins)


def pins_of(source_tree: SourceTree) -> list[Pin]:
    """All that the project's lock files pin; nothing for a single package."""
    if source_tree.folder is None or source_tree.top == "package":
        return []
    try:
        return in_child(source_tree, _pins, list[Pin])
    except StoppedError:
        return []  # the scan itself meets the same, and says so


def _pins(source_tree: SourceTree) -> list[Pin]:
    """Looks into the project's files: in a child without rights."""
    return [pin for lock in lock_files(source_tree.tree, source_tree.project) for pin in lock.packages]


def _frozen(pins: Sequence[Pin]) -> dict[str, frozenset[str]]:
    """The digests that lock files pin, by purl."""
    found: dict[str, frozenset[str]] = {}
    for pin in pins:
        if pin.registry and pin.integrity:
            found[pin.purl] = found.get(pin.purl, frozenset()) | frozenset(pin.integrity.split())
    return found


def _foreign(package: Package) -> bool:
    """Not a part of the project's own tree, which the key holds whole."""
    return package.path is None or any(part in f"{package.path}/" for part in _installed())


def _stem(purl: str) -> str:
    """What the names of this package's archives begin with, whatever stands for its dots and dashes."""
    parsed = PackageURL.from_string(purl)
    return _flat(f"{parsed.name}-{parsed.version}")


def _archive_of(url: str) -> str | None:
    """The stem of the package whose archive lies there; None where it is no archive."""
    form, tagged = _archives()
    hit = form.fullmatch(unquote(urlsplit(url).path).rpartition("/")[2])
    if hit is None:
        return None
    # a wheel's name goes on with the systems that it is for
    return _flat("-".join(hit[1].split("-")[:2]) if hit[2] in tagged else hit[1])


def _flat(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


@derived
def _archives(known: tuple[Facts, ...]) -> tuple[re.Pattern[str], frozenset[str]]:
    """The form of archives' names (what it is, the ending), and the endings after name, version and systems."""
    endings = "|".join(ending for one in known for ending in one.archives)
    return re.compile(rf"(.+?)({endings})\Z"), frozenset(end for one in known for end in one.tagged_archives)


@derived
def _installed(known: tuple[Facts, ...]) -> tuple[str, ...]:
    return tuple(folder for one in known for folder in one.installed)


def _settings(config: Settings) -> str:
    """All of them but what holds a password and decides nothing."""
    return config.model_dump_json(exclude={"database_url"})


def _image() -> list[object]:
    path = find_image()
    state = path.stat()
    return [path.name, state.st_size, state.st_mtime_ns]


def _registries(upstreams: Sequence[Upstream]) -> list[str]:
    """The host's registries; its credentials are nobody's business, and change nothing that is pinned."""
    return sorted(repr(replace(u, auth=None, proxy=None)) for u in upstreams)


def _every_file(folder: Path) -> Iterator[str]:
    """Names, kinds, modes and contents of a whole tree, links as what they point to; no link is followed."""
    for root, folders, names, at in os.fwalk(folder, onerror=_tell, follow_symlinks=False):
        folders.sort()
        for name in sorted([*folders, *names]):
            where = os.fsencode((Path(root) / name).relative_to(folder)).hex()
            yield f"{where} {_content(name, at)}"


def _tell(error: OSError) -> None:
    raise error  # a folder that cannot be read is no empty one


def _content(name: str, at: int) -> str:
    state = os.stat(name, dir_fd=at, follow_symlinks=False)
    if stat.S_ISLNK(state.st_mode):
        return f"-> {os.fsencode(os.readlink(name, dir_fd=at)).hex()}"
    if not stat.S_ISREG(state.st_mode):
        return f"{stat.S_IFMT(state.st_mode):o} {stat.S_IMODE(state.st_mode):o}"
    with os.fdopen(os.open(name, _FILE, dir_fd=at), "rb") as file:
        return f"{stat.S_IMODE(state.st_mode):o} {hashlib.file_digest(file, 'sha256').hexdigest()}"


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


def known(
    store: Store,
    key: str,
    submitter: str,
    settings: Settings,
    project: uuid.UUID = LEGACY,
    scan_id: uuid.UUID | None = None,
) -> Report | None:
    """This account's newest whole result of that key in that project within `result_cache_seconds`, with its scan's
    id. Projects do not share results: who sees one need not see the other. Within one, a scan whose tree is known for
    sure (``scan_id``, fetched or pinned) is covered by an earlier such scan, whoever submitted that."""
    since = now_ms() - int(settings.result_cache_seconds * 1000)
    query = (
        select(Scan.id)
        .join(KnownResult, KnownResult.scan_id == Scan.id)
        .where(
            KnownResult.key == key,
            or_(Scan.submitter == submitter, and_(_sure(Scan.id), _sure(scan_id))),
            Scan.project_id == project,
            Scan.status == ScanStatus.FINISHED.value,
            Scan.verdict != Verdict.INCONCLUSIVE.value,
            Scan.finished >= since,
        )
        .order_by(Scan.finished.desc())
        .limit(1)
    )
    with store.read() as session:
        found = session.scalar(query)
        data = None if found is None else scans.report(session, EVERYTHING, found)
    return None if data is None else from_json(data)


def _sure(scan_id: Any) -> ColumnElement[bool]:
    """Whether that scan's tree is known to be its commit's."""
    return exists().where(ScanOrigin.scan_id == scan_id, ScanOrigin.known.in_(("fetched", "pinned")))


def note(store: Store, key: str, scan_id: Any) -> None:
    """This scan's result, once it is there, will stand for that key."""
    with store.write() as session:
        session.merge(KnownResult(scan_id=scan_id, key=key))


NOTHING_RUN = "Nothing was run: scan "  # how the note of an earlier result begins
_ALL_THE_SAME = "had the same files and dependencies, under the same rules, image and settings"


def as_new(report: Report, scan_id: str, why: str = _ALL_THE_SAME) -> Report:
    """An earlier result as that of another scan, and ``why`` it stands for that one; what the policy made of it then
    is forgotten."""
    note = f"{NOTHING_RUN}{report.id} of {rfc3339(report.finished)[:19]}Z {why}."
    return replace(
        report,
        id=scan_id,
        known_from=report.id,
        findings=tuple(replace(f, waived=None) for f in report.findings),
        notices=(),
        coverage=replace(report.coverage, notes=(note, *report.coverage.notes)),
    )
