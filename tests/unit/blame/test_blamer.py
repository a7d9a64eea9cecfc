"""Blame follows descent from our own spawn, and the hand that wrote what ran."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.blame.attach import Ports, blame_network, blame_observation, blame_port
from package_hunter.blame.blamer import Blamer
from package_hunter.blame.falco import FalcoBlamer
from package_hunter.model.observation import (
    Alert,
    Blame,
    CanaryHit,
    CanaryRead,
    Connection,
    DnsRecord,
    FileChange,
    NetworkLog,
    Observation,
    Process,
    SocketUse,
)
from package_hunter.model.scan import Command, CommandRun, Package

S = 1_000_000_000
P = "/home/dev/projects/app"
A, B, C = "pkg:npm/a@1.0.0", "pkg:npm/b@2.0.0", "pkg:npm/c@3.0.0"
PACKAGES = (
    Package(
        A, "a", "1.0.0", f"{P}/node_modules/a", chain=("app", "a"), scripts={"postinstall": "node go.js"}
    ),
    Package(
        B, "b", "2.0.0", f"{P}/node_modules/b", chain=("app", "c", "b"), scripts={"postinstall": "node b.js"}
    ),
    Package(C, "c", "3.0.0", f"{P}/node_modules/c", chain=("app", "c"), requires=("b",)),
)


def run(phase: str, purl: str | None, script: str | None, pid: int, start: int, end: int) -> CommandRun:
    return CommandRun(
        phase, "default", Command(("node",), P, blame_purl=purl, script=script), pid, start * S, end * S, 0
    )


RUNS = (
    run("fetch", None, None, 100, 10, 20),
    run("install", A, "postinstall", 200, 20, 30),
    run("install", B, "postinstall", 300, 30, 40),
    run("install", None, "postinstall", 400, 40, 50),
    run("import", C, "require", 500, 50, 60),
)


def process(
    key: int,
    parent: int | None,
    pid: int,
    start: float,
    cmdline: str = "",
    exepath: str = "/usr/bin/x",
    end: float | None = None,
    cwd: str = P,
) -> Process:
    ended = None if end is None else int(end * S)
    return Process(key, parent, pid, pid, "x", exepath, cmdline, cwd, 101000, int(start * S), ended, None)


INIT = process(1, None, 50, 1)
ROOTS = (
    process(10, 1, 100, 10, end=20),
    process(20, 1, 200, 20, end=30),
    process(30, 1, 300, 30, end=40),
    process(40, 1, 400, 40, end=50),
    process(50, 1, 500, 50, end=60),
)


def blamer(*more: Process, files: tuple[FileChange, ...] = ()) -> Blamer:
    return Blamer(RUNS, (INIT, *ROOTS, *more), PACKAGES, files)


def test_a_script_and_its_children() -> None:
    found = blamer(process(21, 20, 201, 21), process(22, 21, 202, 22, "wget x")).blame(22, 22 * S)
    assert found is not None
    assert (found.phase, found.package, found.script, found.path) == (
        "install",
        A,
        "postinstall",
        ("app", "a"),
    )
    assert (found.confidence, found.pid, found.cmdline) == ("certain", 202, "wget x")


def test_daemons_and_double_forks_stay_with_their_package() -> None:
    """The middle process is gone and the daemon acts while another package's script runs."""
    many = [process(1000 + i, 20 if i == 0 else 999 + i, 2000 + i, 21, end=21.5) for i in range(50)]
    daemon = process(2, 1049, 3000, 22)
    found = blamer(*many, daemon).blame(2, 35 * S)
    assert found is not None and found.package == A and found.confidence == "certain"
    assert "outlived" in found.basis


def test_fetch_is_the_trees() -> None:
    found = blamer(process(11, 10, 101, 11)).blame(11, 12 * S)
    assert found is not None and (found.phase, found.package, found.confidence) == ("fetch", None, "tree")


