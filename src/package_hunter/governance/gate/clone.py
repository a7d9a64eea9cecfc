"""A commit's tree, fetched by git in a process without rights, as a tar of exactly what the commit holds.

The repository is a stranger's. Git runs as a user of its own, with an empty configuration: one protocol, no
redirects, no
hooks, no helpers, no submodules, no filters (so no LFS), nothing checked out: files come out of the object store by
their
digests, which git checks. ``.gitattributes`` has no say (``export-ignore`` would hide files from the scan).
"""

from __future__ import annotations

import base64
import contextlib
import gzip
import os
import resource
import shutil
import signal
import subprocess
import tarfile
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from package_hunter.config import Settings
from package_hunter.errors import HostError, HunterError, UnreachableError
from package_hunter.governance.gate.forges import Forge

UID = 60877  # of git: it can neither write the store nor signal anybody
_FETCH_SECONDS = 600
_READ_SECONDS = 300
_MAX_LISTING = 256 << 20
_MAX_SAID = 2_000
_POINTER = b"version https://git-lfs.github.com/spec/v1\n"
_BLOCK = 1 << 20


class NotFetchedError(HunterError):
    """The commit could not be fetched; the sentence names no credential."""


@dataclass(frozen=True, slots=True)
class Tree:
    """What was fetched. ``gaps``: a sentence that says what the tree names and does not hold, None where it is
    whole."""

    files: int
    size: int
    gaps: str | None


