"""What fields and alerts are by Falco's reckoning where a reader of its docs would guess wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from package_hunter.enrich.convert import default, pack
from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.enrich.kinds import kind_of
from package_hunter.model.event import EXTRA_MAGIC, Extra
from package_hunter.model.observation import Alert
from package_hunter.model.report_form import falco_json
from package_hunter.model.table import FdEntry, ProcEntry, Section, StartState
from package_hunter.observe.events import compile_rules, observe
from package_hunter.rules import check_rules

INIT = ProcEntry(
    *(1, 1, 0, 1, 1, 1, 1, 1), b"init", b"init", b"/sbin/init", (), (), b"/", 0, 0, 0
)  # tid, pid, ptid, sid, vpgid, vtid, vpid, pgid
SHELL = replace(INIT, tid=10, pid=10, ptid=1, comm=b"bash", exe=b"bash", args=(b"-c", b"x"))
CHILD = replace(
    SHELL, tid=11, pid=11, ptid=10, comm=b"node", exe=b"node", args=(b"a.js", b"b"), cwd=b"/home/dev/app",
    fds=(FdEntry(0, "file", "/dev/null"), FdEntry(5, "directory", "/srv")),
)  # fmt: skip
START = StartState((INIT, SHELL, CHILD))
AT_FDCWD = (-100).to_bytes(8, "little", signed=True)
WRITES = 2 | 4  # O_WRONLY, O_CREAT


def opened(
    name: bytes, kernel: bytes = b"", dirfd: bytes = AT_FDCWD, flags: int = WRITES, res: int = 7
) -> bytes:
    kind = kind_of("syscall_openat_2_x")
    params = [default(p.type) for p in kind.params]
    params[0] = res.to_bytes(8, "little", signed=True)
    params[1], params[2], params[3] = dirfd, name + b"\0", flags.to_bytes(4, "little")
    extra = EXTRA_MAGIC + bytes([Extra.PATH]) + len(kernel).to_bytes(2, "little") + kernel
    return pack(1000, 11, kind, [*params, *([extra] if kernel else [])])


def value(name: str, arg: str | None = None, raw: bytes = b"") -> Any:
    ev = Enricher(START).feed(raw or opened(b"x"))
    assert ev is not None
    return Fields().extractor(name, arg)(ev)


def alerts(
    folder: Path, condition: str, *raws: bytes, matching: str = "all", output: str = ""
) -> list[Alert]:
    file = folder / "rules.yaml"
    output = output or "(file=%fd.name directory=%fd.directory raw=%fd.nameraw)"
    rule = f"- rule: r\n  desc: d\n  condition: {condition}\n  output: {output}\n  priority: NOTICE\n"
    file.write_text(rule)
    loaded = check_rules([file])
    assert not loaded.errors
    seen = observe([Section(START, [(raw, 0) for raw in raws])], compile_rules(loaded, matching))
    return list(seen.alerts)


def test_name_and_thread_as_one_text(tmp_path: Path) -> None:
    assert value("thread.nametid") == "node11"
    assert alerts(tmp_path, "thread.nametid = node11", opened(b"x"))
    assert not alerts(tmp_path, "thread.nametid = node10", opened(b"x"))


@pytest.mark.parametrize("field", ["aname", "aexe", "acmdline"])
def test_minus_one_is_any_ancestor_in_a_condition(tmp_path: Path, field: str) -> None:
    for words in ("startswith bash", "startswith init", "exists", "in (init, bash, 'bash -c x', 'init ')"):
        assert alerts(tmp_path, f"proc.{field}[-1] {words}", opened(b"x"))
    assert not alerts(tmp_path, f"proc.{field}[-1] startswith node", opened(b"x"))
    assert not alerts(tmp_path, f"proc.{field}[-2] exists", opened(b"x"))
    assert value(f"proc.{field}", "-1") is None  # and nothing in an output


def test_other_negative_indexes(tmp_path: Path) -> None:
    assert alerts(tmp_path, "proc.apid[-1] = 10", opened(b"x"))
    assert not alerts(tmp_path, "proc.apid[-1] = 11", opened(b"x"))
    for index in ("-1", "-7"):
        assert value("proc.args", index) == "a.js b"
    assert value("proc.args", "9") == ""
    assert value("proc.aargs", "-1") is None
    assert value("proc.aargs", "0") == "a.js b"
    assert value("proc.aargs", "1") == "-c x"
    assert alerts(tmp_path, "fd.types[-1] intersects (directory)", opened(b"x"))
    assert not alerts(tmp_path, "fd.types[-1] in (directory)", opened(b"x"))
    assert value("fd.types", "5") == "directory"
    assert value("fd.types", "-2") is None


def test_an_outputs_last_line_end_is_not_told(tmp_path: Path) -> None:
    (found,) = alerts(tmp_path, "evt.type = openat", opened(b"x"), output=">\n    one %proc.name\n    two")
    assert found.output.endswith("Notice one node two")
    assert falco_json(found)["output"] == found.output
    (found,) = alerts(tmp_path, "evt.type = openat", opened(b"x"), output="|\n\n    a\n    b\n\n")
    assert found.output.endswith("Notice a\nb")


@pytest.mark.parametrize(
    ("asked", "kernel", "dirfd", "name"),
    [
        (b"/proc/self/fd/5", b"/srv/x", AT_FDCWD, "/proc/self/fd/5"),
        (b"/var/run/docker.sock", b"/run/docker.sock", AT_FDCWD, "/var/run/docker.sock"),
        (b"link/../y", b"/elsewhere/y", AT_FDCWD, "/home/dev/app/y"),
        (b"link", b"/etc/shadow", (5).to_bytes(8, "little"), "/srv/link"),
    ],
)
def test_a_rule_may_mean_the_door_or_what_is_behind(
    tmp_path: Path, asked: bytes, kernel: bytes, dirfd: bytes, name: str
) -> None:
    raw = opened(asked, kernel, dirfd)
    (found,) = alerts(tmp_path, f"evt.type = openat and fd.name = {name}", raw)
    assert found.output_fields["fd.name"] == name
    assert found.output_fields["fd.nameraw"] == asked.decode()
    (found,) = alerts(tmp_path, f"evt.type = openat and fd.name = {kernel.decode()}", raw)
    assert found.output_fields["fd.name"] == kernel.decode()
    assert len(alerts(tmp_path, "evt.type = openat", raw)) == 1  # once, by what is behind
    assert not alerts(tmp_path, "evt.type = openat and fd.name = /nowhere", raw)


def test_the_doors_name_is_for_the_open_alone(tmp_path: Path) -> None:
    raws = [opened(b"/proc/self/fd/5", b"/srv/x"), _closed(7)]
    assert not alerts(tmp_path, "evt.type = close and fd.name startswith /proc", *raws)
    assert alerts(tmp_path, "evt.type = close and fd.name = /srv/x", *raws)


@pytest.mark.parametrize("raw", [opened(b"/a/./b", b"/a/b"), opened(b"x", b"/home/dev/app/x"), opened(b"/a")])
def test_no_link_no_second_look(tmp_path: Path, raw: bytes) -> None:
    assert len(alerts(tmp_path, "evt.type = openat and fd.name startswith /", raw)) == 1


def test_first_match_stays_one(tmp_path: Path) -> None:
    raw = opened(b"/proc/self/fd/5", b"/srv/x")
    assert len(alerts(tmp_path, "fd.name in (/srv/x, /proc/self/fd/5)", raw, matching="first")) == 1


def _closed(number: int) -> bytes:
    kind = kind_of("syscall_close_x")
    return pack(2000, 11, kind, [bytes(8), number.to_bytes(8, "little")])


@pytest.mark.parametrize(
    ("name", "path", "folder"),
    [
        (b"/", "/", "/"),
        (b"..", "/home/dev", "/home"),
        (b"sub/../x", "/home/dev/app/x", "/home/dev/app"),
        (b"//a//b/", "/a/b", "/a"),
    ],
)
@pytest.mark.parametrize("res", [7, -2])
def test_names_relative_and_odd(name: bytes, path: str, folder: str, res: int) -> None:
    raw = opened(name, res=res, flags=1)
    assert value("fd.name", raw=raw) == path
    assert value("fd.directory", raw=raw) == folder
    assert value("fd.nameraw", raw=raw) == name.decode().replace("//", "/")
    whole = opened(name, flags=1 | 1024)
    assert value("fd.directory", raw=whole) == path  # a folder's descriptor: the folder itself
    assert value("fd.filename", raw=whole) is None


def test_empty_is_not_absent(tmp_path: Path) -> None:
    raw = opened(b"", res=-2)
    for condition in ("len(fd.name) = 0", "fd.name = ''", "fd.name exists", "fd.name = val(fd.nameraw)"):
        assert alerts(tmp_path, f'"evt.type = openat and {condition}"', raw), condition
    for condition in ("len(fs.path.source) = 0", "fs.path.source = val(fd.name)", "len(fd.filename) = 0"):
        assert not alerts(tmp_path, f'"evt.type = openat and {condition}"', raw), condition
        assert alerts(tmp_path, f'"evt.type = openat and not {condition}"', raw), condition


def test_root_has_its_name_where_no_table_gives_it() -> None:
    kind = kind_of("syscall_setresuid_x")
    for given, shown in ((0, "root"), (7, "<NA>"), (0xFFFFFFFF, "<NONE>")):
        number = given.to_bytes(4, "little")
        raw = pack(1000, 11, kind, [bytes(8), number, number, number])
        assert value("evt.arg", "euid", raw) == shown
    group = pack(1000, 11, kind_of("syscall_setgid_x"), [bytes(8), bytes(4)])
    assert value("evt.arg", "gid", group) == "root"
    named = replace(START, users={0: ("toor", "/", "/bin/sh")})
    ev = Enricher(named).feed(pack(1000, 11, kind, [bytes(8), bytes(4), bytes(4), bytes(4)]))
    assert ev is not None
    assert Fields().extractor("evt.arg", "euid")(ev) == "toor"
