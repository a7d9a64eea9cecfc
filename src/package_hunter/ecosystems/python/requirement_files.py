"""Requirement files as pip takes them, in the encodings that pip takes: what they include, what limits versions
(``-c``), what they ask for. What a resolver reads of a line (markers, digests, extras) stays in it."""

from __future__ import annotations

import codecs
import posixpath
import re
from dataclasses import dataclass, field

from package_hunter.ecosystems.python import origins
from package_hunter.ecosystems.python.asked import RequirementSet
from package_hunter.ecosystems.python.sources import Place, classify
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.text import shortened

_FIRST = ("requirements.txt", *(f"requirements/{name}.txt" for name in (
    "production", "prod", "requirements", "main", "base", "common")), "requirements.in")  # fmt: skip
_OTHER = re.compile(r"(?:requirements[-_.\w]*|[-_.\w]+[-_.]requirements)\.(?:txt|in)")
_KEPT_OPTIONS = (
    "--no-binary",
    "--only-binary",
    "--pre",
    "--prefer-binary",
    "--require-hashes",
    "--use-pep517",
)
_MAX_FILES, _MAX_LINES, _MAX_BESIDE = 50, 20_000, 10
_MAX_OPTION = 20_000  # characters: an option may name many packages
# As pip has them, in its order: the longer mark first where one begins as another does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF16, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
)
_CODING = re.compile(rb"coding[:=]\s*([-\w.]+)")


def requirement_files(tree: BoxTree, project: str) -> RequirementSet | None:
    """What ``requirements.txt`` asks for, or the file that stands for it; the others beside it are named."""
    listed = candidates(tree, project)
    if not listed:
        return None
    found = RequirementSet(source=listed[0], place=Place(tree, project, project))
    reading = _Reading(tree, project, found)
    reading.file(listed[0])
    left = [name for name in listed[1:] if name not in reading.seen]
    if left:
        more = f" and {len(left) - _MAX_BESIDE} more" if len(left) > _MAX_BESIDE else ""
        some = ", ".join(map(shortened, left[:_MAX_BESIDE]))
        found.beside.append(
            f"{listed[0]} was scanned. Beside it there is {some}{more}, which it does not include: "
            "give a folder with one of them as requirements.txt to have that scanned."
        )
    return found


def read_into(found: RequirementSet, tree: BoxTree, project: str, name: str) -> None:
    """Add what a file of the project asks for."""
    _Reading(tree, project, found).file(posixpath.normpath(name))


def candidates(tree: BoxTree, project: str) -> list[str]:
    """The project's requirement files, the one that is most likely installed first."""
    top = [name for name in tree.names(project) if _OTHER.fullmatch(name)]
    below = [
        f"requirements/{n}" for n in tree.names(f"{project}/requirements") if n.endswith((".txt", ".in"))
    ]
    there = [
        name for name in dict.fromkeys((*_FIRST, *top, *below)) if tree.kind(f"{project}/{name}") == "file"
    ]
    # what pip-compile made, and what it made it of, say the same
    made = set(there)
    return [name for name in there if not (name.endswith(".in") and f"{name[:-3]}.txt" in made)]


