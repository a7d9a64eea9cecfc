"""A combination as a harmless package, and the same one as its honest sibling: same acts, order and tools, but what it
reads and sends is its own notice (or, of a metadata service, the region)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ci.grammar.factors import Combination

TEMPLATES = Path(__file__).with_name("templates")
MARK = "Harmless simulation for testing Package Hunter. Not malware."
FILES = {
    "npmrc": ".npmrc",
    "ssh": ".ssh/id_ed25519",
    "aws": ".aws/credentials",
    "git": ".git-credentials",
    "browser": ".mozilla/firefox/k3v9x1qz.default-release/logins.json",
    "wallet": ".config/solana/id.json",
}  # below the home; the others are no file there
_NOTICE = (MARK + " This notice is what an honest package sends. ") * 4 + "\n"


@dataclass(frozen=True)
class Made:
    """A generated package. ``name`` is unique within a run, ``host`` the collector that only it asks."""

    combination: Combination
    honest: bool
    name: str

    @property
    def host(self) -> str:
        return f"{self.name}.example"

    @property
    def purl(self) -> str:
        """Without version."""
        kind = {"rubygems": "gem"}.get(self.combination.ecosystem, self.combination.ecosystem)
        return f"pkg:{kind}/{self.name}"

    @property
    def module(self) -> str:
        return self.name.replace("-", "_")

    def template(self, file: str) -> str:
        """The text of a template, with this package's choices in it."""
        key = hashlib.sha256(str(self.combination).encode()).hexdigest()[:5]
        choices = {
            **asdict(self.combination),
            "honest": self.honest,
            "name": self.name,
            "host": self.host,
            "file": FILES.get(self.combination.secret, ""),
            "key": key,
        }
        text = (TEMPLATES / file).read_text(encoding="utf-8")
        return text.replace("__CONFIG__", json.dumps(choices), 1)


def both(number: int, combination: Combination) -> tuple[Made, Made]:
    """The attack and its sibling; which is which is not told by their names."""
    digest = hashlib.sha256(f"{number} {combination}".encode()).hexdigest()
    return Made(combination, False, f"gr-{digest[:8]}"), Made(combination, True, f"gr-{digest[8:16]}")


def write(made: Made, folder: Path) -> None:
    """The package's files below ``folder``, which is made."""
    folder.mkdir(parents=True)
    {"npm": _npm, "pypi": _python, "rubygems": _ruby}[made.combination.ecosystem](made, folder)


