"""A CI job without any right, and a real server with real scans behind it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store import accounts
from tests.support.requires import ROOT, needs_btf, needs_program, needs_registry, needs_runc
from tests.support.service_harness import free_port, open_folder, wait_for

BIN = Path(sys.executable).parent
NOBODY = 65534
POLICY = """
[verdicts]
suspicious = "block"
[project]
own_file = true
own_file_from = ["token:protected"]
"""
WAIVER = '[[waiver]]\nkind = "*"\nreason = "known"\nauthor = "ada@corp.example"\nexpires = 2099-01-31\n'


@dataclass
class Job:
    """A job of the user nobody: its folder, and the server that it may ask."""

    folder: Path
    url: str
    tokens: dict[str, Path] = field(default_factory=dict)

    def run(self, *command: str | Path, token: str = "ci", **more: str) -> subprocess.CompletedProcess[str]:
        """Run as nobody. (The checkout may lie in a closed folder: reading it is all that is allowed beyond.)"""
        allowed = ("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search")
        who = (f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *allowed)
        environment = {
            "PATH": f"{BIN}:/usr/bin:/bin",
            "HOME": str(self.folder),
            "PACKAGE_HUNTER_SERVER": self.url,
            "PACKAGE_HUNTER_TOKEN_FILE": str(self.tokens[token]),
            **more,
        }
        return subprocess.run(
            ["setpriv", *who, *map(str, command)],
            env=environment,
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def put(self, name: str, source: Path) -> Path:
        """A project in the job's folder."""
        target = self.folder / name
        shutil.copytree(source, target)
        for path in (target, *target.rglob("*")):
            os.chown(path, NOBODY, NOBODY)
        return target


@pytest.fixture(scope="module")
def job() -> Iterator[Job]:
    needs_runc()
    needs_btf()
    needs_program("setpriv")
    with open_folder() as data, open_folder() as folder:
        for name in ("image", "probe", "cache"):  # built once, used by all
            (data / name).symlink_to(Settings().data_dir / name)
        (data / "policy.toml").write_text(POLICY)
        store = open_store(Settings(data_dir=data))
        found = Job(folder, f"http://127.0.0.1:{free_port()}")
        with (
            store.write() as session
        ):  # with the rights of the store's owner, who may not write into the folder
            tokens = {name: accounts.add_token(session, name) for name in ("ci", "protected")}
        store.close()
        for name, token in tokens.items():
            path = folder / f"token-{name}"
            path.write_text(token)
            path.chmod(0o400)
            os.chown(path, NOBODY, NOBODY)
            found.tokens[name] = path
        os.chown(folder, NOBODY, NOBODY)
        environment = {
            **os.environ,
            "PACKAGE_HUNTER_DATA_DIR": str(data),
            "PACKAGE_HUNTER_POLICY_FILE": str(data / "policy.toml"),
        }
        port = found.url.rpartition(":")[2]
        with (data / "log").open("wb") as log:
            command = [str(BIN / "package-hunter"), "serve", "--port", port]
            process = subprocess.Popen(command, env=environment, stderr=log)
        try:
            wait_for(lambda: _answers(found.url), 60)
            yield found
        finally:
            process.send_signal(signal.SIGTERM)
            code = process.wait(60)
        assert code == 0, (data / "log").read_text()[-3000:]


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/api/v1/health", trust_env=False).json()["status"] == "ok"
    except (httpx.TransportError, ValueError):
        return False


def test_the_shell_example_for_real(job: Job) -> None:
    project = job.put("falco-test", ROOT / "simulations/falco-test")
    (project / ".gitignore").write_text("secrets.txt\n")
    (project / "secrets.txt").write_text("not to be sent")
    files = [p for p in project.rglob("*") if p.is_file()]
    done = job.run(ROOT / "ci/examples/scan.sh", "falco-test")
    assert f"packed {len(files) - 1} files" in done.stderr, "what .gitignore names is not sent"
    assert done.returncode == 1, done.stdout + done.stderr
    assert "SUSPICIOUS" in done.stdout
    assert "decision: block" in done.stdout, "the server's policy decides"
    report = json.loads((job.folder / "package-hunter-reports/package-hunter.json").read_text())
    assert "maldep" in {
        f["blame"]["package"].partition("@")[0].removeprefix("pkg:npm/") for f in report["findings"]
    }
    assert "<script" not in (job.folder / "package-hunter-reports/package-hunter.html").read_text()


def test_the_projects_own_file_counts_for_the_protected_branch_only(job: Job) -> None:
    project = job.put("waived", ROOT / "simulations/falco-test")
    (project / "package-hunter.toml").write_text(WAIVER)
    branch = job.run(BIN / "package-hunter", "scan", "waived", "-q")
    assert branch.returncode == 1, branch.stdout + branch.stderr
    protected = job.run(BIN / "package-hunter", "scan", "waived", "-q", token="protected")
    assert protected.returncode == 0, protected.stdout + protected.stderr
    assert "waived by the project's own package-hunter.toml" in " ".join(protected.stdout.split())


def test_unchanged_dependencies_are_known(job: Job, tmp_path: Path) -> None:
    needs_registry()
    source = tmp_path / "app"
    source.mkdir()
    manifest = {"name": "app", "version": "1.0.0", "dependencies": {"is-number": "7.0.0"}}
    (source / "package.json").write_text(json.dumps(manifest))
    (source / "index.js").write_text("")
    command = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit"]
    subprocess.run(command, cwd=source, check=True, capture_output=True, timeout=120)
    project = job.put("app", source)
    scan = (BIN / "package-hunter", "scan", "app", "-q", "--format", "json")
    first = json.loads(job.run(*scan).stdout)
    again = json.loads(job.run(*scan).stdout)
    assert again["id"] != first["id"]
    assert again["coverage"]["notes"][0].startswith(f"Nothing was run: scan {first['id']}")
    assert again["coverage"]["events"] == first["coverage"]["events"] > 0
    fresh = json.loads(job.run(*scan, "--fresh").stdout)
    assert not any("Nothing was run" in note for note in fresh["coverage"]["notes"])
    (project / "index.js").write_text("// our own code changed: a dependency may look at it")
    changed = json.loads(job.run(*scan).stdout)
    assert not any("Nothing was run" in note for note in changed["coverage"]["notes"])


def test_htr_as_the_original_was_called(job: Job) -> None:
    archive = job.folder / "project.tgz"
    subprocess.run(["tar", "-C", ROOT / "simulations/falco-test", "-czf", archive, "."], check=True)
    archive.chmod(0o644)
    htr = (sys.executable, "-I", "-m", "package_hunter.client.htr")
    done = job.run(*htr, "analyze", "--format", "gitlab", "--manager", "npm", "project.tgz")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["version"] == "15.1.4"
    assert report["vulnerabilities"][0]["location"]["dependency"]["package"]["name"] == "maldep"


def test_what_the_server_decides_is_not_the_jobs(job: Job) -> None:
    wrong = job.folder / "token-wrong"
    wrong.write_text("ph_wrong")
    done = job.run(BIN / "package-hunter", "scan", ".", "--token-file", wrong)
    assert done.returncode == 2
    assert "refuses these credentials" in done.stderr
    done = job.run(BIN / "package-hunter", "scan", ".", "--rules", "x.yaml")
    assert done.returncode == 2
    assert "--rules does not go with --server" in done.stderr
