"""A start-up place that was changed is told, whether a rule spoke of it or not, whoever's process it was."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.model.finding import Finding
from package_hunter.model.observation import Alert, Blame, FileChange, NetworkLog, Observation
from tests.support import judge_samples as samples
from tests.support.judge_samples import T0, alert, judge

NODE = samples.PROCESSES[1]


def findings(
    *changes: FileChange, alerts: tuple[Alert, ...] = (), blame: Blame | None = samples.BLAME
) -> tuple[Finding, ...]:
    observation = Observation(alerts=alerts, processes=samples.PROCESSES, files=changes)
    return judge(observation, NetworkLog(), blamer=lambda key, time_ns: blame)


def change(path: str, action: str = "written") -> FileChange:
    return FileChange(path, action, NODE.key, T0)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/home/dev/.bashrc", "shell_start"),
        ("/home/dev/.npmrc", "manager_settings"),
        ("/home/dev/.config/pip/pip.conf", "manager_settings"),
        ("/home/dev/.config/systemd/user/x.timer", ""),
        ("/home/dev/.ssh/authorized_keys", "ssh"),
        ("/home/dev/.claude/settings.json", "assistant"),
        ("/etc/cron.d/x", ""),
        ("/var/spool/cron/crontabs/dev", ""),
    ],
)
def test_a_change_is_told_where_no_rule_speaks(path: str, form: str) -> None:
    (finding,) = findings(change(path, "created"))
    assert (finding.kind, finding.form, finding.severity, finding.proof) == (
        "persistence",
        form,
        "high",
        False,
    )
    assert finding.subjects == (path,) and any("No rule" in line for line in finding.explain)


@pytest.mark.parametrize(
    "path",
    [
        "/home/dev/.npm/_cacache/x",
        "/home/dev/.cache/pip/x",
        "/home/dev/.local/bin/tool",
        "/home/dev/projects/app/.git/hooks/pre-commit",
        "/home/dev/projects/app/.npmrc",
        "/home/dev/.bashrc.d/x",
        "/etc/hosts",
    ],
)
def test_other_places_are_the_rules_own_to_judge(path: str) -> None:
    assert findings(change(path)) == ()


def test_what_a_rule_told_is_not_told_again() -> None:
    path = "/home/dev/.bashrc"
    told = alert(
        output_fields={"fd.name": path, "proc.cmdline": "node s.js"}, event_type="openat", pid=NODE.pid,
        tags=("kind:persistence", "suspicious"), blame=samples.BLAME,
    )  # fmt: skip
    (finding,) = findings(change(path), alerts=(told,))
    assert finding.count == 1 and not any("No rule" in line for line in finding.explain)


def test_once_a_file_and_package_and_only_where_somebody_is_to_blame() -> None:
    path = "/home/dev/.profile"
    (finding,) = findings(change(path), change(path, "created"))
    assert finding.count == 1
    assert findings(change(path), blame=None) == ()
    assert findings(change(path, "mode")) == ()
    manager = replace(samples.BLAME, package=None, script=None, phase="install", basis="npm itself.")
    assert len(findings(change(path), blame=manager)) == 1


def test_a_folder_is_told_with_its_file_and_what_was_moved_under_its_new_name() -> None:
    """As crontab does it: a file of a random name, then moved to its own."""
    tab, temporary = "/var/spool/cron/crontabs/dev", "/var/spool/cron/crontabs/tmp.N9lRiB"
    moved = FileChange(temporary, "renamed", NODE.key, T0, tab)
    (finding,) = findings(change(temporary, "created"), change(temporary), moved)
    assert finding.subjects == (tab,)
    unit = "/home/dev/.config/systemd/user/x.service"
    (finding,) = findings(change("/home/dev/.config/systemd/user", "created"), change(unit, "created"))
    assert finding.subjects == (unit,)
    away = FileChange("/home/dev/.bashrc", "renamed", NODE.key, T0, "/tmp/x")
    assert findings(away) == ()


def written(path: str) -> Alert:
    fields = {"fd.name": path, "proc.cmdline": "crontab -"}
    return alert(
        rule="Startup place changed", tags=("kind:persistence",), output_fields=fields, event_type="openat"
    )


@pytest.mark.parametrize(
    ("was", "got", "told"),
    [
        (
            "/var/spool/cron/crontabs/tmp.cdgUnX",
            "/var/spool/cron/crontabs/dev",
            "/var/spool/cron/crontabs/dev",
        ),
        ("/home/dev/.ssh/.config.Ab1Cd2", "/home/dev/.ssh/config", "/home/dev/.ssh/config"),
        ("/home/dev/.bashrc", "/tmp/x", "/home/dev/.bashrc"),
    ],
)
def test_a_rules_file_bears_the_name_that_it_got_in_its_folder(was: str, got: str, told: str) -> None:
    moved = FileChange(was, "renamed", NODE.key, T0 + 2 * samples.SECOND, got)
    found = [f for f in findings(moved, alerts=(written(was),)) if f.kind == "persistence"]
    assert told in [subject for f in found for subject in f.subjects]
    assert all(was not in f.subjects for f in found if was != told)


def test_equal_runs_have_equal_fingerprints() -> None:
    """A name drawn by lot, whether it was seen how the file got its own or not."""
    runs = [
        findings(alerts=(written(f"/var/spool/cron/crontabs/tmp.{drawn}"),)) for drawn in ("cdgUnX", "McSM85")
    ]
    assert {f.fingerprint for f in runs[0]} == {f.fingerprint for f in runs[1]}