def test_what_a_start_up_file_sets_off_is_on_its_writers_account() -> None:
    command = Command(("python3",), P, script="a login shell was opened", because_of=("/home/dev/.bashrc",))
    runs = (*RUNS, CommandRun("morning", "default", command, 600, 60 * S, 70 * S, 0))
    wrote = FileChange("/home/dev/.bashrc", "written", 20, 25 * S)
    seen = (INIT, *ROOTS, process(60, 1, 600, 60, end=70), process(61, 60, 601, 61, end=62))
    found = Blamer(runs, seen, PACKAGES, (wrote,)).blame(61, 61 * S)
    assert found is not None
    assert (found.phase, found.package, found.script, found.confidence) == (
        "morning",
        A,
        "postinstall",
        "certain",
    )
    assert found.basis == "It ran because of /home/dev/.bashrc, which a's postinstall had written."
    unknown = Blamer(runs, seen, PACKAGES).blame(61, 61 * S)
    assert unknown is not None and (unknown.package, unknown.confidence) == (None, "tree")


def test_the_projects_own_script() -> None:
    found = blamer().blame(40, 41 * S)
    assert found is not None and (found.package, found.script, found.confidence) == (
        None,
        "postinstall",
        "certain",
    )


def test_loading_a_package_with_dependencies_is_likely_without_certain() -> None:
    found = blamer().blame(50, 51 * S)
    assert found is not None and (found.package, found.confidence) == (C, "likely")
    alone = Blamer(RUNS, ROOTS, [replace(item, requires=()) for item in PACKAGES]).blame(50, 51 * S)
    assert alone is not None and alone.confidence == "certain"


def test_forged_names_change_nothing() -> None:
    forger = process(21, 20, 201, 21, "npm_package_name=b node /home/dev/projects/app/node_modules/b/b.js")
    found = blamer(forger).blame(21, 22 * S)
    assert found is not None and found.package == A


def test_reused_pids_are_told_apart_by_time() -> None:
    old, new = process(21, 20, 777, 21, end=22), process(31, 30, 777, 33)
    judge = blamer(old, new)
    assert [
        item and item.package for item in (judge.blame(None, 21 * S, 777), judge.blame(None, 34 * S, 777))
    ] == [A, B]


def test_an_anchor_with_a_reused_pid() -> None:
    """The pid of B's command was A's grandchild's before."""
    early = process(21, 20, 300, 21, end=22)
    judge = blamer(early)
    assert [item and item.package for item in (judge.blame(21, 21 * S), judge.blame(30, 31 * S))] == [A, B]


def test_unknown_processes_are_judged_by_time() -> None:
    found = blamer().blame(None, 25 * S, 31337)
    assert found is not None and (found.package, found.confidence) == (A, "likely")
    assert blamer().blame(None, 5 * S, 31337) is None


def change(path: str, by: int, at: float, action: str = "written", other: str | None = None) -> FileChange:
    return FileChange(path, action, by, int(at * S), other)


def test_the_writer_of_what_another_package_runs_is_blamed() -> None:
    writes = (change(f"{P}/node_modules/b/b.js", 21, 22),)
    judge = blamer(
        process(21, 20, 201, 21),
        process(31, 30, 301, 31, "sh -c node b.js", "/bin/sh"),
        process(32, 31, 302, 31, "node b.js", "/usr/bin/node", cwd=f"{P}/node_modules/b"),
        process(33, 32, 303, 32, "curl x"),
        files=writes,
    )
    found = judge.blame(33, 33 * S)
    assert found is not None
    assert (found.package, found.script, found.confidence) == (A, "postinstall", "certain")
    assert "a's postinstall had written" in found.basis


@pytest.mark.parametrize("action", ["renamed", "written"])
def test_a_rewritten_lifecycle_script_is_the_writers(action: str) -> None:
    target = f"{P}/node_modules/b/package.json"
    write = change(target, 21, 22) if action == "written" else change("/tmp/x", 21, 22, "renamed", target)
    judge = blamer(
        process(21, 20, 201, 21), process(31, 30, 301, 31, "sh -c curl evil", "/bin/sh"), files=(write,)
    )
    found = judge.blame(31, 33 * S)
    assert found is not None and (found.package, found.confidence) == (A, "certain")
    assert "rewritten the postinstall script" in found.basis


