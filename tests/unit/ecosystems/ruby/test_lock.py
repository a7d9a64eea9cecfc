"""Gemfile.lock, Gemfile and gem metadata."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.ruby import lock
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.ecosystems.yamltext import load_text
from package_hunter.errors import NothingToScanError

LOCK = """PATH
  remote: .
  specs:
    own (0.1.0)
      rack (>= 2)

GEM
  remote: https://gems.example/
  specs:
    nokogiri (1.15.0)
      racc (~> 1.4)
    nokogiri (1.15.0-x86_64-linux)
      racc (~> 1.4)
    nokogiri (1.15.0-arm64-darwin)
    racc (1.7.0)
    rack (2.2.8)

PLATFORMS
  x86_64-linux

DEPENDENCIES
  nokogiri (~> 1.15)
  own!

BUNDLED WITH
   2.3.27
"""
METADATA = """--- !ruby/object:Gem::Specification
name: demo
version: !ruby/object:Gem::Version
  version: 1.2.0
dependencies:
- !ruby/object:Gem::Dependency
  name: dep
  requirement: &1 !ruby/object:Gem::Requirement
    requirements: []
  type: :runtime
  version_requirements: *1
- !ruby/object:Gem::Dependency
  name: rspec
  type: :development
"""


def test_the_lock_file() -> None:
    found = lock.parse(LOCK)
    assert {gem.full: (gem.requires, gem.source) for gem in found.gems.values()} == {
        "own-0.1.0": (["rack"], "PATH"),
        "nokogiri-1.15.0-x86_64-linux": (["racc"], "GEM"),
        "racc-1.7.0": ([], "GEM"),
        "rack-2.2.8": ([], "GEM"),
    }
    assert found.direct == ["nokogiri", "own"]
    order = [gem.name for gem in found.order()]
    assert order.index("racc") < order.index("nokogiri") and order.index("rack") < order.index("own")
    assert lock.purl("nokogiri", "1.15.0-x86_64-linux") == "pkg:gem/nokogiri@1.15.0"


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=300), head=st.sampled_from(["", "GEM\n  specs:\n    a (1)\n", "DEPENDENCIES\n"]))
def test_hostile_lock_files_are_survived(text: str, head: str) -> None:
    found = lock.parse(head + text)
    assert len(found.order()) == len(found.gems)


def test_gem_metadata() -> None:
    assert lock.metadata(gzip.compress(METADATA.encode())) == ("demo", "1.2.0", ["dep"])


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"x",
        gzip.compress(b"--- 5", mtime=0),
        gzip.compress(b"name: ../x\nversion: {version: '1'}", mtime=0),
        gzip.compress(bytes(9 << 20)),
        gzip.compress(b"[" * 500_000, mtime=0),
    ],
)
def test_unsound_metadata(packed: bytes) -> None:
    assert lock.metadata(packed) == ("", "", [])


@settings(max_examples=150, deadline=None)
@given(text=st.text(st.sampled_from("a:[]{}-&*! \n,?|>'\"#\t"), max_size=80))
def test_hostile_yaml_is_survived(text: str) -> None:
    load_text(text)


def test_deep_yaml_is_refused() -> None:
    assert load_text("[" * 3_000_000) is None
    assert load_text("- " * 300_000) is None


def test_a_gem_file_is_installed_last(tmp_path: Path) -> None:
    (tmp_path / "metadata.gz").write_bytes(gzip.compress(METADATA.encode()))
    (tmp_path / "data.tar.gz").write_bytes(b"data")
    (plan,) = plans(stage("demo-1.2.0.gem", tmp_path, "", "ab" * 32), PlanOptions())
    assert plan.target.purl == "pkg:gem/demo@1.2.0"
    assert plan.fetch.commands[0].argv == ("bundle", "cache", "--no-install")
    gem = next(file for file in plan.files if file.path.endswith("/demo-1.2.0.gem"))
    with tarfile.open(fileobj=io.BytesIO(gem.content)) as archive:
        assert archive.getnames() == ["data.tar.gz", "metadata.gz"]
    gemfile = next(file for file in plan.files if file.path.endswith("/Gemfile"))
    assert b'gem "dep"' in gemfile.content and b"rspec" not in gemfile.content
    phase = plan.after_fetch(BoxTree(tmp_path / "none"), ())
    assert [command.blame_purl for command in phase.commands] == ["pkg:gem/demo@1.2.0"]


def test_a_project_with_all_its_gems_needs_no_network(tmp_path: Path) -> None:
    (tmp_path / "Gemfile").write_text('gem "nokogiri"')
    (tmp_path / "Gemfile.lock").write_text(LOCK)
    cache = tmp_path / "vendor/cache"
    cache.mkdir(parents=True)
    for name in ("nokogiri-1.15.0-x86_64-linux", "racc-1.7.0", "rack-2.2.8"):
        (cache / f"{name}.gem").write_bytes(b"")
    (plan,) = plans(stage("p", tmp_path), PlanOptions(), "bundler")
    assert plan.fetch.commands == ()
    phase = plan.after_fetch(BoxTree(tmp_path, plan.project), ())
    assert [command.blame_purl for command in phase.commands] == [
        "pkg:gem/racc@1.7.0",
        "pkg:gem/nokogiri@1.15.0",
        "pkg:gem/rack@2.2.8",
    ]


def test_purls() -> None:
    (plan,) = plans(stage("x", purl="pkg:gem/rake@13.0.6"), PlanOptions())
    assert plan.files[0].content.endswith(b'gem "rake", "13.0.6"\n')
    with pytest.raises(NothingToScanError, match="names no gem"):
        plans(stage("x", purl="pkg:gem/a%22;evil@1"), PlanOptions())


ELSEWHERE = """GIT
  remote: https://git.example/a/far.git
  revision: 874ca2bc
  specs:
    far (1.0.0)
      near

