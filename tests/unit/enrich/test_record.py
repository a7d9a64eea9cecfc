"""Names, processes, files and canaries out of hand-made events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from package_hunter.enrich.convert import pack
from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.kinds import kind_of
from package_hunter.enrich.names import NameTable
from package_hunter.enrich.record import BehaviourRecorder
from package_hunter.model.event import EXTRA_MAGIC, Extra
from package_hunter.model.table import ProcEntry, StartState

SHELL = ProcEntry(7, 7, 1, 7, 7, 7, 7, 7, b"sh", b"sh", b"/bin/sh", (), (), b"/home/dev", 1000, 1000, 0)


def n(value: int, size: int = 8) -> bytes:
    return value.to_bytes(size, "little", signed=value < 0)


def opened(ts: int, fd: int, name: bytes, flags: int, extra: bytes = b"") -> bytes:
    params = [n(fd), n(-100), name + b"\0", n(flags, 4), n(0, 4), n(5, 4), n(99)]
    return pack(ts, 7, kind_of("syscall_openat_2_x"), [*params, extra] if extra else params)


def test_names_are_read_when_asked(tmp_path: Path) -> None:
    file = tmp_path / "names"
    names = NameTable(file)
    assert names.get(b"\xc6\x12\1\1") is None
    file.write_bytes(b"198.18.1.1\tevil.example\nnonsense\n198.18.1.2\tcut")
    assert names.get(b"\xc6\x12\1\1") == "evil.example"
    assert names.get(b"\xc6\x12\1\2") is None
    with file.open("ab") as more:
        more.write(b".example\n")
    assert names.get(b"\xc6\x12\1\2") == "cut.example"
    assert [name for _, name in names.fresh] == ["evil.example", "cut.example"]


def test_files_and_canaries() -> None:
    enricher = Enricher(StartState((SHELL,)))
    recorder = BehaviourRecorder({"/home/dev/.npmrc": "npm"}, {(5, 99): "key"})
    for raw in (
        opened(1, 3, b".npmrc", 1),
        opened(2, 4, b"/tmp/hard-link", 1),
        opened(3, 5, b"new", 2 | 4 | 1 << 14),
        opened(4, -2, b"missing", 1),
    ):
        ev = enricher.feed(raw)
        assert ev is not None
        recorder.add(ev)
    assert [(r.canary, r.path) for r in recorder.reads()] == [
        ("npm", "/home/dev/.npmrc"),
        ("key", "/tmp/hard-link"),
    ]
    assert [(f.path, f.action) for f in recorder.files()] == [("/home/dev/new", "created")]
    (process,) = recorder.processes()
    assert (process.pid, process.name, process.cwd) == (7, "sh", "/home/dev/")


def test_the_kernels_path_counts() -> None:
    blob = EXTRA_MAGIC + bytes([Extra.PATH]) + n(11, 2) + b"/etc/shadow"
    ev = Enricher(StartState((SHELL,))).feed(opened(1, 3, b"link", 1, blob))
    assert ev is not None and ev.fd is not None
    assert ev.fd.name == "/etc/shadow"
    assert ev.fd.raw_name == "link"


def of_kernel(path: bytes) -> bytes:
    return EXTRA_MAGIC + bytes([Extra.PATH]) + n(len(path), 2) + path


def test_a_copied_descriptor_is_what_the_kernel_says() -> None:
    """The open of a file that no rule speaks of stays in the kernel: what was known of its number is stale."""
    enricher = Enricher(StartState((SHELL,)))
    socket = [n(5), n(2, 4), n(1, 4), n(6, 4)]
    enricher.feed(pack(1, 7, kind_of("socket_socket_x"), socket))
    ev = enricher.feed(
        pack(2, 7, kind_of("syscall_dup2_x"), [n(0), n(5), n(0), of_kernel(b"/home/dev/x.sh")])
    )
    assert ev is not None and ev.fd is not None
    assert (ev.fd.kind, ev.fd.name) == ("file", "/home/dev/x.sh")
    assert ev.thread is not None and ev.thread.fds[0].name == "/home/dev/x.sh"
    ev = enricher.feed(pack(3, 7, kind_of("syscall_dup_1_x"), [n(1), n(9), of_kernel(b"/never/told")]))
    assert ev is not None and ev.thread is not None and ev.thread.fds[1].name == "/never/told"
    ev = enricher.feed(pack(4, 7, kind_of("syscall_dup_1_x"), [n(2), n(5), of_kernel(b"TCP")]))
    assert ev is not None and ev.thread is not None and ev.thread.fds[2].kind == "ipv4"


def test_the_mode_of_a_file_whose_open_was_not_told() -> None:
    enricher, recorder = Enricher(StartState((SHELL,))), BehaviourRecorder()
    mode = [n(0), n(9), n(0o4755, 4), of_kernel(b"/home/dev/tool")]
    ev = enricher.feed(pack(1, 7, kind_of("syscall_fchmod_x"), mode))
    assert ev is not None
    recorder.add(ev)
    assert [(f.path, f.action) for f in recorder.files()] == [("/home/dev/tool", "mode")]


def test_limits_count_what_they_cut() -> None:
    enricher, recorder = Enricher(StartState((SHELL,))), BehaviourRecorder(limit=2)
    for i in range(5):
        ev = enricher.feed(opened(i + 1, 3, b"f%d" % i, 2 | 1 << 14))
        assert ev is not None
        recorder.add(ev)
    assert len(recorder.files()) == 2
    assert recorder.cut["files"] == 3


def test_the_last_other_process_that_changed_a_file_is_kept_too() -> None:
    others = [replace(SHELL, tid=pid, pid=pid, vtid=pid, vpid=pid) for pid in (8, 9)]
    enricher, recorder = Enricher(StartState((SHELL, *others))), BehaviourRecorder(limit=10)
    for ts, pid in enumerate((7, 7, 8, 9, 9), 1):
        params = [n(3), n(-100), b"new\0", n(2 | 4 | 1 << 14, 4), n(0, 4), n(5, 4), n(99)]
        ev = enricher.feed(pack(ts, pid, kind_of("syscall_openat_2_x"), params))
        assert ev is not None
        recorder.add(ev)
    assert [(f.path, f.time_ns) for f in recorder.files()] == [("/home/dev/new", 1), ("/home/dev/new", 5)]