def test_touching_a_package_json_without_changing_the_script_is_only_likely() -> None:
    judge = blamer(
        process(21, 20, 201, 21),
        process(31, 30, 301, 31, "sh -c node b.js", "/bin/sh"),
        files=(change(f"{P}/node_modules/b/package.json", 21, 22),),
    )
    found = judge.blame(31, 33 * S)
    assert found is not None and (found.package, found.confidence) == (A, "likely")


def test_a_module_that_another_script_changed() -> None:
    judge = blamer(process(21, 20, 201, 21), files=(change(f"{P}/node_modules/c/index.js", 21, 22),))
    found = judge.blame(50, 55 * S)
    assert found is not None and (found.phase, found.package, found.confidence) == ("import", A, "likely")


def test_its_own_files_and_the_fetchs_do_not_count() -> None:
    judge = blamer(
        process(31, 30, 301, 31),
        process(32, 31, 302, 32, "node b.js", cwd=f"{P}/node_modules/b"),
        files=(change(f"{P}/node_modules/b/b.js", 10, 12), change(f"{P}/node_modules/b/b.js", 31, 31)),
    )
    found = judge.blame(32, 33 * S)
    assert found is not None and (found.package, found.confidence) == (B, "certain")


def test_later_changes_do_not_count() -> None:
    judge = blamer(process(51, 20, 501, 51), files=(change(f"{P}/node_modules/b/b.js", 51, 52),))
    found = judge.blame(30, 31 * S)
    assert found is not None and found.package == B


def test_a_dropped_program_that_another_package_runs() -> None:
    judge = blamer(
        process(21, 20, 201, 21),
        process(31, 30, 301, 31, "x", "/home/dev/.cache/x"),
        files=(change("/home/dev/.cache/x", 21, 22, "created"),),
    )
    found = judge.blame(31, 32 * S)
    assert found is not None and found.package == A


def test_a_circle_of_parents_ends() -> None:
    judge = blamer(process(70, 71, 700, 31), process(71, 70, 701, 31))
    found = judge.blame(70, 32 * S)
    assert found is not None and found.confidence != "certain"


def use(process_key: int, at: float, port: int, protocol: str = "tcp") -> SocketUse:
    return SocketUse(process_key, int(at * S), protocol, "198.18.1.1", 443, "10.88.0.2", port, 0)


def test_a_ping_is_tied_to_its_process_by_its_number_and_to_no_connection() -> None:
    judge = blamer(process(21, 20, 201, 21), process(31, 30, 301, 31))
    seen = Observation((), (), (), (use(21, 22, 7, "tcp"), use(31, 22, 7, "icmp")))
    hit = CanaryHit(22 * S, "c", ("pieces",), "icmp", "203.0.113.9:0", 7, False)
    (blamed,) = blame_network(NetworkLog(hits=(hit,)), seen, judge).hits
    assert blamed.blame is not None and blamed.blame.package == B


def test_ports_tie_the_gateways_records_to_processes() -> None:
    judge = blamer(process(21, 20, 201, 21), process(31, 30, 301, 31))
    ports = Ports([use(21, 22, 40000), use(31, 33, 40000), use(21, 22, 5353, "udp")])
    assert [
        item and item.package
        for item in (
            blame_port(judge, ports, 40000, "tcp", int(22.1 * S)),
            blame_port(judge, ports, 40000, "tcp", 34 * S),
            blame_port(judge, ports, 5353, "udp", 23 * S),
            blame_port(judge, ports, 5353, "tcp", 23 * S),
        )
    ] == [A, B, A, None]


def test_everything_recorded_gets_its_blame() -> None:
    judge = blamer(process(21, 20, 201, 21))
    alert = Alert(22 * S, "r", "Notice", "o", {}, (), "syscall", 1, "openat", 201, 201)
    observation = Observation(
        (alert,), (), (), (use(21, 22, 40000), use(21, 22, 40001, "udp")), (CanaryRead(22 * S, "c", "p", 21),)
    )
    log = NetworkLog(
        dns=(DnsRecord(22 * S, "x.example", "A", "198.18.1.1", 40001),),
        connections=(Connection(22 * S, "tcp", "198.18.1.1", 443, 40000, None, None, 0, 0),),
    )
    seen = blame_observation(observation, judge)
    logged = blame_network(log, observation, judge)
    got = (seen.alerts[0], seen.canary_reads[0], logged.dns[0], logged.connections[0])
    assert [item.blame and item.blame.package for item in got] == [A] * 4


