"""The bundled project that misbehaves: what `make demo` shows must be in its report."""

from __future__ import annotations

import pytest

from tests.support import requires
from tests.support.hunter import ROOT, hunt, scan_json

RULE = "Unexpected outbound connection destination"


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()


@pytest.fixture(scope="module")
def report() -> dict:
    return scan_json(ROOT / "simulations/falco-test", "--fail-on", "never")


def test_rule_and_priority(report: dict) -> None:
    alerts = [a for a in report["alerts"] if a["rule"] == RULE]
    assert alerts
    assert {a["priority"] for a in alerts} == {"Notice"}


def test_package_and_script_are_blamed(report: dict) -> None:
    blame = next(a["blame"] for a in report["alerts"] if a["rule"] == RULE)
    assert blame["phase"] == "install"
    assert blame["script"] == "preinstall"
    assert blame["package"].startswith("pkg:npm/")
    assert "wget" in blame["cmdline"]
    assert blame["confidence"] == "certain"


def test_name_and_address_contacted(report: dict) -> None:
    contacted = [c for c in report["network"]["connections"] if (c["name"] or "").endswith(".example")]
    assert contacted
    assert all(c["address"].startswith(("198.1", "2001:2:")) for c in contacted)
    assert any(r["url"].split("/")[2].endswith(".example") for r in report["network"]["requests"])


def test_process_and_its_ancestors(report: dict) -> None:
    processes = {p["key"]: p for p in report["processes"]}
    wget = next(p for p in processes.values() if p["name"] == "wget")
    ancestors = []
    key = wget["parent"]
    while key is not None and key in processes:
        ancestors.append(processes[key]["name"])
        key = processes[key]["parent"]
    assert any(name in ("sh", "dash") for name in ancestors)
    assert any("node" in name or "npm" in name for name in ancestors)


def test_text_report_says_it_all() -> None:
    done = hunt("scan", ROOT / "simulations/falco-test", "--fail-on", "never")
    assert done.returncode == 0, done.stderr
    for word in (RULE, "preinstall", "wget", ".example", "198.1"):
        assert word in " ".join(done.stdout.split()), "lines are broken where the terminal ends"
    assert "Traceback" not in done.stderr


def test_exit_code_follows_fail_on() -> None:
    done = hunt("scan", ROOT / "simulations/falco-test", "--fail-on", "review", "-q")
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
