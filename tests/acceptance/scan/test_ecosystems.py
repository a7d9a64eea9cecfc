"""Each package manager through `package-hunter scan`, with small real packages: whole coverage, no accusation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from package_hunter.simulations.pack import pack
from tests.support import requires
from tests.support.hunter import npm_project, scan_json

IS_NUMBER = "sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng=="
SIX = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
YARN = f"""# yarn lockfile v1


is-number@7.0.0:
  version "7.0.0"
  integrity {IS_NUMBER}
"""
BERRY = """__metadata:
  version: 8
  cacheKey: 10

"app@workspace:.":
  version: 0.0.0-use.local
  resolution: "app@workspace:."
  dependencies:
    is-number: "npm:7.0.0"
  languageName: unknown
  linkType: soft

"is-number@npm:7.0.0":
  version: 7.0.0
  resolution: "is-number@npm:7.0.0"
  languageName: node
  linkType: hard
"""
PNPM = f"""lockfileVersion: '9.0'

settings:
  autoInstallPeers: true
  excludeLinksFromLockfile: false

importers:

  .:
    dependencies:
      is-number:
        specifier: 7.0.0
        version: 7.0.0

packages:

  is-number@7.0.0:
    resolution: {{integrity: {IS_NUMBER}}}
    engines: {{node: '>=0.12.0'}}

snapshots:

  is-number@7.0.0: {{}}
"""
POETRY = f"""[[package]]
name = "six"
version = "1.16.0"
description = ""
optional = false
python-versions = "*"
files = [{{file = "six-1.16.0-py2.py3-none-any.whl", hash = "sha256:{SIX}"}}]

[metadata]
lock-version = "2.0"
python-versions = "^3.9"
content-hash = "0"
"""
UV = f"""version = 1
requires-python = ">=3.9"

[[package]]
name = "app"
version = "0.1.0"
source = {{ virtual = "." }}
dependencies = [{{ name = "six" }}]