PIP = run("install", None, "pip install", 600, 60, 70)
D = Package("pkg:pypi/my-dep@1.0", "My_Dep", "1.0", chain=("app", "My_Dep"))


@pytest.mark.parametrize(
    ("cwd", "cmdline", "package", "confidence"),
    [
        (f"/tmp/pip-install-ab12cd34/my-dep_{'0' * 32}", "python setup.py", D.purl, "likely"),
        (f"/tmp/pip-install-ab12cd34/other_{'0' * 32}/sub", "python", "pkg:pypi/other", "likely"),
        ("/tmp", f"python -c '/tmp/pip-install-ab12cd34/my.dep_{'0' * 32}/setup.py'", D.purl, "likely"),
        ("/tmp/pip-req-build-ab12cd34", "python", None, "certain"),
        (P, "python -m pip install setuptools", None, "tree"),
    ],
)
def test_pips_builds(cwd: str, cmdline: str, package: str | None, confidence: str) -> None:
    """What the build does in another package's folder changes nothing: pip's own spawn counts."""
    forged = f"/tmp/pip-install-ab12cd34/innocent_{'1' * 32}"
    many = (
        process(60, 1, 600, 60),
        process(61, 60, 601, 61, cmdline, cwd=cwd),
        process(62, 61, 602, 62, "curl", cwd=forged if "pip-" in cwd else P),
    )
    found = Blamer((PIP,), many, (D,)).blame(62, 63 * S)
    assert found is not None
    assert (found.package, found.confidence) == (package, confidence)


HOOK = "python /usr/lib/python3/dist-packages/pip/_vendor/pep517/in_process/_in_process.py build_wheel /tmp/x"
CALLER = "python -c \nexec(compile('''\n# This is <pip-setuptools-caller> -- a caller that pip uses to run setup.py"


@pytest.mark.parametrize("cmdline", [HOOK, CALLER])
@pytest.mark.parametrize(
    ("purl", "blamed"), [("pkg:pypi/my-dep", D.purl), ("pkg:pypi/other", "pkg:pypi/other"), (None, None)]
)
def test_a_package_in_a_folder_of_the_project_is_built_in_its_place(
    cmdline: str, purl: str | None, blamed: str | None
) -> None:
    pip = run("install", purl, "pip install", 600, 60, 70)
    many = (
        process(60, 1, 600, 60, "python -m pip install ./libs/x"),
        process(61, 60, 601, 61, cmdline, cwd=f"{P}/libs/x"),
        process(62, 61, 602, 62, "sh -c curl", cwd=P),
        process(63, 60, 603, 62, "python -m pip install setuptools", cwd=P),
        process(64, 63, 604, 63, cmdline, cwd=f"/tmp/pip-install-ab12cd34/other_{'1' * 32}"),
    )
    judge = Blamer((pip,), many, (D,))
    found = judge.blame(62, 63 * S)
    assert found is not None and (found.package, found.confidence) == (blamed, "certain")
    assert found.path == (D.chain if blamed == D.purl else ())
    tool, need = judge.blame(63, 63 * S), judge.blame(64, 63 * S)
    assert tool is not None and (tool.package, tool.confidence) == (None, "tree")
    assert need is not None and (need.package, need.confidence) == ("pkg:pypi/other", "likely")


def test_pip_itself_is_the_trees() -> None:
    found = Blamer((PIP,), (process(60, 1, 600, 60),), (D,)).blame(60, 63 * S)
    assert found is not None and (found.package, found.confidence) == (None, "tree")


def test_no_number_of_generations_sheds_blame() -> None:
    """Each forks the next and ends: the chain is longer than any depth limit would be."""
    many = [process(1000 + i, 20 if i == 0 else 999 + i, 2000 + i, 21, end=21.5) for i in range(60_000)]
    judge = blamer(*many)
    for key in (60_999, 1000, 30_000):
        found = judge.blame(key, 35 * S)
        assert found is not None and (found.package, found.confidence) == (A, "certain")


