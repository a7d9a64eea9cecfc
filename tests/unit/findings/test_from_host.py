"""Signals of the host's side: loops, destroyed documents, what detaches, whose settings were read."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.model.finding import Finding
from package_hunter.model.observation import (
    Blame,
    CanaryRead,
    DecoyMark,
    FileChange,
    NetworkLog,
    Observation,
    Process,
    Request,
)
from package_hunter.model.scan import Command, CommandRun, Coverage, Package, PhaseCoverage
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0, judge

NODE = samples.PROCESSES[1]


def blamer(key: int, time_ns: int) -> Blame:
    return samples.BLAME


def of(kind: str, findings: tuple[Finding, ...]) -> Finding | None:
    found = [f for f in findings if f.kind == kind]
    assert len(found) <= 1
    return found[0] if found else None


def run(cpu: float | None, exit_code: int | None = None, starved: float = 0.0) -> CommandRun:
    command = Command(("node",), "/", timeout=10, blame_purl=samples.BLAME.package, script="require")
    return CommandRun(
        "import",
        "default",
        command,
        NODE.pid,
        T0,
        T0 + 10 * SECOND,
        exit_code,
        ran_seconds=cpu,
        starved_seconds=starved,
    )


@pytest.mark.parametrize(
    ("cpu", "starved", "exit_code", "found"),
    [
        (9.5, 0.0, None, True),
        (4.5, 5.0, None, True),
        (1.5, 8.0, None, False),  # a busy machine: it may be slow, no more
        (0.4, 0.0, None, False),
        (4.5, 0.0, None, False),
        (9.5, 0.0, 0, False),
        (None, 0.0, None, False),
    ],
)
def test_an_endless_loop_is_a_hang_and_a_program_that_waits_is_none(
    cpu: float | None, starved: float, exit_code: int | None, found: bool
) -> None:
    seen = Observation(processes=samples.PROCESSES)
    hang = of("hang", judge(seen, NetworkLog(), blamer=blamer, runs=(run(cpu, exit_code, starved),)))
    assert (hang is not None) is found
    if hang is not None:
        assert hang.blame == samples.BLAME
        assert not hang.proof
        assert "worked without end" in hang.evidence[0].what


def phases(*runs: CommandRun) -> Finding | None:
    """The hang of a phase that is told to have been stopped, with these commands."""
    coverage = Coverage(phases=(PhaseCoverage("import", "default", "timeout", None, 10.0),))
    seen = Observation(processes=samples.PROCESSES)
    return of("hang", judge(seen, NetworkLog(), blamer=blamer, runs=runs, coverage=coverage))


def test_a_phase_that_only_waited_or_was_cut_by_the_scans_end_is_no_hang() -> None:
    assert phases(run(0.4)) is None, "npm that waits for its registry"
    assert phases(replace(run(0.4), scan_seconds=25.0)) is None
    assert phases(run(0.4, 0)) is None, "the scan was over between two commands"
    assert phases(run(9.5)) is not None
    assert phases(run(None)) is not None, "where nothing is known of it, it may have hung"


def test_many_modules_in_one_process_may_need_longer_than_they_are_given() -> None:
    long = run(9.5)
    long = replace(long, command=replace(long.command, joined=40))
    seen = Observation(processes=samples.PROCESSES)
    assert of("hang", judge(seen, NetworkLog(), blamer=blamer, runs=(long,))) is None


def test_a_loop_that_the_scans_end_cut_is_one_only_if_it_had_time() -> None:
    """A compiler that the end finds at work has not shown to be endless."""
    long = run(9.5)
    long = replace(long, command=replace(long.command, timeout=240))
    assert phases(replace(long, scan_seconds=20.0)) is not None
    assert phases(replace(long, scan_seconds=600.0)) is None


def changes(count: int, action: str = "written") -> tuple[FileChange, ...]:
    return tuple(FileChange(f"/home/dev/Documents/{i}.txt", action, 2, T0 + i) for i in range(count))


@pytest.mark.parametrize(("count", "proof"), [(1, False), (2, False), (3, True), (30, True)])
def test_many_documents_destroyed_are_proof_and_few_are_not(count: int, proof: bool) -> None:
    seen = Observation(processes=samples.PROCESSES, files=changes(count))
    found = of("destruction", judge(seen, NetworkLog(), blamer=blamer))
    assert found is not None
    assert found.proof is proof
    assert found.count == count


def test_files_that_the_package_made_itself_are_its_own() -> None:
    own = tuple(c for pair in zip(changes(5, "created"), changes(5), strict=True) for c in pair)
    seen = Observation(processes=samples.PROCESSES, files=own)
    assert of("destruction", judge(seen, NetworkLog(), blamer=blamer)) is None


@pytest.mark.parametrize(
    ("path", "action", "lost"),
    [
        (".ssh/config", "written", False),
        (".ssh/known_hosts", "written", False),
        (".ssh/authorized_keys", "written", False),
        (".gnupg/gpg-agent.conf", "written", False),
        (".ssh/config", "deleted", True),
        (".ssh/known_hosts", "renamed", True),
        (".ssh/id_ed25519", "written", True),
        (".ssh/config.txt", "written", True),
    ],
)
def test_settings_that_lines_are_added_to_are_not_lost(path: str, action: str, lost: bool) -> None:
    change = FileChange(f"/home/dev/{path}", action, 2, T0)
    found = judge(Observation(processes=samples.PROCESSES, files=(change,)), NetworkLog(), blamer=blamer)
    assert (of("destruction", found) is not None) is lost


def test_lines_for_ssh_are_persistence() -> None:
    change = FileChange("/home/dev/.ssh/config", "written", 2, T0)
    found = judge(Observation(processes=samples.PROCESSES, files=(change,)), NetworkLog(), blamer=blamer)
    assert of("persistence", found) is not None


def payload(execs: tuple[str, ...]) -> tuple[Process, ...]:
    """A parent that ends at once, and a child that goes on for a millisecond."""
    parent = replace(NODE, ended_ns=T0 + SECOND)
    child = replace(
        NODE, key=9, parent=2, pid=999, cmdline="/tmp/.x/agent", started_ns=T0 + SECOND, execs=execs
    )
    return (parent, replace(child, ended_ns=T0 + SECOND + 1_000_000))


@pytest.mark.parametrize(("execs", "found"), [(("nohup /tmp/.x/agent",), True), ((), False)])
def test_nohup_detaches_however_short_the_program_lives(execs: tuple[str, ...], found: bool) -> None:
    mark = DecoyMark(
        T0 + SECOND, "remote_code_execution", "x was executed", "dl.example:443", 1, samples.BLAME, {}
    )
    parent, child = payload(execs)
    for gone in (parent, replace(parent, ended_ns=T0 + 2 * SECOND)):  # which of them ends first is chance
        seen = Observation(processes=(gone, child))
        findings = judge(seen, NetworkLog(marks=(mark,)), blamer=blamer)
        assert (of("staged_payload", findings) is not None) is found


def fetch_and_run(pid: int) -> NetworkLog:
    fetched = Request(T0 + 1, "GET", "https://paste.example/x", (), b"", 0, 200, 1, blame=samples.BLAME)
    ran = DecoyMark(
        T0 + 2,
        "remote_code_execution",
        "what was downloaded from https://paste.example/x was executed",
        "paste.example:443",
        1,
        replace(samples.BLAME, pid=pid),
        {"url": "https://paste.example/x", "marker": "c0.aabbcc.example"},
    )
    return NetworkLog(requests=(fetched,), marks=(ran,))


def test_text_fetched_and_evaluated_by_one_process_is_a_combination() -> None:
    seen = Observation(processes=samples.PROCESSES)
    found = of("staged_payload", judge(seen, fetch_and_run(NODE.pid), blamer=blamer))
    assert found is not None and found.proof
    assert "without a file" in found.title


def test_what_another_process_ran_or_what_lies_in_a_file_is_not_that_combination() -> None:
    seen = Observation(processes=samples.PROCESSES)
    other = judge(seen, fetch_and_run(samples.PROCESSES[2].pid), blamer=blamer)
    assert of("staged_payload", other) is None
    kept = FileChange("/home/dev/projects/demo-app/node_modules/maldep/dl.js", "created", 2, T0 + 1)
    findings = judge(replace(seen, files=(kept,)), fetch_and_run(NODE.pid), blamer=blamer)
    assert of("staged_payload", findings) is None
    assert of("remote_code_execution", findings) is not None


def read(path: str) -> Observation:
    reads = (CanaryRead(T0, samples.CANARY.id, path, 2, samples.BLAME),)
    return Observation(processes=samples.PROCESSES, canary_reads=reads)


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("/home/dev/projects/demo-app/.env", "info"),
        ("/home/dev/projects/demo-app/.env.local", "info"),
        ("/home/dev/projects/demo-app/node_modules/a/.env", "high"),
        ("/home/dev/.npmrc", "info"),
        ("/home/dev/.aws/credentials", "high"),
        ("/home/dev/.ssh/id_ed25519", "high"),
    ],
)
def test_settings_that_tools_look_into_accuse_nobody_while_nothing_is_sent(path: str, severity: str) -> None:
    found = of("credential_access", judge(read(path), NetworkLog(), (samples.CANARY,)))
    assert found is not None
    assert found.severity == severity
    assert any("In its favour" in line for line in found.explain) is (severity == "info")


def test_the_managers_settings_count_once_the_package_sends_anything() -> None:
    sent = Request(T0 + 1, "POST", "https://c.example/", (), b"x=1", 3, 200, 1, blame=samples.BLAME)
    found = of(
        "credential_access", judge(read("/home/dev/.npmrc"), NetworkLog(requests=(sent,)), (samples.CANARY,))
    )
    assert found is not None and found.severity == "high"


def test_python_caches_beside_anothers_source_accuse_nobody() -> None:
    other = Package("pkg:npm/tool@1.0.0", "tool", "1.0.0", "/home/dev/projects/demo-app/node_modules/tool")
    python = replace(NODE, exepath="/usr/bin/python3.11", cmdline="python3 build.py")
    cache = FileChange(f"{other.path}/gyp/__pycache__/x.cpython-311.pyc.1403", "written", 2, T0)
    source = replace(cache, path=f"{other.path}/gyp/x.py")
    for change, program, severity in (
        (cache, python, "info"),
        (cache, NODE, "high"),
        (source, python, "high"),
    ):
        seen = Observation(processes=(samples.PROCESSES[0], program), files=(change,))
        found = of("package_tampering", judge(seen, NetworkLog(), packages=(other,), blamer=blamer))
        assert found is not None and found.severity == severity


@pytest.mark.parametrize(("exit_code", "said"), [(1, True), (0, False)])
def test_a_script_that_refuses_the_decoy_is_told_in_its_favour(exit_code: int, said: bool) -> None:
    seen = Observation(alerts=(samples.alert(),), processes=samples.PROCESSES)
    network = replace(samples.NETWORK, hits=(), requests=samples.NETWORK.requests[:1])
    contact = of("outbound_connection", judge(seen, network, runs=(run(None, exit_code),)))
    assert contact is not None
    assert any("as one does that checks a hash" in line for line in contact.explain) is said
    assert contact.severity == "medium", "said, but no more than that"
    assert not any("as one does that checks" in line for line in _executed(exit_code).explain)


def _executed(exit_code: int) -> Finding:
    seen = Observation(alerts=(samples.alert(),), processes=samples.PROCESSES)
    ran = fetch_and_run(NODE.pid)
    network = replace(samples.NETWORK, hits=(), marks=ran.marks)
    found = of("outbound_connection", judge(seen, network, runs=(run(None, exit_code),)))
    assert found is not None
    return found


def test_the_managers_settings_count_beside_anything_grave() -> None:
    seen = replace(read("/home/dev/.npmrc"), files=changes(1))
    found = of("credential_access", judge(seen, NetworkLog(), (samples.CANARY,), blamer=blamer))
    assert found is not None and found.severity == "high"


SITE = "/home/dev/projects/demo-app/.venv/lib/python3.11/site-packages"


def namespace(name: str, *more: str) -> Package:
    """A Python package that shares the folder zope with others."""
    folder = f"{SITE}/zope/{name}"
    purl = f"pkg:pypi/zope-{name}@1.0"
    return Package(purl, f"zope.{name}", "1.0", folder, places=(folder, *more, f"{SITE}/zope"))


def tampering(path: str, by: str, *packages: Package) -> Finding | None:
    seen = Observation(processes=samples.PROCESSES, files=(FileChange(path, "written", 2, T0),))
    blame = replace(samples.BLAME, package=by)
    return of("package_tampering", judge(seen, NetworkLog(), packages=packages, blamer=lambda *_: blame))


MODULES = "/home/dev/projects/demo-app/node_modules"
RUNTIME = Package("pkg:npm/rt@1", "rt", "1", f"{MODULES}/rt", requires=("@rt/linux-x64", "helper"))
PROGRAM = Package("pkg:npm/%40rt/linux-x64@1", "@rt/linux-x64", "1", f"{MODULES}/@rt/linux-x64")
STRANGER = Package("pkg:npm/s@1", "s", "1", f"{MODULES}/s", requires=("@rt/linux-x64",))


@pytest.mark.parametrize(
    ("old", "new", "action", "packages", "told"),
    [
        ("@rt/linux-x64/bin/rt", "rt/bin/rt.exe", "renamed", (RUNTIME, PROGRAM), False),
        ("@rt/linux-x64/bin/rt", "rt/bin/rt.exe", "renamed", (RUNTIME, PROGRAM, STRANGER), True),
        ("@rt/linux-x64/bin/rt", "elsewhere/rt", "renamed", (RUNTIME, PROGRAM), True),
        ("@rt/linux-x64/bin/rt", None, "written", (RUNTIME, PROGRAM), True),
        ("s/index.js", "rt/was.js", "renamed", (RUNTIME, PROGRAM, STRANGER), True),
    ],
)
def test_a_program_that_comes_as_a_package_of_its_own_may_be_taken_out_of_it(
    old: str, new: str | None, action: str, packages: tuple[Package, ...], told: bool
) -> None:
    change = FileChange(f"{MODULES}/{old}", action, 2, T0, f"{MODULES}/{new}" if new else None)
    seen = Observation(processes=samples.PROCESSES, files=(change,))
    blame = replace(samples.BLAME, package=RUNTIME.purl)
    found = of("package_tampering", judge(seen, NetworkLog(), packages=packages, blamer=lambda *_: blame))
    assert (found is not None) is told


def test_two_packages_of_one_folder_are_no_crash_and_each_has_its_own() -> None:
    event, interface = namespace("event"), namespace("interface")
    for pair in ((event, interface), (interface, event)):
        assert tampering(f"{SITE}/zope/event/x.py", event.purl, *pair) is None
        assert tampering(f"{SITE}/zope/new.py", event.purl, *pair) is None
        other = tampering(f"{SITE}/zope/event/x.py", interface.purl, *pair)
        assert other is not None
        assert other.blame is not None and other.blame.confidence == "certain"
        assert other.evidence[0].data["owner"] == event.purl


def test_packages_at_one_path_without_places_are_no_crash() -> None:
    same = [Package(f"pkg:pypi/p{i}@1", f"p{i}", "1", f"{SITE}/zope") for i in range(3)]
    assert tampering(f"{SITE}/zope/inner/x.py", same[1].purl, *same) is None
    found = tampering(f"{SITE}/zope/x.py", "pkg:pypi/other@1", *same)
    assert found is not None and found.evidence[0].data["owner"] == ", ".join(p.purl for p in same)


def test_a_file_that_two_brought_is_told_with_less_surety() -> None:
    """Else a package that lists another's file as its own could change it without a word."""
    file = f"{SITE}/zope/event/api.py"
    event, claims = namespace("event", file), namespace("evil", file)
    found = tampering(file, claims.purl, event, claims)
    assert found is not None and found.blame is not None
    assert found.blame.confidence == "likely"
    assert "zope.event and zope.evil all brought" in found.blame.basis
    assert found.evidence[0].data["owner"] == f"{event.purl}, {claims.purl}"


