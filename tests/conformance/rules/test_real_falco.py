"""Odd rule files held against a real Falco 0.43, where PACKAGE_HUNTER_FALCO names its program.

Without its container plugin (PACKAGE_HUNTER_FALCO_PLUGIN, a .so) files that need container fields are left out.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from package_hunter.rules import builtin_files
from tests.support.falco_forms import ONLY_FALCO, REFUSED, TAKEN, Form
from tests.support.requires import needs_asking, needs_shared

PLUGIN = os.environ.get("PACKAGE_HUNTER_FALCO_PLUGIN", "")
ALL = {
    **{k: (f, False) for k, (f, _) in {**REFUSED, **ONLY_FALCO}.items()},
    **{k: (f, True) for k, f in TAKEN.items()},
}


def falco() -> str:
    """The program to ask; skips where none is given."""
    return needs_asking("PACKAGE_HUNTER_FALCO", "Falco to compare with")


def takes(folder: Path, files: list[Path]) -> bool:
    """Whether Falco says that it can load the files, one after another."""
    config = folder / "falco.yaml"
    lines = ["engine: {kind: nodriver}", "log_stderr: true", "rules_files: []"]
    if PLUGIN:
        lines += [f"plugins: [{{name: container, library_path: {PLUGIN}}}]", "load_plugins: [container]"]
    config.write_text("\n".join(lines) + "\n")
    wanted = [argument for file in files for argument in ("-V", str(file))]
    done = subprocess.run([falco(), "-c", str(config), *wanted], capture_output=True, timeout=60)
    return done.returncode == 0


@pytest.mark.parametrize(("files", "taken"), ALL.values(), ids=ALL)
def test_falco_says_the_same(files: Form, taken: bool, tmp_path: Path) -> None:
    falco()
    if not PLUGIN and any("container" in text for text in files):
        needs_asking("PACKAGE_HUNTER_FALCO_PLUGIN", "container plugin")
    paths = [tmp_path / f"{n}.yaml" for n in range(len(files))]
    for path, text in zip(paths, files, strict=True):
        path.write_text(text)
    assert takes(tmp_path, paths) == taken


def test_our_rules_load(tmp_path: Path) -> None:
    falco()
    if not PLUGIN:
        needs_asking("PACKAGE_HUNTER_FALCO_PLUGIN", "container plugin")
    assert takes(tmp_path, builtin_files())
    assert takes(tmp_path, [needs_shared("falco-rules") / "falco_rules.yaml", *builtin_files()])