def test_what_an_ancestor_ran_counts_for_all_below() -> None:
    many = [process(1000 + i, 31 if i == 0 else 999 + i, 2000 + i, 31, end=32) for i in range(5_000)]
    judge = blamer(
        process(21, 20, 201, 21),
        process(31, 30, 301, 31, "sh /tmp/x.sh", "/bin/sh"),
        *many,
        files=(change("/tmp/x.sh", 21, 22),),
    )
    found = judge.blame(5_999, 33 * S)
    assert found is not None and found.package == A


def test_a_node_planted_on_the_path_is_the_planters() -> None:
    planted = "/home/dev/.local/bin/node"
    roots = [item for item in ROOTS if item.key != 30]
    anchor = process(30, 1, 300, 30, "node lifecycle.js", planted, end=40)
    judge = Blamer(
        RUNS, (INIT, *roots, anchor, process(21, 20, 201, 21)), PACKAGES, (change(planted, 21, 22),)
    )
    found = judge.blame(30, 31 * S)
    assert found is not None and found.package == A


SHARED = f"{P}/.venv/lib/python3.11/site-packages/zope"
EVENT, FACE, WRITER = "pkg:pypi/zope-event@5.0", "pkg:pypi/zope-interface@6.4", "pkg:pypi/writer@1"
NAMESPACE = (
    Package(EVENT, "zope.event", "5.0", f"{SHARED}/event", places=(f"{SHARED}/event", SHARED)),
    Package(FACE, "zope.interface", "6.4", f"{SHARED}/interface", places=(f"{SHARED}/interface", SHARED)),
    Package(WRITER, "writer", "1", f"{P}/.venv/lib/python3.11/site-packages/writer"),
)
LOADS = (
    run("import", WRITER, "import writer", 200, 20, 30),
    run("import", EVENT, "import zope.event", 300, 30, 40),
    run("import", FACE, "import zope.interface", 400, 40, 50),
)


@pytest.mark.parametrize(
    ("path", "by", "event", "interface"),
    [
        (f"{SHARED}/event/x.py", 20, WRITER, FACE),
        (
            f"{SHARED}/__init__.py",
            20,
            WRITER,
            WRITER,
        ),  # of both: whoever is loaded then ran what the writer wrote
        (f"{SHARED}/__init__.py", 30, EVENT, FACE),  # written by one that has it: its own
        (f"{SHARED}/interface/x.py", 30, EVENT, EVENT),
    ],
)
def test_changes_in_a_folder_that_two_packages_share(path: str, by: int, event: str, interface: str) -> None:
    for packages in (NAMESPACE, NAMESPACE[::-1]):
        judge = Blamer(LOADS, (INIT, *ROOTS), packages, (change(path, by, by + 5),))
        found = [judge.blame(30, 39 * S), judge.blame(40, 45 * S)]
        assert [item and item.package for item in found] == [event, interface]
        for item in found:
            if item is not None and item.package == WRITER and path == f"{SHARED}/__init__.py":
                assert item.confidence == "likely"
                assert "zope.event" in item.basis and "together" in item.basis


SITE = f"{P}/.venv/lib/python3.11/site-packages"
FIRST, SECOND = "pkg:pypi/first@1", "pkg:pypi/second@1"
BOTH = (f"{SITE}/both/__init__.py",)
BRINGERS = (
    Package(FIRST, "first", "1", f"{SITE}/both", places=(f"{SITE}/both/a.py", *BOTH, f"{SITE}/both")),
    Package(SECOND, "second", "1", f"{SITE}/both", places=(f"{SITE}/both/b", *BOTH, f"{SITE}/both")),
)


def shared(script: str, loaded: str, *files: FileChange, installer: str | None = None) -> Blame:
    """Blame for a process that loads ``script`` for ``loaded``; both wheels were installed before it, each by a pip
    that knows no version yet, or by the one of ``installer``."""
    runs = (
        run("install", installer or "pkg:pypi/first", "pip install", 200, 20, 30),
        run("install", installer or "pkg:pypi/second", "pip install", 300, 30, 40),
        run("import", loaded, script, 400, 40, 50),
    )
    found = Blamer(runs, (INIT, *ROOTS), BRINGERS, files).blame(40, 45 * S)
    assert found is not None
    return found


WRITTEN = (change(BOTH[0], 20, 25, "created"), change(BOTH[0], 30, 35, "created"))