def decoded(raw: bytes) -> str:
    """A file's text, in the encoding that pip finds for it; what is none of its characters becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(encoding, "replace")
    for line in raw.split(b"\n")[:2]:
        hit = _CODING.search(line) if line[:1] == b"#" else None
        try:
            if hit is not None:
                return _as_text(raw, hit[1].decode("ascii"))
        except (LookupError, UnicodeError):
            break
    return raw.decode("utf-8", "replace")


def _as_text(raw: bytes, encoding: str) -> str:
    """Only encodings of text: others unpack, or run for long."""
    if not codecs.lookup(encoding)._is_text_encoding:
        raise LookupError(encoding)
    return raw.decode(encoding, "replace")


@dataclass
class _Reading:
    """Files that include each other, read one after the other. ``limits``: those that were only to limit versions."""

    tree: BoxTree
    project: str
    found: RequirementSet
    seen: set[str] = field(default_factory=set)
    limits: set[str] = field(default_factory=set)

    def file(self, name: str, limit: bool = False) -> None:
        """Read one, relative to the project; ``limit``: it was named by ``-c``."""
        seen = self.limits if limit else self.seen
        if name in seen:
            return
        seen.add(name)
        outside = name.startswith("../")
        raw = self.tree.read(f"{self.project}/{name}", 4 << 20) if not outside else None
        if raw is None or len(seen) > _MAX_FILES:
            why = "lies outside of the project" if outside else "could not be read"
            self.found.unread.append(f"{name[:200]} {why}, so what it asks for was not scanned.")
            return
        place = self.found.place
        self.found.place = Place(self.tree, self.project, posixpath.dirname(f"{self.project}/{name}"))
        lines = re.sub(r"\\\r?\n", " ", decoded(raw)).splitlines()
        for line in lines[:_MAX_LINES]:
            text = re.sub(r"(^|\s)#.*$", "", line).strip()
            if text and not self._included(name, text, limit):
                self._limit(text) if limit else _read_line(self.found, text)
        if len(lines) > _MAX_LINES:
            self.found.unread.append(
                f"{name[:200]} has more than {_MAX_LINES} lines; the rest was not scanned."
            )
        self.found.place = place

    def _included(self, name: str, line: str, limit: bool) -> bool:
        """Whether the line names another file, which is then read."""
        hit = re.match(r"(?:-r|--requirement|(-c|--constraint))[\s=]*(\S+)", line)
        if hit is None:
            return False
        other = hit[2].strip("\"'")
        if "://" in other.removeprefix("file://"):
            what = "what versions it allows was not heeded" if hit[1] else "what it asks for was not scanned"
            self.found.unread.append(f"{shortened(other)} lies outside of the project, so {what}.")
            return True
        path = re.sub(r"^file:(?://(?=[/.]))?", "", other)
        inner = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
        self.file(inner if not inner.startswith("/") else f"../{inner}", limit or hit[1] is not None)
        return True

    def _limit(self, line: str) -> None:
        """A line of a constraints file: a version, or where a package comes from (which is told)."""
        bare = re.sub(r"\s--\S.*$", "", line)
        if line.startswith("-"):
            self.found.dropped.append(line[:200])
        elif classify(bare, self.found.place) is not None:
            self.found.unread.append(f"The constraint {shortened(bare)} was not heeded: it is no version.")
        else:
            self.found.constraints.append(bare)


def _read_line(found: RequirementSet, line: str) -> None:
    editable = re.match(r"(?:-e|--editable)[\s=]*(\S.*)", line)
    links = re.match(r"(?:-f|--find-links)[\s=]*(\S+)", line)
    if links:
        _find_links(found, links[1])
    elif line.startswith("--no-index") and any(kept.startswith("--find-links") for kept in found.lines):
        found.lines.append("--no-index")
    elif editable:
        found.add(re.sub(r"^([\"'])(.*)\1$", r"\2", editable[1]), editable=True)
    elif line.startswith("-"):
        found.indexes += [url] if (url := origins.of_option(line)) else []
        kept = line.startswith(_KEPT_OPTIONS)
        (found.lines if kept else found.dropped).append(line[: _MAX_OPTION if kept else 200])
    elif line:
        found.add(line)


def _find_links(found: RequirementSet, where: str) -> None:
    """A folder of packages, kept where it lies in the project: else others of their names would be scanned."""
    place = found.place
    if place is None or "://" in where.removeprefix("file://"):
        found.dropped.append(f"--find-links {where}"[:200])
        found.indexes.append(where[:2_000])
        return
    path, why = place.find(re.sub(r"^file:(//(?=[/.]))?", "", where))
    if why:
        found.unread.append(f"The packages in {where[:200]} were not scanned: it {why}.")
    elif not re.search(r"[\s\\\"'#]", path):
        found.lines.append(f"--find-links {place.project}/{path}")
