"""Plans in a real box, on harmless packages of our own; the box has no network here."""

from __future__ import annotations

import gzip
import io
import secrets
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.errors import HostError
from package_hunter.model.box import BoxLimits, BoxSpec
from package_hunter.model.scan import CommandRun
from package_hunter.sandbox import RuncSandbox, mounts
from package_hunter.sandbox.image import find_image
from tests.support import requires
from tests.support.sandbox_box import unmount_images

from .test_npm import packed, project
from .test_python import unpacked_wheel

LIMITS = BoxLimits(memory_bytes=1 << 30, upper_bytes=256 << 20, upper_inodes=40_000, pids=128, cpus=2.0)
Scan = Callable[[Plan], tuple[list[CommandRun], RuncSandbox]]


@pytest.fixture(scope="module", autouse=True)
def _image_mount() -> Iterator[None]:
    """The image that a box mounts for all later ones is taken down again, unless it was there before."""
    before = set(mounts.mount_points()) if mounts.RUN_DIR.exists() else set()
    yield
    if mounts.RUN_DIR.exists() and not any("/image/" in point for point in before):
        unmount_images()


@pytest.fixture
def scan_in_box() -> Iterator[Scan]:
    requires.needs_runc()
    try:
        find_image()
    except HostError as error:
        requires.need(False, error.message)
    boxes: list[RuncSandbox] = []

    def scan(plan: Plan) -> tuple[list[CommandRun], RuncSandbox]:
        spec = BoxSpec(
            scan_id=f"test-{secrets.token_hex(6)}",
            project_name=Path(plan.project).name,
            project_dir=plan.plant,
            files=plan.files,
            limits=LIMITS,
        )
        box = RuncSandbox(spec)
        boxes.append(box)
        box.create()
        box.start()
        tree = BoxTree(box.upper_dir)
        runs = [box.run(command, "fetch") for command in plan.fetch.commands]
        if not any(run.exit_code for run in runs):
            runs += [box.run(command, "install") for command in plan.after_fetch(tree, runs).commands]
            for phase in plan.later(tree):
                runs += [box.run(command, phase.name) for command in phase.commands]
        return runs, box

    yield scan
    for box in boxes:
        box.destroy()


def shown(runs: list[CommandRun]) -> list[tuple[str, str | None, int | None]]:
    return [(run.phase, run.command.script, run.exit_code) for run in runs]


def test_npm(scan_in_box: Scan, tmp_path: Path) -> None:
    show = (
        "env > $HOME/env; id -u > $HOME/id; tr '\\0' ' ' < /proc/$PPID/cmdline > $HOME/parent;"
        " echo '// changed' >> /usr/share/npm/lifecycle.js"
    )
    deps = {
        "bad": packed(tmp_path, "bad", {"index.js": ""}, scripts={"postinstall": show}),
        "good": packed(tmp_path, "good", {"index.js": ""}, scripts={"install": "exit 0"}),
    }
    project(tmp_path, dependencies=deps, scripts={"prepare": "exit 3"})
    (plan,) = plans(stage("proj", tmp_path), PlanOptions())
    runs, box = scan_in_box(plan)
    assert shown(runs) == [
        ("fetch", None, 0),
        ("install", "install", 0),
        ("install", "postinstall", 2),  # our own file in the box is not the package's to change
        ("install", "prepare", 3),
        ("import", "require", 0),
        ("import", "require", 0),
    ]
    home = BoxTree(box.upper_dir)
    env = dict(
        line.split("=", 1)
        for line in (home.read("/home/dev/env") or b"").decode().splitlines()
        if "=" in line
    )
    assert env["npm_command"] == "install" and env["npm_lifecycle_event"] == "postinstall"
    assert env["npm_config_user_agent"].startswith("npm/")
    assert env["_"].endswith("/env") or env["_"].endswith("/npm")
    assert home.read("/home/dev/id") == b"1000\n"
    assert (home.read("/home/dev/parent") or b"").split() == [b"npm", b"install"]
    assert plan.coverage(runs).reasons == ()
    assert [package.name for package in plan.inventory()] == ["bad", "good"]


def test_yarn(scan_in_box: Scan, tmp_path: Path) -> None:
    dep = packed(tmp_path, "dep", {"index.js": ""}, scripts={"postinstall": "env > $HOME/env"})
    project(tmp_path, dependencies={"dep": dep}, license="MIT")
    (tmp_path / "yarn.lock").write_text("# yarn lockfile v1\n\n\n")
    (plan,) = plans(stage("proj", tmp_path), PlanOptions(), "yarn")
    runs, box = scan_in_box(plan)
    assert shown(runs) == [("fetch", None, 0), ("install", "postinstall", 0), ("import", "require", 0)]
    assert b"npm_config_user_agent=yarn/1." in (BoxTree(box.upper_dir).read("/home/dev/env") or b"")


def test_python(scan_in_box: Scan, tmp_path: Path) -> None:
    say = "import os; open(os.path.expanduser('~/log'), 'a').write('{} ')\n"
    files = {"pth_demo/__init__.py": say.format("import"), "pth_demo.pth": say.format("startup")}
    folder = unpacked_wheel(tmp_path / "w", files)
    (plan,) = plans(stage("pth_demo-1.0-py3-none-any.whl", folder, "", "ab" * 32), PlanOptions())
    runs, box = scan_in_box(plan)
    assert shown(runs) == [
        ("fetch", None, 0),
        ("install", "pip install", 0),
        ("startup", "pth_demo.pth", 0),
        ("import", "import pth_demo", 0),
    ]
    log = (BoxTree(box.upper_dir).read("/home/dev/log") or b"").split()
    assert log[-1] == b"import" and set(log[:-1]) == {b"startup"}
    assert [package.purl for package in plan.inventory()] == ["pkg:pypi/pth-demo@1.0"]


