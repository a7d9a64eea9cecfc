"""Python's plan with real pip on this host, on harmless wheels of our own; no index is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.errors import NothingToScanError
from tests.support.requires import needs_program

from .conftest import HostBox

METADATA = (
    "Metadata-Version: 2.1\nName: Pth_Demo\nVersion: 1.0\nRequires-Dist: extra-thing ; extra == 'x'\n\nText\n"
)
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
SAY = "import os; open(os.path.expanduser('~/log'), 'a').write('{} ')\n"


@pytest.fixture(autouse=True)
def _pip(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_program("python3")
    monkeypatch.setenv("PIP_NO_INDEX", "1")


def unpacked_wheel(folder: Path, files: dict[str, str]) -> Path:
    record = "".join(f"{name},,\n" for name in files)
    info = {"METADATA": METADATA, "WHEEL": WHEEL, "RECORD": record}
    for name, text in {
        **files,
        **{f"pth_demo-1.0.dist-info/{key}": text for key, text in info.items()},
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_wheel_is_installed_started_and_imported(host_box: HostBox, tmp_path: Path) -> None:
    folder = unpacked_wheel(
        tmp_path / "w",
        {
            "pth_demo/__init__.py": SAY.format("import"),
            "pth_demo.pth": SAY.format("startup"),
            "_hidden.py": "",
        },
    )
    (plan,) = plans(stage("pth_demo-1.0-py3-none-any.whl", folder, "", "ab" * 32), PlanOptions())
    assert plan.target.purl == "pkg:pypi/pth-demo@1.0"
    runs = host_box.run(plan)
    assert [(run.phase, run.command.script, run.exit_code) for run in runs] == [
        ("fetch", None, 0),
        ("install", "pip install", 0),
        ("startup", "pth_demo.pth", 0),
        ("import", "import pth_demo", 0),
    ]
    assert {run.command.blame_purl for run in runs[1:]} == {"pkg:pypi/pth-demo@1.0"}
    log = (host_box.root / "home/dev/log").read_text().split()
    assert log[-1] == "import" and log.count("import") == 1, "and every start of Python shows"
    assert set(log[:-1]) == {"startup"} and len(log) >= 3
    (package,) = plan.inventory()
    assert (package.purl, package.chain, package.direct) == (
        "pkg:pypi/pth-demo@1.0",
        ("app", "Pth_Demo"),
        True,
    )
    coverage = plan.coverage(runs)
    assert coverage.reasons == ()
    assert [(phase.name, phase.status) for phase in coverage.phases] == [
        (name, "ok") for name in ("fetch", "install", "import", "startup")
    ]


@pytest.mark.parametrize("place", [".config/pip/pip.conf", ".pip/pip.conf"])
def test_settings_that_a_package_wrote_start_nothing_in_an_install(
    host_box: HostBox, tmp_path: Path, place: str
) -> None:
    evil = host_box.root / "home/dev/evil.sh"
    evil.write_text('#!/bin/sh\ntouch "$HOME/mark"\nexit 1\n')
    evil.chmod(0o755)
    settings = host_box.root / "home/dev" / place
    settings.parent.mkdir(parents=True)
    settings.write_text(f"[global]\npython = {evil}\n")
    folder = unpacked_wheel(tmp_path / "w", {"pth_demo/__init__.py": ""})
    (plan,) = plans(stage("pth_demo-1.0-py3-none-any.whl", folder, "", "ab" * 32), PlanOptions())
    runs = host_box.run(plan)
    assert [run.exit_code for run in runs if run.phase == "install"] == [0]
    assert not (host_box.root / "home/dev/mark").exists()


def test_what_cannot_be_installed_is_never_nothing_found(host_box: HostBox, tmp_path: Path) -> None:
    source = tmp_path / "s"
    source.mkdir()
    (source / "requirements.txt").write_text("no-such-package-anywhere==9.9\n")
    (plan,) = plans(stage("s", source), PlanOptions())
    runs = host_box.run(plan)
    coverage = plan.coverage(runs)
    assert any("pip" in reason and "no-such-package-anywhere" in reason for reason in coverage.reasons)
    assert (coverage.packages_expected, coverage.packages_installed) == (1, 0)


def test_a_project_without_requirements_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("# nothing\n")
    with pytest.raises(NothingToScanError, match="holds no requirement"):
        plans(stage("s", tmp_path), PlanOptions())
