"""Which files the project's own patches name."""

from __future__ import annotations

from pathlib import Path

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.npm import patches
from package_hunter.ecosystems.npm.planning import NpmPlanning
from package_hunter.ecosystems.tree import BoxTree

P = "/home/dev/projects/app"
PATCH = """diff --git a/node_modules/left-pad/index.js b/node_modules/left-pad/index.js
--- a/node_modules/left-pad/index.js
+++ b/node_modules/left-pad/index.js
@@ -1,1 +1,2 @@
+// patched
diff --git a/node_modules/@s/p/node_modules/q/lib/a.js b/node_modules/@s/p/node_modules/q/lib/a.js
diff --git a/node_modules/../src/index.js b/node_modules/../src/index.js
diff --git a/src/index.js b/src/index.js
 diff --git a/node_modules/context/x.js b/node_modules/context/x.js
diff --git a/node_modules/one/x.js b/node_modules/other/x.js
"""
NAMED = {"node_modules/left-pad/index.js", "node_modules/@s/p/node_modules/q/lib/a.js"}


def _write(folder: Path, name: str = "left-pad+1.3.0.patch", text: str = PATCH) -> None:
    (folder / "patches").mkdir(parents=True, exist_ok=True)
    (folder / "patches" / name).write_text(text)


def test_files_of_packages_alone_count(tmp_path: Path) -> None:
    _write(tmp_path)
    _write(tmp_path, "README.md", PATCH.replace("left-pad", "right-pad"))
    _write(tmp_path / "packages/m", text=PATCH.replace("left-pad", "middle-pad"))
    tree = BoxTree(tmp_path, P)
    assert patches.named(tree, [P]) == {f"{P}/{name}" for name in NAMED}
    assert f"{P}/packages/m/node_modules/middle-pad/index.js" in patches.named(tree, [P, f"{P}/packages/m"])
    assert patches.named(tree, [f"{P}/nowhere"]) == frozenset()


def test_too_many_speak_for_nobody(tmp_path: Path) -> None:
    lines = (f"diff --git a/node_modules/a/{n}.js b/node_modules/a/{n}.js\n" for n in range(6_000))
    _write(tmp_path, text="".join(lines))
    assert patches.named(BoxTree(tmp_path, P), [P]) == frozenset()


def test_the_plan_names_them(tmp_path: Path) -> None:
    _write(tmp_path)
    (tmp_path / "package.json").write_text('{"name": "a", "devDependencies": {"patch-package": "8.0.0"}}')
    plan = NpmPlanning().plan(stage("app", tmp_path), PlanOptions())
    assert plan.patched == {f"{plan.project}/{name}" for name in NAMED}