def test_a_source_distribution_is_built(scan_in_box: Scan, tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text(
        "import os; open(os.path.expanduser('~/log'), 'a').write(os.getcwd() + '\\n')\n"
        "from setuptools import setup; setup(name='sd', version='1.0', py_modules=['sd'])\n"
    )
    (tmp_path / "sd.py").write_text("")
    (tmp_path / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: sd\nVersion: 1.0\n\n")
    (plan,) = plans(stage("sd-1.0.tar.gz", tmp_path, "", "ab" * 32), PlanOptions())
    runs, box = scan_in_box(plan)
    assert shown(runs)[:2] == [("fetch", None, 0), ("install", "pip install", 0)]
    assert BoxTree(box.upper_dir).read("/home/dev/log")
    assert [package.purl for package in plan.inventory()] == ["pkg:pypi/sd@1.0"]


def gem(name: str, files: dict[str, str], extensions: str = "") -> bytes:
    """A .gem as `gem build` makes it, as far as `gem install` looks."""

    def pack(entries: dict[str, bytes]) -> bytes:
        sink = io.BytesIO()
        with tarfile.open(fileobj=sink, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for path, data in entries.items():
                info = tarfile.TarInfo(path)
                info.size, info.mode = len(data), 0o644
                archive.addfile(info, io.BytesIO(data))
        return sink.getvalue()

    spec = f"""--- !ruby/object:Gem::Specification
name: {name}
version: !ruby/object:Gem::Version
  version: 1.0.0
platform: ruby
authors: [a]
dependencies: []
extensions: [{extensions}]
files: [{", ".join(files)}]
require_paths: [lib]
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
rubygems_version: 3.3.15
specification_version: 4
summary: a harmless test
"""
    data = gzip.compress(pack({path: text.encode() for path, text in files.items()}))
    return pack({"metadata.gz": gzip.compress(spec.encode()), "data.tar.gz": data})


def test_ruby(scan_in_box: Scan, tmp_path: Path) -> None:
    build = "File.write(Dir.home + '/log', 'build'); File.write('Makefile', \"all:\\ninstall:\\nclean:\\n\")"
    (tmp_path / "Gemfile").write_text("source 'https://gems.example'\ngem 'my-ext'\n")
    (tmp_path / "Gemfile.lock").write_text(
        "GEM\n  remote: https://gems.example/\n  specs:\n    my-ext (1.0.0)\n\n"
        "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  my-ext\n"
    )
    cache = tmp_path / "vendor/cache"
    cache.mkdir(parents=True)
    files = {"lib/my/ext.rb": "File.write(Dir.home + '/loaded', 'x')", "ext/extconf.rb": build}
    (cache / "my-ext-1.0.0.gem").write_bytes(gem("my-ext", files, "ext/extconf.rb"))
    (plan,) = plans(stage("rb", tmp_path), PlanOptions())
    runs, box = scan_in_box(plan)
    assert shown(runs) == [("install", "gem install", 0), ("import", "require", 0)], runs[0].output_tail
    tree = BoxTree(box.upper_dir)
    assert (tree.read("/home/dev/log"), tree.read("/home/dev/loaded")) == (b"build", b"x")
    assert [package.purl for package in plan.inventory()] == ["pkg:gem/my-ext@1.0.0"]
    assert plan.coverage(runs).reasons == ()


def test_a_ruby_plugin_and_settings_act_in_no_build_of_another_gem(scan_in_box: Scan, tmp_path: Path) -> None:
    """Even where that build runs `gem` itself; the plugin has a command of its own."""
    makefile = "File.write('Makefile', \"all:\\ninstall:\\nclean:\\n\");"
    say = "File.write(Dir.home + '/log', '{} ', mode: 'a');"
    settings = "File.write(Dir.home + '/.gemrc', \"gem: --bindir /nowhere --backtrace\\n\");"
    files = {
        "aa": {
            "lib/rubygems_plugin.rb": say.format("plugin"),
            "lib/aa.rb": "",
            "extconf.rb": makefile + settings,
        },
        "zz": {"lib/zz.rb": "", "extconf.rb": makefile + say.format("build") + "puts `gem env gemdir`"},
    }
    lines = "".join(f"    {name} (1.0.0)\n" for name in files)
    wanted = "".join(f"  {name}\n" for name in files)
    (tmp_path / "Gemfile").write_text("source 'https://gems.example'\ngem 'aa'\ngem 'zz'\n")
    (tmp_path / "Gemfile.lock").write_text(
        f"GEM\n  remote: https://gems.example/\n  specs:\n{lines}\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n{wanted}"
    )
    (tmp_path / "vendor/cache").mkdir(parents=True)
    for name, content in files.items():
        (tmp_path / f"vendor/cache/{name}-1.0.0.gem").write_bytes(gem(name, content, "extconf.rb"))
    (plan,) = plans(stage("rb", tmp_path), PlanOptions())
    runs, box = scan_in_box(plan)
    assert shown(runs) == [
        ("install", "gem install", 0),
        ("install", "gem install", 0),
        ("startup", "RubyGems plugin", 0),
        ("import", "require", 0),
        ("import", "require", 0),
    ], [run.output_tail for run in runs]
    assert BoxTree(box.upper_dir).read("/home/dev/log") == b"build plugin "
