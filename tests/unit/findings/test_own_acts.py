"""A project that sets up its own git hooks in its own repository is no suspect; whoever else does it stays one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from package_hunter.ecosystems.npm.manifest import OWN_EVENTS, ROOT_EVENTS, own_scripts
from package_hunter.model.finding import Finding
from package_hunter.model.observation import Blame, NetworkLog, Observation, Process
from tests.support.judge_samples import T0, alert, judge

PROJECT = "/home/dev/projects/app"
BLAME = Blame(
    "install",
    None,
    (),
    "prepare",
    110,
    "sh -c husky",
    "It descends from the project's own prepare.",
    "certain",
)


def hook(
    blame: Blame = BLAME,
    event: str = "openat",
    cwd: str = PROJECT,
    own: tuple[str, ...] = OWN_EVENTS,
    **fields: Any,
) -> Finding:
    """What is found where a hook is written, or git is set up."""
    seen = alert(
        rule="Git hook written",
        tags=("kind:git_hook", "suspicious"),
        event_type=event,
        pid=110,
        blame=blame,
        output_fields={key.replace("_", "."): value for key, value in fields.items()},
    )
    process = Process(10, None, 110, 10, "node", "/usr/bin/git", "x", cwd, 1000, T0, None, 0)
    (found,) = judge(
        Observation(alerts=(seen,), processes=(process,)), NetworkLog(), project=PROJECT, own_scripts=own
    )
    return found


OWN = [
    {"fd_name": f"{PROJECT}/.git/hooks/pre-commit"},
    {"event": "renameat2", "fs_path_target": f"{PROJECT}/.git/hooks/pre-push", "fs_path_name": "/tmp/x"},
    {"event": "symlinkat", "fs_path_source": f"{PROJECT}/.git/hooks/pre-push"},
    {"event": "execve", "proc_cmdline": "git config core.hooksPath .husky/_"},
    {"event": "execve", "proc_cmdline": "git config --local core.hooksPath .git/hooks/"},
    {
        "event": "execve",
        "proc_cmdline": "git config core.hookspath .githooks",
        "cwd": f"{PROJECT}/packages/a",
    },
]


@pytest.mark.parametrize("act", OWN)
def test_the_projects_own_hooks_are_information(act: dict[str, Any]) -> None:
    found = hook(**act)
    assert found.severity == "info"
    assert any("project's own repository" in line for line in found.explain)


@pytest.mark.parametrize(
    "act",
    [
        {"blame": replace(BLAME, package="pkg:npm/dep@1", script="postinstall")},
        {"blame": replace(BLAME, package="pkg:npm/dep@1")},
        {"blame": replace(BLAME, script="postinstall")},  # runs where others install the package
        {"blame": replace(BLAME, phase="import")},
        {"blame": replace(BLAME, confidence="tree")},
        {"own": ()},  # a project that we made of another's packages
        {"fd_name": "/home/dev/projects/other/.git/hooks/pre-commit"},
        {"fd_name": f"{PROJECT}/.git/hooks/../config"},
        {"fd_name": f"{PROJECT}/.git/config"},
        {"fd_name": f"{PROJECT}/node_modules/a/.git/hooks/pre-commit"},
        {"event": "execve", "proc_cmdline": "git config --global core.hooksPath .husky"},
        {"event": "execve", "proc_cmdline": "git config core.hooksPath /tmp/hooks"},
        {"event": "execve", "proc_cmdline": "git config core.hooksPath ../hooks"},
        {"event": "execve", "proc_cmdline": "git config core.hooksPath ~/hooks"},
        {"event": "execve", "proc_cmdline": "git config core.fsmonitor .git/run"},
        {"event": "execve", "proc_cmdline": "git config core.sshCommand ./x"},
        {
            "event": "execve",
            "proc_cmdline": "git config core.hooksPath .husky",
            "cwd": "/home/dev/projects/other",
        },
        {"event": "execve", "proc_cmdline": "git config -f ../x core.hooksPath .husky"},
    ],
)
def test_everything_else_stays_suspicious(act: dict[str, Any]) -> None:
    found = hook(**{"fd_name": f"{PROJECT}/.git/hooks/pre-commit"} | act)
    assert found.severity == "medium"


def test_scripts_that_run_only_where_people_work_on_the_project() -> None:
    assert own_scripts({"name": "a", "version": "1.0.0"}) == OWN_EVENTS and "postinstall" not in OWN_EVENTS
    assert own_scripts({"name": "a", "version": "1.0.0", "private": True}) == ROOT_EVENTS
    assert own_scripts({"name": "a"}) == ROOT_EVENTS
    assert own_scripts({"name": "a", "version": "1.0.0", "private": "true"}) == OWN_EVENTS