def test_what_a_file_of_two_did_is_its_last_writers() -> None:
    found = shared("import both", FIRST, *WRITTEN)
    assert (found.package, found.confidence) == (SECOND, "likely")
    assert "first and second" in found.basis
    assert shared("import both", FIRST, *WRITTEN[:1]).confidence == "certain"
    own = shared("import both", SECOND, *WRITTEN)
    assert (own.package, own.confidence) == (SECOND, "certain")


def test_its_own_module_behind_it_is_only_likely_and_both_are_named() -> None:
    found = shared("import both.a", FIRST, *WRITTEN)
    assert (found.package, found.confidence) == (FIRST, "likely")
    assert "first and second" in found.basis and "second's was written last" in found.basis


def test_where_one_pip_wrote_both_nobody_is_certain() -> None:
    for files in (WRITTEN, ()):
        found = shared("import both", FIRST, *files, installer="pkg:pypi/unknown")
        assert (found.package, found.confidence) == (FIRST, "likely")
        assert "first and second" in found.basis


def test_an_install_that_knew_no_version_is_the_packages_own() -> None:
    runs = (
        run("install", "pkg:pypi/writer", "pip install", 200, 20, 30),
        run("import", WRITER, "import writer", 300, 30, 40),
    )
    written = change(f"{SITE}/writer/__init__.py", 20, 25, "created")
    found = Blamer(runs, (INIT, *ROOTS), NAMESPACE, (written,)).blame(30, 35 * S)
    assert found is not None and (found.package, found.confidence) == (WRITER, "certain")


def test_what_ran_at_a_time_is_found_among_many_commands() -> None:
    many = [run("import", f"pkg:npm/p{i}@1", "require", 1000 + i, i, i + 1) for i in range(0, 4000, 2)]
    judge = Blamer((*many, run("fetch", None, None, 1, 5000, 5001)), (INIT,), ())
    found = judge.blame(None, int(2000.5 * S))
    assert found is not None and (found.package, found.confidence) == ("pkg:npm/p2000@1", "likely")
    assert judge.blame(None, int(2001.5 * S)) is None
    long = Blamer((run("install", A, "x", 1, 0, 9000), *many), (INIT,), ())
    both = long.blame(None, int(2000.5 * S))
    assert both is not None and (both.package, both.confidence) == (None, "tree")
    alone = long.blame(None, int(2001.5 * S))
    assert alone is not None and alone.package == A


def test_falco_names_both_where_the_folder_is_of_two() -> None:
    lost = process(70, None, 700, 60, cwd=f"{SHARED}/sub")
    own = process(71, None, 701, 60, cwd=f"{SHARED}/event")
    judge = FalcoBlamer(LOADS, (INIT, *ROOTS, lost, own), NAMESPACE)
    found, certain = judge.blame(70, 60 * S), judge.blame(71, 60 * S)
    assert found is not None and (found.package, found.confidence) == (None, "tree")
    assert "zope.event and zope.interface share" in found.basis
    assert certain is not None and (certain.package, certain.confidence) == (EVENT, "likely")


@pytest.mark.parametrize(
    ("writer", "package"),
    [(20, "pkg:pypi/my-dep@1.0"), (21, None)],
    ids=["pip itself", "a build that pip started"],
)
def test_what_pip_installed_is_the_packages_own(writer: int, package: str | None) -> None:
    """pip unpacks what it was asked for: it does not rewrite it. A build that changes it does."""
    file = f"{SITE}/my_dep/__init__.py"
    dep = Package("pkg:pypi/my-dep@1.0", "My_Dep", "1.0", chain=("app", "My_Dep"), places=(f"{SITE}/my_dep",))
    load = run("import", dep.purl, "import my_dep", 700, 80, 90)
    processes = [
        INIT,
        process(20, 1, 600, 60),
        process(21, 20, 601, 61, cwd="/tmp/pip-install-x/other_1"),
        process(30, 1, 700, 80, cmdline="python -c import my_dep"),
    ]
    found = Blamer([PIP, load], processes, (dep,), (change(file, writer, 65, "created"),)).blame(30, 85 * S)
    assert found is not None and found.package == package
