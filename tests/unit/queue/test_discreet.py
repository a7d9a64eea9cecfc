"""What accounts are told of failures names no path of the server, and still says what is wrong."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import package_hunter
from package_hunter.config import Settings
from package_hunter.errors import BadArchiveError, HostError, HunterError, SandboxError, UsageError
from package_hunter.model.report_form import from_json, to_json
from package_hunter.queue import discreet
from tests.support.service_fake import report_json

DATA = Path("/srv/hunter/data")
SETTINGS = Settings(data_dir=DATA, policy_file=Path("/etc/hunter/policy.yml"))


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (HostError(f"The box's image is missing ({DATA}/image/ab.erofs).", "Build it."),
         "The box's image is missing (…/ab.erofs). Build it."),
        (SandboxError("runc could not start the box: open /run/runc/x/state.json: no such file"),
         "runc could not start the box: open …/state.json: no such file"),
        (UsageError("/etc/hunter/policy.yml, line 3: no rule.", "See docs/verdicts.md."),
         "…/policy.yml, line 3: no rule. See docs/verdicts.md."),
        (HunterError(f"Cannot read {DATA}/runs/1/tree."), "Cannot read …/tree."),
        (HunterError(f"Look into {DATA}."), "Look into …/data."),
        (HunterError(f"{package_hunter.__file__} fails."), "…/__init__.py fails."),
        (BadArchiveError("The archive names /etc/passwd and a/b/../c."),
         "The archive names /etc/passwd and a/b/../c."),
        (HostError("The registry https://files.example/a/b does not answer."),
         "The registry https://files.example/a/b does not answer."),
        (HunterError("node_modules/a/b failed in /home/dev/projects/demo."),
         "node_modules/a/b failed in /home/dev/projects/demo."),
        (HunterError(f"{DATA}base/x is another folder."), f"{DATA}base/x is another folder."),
    ],
)  # fmt: skip
def test_failures(error: HunterError, told: str) -> None:
    assert discreet.failure(error, SETTINGS) == told


def test_reports() -> None:
    data = report_json("x", "inconclusive")
    data["coverage"]["reasons"] = [f"{DATA}/runs/x/tree is gone.", "/home/dev/.npmrc was read."]
    data["error"] = f"{sys.prefix}/lib/x.py failed."
    told = to_json(discreet.report(from_json(data), SETTINGS))
    assert told["coverage"]["reasons"] == ["…/tree is gone.", "/home/dev/.npmrc was read."]
    assert told["error"] == "…/x.py failed."
    assert {**told, "coverage": 0, "error": 0} == {**data, "coverage": 0, "error": 0}