def test_a_second_copy_of_the_same_package_is_its_own_too() -> None:
    project = "/home/dev/projects/demo-app/node_modules"
    one = Package(samples.BLAME.package or "", "maldep", "1.0.0", f"{project}/maldep")
    again = replace(one, path=f"{project}/holder/node_modules/maldep")
    holder = Package("pkg:npm/holder@1", "holder", "1", f"{project}/holder")
    for packages in ((one, again, holder), (again, holder, one)):
        path = f"{again.path}/build/x.node"
        assert tampering(path, one.purl, *packages) is None


PNPM = "/home/dev/.npm/_npx/b459ee211a1a5fd9/node_modules/.bin/pnpm"


@pytest.mark.parametrize(
    ("script", "phase", "path", "told"),
    [
        (PNPM, "fetch", "/home/dev/.npmrc", False),
        (PNPM.replace("pnpm", "yarn"), "fetch", "/home/dev/.yarnrc.yml", False),
        (PNPM, "fetch", "/home/dev/.aws/credentials", True),
        (PNPM, "install", "/home/dev/.npmrc", True),  # by then a package may have put another program there
        ("/home/dev/projects/p/pnpm", "fetch", "/home/dev/.npmrc", True),
        ("/home/dev/.npm/_npx/../pnpm", "fetch", "/home/dev/.npmrc", True),
    ],
)
def test_a_manager_out_of_the_registry_reads_its_own_settings(
    script: str, phase: str, path: str, told: bool
) -> None:
    reader = replace(NODE, cmdline=f"node {script} install", exepath="/usr/local/bin/node")
    blame = replace(samples.BLAME, phase=phase, package=None)
    alert = replace(
        samples.alert(), rule="Credential file read", pid=reader.pid, tags=("kind:credential_access", "suspicious"),
        event_type="openat", output_fields={"fd.name": path}, blame=blame,
    )  # fmt: skip
    seen = Observation(
        processes=(reader,),
        alerts=(alert,),
        canary_reads=(CanaryRead(T0, "x:npm-token", path, reader.key, blame),),
    )
    assert (of("credential_access", judge(seen, NetworkLog())) is not None) is told


@pytest.mark.parametrize(
    ("script", "path", "told"),
    [
        ("/usr/local/bin/npx", "/home/dev/.npmrc", False),
        ("/usr/local/opt/node18/bin/npx", "/home/dev/.npmrc", False),
        ("/usr/local/bin/corepack", "/home/dev/.npmrc", False),
        ("/usr/local/bin/npx", "/home/dev/.aws/credentials", True),
        ("/home/dev/projects/p/node_modules/.bin/npx", "/home/dev/.npmrc", True),
    ],
)
def test_npx_reads_its_own_settings_whoever_starts_it(script: str, path: str, told: bool) -> None:
    reader = replace(NODE, cmdline=f"node {script} only-allow npm", exepath="/usr/local/bin/node")
    blame = replace(samples.BLAME, phase="install", package=None)
    seen = Observation(
        processes=(reader,), canary_reads=(CanaryRead(T0, "x:npm-token", path, reader.key, blame),)
    )
    assert (of("credential_access", judge(seen, NetworkLog())) is not None) is told
