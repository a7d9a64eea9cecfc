"""npm's plan with real npm on this host, on harmless packages of our own."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.errors import NothingToScanError
from package_hunter.model.scan import CommandRun
from tests.support.requires import needs_program, needs_registry

from .conftest import HostBox

OPTIONS = PlanOptions(script_timeout=20, import_timeout=10)


@pytest.fixture(autouse=True)
def _npm(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_program("npm")
    monkeypatch.setenv("npm_config_userconfig", str(Path.home() / ".npmrc"))


def packed(folder: Path, name: str, files: dict[str, str], **manifest: Any) -> str:
    """A local .tgz of a package; returns the dependency's address."""
    manifest = {"name": name, "version": "1.0.0", **manifest}
    file = folder / f"{name.replace('/', '-').strip('@')}.tgz"
    with tarfile.open(file, "w:gz") as archive:
        for path, text in {"package.json": json.dumps(manifest), **files}.items():
            info = tarfile.TarInfo(f"package/{path}")
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return f"file:{file.name}"


def project(folder: Path, **manifest: Any) -> Path:
    (folder / "package.json").write_text(json.dumps({"name": "proj", "version": "1.0.0", **manifest}))
    return folder


def scan(box: HostBox, folder: Path) -> tuple[Plan, list[CommandRun]]:
    (plan,) = plans(stage("proj", folder), OPTIONS)
    return plan, box.run(plan)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


def log_line(text: str) -> str:
    return f'echo {text} >> "$HOME/log"'


def test_every_script_runs_in_order_and_none_stops_another(host_box: HostBox, source: Path) -> None:
    deps = {
        "b": packed(
            source,
            "b",
            {"index.js": ""},
            scripts={"preinstall": log_line("b-pre"), "postinstall": log_line("b-post")},
        ),
        "a": packed(
            source,
            "a",
            {"index.js": ""},
            scripts={"preinstall": log_line("a-pre") + "; exit 7", "install": log_line("a-in")},
            peerDependencies={"b": "*"},
        ),
        "linked": "file:./linked",
    }
    (source / "linked").mkdir()
    (source / "linked/package.json").write_text(
        json.dumps({"name": "linked", "version": "0.1.0", "scripts": {"prepare": log_line("linked-prepare")}})
    )
    (source / ".npmrc").write_text("ignore-scripts=true\ndry-run=true\n")
    project(
        source,
        dependencies=deps,
        scripts={"postinstall": log_line("root-post"), "prepare": log_line("root-prepare")},
    )
    plan, runs = scan(host_box, source)
    log = (host_box.root / "home/dev/log").read_text().split()
    assert log == ["b-pre", "a-pre", "linked-prepare", "a-in", "b-post", "root-post", "root-prepare"]
    blames = [
        (run.command.blame_purl, run.command.script, run.exit_code) for run in runs if run.phase == "install"
    ]
    assert blames[1] == ("pkg:npm/a@1.0.0", "preinstall", 7)
    assert blames[-1] == (None, "prepare", 0)
    coverage = plan.coverage(runs)
    assert (coverage.scripts_expected, coverage.scripts_run) == (7, 7)
    assert (coverage.packages_expected, coverage.packages_installed) == (3, 3)
    assert coverage.reasons == ()
    assert any(
        "preinstall of pkg:npm/a@1.0.0 ended with error 7 and printed nothing" in note
        for note in coverage.notes
    )
    chains = {package.name: (package.chain, package.direct) for package in plan.inventory()}
    assert chains == {name: (("proj", name), True) for name in ("a", "b", "linked")}


