"""The CI files: they parse, their scripts are sound shell, and what they promise about secrets holds."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from package_hunter.report import FORMATS
from tests.support.requires import ROOT, needs_program

EXAMPLES = ROOT / "ci/examples"


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def component() -> tuple[dict[str, Any], dict[str, Any]]:
    spec, jobs = yaml.safe_load_all((ROOT / "templates/package-hunter.yml").read_text(encoding="utf-8"))
    return spec["spec"]["inputs"], jobs["package-hunter"]


def scripts() -> dict[str, str]:
    """Every shell text of the files, with its name."""
    steps = load(ROOT / "action.yml")["runs"]["steps"]
    found = {f"action {step['name']}": step["run"] for step in steps}
    _, job = component()
    for part in ("before_script", "script"):
        found |= {f"component {part} {i}": text for i, text in enumerate(job[part])}
    found["scan.sh"] = (EXAMPLES / "scan.sh").read_text()
    return found


@pytest.mark.parametrize("name", scripts())
def test_shell_is_sound(name: str) -> None:
    shell = "bash" if name.startswith("action") else "sh"
    done = subprocess.run([shell, "-n"], input=scripts()[name], text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", scripts())
def test_nothing_is_pasted_into_a_script(name: str) -> None:
    """Inputs and events reach scripts as variables: text in an expression would be run as shell."""
    assert "${{" not in scripts()[name]
    assert "$[[" not in scripts()[name]
    assert '_TOKEN"' not in re.sub(r"printf 'header[^\n]+", "", scripts()[name]), "no token as an argument"


def test_the_action_is_whole() -> None:
    action = load(ROOT / "action.yml")
    assert action["runs"]["using"] == "composite"
    asked = set(re.findall(r"inputs\.([a-z-]+)", (ROOT / "action.yml").read_text()))
    assert asked == set(action["inputs"]), "each input is used, and each that is used is there"
    for step in action["runs"]["steps"]:
        assert step["shell"] == "bash", step
    forms = {form.partition(":")[0] for form in ("json", "html", "markdown:md", "sarif", "text")}
    assert forms <= set(FORMATS)


def test_the_component_is_whole() -> None:
    inputs, job = component()
    asked = set(re.findall(r"\$\[\[ inputs\.(\w+) \]\]", (ROOT / "templates/package-hunter.yml").read_text()))
    assert asked == set(inputs)
    assert job["needs"] == []
    assert inputs["stage"]["default"] == ".pre", "before any job that installs"
    assert job["artifacts"]["reports"]["dependency_scanning"].startswith("gl-")
    assert job["rules"][0]["when"] == "never", "a fork has no token: no job"


def test_examples_scan_before_they_install() -> None:
    jobs = load(EXAMPLES / "github-workflow.yml")["jobs"]
    assert jobs["build"]["needs"] == "package-hunter"
    assert not any("install" in str(s.get("run")) for s in jobs["package-hunter"]["steps"])
    for job in jobs.values():
        for step in job["steps"]:
            used = step.get("uses", "")
            pinned = re.search(r"@([0-9a-f]{40}|FULL_COMMIT_SHA)$", used)
            assert not used or pinned, f"{used} is not pinned by a commit"
    given = load(EXAMPLES / "gitlab-ci.yml")["include"][0]["inputs"]
    assert set(given) <= set(component()[0])


def test_the_hook_meets_lock_files() -> None:
    (hook,) = load(ROOT / ".pre-commit-hooks.yaml")
    pattern = re.compile(hook["files"])
    for name in ("package-lock.json", "web/yarn.lock", "requirements-dev.txt", "Gemfile.lock", "uv.lock"):
        assert pattern.search(name), name
    for name in ("package.json", "src/requirements.py", "Gemfile.lock.md"):
        assert not pattern.search(name), name
    assert hook["entry"].split()[0] == "package-hunter"
    (config,) = load(EXAMPLES / "pre-commit-config.yaml")["repos"]
    assert config["hooks"][0]["id"] == hook["id"]


FAKE = '#!/bin/sh\nprintf "%s\\n" "$@" > "$SEEN"\nexit "$CODE"\n'


@pytest.mark.parametrize("code", [0, 1, 4, 69])
def test_the_shell_examples_exit_code_is_the_scans(tmp_path: Path, code: int) -> None:
    needs_program("sh")
    fake = tmp_path / "package-hunter"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    environment = {
        "PATH": str(Path(shutil.which("sh") or "/bin/sh").parent),
        "PACKAGE_HUNTER": str(fake),
        "PACKAGE_HUNTER_SERVER": "https://hunter.example",
        "SEEN": str(tmp_path / "seen"),
        "CODE": str(code),
        "BASE_LOCK": "base lock.json",
        "REPORTS": str(tmp_path / "my reports"),
    }
    command = [str(EXAMPLES / "scan.sh"), "my project"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    words = (tmp_path / "seen").read_text().splitlines()
    assert words[:2] == ["scan", "my project"]
    assert "base lock.json" in words
    assert f"{tmp_path}/my reports/package-hunter.html" in words


def test_the_shell_example_wants_a_server() -> None:
    done = subprocess.run([str(EXAMPLES / "scan.sh")], env={"PATH": "/bin:/usr/bin"}, capture_output=True)
    assert done.returncode == 2
    assert b"PACKAGE_HUNTER_SERVER" in done.stderr


def test_the_documentation_names_what_is_there() -> None:
    text = (ROOT / "docs/ci.md").read_text()
    for name in re.findall(r"`([\w./-]+\.(?:yml|yaml|sh))`", text):
        if name != ".gitlab-ci.yml":
            assert (ROOT / name).exists(), name
