"""Unpacking an untrusted archive below an open directory: every entry is checked before it is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

from package_hunter.intake import secrets
from package_hunter.intake.limits import Limits
from package_hunter.intake.members import Member, members, stream_members
from package_hunter.intake.names import components, fold, refuse, shown
from package_hunter.intake.secrets import Withheld
from package_hunter.intake.streams import Readable
from package_hunter.intake.tree import TreeWriter
from package_hunter.model.withheld import CredentialKind

_CHUNK = 256 << 10
_MAX_LISTED = 1_000  # withheld files and notes; more are counted
_MAX_HOPS = 40  # of a chain of links, as the kernel's


@dataclass(slots=True)
class UnpackResult:
    """What was unpacked. ``top`` is the one top folder that holds everything, or ``""``; paths are relative
    to the directory that was unpacked into. ``withheld`` lists credential files and links that stayed
    outside."""

    files: int = 0
    bytes: int = 0
    top: str = ""
    withheld: list[Withheld] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def unpack(raw: IO[bytes], dest_fd: int, limits: Limits) -> UnpackResult:
    """Unpack an archive (seekable) into the empty directory behind ``dest_fd``. Raises BadArchiveError."""
    return _Unpacking(dest_fd, limits).run(members(raw, limits))


def unpack_stream(raw: Readable, dest_fd: int, limits: Limits) -> UnpackResult:
    """The same with a plain tar out of a pipe, as ``directory.send`` makes it."""
    return _Unpacking(dest_fd, limits).run(stream_members(raw, limits))


class _Unpacking:
    def __init__(self, dest_fd: int, limits: Limits) -> None:
        self._limits = limits
        self._writer = TreeWriter(dest_fd)
        self._result = UnpackResult()
        self._kinds: dict[str, str] = {}  # path -> kind
        self._folds: dict[str, str] = {}  # folded path -> path
        self._links: dict[str, str] = {}
        self._withheld: set[str] = set()
        self._stripped = 0

    def run(self, entries: Iterable[Member]) -> UnpackResult:
        with self._writer:
            for entry in entries:
                self._entry(entry)
            if not self._result.files:
                raise refuse(
                    "it holds no file", "Pack a project with its manifest, for example package.json."
                )
            tops = {path.split("/", 1)[0] for path in self._kinds}
            top = next(iter(tops))
            self._result.top = top if len(tops) == 1 and self._kinds[top] == "folder" else ""
            self._make_links()
        if self._stripped:
            self._note(f"{self._stripped} files asked for setuid, setgid or sticky bits; they were left out.")
        return self._result

    def _entry(self, entry: Member) -> None:
        parts = components(entry.name, self._limits)
        if not parts:
            if entry.kind != "folder":
                raise refuse(f"“{shown(entry.name)}” stands in place of the top folder")
            return
        path = "/".join(parts)
        self._claim(parts, path, entry.kind)
        self._stripped += entry.special_bits
        if entry.kind == "folder":
            self._writer.folder(parts)
        elif entry.kind == "link":
            self._links[path] = entry.target
        elif entry.kind == "hardlink":
            self._hard_link(parts, path, entry)
        else:
            self._file(parts, path, entry)

    def _claim(self, parts: tuple[str, ...], path: str, kind: str) -> None:
        """Every name once; a parent must be a folder, never a link or a file."""
        for depth in range(1, len(parts)):
            parent = "/".join(parts[:depth])
            if self._kinds.get(parent, "folder") != "folder":
                raise refuse(f"“{shown(path)}” lies below “{shown(parent)}”, which is no folder")
            if parent not in self._kinds:
                self._register(parent, "folder")
        if path in self._kinds:
            if kind == self._kinds[path] == "folder":
                return
            raise refuse(f"“{shown(path)}” occurs twice")
        self._register(path, kind)

    def _register(self, path: str, kind: str) -> None:
        if len(self._kinds) >= self._limits.files:
            raise refuse(
                f"it holds more than {self._limits.files:,} files and folders",
                "If that is right for this project, raise PACKAGE_HUNTER_MAX_FILES.",
            )
        other = self._folds.setdefault(fold(path), path)
        if other != path and not self._limits.trusted_names:
            raise refuse(
                f"the names “{shown(other)}” and “{shown(path)}” differ in letter case or accents only"
            )
        self._kinds[path] = kind

    def _file(self, parts: tuple[str, ...], path: str, entry: Member) -> None:
        assert entry.data is not None
        self._result.files += 1
        chunks = self._chunks(entry)
        head = next(chunks, b"")
        kind = secrets.kind_of(path)
        if kind is None and entry.size <= secrets.SNIFF_BYTES:
            kind = secrets.kind_of_content(path, head)
        if kind is None:
            data = _joined(head, chunks)
            if secrets.is_manifest(path) and entry.size <= secrets.MANIFEST_BYTES:
                data = self._without_users(path, data)
            self._writer.file(parts, data, entry.executable, entry.mtime)
            return
        whole = head if entry.size <= len(head) else None
        for _ in chunks:
            pass  # what is withheld counts against the limits all the same
        self._withhold_file(parts, path, kind, whole, entry.mtime)

    def _without_users(self, path: str, chunks: Iterable[bytes]) -> Iterator[bytes]:
        content, count = secrets.without_users(b"".join(chunks))
        if count:
            self._note(f"Credentials in {count} addresses of {shown(path)} stayed outside of the box.")
        yield content

    def _withhold_file(
        self, parts: tuple[str, ...], path: str, kind: CredentialKind, whole: bytes | None, mtime: float
    ) -> None:
        kept, dropped = (None, 0) if whole is None else secrets.harmless_part(kind, whole)
        if kept is not None:
            self._writer.file(parts, (kept,), False, mtime)
            if not dropped:
                return
            why = f"{dropped} of its lines name registries or credentials; the others entered the box."
        else:
            why = "It can hold real credentials, so it did not enter the box."
        if kept is None:
            self._withheld.add(path)
        self._withhold(Withheld(path, kind, why))

    def _chunks(self, entry: Member) -> Iterator[bytes]:
        """The data of one entry, counted. The declared size must be the real one."""
        assert entry.data is not None
        seen = 0
        while chunk := entry.data.read(_CHUNK):
            seen += len(chunk)
            self._grow(len(chunk))
            yield chunk
        if seen != entry.size:
            raise refuse(f"“{shown(entry.name)}” has {seen:,} bytes where {entry.size:,} were promised")

    def _grow(self, size: int) -> None:
        self._result.bytes += size
        if self._result.bytes > self._limits.unpacked_bytes:
            raise refuse(
                f"it unpacks to more than {self._limits.unpacked_bytes:,} bytes",
                "If that is right for this project, raise PACKAGE_HUNTER_MAX_UNPACKED_BYTES.",
            )

    def _hard_link(self, parts: tuple[str, ...], path: str, entry: Member) -> None:
        """A second name of an earlier file: made as a link to it, which nothing can tell from a copy once the
        tree is packed into the box, and which costs no space."""
        target = "/".join(components(entry.target, self._limits))
        if self._kinds.get(target) not in ("file", "hardlink") or target == path:
            raise refuse(
                f"“{shown(path)}” is a hard link to “{shown(entry.target)}”, which is no earlier file"
            )
        self._result.files += 1
        kind = secrets.kind_of(path)
        if target in self._withheld or kind is not None:
            self._withheld.add(path)
            why = "It is a second name of a file that was withheld."
            self._withhold(Withheld(path, kind or CredentialKind.LINK, why))
            return
        self._writer.hard_link(tuple(target.split("/")), parts)

    def _make_links(self) -> None:
        for path, target in self._links.items():
            if not self._stays_inside(path):
                if not self._limits.trusted_names:
                    raise refuse(f"the link “{shown(path)}” leads out of it, to “{shown(target)}”")
                self._withheld.add(path)
                self._withhold(
                    Withheld(path, CredentialKind.LINK, f"It leads out of the project, to {shown(target)}.")
                )
            else:
                self._writer.link(tuple(path.split("/")), target)

    def _stays_inside(self, path: str) -> bool:
        """Follow a link as the kernel would, through other links of the archive."""
        here = path.split("/")[:-1]
        rest = list(reversed(self._links[path].split("/")))
        if self._links[path].startswith("/") or "\0" in self._links[path] or not self._links[path]:
            return False
        hops, floor = 1, 1 if self._result.top else 0
        while rest:
            part = rest.pop()
            if part == "..":
                if len(here) <= floor:
                    return False
                here.pop()
            elif part not in ("", "."):
                here.append(part)
                target = self._links.get("/".join(here))
                if target is not None:
                    hops += 1
                    if target.startswith("/"):
                        return False
                    if hops > _MAX_HOPS:
                        return True  # a loop: leads nowhere, so nowhere outside
                    here.pop()
                    rest.extend(reversed(target.split("/")))
        return True

    def _withhold(self, item: Withheld) -> None:
        if len(self._result.withheld) < _MAX_LISTED:
            self._result.withheld.append(item)

    def _note(self, text: str) -> None:
        if len(self._result.notes) < _MAX_LISTED:
            self._result.notes.append(text)


def _joined(head: bytes, rest: Iterable[bytes]) -> Iterator[bytes]:
    if head:
        yield head
    yield from rest
