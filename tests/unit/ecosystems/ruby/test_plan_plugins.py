"""Each gem is installed without the plugins of others, and each plugin runs in a command of its own."""

from __future__ import annotations

from pathlib import Path

from package_hunter.ecosystems.base import PlanOptions
from package_hunter.ecosystems.ruby import lock
from package_hunter.ecosystems.ruby.facts import ONE_PLUGIN
from package_hunter.ecosystems.ruby.plan import GemSource, RubyPlan
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Target

PROJECT = "/home/dev/projects/app"
PLUGINS = "/home/dev/.gem/ruby/3.1.0/plugins"
_LOCK = """GEM
  specs:
    aa (1.0.0)
    zz (2.0.0)

PLATFORMS
  ruby

DEPENDENCIES
  aa
  zz
"""


def planned(root: Path, *plugins: str, phases: tuple[str, ...] = ("install", "import")) -> RubyPlan:
    box = {f"{PROJECT}/Gemfile.lock": _LOCK, f"{PROJECT}/vendor/cache/aa-1.0.0.gem": ""}
    box |= {f"{PROJECT}/vendor/cache/zz-2.0.0.gem": ""}
    box |= {f"{PLUGINS}/{name}_plugin.rb": "" for name in plugins}
    for path, text in box.items():
        (root / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (root / path[1:]).write_text(text)
    plan = RubyPlan(
        Target("app", "gem", None, None), PROJECT, PlanOptions(phases), GemSource((), lock.parse(_LOCK))
    )
    assert plan.fetch
    return plan


def test_no_gem_is_installed_with_anothers_plugin(tmp_path: Path) -> None:
    plan = planned(tmp_path, "aa")
    install = plan.after_fetch(BoxTree(tmp_path), ())
    assert [command.argv[:4] for command in install.commands] == [
        ("/usr/bin/ruby", ONE_PLUGIN, "-", "install")
    ] * 2
    assert any(file.path == ONE_PLUGIN and file.owner == "root" for file in plan.files)


def test_a_plugin_runs_by_itself_for_the_gem_that_brought_it(tmp_path: Path) -> None:
    plan = planned(tmp_path, "aa", "stranger")
    plan.after_fetch(BoxTree(tmp_path), ())
    startup = next(phase for phase in plan.later(BoxTree(tmp_path)) if phase.name == "startup")
    (command,) = startup.commands
    assert command.argv[:3] == ("/usr/bin/ruby", ONE_PLUGIN, f"{PLUGINS}/aa_plugin.rb")
    assert command.argv[-1] == f"{PROJECT}/vendor/cache/aa-1.0.0.gem"
    assert (command.blame_purl, command.script) == ("pkg:gem/aa@1.0.0", "RubyGems plugin")


def test_no_plugins_no_phase(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.after_fetch(BoxTree(tmp_path), ())
    assert "startup" not in [phase.name for phase in plan.later(BoxTree(tmp_path))]


def test_plugins_go_with_the_import_phase(tmp_path: Path) -> None:
    plan = planned(tmp_path, "aa", phases=("install",))
    plan.after_fetch(BoxTree(tmp_path), ())
    assert plan.later(BoxTree(tmp_path)) == ()


def test_a_plugin_that_was_put_aside_runs_from_there(tmp_path: Path) -> None:
    plan = planned(tmp_path, "zz")
    aside = tmp_path / f"{PLUGINS[1:]}.aside/aa_plugin.rb"
    aside.parent.mkdir()
    aside.write_text("")
    plan.after_fetch(BoxTree(tmp_path), ())
    startup = next(phase for phase in plan.later(BoxTree(tmp_path)) if phase.name == "startup")
    plugins = [command.argv[2] for command in startup.commands]
    assert plugins == [f"{PLUGINS}.aside/aa_plugin.rb", f"{PLUGINS}/zz_plugin.rb"]