PATH
  remote: %s
  specs:
    near (0.1.0)

PATH
  remote: .
  specs:
    own (0.1.0)

PLUGIN SOURCE
  remote: https://hg.example/x
  type: hg
  specs:
    plugged (2.0)

DEPENDENCIES
  far!
  near!
  own!
  plugged!
"""


@pytest.mark.parametrize(
    ("remote", "inside"),
    [("libs/near", True), ("../near", False), ("libs/gone", False), ("/srv/near", False)],
)
def test_gems_that_no_server_has_are_read_in_the_project_or_named(
    tmp_path: Path, remote: str, inside: bool
) -> None:
    (tmp_path / "libs/near").mkdir(parents=True)
    (tmp_path / "libs/near/near.gemspec").write_text("")
    (tmp_path / "Gemfile").write_text('gem "far", git: "https://git.example/a/far.git"')
    (tmp_path / "Gemfile.lock").write_text(ELSEWHERE % remote)
    (plan,) = plans(stage("p", tmp_path), PlanOptions(), "bundler")
    tree = BoxTree(tmp_path, plan.project)
    phase = plan.after_fetch(tree, ())
    reasons = plan.coverage(()).reasons
    assert any(r.startswith("far (GIT https://git.example/a/far.git) was not scanned") for r in reasons)
    assert any(r.startswith("plugged (PLUGIN SOURCE") for r in reasons)
    assert not any(r.startswith("own ") for r in reasons)
    assert any(r.startswith(f"near (PATH {remote}) was not scanned") for r in reasons) is not inside
    assert [c.script for c in phase.commands] == (["gemspec"] if inside else [])
    loads = plan.imports(tree).commands
    assert [c.blame_purl for c in loads] == (["pkg:gem/near@0.1.0"] if inside else [])
    assert all(f"-I{plan.project}/libs/near/lib" in c.argv for c in loads)
    coverage = plan.coverage(())
    assert (coverage.packages_installed, coverage.packages_expected) == ((1, 3) if inside else (0, 3))