def fetch(settings: Settings, forge: Forge, url: str, commit: str, write: Callable[[bytes], None]) -> Tree:
    """Fetch a commit and hand its tree, a gzip tar, to ``write``; NotFetchedError, UnreachableError, HostError."""
    if shutil.which("git") is None:
        raise HostError("There is no git on this host.", "Install it: apt-get install git.")
    folder = Path(tempfile.mkdtemp(prefix="package-hunter-git-"))
    try:
        if os.geteuid() == 0:
            os.chown(folder, UID, UID)
        git = _Git(settings, forge, url, folder)
        git.get(commit)
        return _pack(settings, git, commit, write)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Git:
    """Git with nobody's settings, in a folder of its own."""

    def __init__(self, settings: Settings, forge: Forge, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._limit = settings.max_unpacked_bytes
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "GIT_DIR": str(folder / "git"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(_settings_for_files(folder)) if url.startswith("file:") else os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": "/bin/false",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
            **_configuration(forge, url),
        }

    def get(self, commit: str) -> None:
        """Fetch the commit alone, without its history."""
        form = "sha256" if len(commit) == 64 else "sha1"
        self.run(["init", "-q", "--bare", f"--object-format={form}", str(self._folder / "git")], 60)
        options = ["--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "-q"]
        self.run(["fetch", *options, "--", self._url, commit], _FETCH_SECONDS)
        found = self.run(["rev-parse", "--verify", "-q", f"{commit}^{{commit}}"], 60).decode().strip()
        if found != commit:
            raise NotFetchedError(f"The forge has no commit {commit}.", "Is it pushed?")

    def run(self, arguments: list[str], seconds: float) -> bytes:
        """What it prints."""
        with self.started(arguments) as process:
            try:
                out, said = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                _kill(process)
                raise UnreachableError(
                    f"git did not end within {seconds:.0f} s.", "Try again later."
                ) from error
        if process.returncode != 0:
            raise _refused(arguments[0], process.returncode, said)
        if len(out) > _MAX_LISTING:
            raise NotFetchedError("The tree has more names than are read.", "Split the repository.")
        return bytes(out)

    def started(self, arguments: list[str], **more: Any) -> subprocess.Popen[bytes]:
        """The process, in a group of its own, so that its helpers end with it."""
        ids: dict[str, Any] = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen(
            ["git", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=more.get("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=more.get("stderr", subprocess.PIPE),
            start_new_session=True,
            preexec_fn=lambda: _limit(self._limit),
            umask=0o077,
            **ids,
        )


def _settings_for_files(folder: Path) -> Path:
    """For a repository on this host, whose owner is another: the host's file of forges allowed the place. The part of
    git that reads there gets no configuration by its environment."""
    path = folder / "settings"
    path.write_text("[safe]\n\tdirectory = *\n", encoding="ascii")
    path.chmod(0o644)
    return path


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (_FETCH_SECONDS, _FETCH_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _kill(process: subprocess.Popen[bytes]) -> None:
    """It and its helpers; it is in a group of its own, and not waited for yet, so the number is still its."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _configuration(forge: Forge, url: str) -> dict[str, str]:
    """Git's configuration, by its environment: on a command line every process of the machine would read the token."""
    scheme = urlsplit(url).scheme
    wanted = {
        "protocol.allow": "never",
        f"protocol.{scheme}.allow": "always",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "credential.helper": "",
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.attributesFile": os.devnull,
        "fetch.fsckObjects": "true",
        "transfer.fsckObjects": "true",
        "transfer.bundleURI": "false",
        "fetch.recurseSubmodules": "false",
        "submodule.recurse": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "advice.detachedHead": "false",
    }
    if forge.ca_file:
        wanted["http.sslCAInfo"] = forge.ca_file
    if forge.token and scheme != "file":
        pair = base64.b64encode(f"{forge.git_user}:{forge.token}".encode()).decode()
        wanted[f"http.{forge.url}.extraHeader"] = f"Authorization: Basic {pair}"
    made = {"GIT_CONFIG_COUNT": str(len(wanted))}
    for number, (key, value) in enumerate(wanted.items()):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


_SILENT = ("Could not resolve", "Connection refused", "timed out", "Failed to connect", "returned error: 5")


def _refused(verb: str, code: int, said: bytes) -> HunterError:
    text = "".join(c if c.isprintable() else " " for c in said.decode("utf-8", "replace"))[:_MAX_SAID]
    last = next((part.strip() for part in reversed(text.split("fatal:")) if part.strip()), "it said nothing")
    if any(words in text for words in _SILENT):
        return UnreachableError(f"The forge does not answer: {last}", "Try again later.")
    if code == -signal.SIGXFSZ or f"signal {int(signal.SIGXFSZ)}" in text:
        last = "the commit is larger than this server takes"
    return NotFetchedError(f"git {verb} failed: {last}", "See docs/gate.md.")


@dataclass(frozen=True, slots=True)
class _Entry:
    mode: str
    kind: str
    digest: str
    size: int
    path: bytes


def _pack(settings: Settings, git: _Git, commit: str, write: Callable[[bytes], None]) -> Tree:
    entries = list(_entries(git.run(["ls-tree", "-r", "-z", "-l", "--full-tree", commit], _READ_SECONDS)))
    blobs = [entry for entry in entries if entry.kind == "blob"]
    size = sum(entry.size for entry in blobs)
    if len(blobs) > settings.max_files or size > settings.max_unpacked_bytes:
        raise NotFetchedError(
            f"The commit has {len(blobs)} files of {size / 1e6:.0f} MB: more than this server takes.",
            "Raise PACKAGE_HUNTER_MAX_FILES or MAX_UNPACKED_BYTES.",
        )
    if not blobs:
        raise NotFetchedError("The commit holds no files.", "There is nothing to scan.")
    pointers = _write(git, blobs, write)
    modules = [entry for entry in entries if entry.kind == "commit"]
    return Tree(len(blobs), size, _gaps(modules, pointers))


def _entries(listing: bytes) -> Iterator[_Entry]:
    for line in listing.split(b"\0"):
        if line:
            head, _, path = line.partition(b"\t")
            mode, kind, digest, size = head.decode("ascii").split()
            yield _Entry(mode, kind, digest, 0 if size == "-" else int(size), path)


def _gaps(modules: list[_Entry], pointers: list[bytes]) -> str | None:
    said = []
    if modules:
        said.append(f"{len(modules)} submodules ({_few([m.path for m in modules])})")
    if pointers:
        said.append(f"{len(pointers)} files that lie in LFS ({_few(pointers)})")
    return f"Not everything of the tree was scanned: {' and '.join(said)} are not in it." if said else None


def _few(paths: list[bytes]) -> str:
    shown = [p.decode("utf-8", "replace")[:80] for p in paths[:3]]
    clean = ["".join(c if c.isprintable() else "?" for c in text) for text in shown]
    return ", ".join(clean) + (" …" if len(paths) > 3 else "")


class _Out:
    """A file for gzip that hands on what is written."""

    def __init__(self, write: Callable[[bytes], None]) -> None:
        self._write = write

    def write(self, data: bytes) -> int:
        """Hand it on."""
        self._write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """`write` did it."""


def _write(git: _Git, blobs: list[_Entry], write: Callable[[bytes], None]) -> list[bytes]:
    """Write them in order, with fixed times and owners: the same tree gives the same bytes. Gives the LFS pointers."""
    blobs = sorted(blobs, key=lambda blob: blob.path)
    pointers: list[bytes] = []
    with tempfile.TemporaryFile() as asked:
        asked.write(b"".join(blob.digest.encode() + b"\n" for blob in blobs))
        asked.seek(0)
        with git.started(
            ["cat-file", "--batch", "--buffer"], stdin=asked, stderr=subprocess.DEVNULL
        ) as process:
            clock = threading.Timer(_READ_SECONDS, lambda: _kill(process))
            clock.start()
            try:
                out: Any = _Out(write)
                with (
                    gzip.GzipFile("", "wb", 6, out, mtime=0) as packed,
                    tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
                ):
                    pointers += [blob.path for blob in blobs if _one(process, archive, blob)]
            finally:
                clock.cancel()
                _kill(process)
    return pointers


def _one(process: subprocess.Popen[bytes], archive: tarfile.TarFile, blob: _Entry) -> bool:
    """Put one file into the archive; whether it is a pointer into LFS."""
    assert process.stdout is not None
    head = process.stdout.readline(200).split()
    if len(head) != 3 or head[0].decode("ascii", "replace") != blob.digest or head[1] != b"blob":
        raise NotFetchedError("git could not read an object of the commit.", "Try again.")
    size = int(head[2])
    if size != blob.size:
        raise NotFetchedError("git told two sizes of one object.", "Try again.")
    info = tarfile.TarInfo(f"./{os.fsdecode(blob.path)}")
    if blob.mode == "120000":
        info.type, info.linkname = tarfile.SYMTYPE, os.fsdecode(_read(process.stdout, size))
        archive.addfile(info)
        _read(process.stdout, 1)
        return False
    info.size, info.mode = size, 0o755 if blob.mode == "100755" else 0o644
    content = _Content(process.stdout, size)
    archive.addfile(info, content)
    _read(process.stdout, 1)
    return content.head.startswith(_POINTER)


class _Content:
    """So many bytes of git's output, as a file; NotFetchedError where it ends before."""

    def __init__(self, source: IO[bytes], size: int) -> None:
        self._source, self._left = source, size
        self.head = b""

    def read(self, most: int = -1) -> bytes:
        """The next of them."""
        wanted = self._left if most < 0 else min(most, self._left)
        data = _read(self._source, min(wanted, _BLOCK)) if wanted else b""
        self._left -= len(data)
        self.head = self.head or data[:200]
        return data


def _read(source: IO[bytes], size: int) -> bytes:
    data = source.read(size)
    if len(data) != size:
        raise NotFetchedError("git ended in the middle of a file.", "Try again.")
    return data