[[package]]
name = "six"
version = "1.16.0"
source = {{ registry = "https://index.example/simple" }}
wheels = [{{ url = "https://index.example/six-1.16.0-py2.py3-none-any.whl", hash = "sha256:{SIX}", size = 11053 }}]
"""
POETRY_PROJECT = """[tool.poetry]
name = "app"
version = "0.1.0"
description = ""
authors = []
package-mode = false
[tool.poetry.dependencies]
python = "^3.9"
six = "1.16.0"
"""
UV_PROJECT = """[project]
name = "app"
version = "0.1.0"
requires-python = ">=3.9"
dependencies = ["six==1.16.0"]
"""


@pytest.fixture(scope="module", autouse=True)
def _host() -> None:
    requires.needs_runc()
    requires.needs_btf()
    requires.needs_registry()


def _whole(report: dict[str, Any], *purls: str) -> None:
    assert report["coverage"]["reasons"] == []
    assert {p["purl"] for p in report["packages"]} >= set(purls)
    assert [f["title"] for f in report["findings"] if f["severity"] != "info"] == []
    assert report["verdict"] == "no_findings"


@pytest.mark.parametrize(
    ("file", "text"), [("yarn.lock", YARN), ("yarn.lock", BERRY), ("pnpm-lock.yaml", PNPM)]
)
def test_managers_of_npm_packages(tmp_path: Path, file: str, text: str) -> None:
    project = npm_project(tmp_path / "p", "app", dependencies={"is-number": "7.0.0"})
    (project / file).write_text(text)
    report = scan_json(project)
    _whole(report, "pkg:npm/is-number@7.0.0")
    steps = [p["cmdline"] for p in report["processes"]]
    assert any('require("is-number")' in step for step in steps)


def test_workspaces_are_members_with_scripts_of_their_own(tmp_path: Path) -> None:
    project = npm_project(tmp_path / "p", "root", workspaces=["packages/*"])
    one = npm_project(project / "packages/one", "one", {"postinstall": "node -e 1"})
    npm_project(project / "packages/two", "two", dependencies={"one": "1.0.0", "is-number": "7.0.0"})
    assert one.is_dir()
    report = scan_json(project)
    _whole(report, "pkg:npm/is-number@7.0.0")
    assert report["coverage"]["packages"]["scripts_run"] == 1


def test_members_of_a_pnpm_workspace(tmp_path: Path) -> None:
    project = npm_project(tmp_path / "p", "root")
    npm_project(project / "packages/one", "one", {"postinstall": "node -e 1"})
    npm_project(project / "packages/two", "two", dependencies={"is-number": "7.0.0"})
    (project / "pnpm-workspace.yaml").write_text("packages:\n  - packages/*\n")
    ours = "  .:\n    dependencies:\n"
    moved = "  .: {}\n\n  packages/one: {}\n\n  packages/two:\n    dependencies:\n"
    (project / "pnpm-lock.yaml").write_text(PNPM.replace(ours, moved))
    report = scan_json(project)
    _whole(report, "pkg:npm/is-number@7.0.0", "pkg:npm/one@1.0.0")
    assert report["coverage"]["packages"]["scripts_run"] == 1
    assert any('require("is-number")' in p["cmdline"] for p in report["processes"])


@pytest.mark.parametrize("build", ["node -e 7", "yarn node -e 7", "yarn exec node -e 7"])
def test_the_projects_scripts_find_the_yarn_that_it_uses(tmp_path: Path, build: str) -> None:
    own = {"postinstall": "yarn workspaces foreach -A --include one run build"}
    manager = "yarn@4.9.2"
    project = npm_project(tmp_path / "p", "root", own, workspaces=["packages/*"], packageManager=manager)
    npm_project(project / "packages/one", "one", {"build": build})
    report = scan_json(project)
    _whole(report)
    assert any(p["cmdline"] == "node -e 7" for p in report["processes"]), "yarn 1 knows no foreach"
    assert not any("failed" in note for note in report["coverage"]["notes"])


def test_npm_package_with_inner_modules_and_commands() -> None:
    report = scan_json("pkg:npm/semver@7.6.3", codes=(0, 1))
    _whole(report, "pkg:npm/semver@7.6.3")
    steps = [p["cmdline"] for p in report["processes"]]
    assert any("/.bin/semver --help" in step for step in steps)


@pytest.mark.parametrize(
    ("files", "command"),
    [
        ({"requirements.txt": "six==1.16.0\n"}, "import six"),
        ({"pyproject.toml": POETRY_PROJECT, "poetry.lock": POETRY}, "import six"),
        ({"pyproject.toml": UV_PROJECT, "uv.lock": UV}, "import six"),
    ],
)
def test_python_projects(tmp_path: Path, files: dict[str, str], command: str) -> None:
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    report = scan_json(tmp_path)
    _whole(report, "pkg:pypi/six@1.16.0")
    assert any(command in p["cmdline"] for p in report["processes"])


def test_source_distribution_is_built_and_its_dependencies_loaded() -> None:
    report = scan_json("pkg:pypi/python-dateutil@2.8.2")
    _whole(report, "pkg:pypi/python-dateutil@2.8.2", "pkg:pypi/six@1.17.0")
    steps = [p["cmdline"] for p in report["processes"]]
    assert any("import dateutil.parser" in step for step in steps)


GEMSPEC = "Gem::Specification.new"  # what our gem's folder is told by
LOCKED = """GEM
  remote: https://gems.example/
  specs:
    greeting (1.0.0)

PLATFORMS
  ruby

DEPENDENCIES
  greeting

BUNDLED WITH
   2.3.15
"""


def _gem(folder: Path) -> Path:
    source = folder / "source/greeting"
    (source / "lib").mkdir(parents=True)
    (source / "lib/greeting.rb").write_text('module Greeting; HELLO = "hello"; end\n')
    (source / "lib/greeting").mkdir()
    (source / "lib/greeting/inner.rb").write_text("INNER = 1\n")
    (source / "greeting.gemspec").write_text(GEMSPEC)
    return pack(folder / "source", "gem", folder)


def test_gem_file_and_bundler_project(tmp_path: Path) -> None:
    gem = _gem(tmp_path)
    alone = scan_json(gem)
    _whole(alone, "pkg:gem/greeting@1.0.0")
    assert any('require "greeting/inner"' in p["cmdline"] for p in alone["processes"])
    project = tmp_path / "p"
    (project / "vendor/cache").mkdir(parents=True)
    gem.rename(project / "vendor/cache" / gem.name)
    (project / "Gemfile").write_text('source "https://gems.example/"\ngem "greeting", "1.0.0"\n')
    (project / "Gemfile.lock").write_text(LOCKED)
    report = scan_json(project)
    _whole(report, "pkg:gem/greeting@1.0.0")
    assert any('require "greeting"' in p["cmdline"] for p in report["processes"])


def test_manifest_that_asks_for_nothing_is_a_note_beside_another(tmp_path: Path) -> None:
    project = npm_project(tmp_path / "p", "app")
    (project / "requirements.txt").write_text("# nothing yet\n")
    report = scan_json(project)
    assert [t["ecosystem"] for t in report["targets"]] == ["npm"]
    assert any("asks for no package" in note for note in report["coverage"]["notes"])
    assert json.dumps(report["coverage"]["reasons"]) == "[]"
