"""A package that is asked for is the one that is scanned: what npm takes in a version's place is refused."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.errors import NothingToScanError


@pytest.mark.parametrize(
    "version",
    [
        "--registry=http://x",
        "npm:is-odd@3.0.1",
        "file:../x",
        "../x",
        "./x",
        "/etc",
        "~/x",
        "git+ssh://host.example/x.git",
        "owner/repository",
        "https://host.example/x.tgz",
        "link:x",
        "1.0.0 || 2.0.0",
        ".",
        "x" * 300,
    ],
)
def test_what_is_no_version_would_be_another_package(version: str) -> None:
    with pytest.raises(NothingToScanError, match="is no version"):
        plans(stage("x", purl=f"pkg:npm/left-pad@{quote(version, safe='')}"), PlanOptions())


@pytest.mark.parametrize("version", ["1.3.0", "4.0.0-rc.1+build.5", "latest", "next-11", "^1.2.3", "1.x", ""])
def test_versions_tags_and_simple_ranges_are_asked_for(version: str) -> None:
    purl = "pkg:npm/%40babel/core" + (f"@{quote(version, safe='')}" if version else "")
    (plan,) = plans(stage("x", purl=purl), PlanOptions())
    manifest = next(file for file in plan.files if file.path.endswith("/package.json"))
    assert json.loads(manifest.content)["dependencies"] == {"@babel/core": version or "latest"}