def _put(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _npm(made: Made, folder: Path) -> None:
    trigger = made.combination.trigger
    manifest: dict[str, object] = {
        "name": made.name,
        "version": "1.0.0",
        "description": MARK,
        "license": "Apache-2.0",
        "main": "index.js",
        "bin": {made.name: "bin.js"},
        "exports": {".": "./index.js", "./extra": "./extra.js"},
    }
    if trigger in ("preinstall", "postinstall"):
        manifest["scripts"] = {trigger: "node start.js"}
    pulled = {"import": "index.js", "submodule": "extra.js", "bin": "bin.js"}.get(trigger)
    quiet = f'// {MARK}\nmodule.exports = "harmless simulation";\n'
    files = dict.fromkeys(("index.js", "extra.js", "bin.js"), quiet)
    if pulled:
        files[pulled] += 'require("./start.js");\n'
    files["bin.js"] = "#!/usr/bin/env node\n" + files["bin.js"]
    files |= {name: made.template(name) for name in ("act.js", "launch.js", "start.js")}
    files |= {"package.json": json.dumps(manifest, indent=1), "notice.txt": _NOTICE}
    _put(folder, files)
    (folder / "bin.js").chmod(0o755)


def _python(made: Made, folder: Path) -> None:
    trigger, module = made.combination.trigger, made.module
    doc = f'"""{MARK}"""\n'
    # No modules: else a walk through all modules would pull them, whatever the trigger.
    files = {f"{module}/{name}.dat": made.template(f"{name}.py.txt") for name in ("act", "launch", "start")}
    files |= {f"{module}/__init__.py": doc, f"{module}/extra.py": doc, f"{module}/notice.txt": _NOTICE}
    if trigger in ("import", "submodule"):
        run = 'runpy.run_path(os.path.join(os.path.dirname(__file__), "start.dat"))\n'
        files[f"{module}/{'__init__' if trigger == 'import' else 'extra'}.py"] += f"import os, runpy\n{run}"
    if trigger == "pth":
        files[f"{module}_init.pth"] = _PTH.format(module=module)
    if trigger == "setup.py":
        files["setup.py"] = _SETUP.format(mark=MARK, name=made.name, module=module)
    else:
        backend = (TEMPLATES / "backend.py").read_text(encoding="utf-8")
        acts = str(trigger == "build-backend")
        backend = (
            backend.replace("__MODULE__", module).replace("__NAME__", made.name).replace("__ACTS__", acts)
        )
        files |= {"backend.py": backend, "pyproject.toml": _PROJECT.format(mark=MARK, name=made.name)}
    _put(folder, files)


_PTH = (
    "import sys, os, runpy; "
    "runpy.run_path(os.path.join(sys._getframe(1).f_locals['sitedir'], '{module}', 'start.dat'))\n"
)
_SETUP = '''"""{mark}"""
import os, runpy, sys
from setuptools import setup

if "bdist_wheel" in sys.argv:
    runpy.run_path(os.path.join(os.path.dirname(os.path.abspath(__file__)), "{module}", "start.dat"))
setup(name="{name}", version="1.0.0", packages=["{module}"], package_data={{"{module}": ["*.dat", "notice.txt"]}})
'''
_PROJECT = """# {mark}
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "{name}"
version = "1.0.0"
"""


def _ruby(made: Made, folder: Path) -> None:
    trigger, cloak = made.combination.trigger, made.combination.cloak
    start = {
        "child": "system(RbConfig.ruby, {act}, out: File::NULL, err: File::NULL)",
        "detached": "Process.detach(spawn(RbConfig.ruby, {act}, pgroup: true, out: File::NULL, err: File::NULL))",
    }.get(cloak, "load {act}")
    there = f"lib/{made.name}"
    call = f"# {MARK}\n" + start.format(act=f'File.join(__dir__, "UP{there}/act.rb")') + "\n"
    files = {
        f"{there}/act.rb": made.template("act.rb"),
        f"{there}/notice.txt": _NOTICE,
        f"lib/{made.name}.rb": f"# {MARK}\n",
    }
    extra = ""
    if trigger == "import":
        files[f"lib/{made.name}.rb"] = call.replace("UP", "../")
    elif trigger == "plugin":
        files["lib/rubygems_plugin.rb"] = call.replace("UP", "../")
    else:
        files["ext/extconf.rb"] = (
            call.replace("UP", "../") + 'File.write("Makefile", "all:\\ninstall:\\nclean:\\n")\n'
        )
        extra = '  spec.extensions = ["ext/extconf.rb"]\n'
    files[f"{made.name}.gemspec"] = _GEM.format(mark=MARK, name=made.name, extra=extra)
    _put(folder, files)


_GEM = """# {mark}
Gem::Specification.new do |spec|
  spec.name = "{name}"
  spec.version = "1.0.0"
  spec.summary = "{mark}"
  spec.authors = ["Package Hunter"]
  spec.license = "Apache-2.0"
  spec.files = Dir["lib/**/*", "ext/**/*"]
{extra}end
"""


def project(ecosystem: str, packages: list[Made], folder: Path) -> Path:
    """A project that depends on all of them; what to scan. Ruby packages are packed, one each."""
    folder.mkdir(parents=True)
    for made in packages:
        write(made, folder / made.name)
    if ecosystem == "npm":
        needs = {made.name: f"file:./{made.name}" for made in packages}
        manifest = {"name": folder.name, "version": "1.0.0", "private": True, "description": MARK}
        _put(folder, {"package.json": json.dumps({**manifest, "dependencies": needs}, indent=1)})
    elif ecosystem == "pypi":
        _put(folder, {"requirements.txt": "".join(f"./{made.name}\n" for made in packages)})
    return folder
