"""A gem's own folder: loaded as it lies there."""

from __future__ import annotations

from pathlib import Path

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import lay
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.depth import QUICK, STANDARD, Depth
from package_hunter.model.scan import Command

SPEC = """Gem::Specification.new do |s|
  s.name = "own"
  s.add_dependency "rack", "~> 3"
  s.add_development_dependency('rspec')
end
"""
LOCK = """PATH
  remote: .
  specs:
    own (1.2.0)

PLATFORMS
  ruby

DEPENDENCIES
  own!
"""


def gem(folder: Path) -> Path:
    files = {"own.gemspec": SPEC, "lib/own.rb": "", "lib/own/deep/x.rb": "", "exe/own": "", "bin/setup": ""}
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def imports(folder: Path, depth: Depth = QUICK) -> tuple[Plan, tuple[Command, ...]]:
    (plan,) = lay(stage("own", folder), PlanOptions(depth=depth), "gem")
    tree = BoxTree(folder, plan.project)
    plan.after_fetch(tree, ())
    return plan, plan.imports(tree).commands


def test_a_gemspec_alone_is_a_project_that_asks_for_what_it_names(tmp_path: Path) -> None:
    (plan,) = lay(stage("own", gem(tmp_path)), PlanOptions(), "gem")
    (file,) = [file for file in plan.files if file.owner != "root"]
    assert file.path.endswith("/Gemfile") and file.content.endswith(b"gemspec\n")
    assert plan.registry[0].names == {"rack", "rspec"}


def test_the_gem_in_the_folder_is_loaded_from_its_lib(tmp_path: Path) -> None:
    (gem(tmp_path) / "Gemfile.lock").write_text(LOCK)
    plan, loads = imports(tmp_path)
    assert [(load.blame_purl, load.script) for load in loads] == [("pkg:gem/own@1.2.0", "require")]
    assert f"-I{plan.project}/lib" in loads[0].argv
    (package,) = plan.inventory()
    assert package.places == (f"{plan.project}/own.gemspec",)
    _, loads = imports(tmp_path, STANDARD)
    assert [load.script for load in loads] == ["require", "require own", "require own/deep/x", "bin own"]
    assert all(f"-I{plan.project}/lib" in load.argv for load in loads)


def test_an_application_is_not_loaded_and_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "Gemfile").write_text('gem "rack"\n')
    (plan,) = lay(stage("own", tmp_path), PlanOptions(), "gem")
    assert plan.notes == ("Not loaded themselves: own (no gemspec, so no gem).",)
