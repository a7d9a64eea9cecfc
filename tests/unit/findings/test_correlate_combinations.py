"""Everyday acts of one package do not add up to proof; the same acts as one deed do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from package_hunter.findings.context import MAX_LINE, Context, RoundFacts
from package_hunter.findings.meaning import of_start
from package_hunter.model.observation import (
    Alert,
    Blame,
    Canary,
    CanaryRead,
    DecoyMark,
    DnsRecord,
    NetworkLog,
    Observation,
    Process,
    Request,
)
from package_hunter.model.scan import Command, CommandRun
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0, alert, judge

NPMRC = "/home/dev/.npmrc"
AWS = "/home/dev/.aws/credentials"
KEY = "/home/dev/.ssh/id_ed25519"
DOCUMENT = "/home/dev/Documents/ledger-backup.txt"
CANARIES = tuple(Canary(path, "secret", path, f"value of {path}") for path in (NPMRC, AWS, KEY, DOCUMENT))
OPAQUE = bytes(range(128, 256))
NODE = samples.PROCESSES[1]


def read(path: str, at: float = 1) -> CanaryRead:
    return CanaryRead(T0 + int(at * SECOND), path, path, NODE.key, samples.BLAME)


def seen(rule: str, tags: str, path: str, at: float = 1, blame: Blame = samples.BLAME) -> Alert:
    fields = {"fd.name": path, "proc.cmdline": "node steal.js", "proc.exepath": "/usr/bin/node"}
    return alert(
        time_ns=T0 + int(at * SECOND), rule=rule, output_fields=fields, event_type="openat", pid=NODE.pid,
        tags=(f"kind:{tags}", "suspicious"), blame=blame,
    )  # fmt: skip


def asked(
    method: str = "GET", body: bytes = b"", at: float = 2, url: str = "https://c.example/v1"
) -> Request:
    time_ns = T0 + int(at * SECOND)
    return Request(time_ns, method, url, (), body, len(body), 200, 1, blame=samples.BLAME)


def ran(at: float = 3, pid: int = NODE.pid, where: str = "c.example:443") -> DecoyMark:
    blame = replace(samples.BLAME, pid=pid)
    return DecoyMark(T0 + int(at * SECOND), "remote_code_execution", "it was executed", where, 1, blame, {})


def proofs(
    *what: CanaryRead | Alert | Request | DecoyMark | DnsRecord,
    processes: Sequence[Process] = samples.PROCESSES,
    runs: Sequence[CommandRun] = (),
) -> set[str]:
    """Names of the combinations that are found."""

    def of(kind: type) -> tuple[Any, ...]:
        return tuple(item for item in what if isinstance(item, kind))

    observation = Observation(alerts=of(Alert), processes=tuple(processes), canary_reads=of(CanaryRead))
    network = NetworkLog(dns=of(DnsRecord), requests=of(Request), marks=of(DecoyMark))
    findings = judge(observation, network, CANARIES, blamer=lambda key, time_ns: samples.BLAME, runs=runs)
    return {
        str(e.data["combination"]) for f in findings if f.proof for e in f.evidence if "combination" in e.data
    }


def next_morning(occasion: str, path: str) -> tuple[Process, CommandRun]:
    """The command that sets off a start-up file that was changed."""
    argv = ("/usr/bin/python3", "-I", "-S", "/x.py", occasion, path)
    command = Command(argv, "/", because_of=(path,), script="a login shell was opened")
    run = CommandRun("morning", "default", command, 900, T0 + 2 * SECOND, T0 + 9 * SECOND, 0)
    first = Process(
        90, None, 900, 1, "python3", argv[0], " ".join(argv), "/", 101000, run.started_ns, None, None
    )
    return first, run


@pytest.mark.parametrize(
    ("occasion", "path", "found"),
    [
        ("login", "/home/dev/.profile", {"unchecked_program_at_each_start"}),
        ("npm", "/home/dev/.npmrc", {"unchecked_program_at_each_start"}),
        (
            "command",
            "/home/dev/.local/bin/tool",
            set(),
        ),  # a wrapper that fetches its program when it is called
        ("editor", "/home/dev/projects/app/.vscode/tasks.json", set()),  # a task that somebody may choose
    ],
)
def test_what_each_start_downloads_and_runs(occasion: str, path: str, found: set[str]) -> None:
    first, run = next_morning(occasion, path)
    shell = replace(first, key=91, parent=90, pid=901, cmdline="sh")
    line = (*samples.PROCESSES, first, shell)
    assert proofs(start(path), ran(pid=901), processes=line, runs=(run,)) == found
    assert proofs(ran(pid=901), processes=line, runs=(run,)) == set(), "who wrote it is not on record"
    other = replace(run, command=replace(run.command, because_of=()))
    assert proofs(start(path), ran(pid=901), processes=line, runs=(other,)) == set()


UNIT = "/home/dev/.config/systemd/user/x.service"


def start(path: str, at: float = 1) -> Alert:
    return seen("Startup place changed", "persistence", path, at)


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((read(NPMRC), ran()), set()),  # it looks for the proxy, and downloads
        ((read(AWS), ran()), {"unchecked_program_and_secrets"}),
        ((seen("Credential file read", "credential_access", "/home/dev/.aws"), ran()), set()),
        ((seen("Credential file read", "credential_access", "/home/dev/.ssh/known_hosts"), ran()), set()),
        ((seen("x", "credential_access", "/proc/77/environ"), ran()), {"unchecked_program_and_secrets"}),
        ((read("/home/dev/projects/a/.npmrc"), ran()), set()),
        ((start("/home/dev/.bashrc"), ran()), set()),
        ((start(UNIT), ran()), {"unchecked_program_that_stays"}),
    ],
)
def test_beside_an_unchecked_program(steps: tuple[Any, ...], found: set[str]) -> None:
    assert proofs(*steps) == found


@pytest.mark.parametrize(
    ("steps", "found"),
    [
        ((read(NPMRC), start("/home/dev/.zshrc"), asked()), set()),
        ((read(AWS), start("/home/dev/.zshrc"), asked()), set()),
        ((read(AWS), start(UNIT), asked()), set()),  # a plain GET took nothing out
        ((read(AWS), start("/home/dev/.zshrc"), asked("POST", b"version=1")), set()),
        ((read(NPMRC), start(UNIT), asked("POST", b"version=1")), set()),
        ((read(AWS), start(UNIT), asked("POST", b"version=1")), {"theft_and_persistence"}),
        ((read(AWS, at=3), start(UNIT), asked("POST", b"version=1", at=2)), set()),
        ((seen("x", "credential_access", "/home/dev/.ssh"), start(UNIT), asked("POST", b"v=1")), set()),
        ((seen("x", "credential_access", "/home/dev/.ssh"), asked("POST", OPAQUE)), set()),
        ((read(KEY), asked("POST", OPAQUE)), {"secrets_then_data"}),
        ((read(NPMRC), asked("POST", OPAQUE)), {"secrets_then_data"}),  # that could hold the token
        ((read(NPMRC), asked()), set()),
        ((read(DOCUMENT), asked("POST", OPAQUE)), set()),  # documents are no secrets
        ((read(DOCUMENT), ran()), set()),
        ((read(KEY, at=3), asked("POST", OPAQUE, at=2)), set()),
        # opened before the read, sent after it
        (
            (read(KEY, at=3), replace(asked("POST", OPAQUE, at=2), sent_ns=T0 + 4 * SECOND)),
            {"secrets_then_data"},
        ),
        ((read(KEY, at=5), replace(asked("POST", OPAQUE, at=2), sent_ns=T0 + 4 * SECOND)), set()),
    ],
)
def test_theft_needs_a_secret_and_something_that_left_after_it(
    steps: tuple[Any, ...], found: set[str]
) -> None:
    assert proofs(*steps) == found


LATER = replace(samples.BLAME, script="postinstall")


def test_one_script_reads_and_another_of_the_package_sends() -> None:
    sent = replace(asked("POST", OPAQUE), blame=LATER)
    assert proofs(read(KEY), sent) == {"secrets_then_data_by_two_scripts"}
    assert proofs(read(KEY), replace(sent, body=b"version=1", body_bytes=9)) == set()
    assert proofs(read(NPMRC), sent) == set()  # it looked for the proxy
    assert proofs(seen("x", "credential_access", "/home/dev/.ssh"), sent) == set()
    assert proofs(read(KEY, at=9), sent) == set()
    other = replace(sent, blame=replace(LATER, package="pkg:npm/other@1.0.0"))
    assert proofs(read(KEY), other) == set()


@pytest.mark.parametrize(
    ("program", "paths", "found"),
    [
        ("node /usr/local/bin/npm --version", [NPMRC], set()),  # as it does at every start
        (
            "node /usr/local/bin/npm --version",
            [NPMRC, NPMRC],
            {"secrets_then_data"},
        ),  # its own, and somebody's
        ("node /usr/local/bin/npm --version", [KEY], {"secrets_then_data"}),
        ("node /usr/local/bin/yarn --version", [NPMRC], set()),
        ("node /usr/local/bin/yarn --version", [NPMRC, NPMRC], {"secrets_then_data"}),
        ("node /home/dev/npm --version", [NPMRC], {"secrets_then_data"}),
        ("node -r ./steal.js /usr/local/bin/npm", [NPMRC], {"secrets_then_data"}),
    ],
)
def test_what_a_manager_with_foreign_code_reads_of_its_own_is_no_theft(
    program: str, paths: list[str], found: set[str]
) -> None:
    npm = replace(NODE, cmdline=program)
    reads = [
        seen("Credential file read", "credential_access", path, at=1 + n / 10) for n, path in enumerate(paths)
    ]
    assert proofs(*reads, asked("POST", OPAQUE), processes=(samples.PROCESSES[0], npm)) == found


def child(key: int, parent: int, cmdline: str, **more: Any) -> Process:
    return replace(NODE, key=key, parent=parent, pid=1000 + key, cmdline=cmdline, started_ns=T0 + key, **more)


def test_the_program_that_was_run_and_the_helper_that_was_left_are_two_things() -> None:
    node = replace(NODE, ended_ns=T0 + 4 * SECOND)
    helper = child(11, node.key, "node flush.js")
    program = child(12, node.key, "vendor/tool --version", ended_ns=T0 + 3 * SECOND)
    family = (samples.PROCESSES[0], node, helper, program)
    assert proofs(ran(pid=program.pid), processes=family) == set()
    assert proofs(ran(pid=helper.pid), processes=family) == {"unchecked_program_detached"}
    below = child(13, helper.key, "curl")
    assert proofs(ran(pid=below.pid), processes=(*family, below)) == {"unchecked_program_detached"}


def test_the_program_that_was_run_and_the_one_in_a_hidden_place_are_two_things() -> None:
    hidden = child(11, NODE.key, "/tmp/.x/configure")
    other = child(12, NODE.key, "vendor/tool --version")
    fields = {"proc.exepath": "/tmp/.x/configure", "proc.cmdline": hidden.cmdline}
    drop = seen("Program run", "dropped_executable", "", 2)
    drop = replace(drop, output_fields=fields, pid=hidden.pid, event_type="execve")
    family = (*samples.PROCESSES, hidden, other)
    assert proofs(drop, ran(pid=other.pid), processes=family) == set()
    assert proofs(drop, ran(pid=hidden.pid), processes=family) == {"unchecked_program_hidden"}


def test_the_bare_address_is_the_one_that_the_program_came_from() -> None:
    bare = asked(url="http://203.0.113.9/x")
    assert proofs(bare, ran()) == set()
    assert proofs(bare, ran(where="203.0.113.9:80")) == {"unchecked_program_from_bare_address"}


def test_the_stranger_who_was_told_is_the_one_who_gave_the_program() -> None:
    told = asked("POST", b"at /home/dev/projects/app")
    assert proofs(told, ran()) == {"unchecked_program_for_this_machine"}
    assert proofs(told, ran(where="dl.example:443")) == set()
    assert proofs(replace(told, time_ns=T0 + 9 * SECOND), ran()) == set()


def test_facts_in_a_request_are_not_hidden_in_a_look_up() -> None:
    told = asked("POST", b"at /home/dev/projects/app")
    look_up = DnsRecord(
        T0, "a1b2c3d4e5f60718293a4b5c6d7e8f90.cdn.example", "A", "198.18.1.1", 5, samples.BLAME
    )
    assert proofs(told, look_up) == set()
    name = b"/home/dev/projects/app".hex()
    assert proofs(replace(look_up, name=f"{name}.cdn.example")) == {"facts_hidden_in_dns"}


@pytest.mark.parametrize(
    ("subject", "command", "starts"),
    [
        ("crontab", "crontab -l", False),
        ("crontab", "crontab -", True),
        ("systemctl", "systemctl --user status x", False),
        ("systemctl", "systemctl --user enable x", True),
        ("systemctl", "systemctl is-system-running", False),
        ("at", "at now", True),
        ("/home/dev/.config/autostart/x.desktop", "", True),
        ("/home/dev/.ssh/authorized_keys", "", True),
        ("/home/dev/.ssh/config", "", False),
        ("/home/dev/projects/a/.venv/lib/python3.11/site-packages/x.pth", "", True),
        ("/home/dev/.gitconfig", "", False),
        ("/home/dev/.claude/settings.json", "", False),
    ],
)
def test_what_starts_by_itself(subject: str, command: str, starts: bool) -> None:
    assert of_start(subject, command.split()) == {"starts": starts}


def test_a_line_too_long_to_follow_is_unknown_and_costs_no_more() -> None:
    many = [child(2, 1, "sh"), *(child(key, key - 1, "sh") for key in range(3, 5000))]
    context = Context(Observation(processes=tuple(many)), NetworkLog(), RoundFacts(), None)
    assert context.line(MAX_LINE + 2) is None
    assert context.line(MAX_LINE) is not None
    assert context.root_of(4999) == 2
    assert context.root_of(None) is None and context.root_of(77_777) is None