def test_a_script_sees_an_ordinary_install(host_box: HostBox, source: Path) -> None:
    """The environment, parent and folder that a script finds, against those of `npm install` itself."""
    show = "env | sort > $HOME/env; tr '\\0' ' ' < /proc/$PPID/cmdline > $HOME/parent; pwd > $HOME/pwd"
    dep = packed(source, "dep", {"index.js": "", "bin.js": ""}, bin="bin.js", scripts={"postinstall": show})
    project(source, dependencies={"dep": dep})
    _, runs = scan(host_box, source)
    home = host_box.root / "home/dev"
    ours = {name: (home / name).read_text() for name in ("env", "parent", "pwd")}
    (command,) = [run.command for run in runs if run.phase == "fetch"]
    import os
    import shutil
    import subprocess

    shutil.rmtree(home / "projects/proj/node_modules")
    subprocess.run(
        ["npm", "install", "--dangerously-allow-all-scripts"] if _npm_major() >= 12 else ["npm", "install"],
        cwd=home / "projects/proj",
        env={**os.environ, "HOME": str(home)},
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    real = {name: (home / name).read_text() for name in ("env", "parent", "pwd")}
    assert ours["pwd"] == real["pwd"]
    assert ours["parent"].split() == real["parent"].split() == ["npm", "install"]
    told = [
        line for line in ours["env"].splitlines() if not line.startswith(("npm_config_dangerously", "_="))
    ]
    truth = [
        line for line in real["env"].splitlines() if not line.startswith(("npm_config_dangerously", "_="))
    ]
    assert told == truth
    assert command.argv[:2] == ("npm", "install")


@pytest.mark.parametrize("place", ["$HOME/.npmrc", "$INIT_CWD/.npmrc"])
def test_settings_that_a_package_wrote_reach_no_script_of_another(
    host_box: HostBox, source: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """node-options, node-gyp and script-shell would load code of the writer inside the other's script."""
    monkeypatch.setenv("npm_config_userconfig", str(host_box.root / "home/dev/.npmrc"))
    (source / ".npmrc").write_text("fund=false\n")
    lines = r"node-options=--require $HOME/evil.js\neditor=evil\nnode-gyp=$HOME/evil.js\n"
    steal = f"printf 'console.log(process.pid)' > $HOME/evil.js; printf \"{lines}\" >> {place}"
    show = "env > $HOME/seen"
    deps = {
        "aa": packed(source, "aa", {"index.js": ""}, scripts={"postinstall": steal}),
        "zz": packed(source, "zz", {"index.js": ""}, scripts={"postinstall": show}),
    }
    project(source, dependencies=deps)
    _, runs = scan(host_box, source)
    assert [run.exit_code for run in runs if run.phase == "install"] == [0, 0]
    seen = (host_box.root / "home/dev/seen").read_text()
    assert "evil" not in seen
    assert "npm_config_fund=" in seen  # what the project itself had set before, stays
    assert any("evil.js" in path.read_text() for path in host_box.root.glob("home/dev/**/.npmrc"))


def test_settings_of_the_project_itself_reach_its_scripts(host_box: HostBox, source: Path) -> None:
    (source / ".npmrc").write_text("; ours\r\nnode-options=--max-old-space-size=512\r\n")
    show = 'echo "$NODE_OPTIONS $NPM_SETTINGS_KEPT" > "$HOME/seen"'
    project(
        source,
        dependencies={"dep": packed(source, "dep", {"index.js": ""}, scripts={"install": show})},
    )
    scan(host_box, source)
    assert (host_box.root / "home/dev/seen").read_text().strip() == "--max-old-space-size=512"


def _npm_major() -> int:
    import subprocess

    return int(
        subprocess.run(["npm", "--version"], capture_output=True, text=True, check=True).stdout.split(".")[0]
    )


def test_every_kind_of_module_is_loaded(host_box: HostBox, source: Path) -> None:
    say = "require('fs').appendFileSync(process.env.HOME + '/loaded', '{}\\n')"
    esm = "import fs from 'fs'; fs.appendFileSync(process.env.HOME + '/loaded', '{}\\n')"
    deps = {
        "cjs": packed(source, "cjs", {"index.js": say.format("cjs")}),
        "@s/esm": packed(
            source, "@s/esm", {"m.js": esm.format("esm")}, type="module", exports={"import": "./m.js"}
        ),
        "types": packed(source, "types", {"index.d.ts": ""}, types="index.d.ts"),
        "throws": packed(source, "throws", {"index.js": "throw new Error('no')"}),
        "gone": packed(source, "gone", {"index.js": "require('not-there')"}),
        "endless": packed(source, "endless", {"index.js": "setInterval(() => {}, 1000)"}),
    }
    project(source, dependencies=deps)
    (plan,) = plans(stage("proj", source), PlanOptions(import_timeout=2))
    runs = host_box.run(plan)
    assert sorted((host_box.root / "home/dev/loaded").read_text().split()) == ["cjs", "esm"]
    coverage = plan.coverage(runs)
    assert coverage.reasons == ()
    notes = " ".join(coverage.notes)
    assert "1 direct dependency holds nothing to load" in notes
    assert "3 of 5 loads ended with an error" in notes
    assert "require of pkg:npm/throws@1.0.0: Error: no" in notes
    assert "require of pkg:npm/gone@1.0.0: Error: Cannot find module 'not-there'" in notes
    assert "require of pkg:npm/endless@1.0.0: still running after 2 s" in notes


def test_a_failed_fetch_is_never_nothing_found(host_box: HostBox, source: Path) -> None:
    project(source, dependencies={"gone": "file:./gone.tgz"})
    plan, runs = scan(host_box, source)
    coverage = plan.coverage(runs)
    assert [(phase.name, phase.status) for phase in coverage.phases] == [
        ("fetch", "failed"),
        ("install", "skipped"),
        ("import", "skipped"),
    ]
    assert any("`npm install` failed" in reason and "gone.tgz" in reason for reason in coverage.reasons)


def test_a_script_beyond_its_time_makes_the_scan_inconclusive(host_box: HostBox, source: Path) -> None:
    project(
        source,
        dependencies={"slow": packed(source, "slow", {"index.js": ""}, scripts={"install": "sleep 60"})},
    )
    (plan,) = plans(stage("proj", source), PlanOptions(script_timeout=1))
    coverage = plan.coverage(host_box.run(plan))
    assert any("install of pkg:npm/slow@1.0.0 was stopped after 1 s" in reason for reason in coverage.reasons)


def test_a_packed_package_is_scanned_inside_a_project(host_box: HostBox, source: Path) -> None:
    packed(
        source,
        "@me/lib",
        {"index.js": "1"},
        scripts={"postinstall": log_line("post"), "prepare": log_line("no")},
    )
    with tarfile.open(source / "me-lib.tgz") as archive:
        archive.extractall(source / "out", filter="data")
    (plan,) = plans(stage("me-lib.tgz", source / "out", "package", "ab" * 32), OPTIONS)
    assert plan.target.purl == "pkg:npm/%40me/lib@1.0.0"
    runs = host_box.run(plan)
    assert (host_box.root / "home/dev/log").read_text().split() == ["post"]
    assert [(run.phase, run.exit_code) for run in runs] == [("fetch", 0), ("install", 0), ("import", 0)]
    assert plan.inventory()[0].chain == ("app", "@me/lib")


def test_workspaces(host_box: HostBox, source: Path) -> None:
    dep = packed(source, "dep", {"index.js": ""})
    ws = source / "packages/ws"
    ws.mkdir(parents=True)
    (ws / "index.js").write_text("")
    (ws / "package.json").write_text(
        json.dumps(
            {
                "name": "ws",
                "version": "0.0.1",
                "dependencies": {"dep": dep.replace(":", ":../../")},
                "scripts": {"postinstall": log_line("ws")},
            }
        )
    )
    project(source, workspaces=["packages/*"])
    plan, runs = scan(host_box, source)
    assert (host_box.root / "home/dev/log").read_text().split() == ["ws"]
    loaded = [
        (run.command.blame_purl, run.command.cwd[-2:], run.exit_code) for run in runs if run.phase == "import"
    ]
    assert ("pkg:npm/dep@1.0.0", "ws", 0) in loaded
    assert {p.name: p.chain for p in plan.inventory()}["dep"][-1] == "dep"


def test_a_purl_is_fetched_from_the_registry(host_box: HostBox) -> None:
    needs_registry()
    (plan,) = plans(stage("is-number", purl="pkg:npm/is-number@7.0.0"), OPTIONS)
    runs = host_box.run(plan)
    assert [(run.phase, run.exit_code) for run in runs] == [("fetch", 0), ("import", 0)]
    (package,) = plan.inventory()
    assert (package.purl, package.direct) == ("pkg:npm/is-number@7.0.0", True)
    assert package.integrity is not None and package.integrity.startswith("sha512-")
    assert plan.registry[0].names == {"is-number"}


def test_a_lock_file_that_does_not_fit_is_resolved_anew(host_box: HostBox, source: Path) -> None:
    (source / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {"": {}, "../x": {}}}')
    project(source, dependencies={"dep": packed(source, "dep", {"index.js": ""})})
    plan, runs = scan(host_box, source)
    assert "does not fit package.json" in plan.notes[0]
    assert plan.coverage(runs).reasons == ()


@pytest.mark.parametrize(
    ("text", "says"), [("{", "no sound JSON"), ("[]", "holds no object"), ("\xff", "no sound JSON")]
)
def test_a_broken_manifest_is_a_sentence(source: Path, text: str, says: str) -> None:
    (source / "package.json").write_text(text, encoding="latin-1")
    with pytest.raises(NothingToScanError, match=says):
        plans(stage("proj", source), OPTIONS)


def test_no_manifest_is_a_sentence(source: Path) -> None:
    (source / "README").write_text("x")
    with pytest.raises(NothingToScanError, match="no manifest"):
        plans(stage("proj", source), OPTIONS)


def test_exports_are_called_where_that_is_asked_for(host_box: HostBox, source: Path) -> None:
    """A trigger inside an API function (row 15 of the incidents) fires only when it is called."""
    body = """
      const log = what => require('fs').appendFileSync(process.env.HOME + '/log', what + ' ')
      class Keypair { sign (message) { log('method') } }
      module.exports = { send (request) { log('function'); throw new Error('no') }, Keypair, loop: 5 }
      module.exports.self = module.exports
    """
    project(source, dependencies={"api": packed(source, "api", {"index.js": body})})
    options = PlanOptions(phases=("install", "import", "exercise"))
    (plan,) = plans(stage("proj", source), options)
    runs = host_box.run(plan)
    assert set((host_box.root / "home/dev/log").read_text().split()) == {"function", "method"}
    assert [(run.phase, run.command.script, run.exit_code) for run in runs][-1] == ("exercise", "exercise", 0)
    assert [phase.name for phase in plan.coverage(runs).phases] == ["fetch", "install", "import", "exercise"]


def test_a_tree_is_loaded_apart(host_box: HostBox, source: Path) -> None:
    packed(source, "leaf", {"index.js": "require('fs').appendFileSync(process.env.HOME + '/log', 'leaf ')"})
    top = packed(source, "top", {"index.js": "require('mid')"}, dependencies={"mid": "*"})
    mid = packed(source, "mid", {"index.js": "require('leaf')"}, dependencies={"leaf": "*"})
    project(source, dependencies={"top": top}, overrides={"mid": mid, "leaf": "file:leaf.tgz"})
    plan, runs = scan(host_box, source)
    assert [run.command.blame_purl for run in runs if run.phase == "import"] == ["pkg:npm/top@1.0.0"]
    second = plan.narrow("pkg:npm/top@1.0.0")
    assert second is not None
    assert [command.blame_purl for command in second.commands] == ["pkg:npm/mid@1.0.0"]
    third = plan.narrow("pkg:npm/mid@1.0.0")
    assert third is not None
    assert [run.exit_code for run in host_box.phase(third)] == [0]
    assert plan.narrow("pkg:npm/leaf@1.0.0") is None
    assert (host_box.root / "home/dev/log").read_text() == "leaf leaf "


def test_a_script_that_was_removed_before_its_turn_is_not_counted_as_run(
    host_box: HostBox, source: Path
) -> None:
    rewrite = "node -e \"fs.writeFileSync('package.json', JSON.stringify({name: 'dep', version: '1.0.0'}))\""
    dep = packed(source, "dep", {"index.js": ""}, scripts={"preinstall": rewrite, "postinstall": "exit 0"})
    project(source, dependencies={"dep": dep})
    plan, runs = scan(host_box, source)
    coverage = plan.coverage(runs)
    assert [run.exit_code for run in runs if run.phase == "install"] == [0, 98]
    assert (coverage.scripts_expected, coverage.scripts_run) == (2, 1)
    assert coverage.reasons == ("1 of 2 install scripts were not run.",)
    assert any("postinstall of pkg:npm/dep@1.0.0 was gone" in note for note in coverage.notes)
