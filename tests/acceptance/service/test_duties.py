"""docs/duties.md, command for command: a real server, a real repository, a real scan of a bundled simulation."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from package_hunter.config import Settings
from tests.support.git_server import git
from tests.support.requires import ROOT, needs_btf, needs_program, needs_runc
from tests.support.service_harness import free_port, wait_for

PASSWORDS = {"ana": "correct horse", "ben": "battery staple"}
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PROMPT = re.compile(r"^(\w+)\$ (.*)$")
_EXIT = re.compile(r"^\[exit code (\d+)\]$")


@dataclass
class Step:
    """A command of the document, what it says, and how it ends."""

    command: str
    says: list[str] = field(default_factory=list)
    code: int = 0


def steps_of(text: str) -> list[Step]:
    """All of a document, in order."""
    found: list[Step] = []
    for line in (line for block in _BLOCK.findall(text) for line in block.splitlines()):
        if prompt := _PROMPT.match(line):
            found.append(Step(prompt[2]))
        elif ended := _EXIT.match(line):
            found[-1].code = int(ended[1])
        else:
            found[-1].says.append(line)
    return found


class Walk:
    """Runs steps in a shell, with the document's places in a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.server: subprocess.Popen[bytes] | None = None
        program = Path(sys.executable).parent
        kept = {k: v for k, v in os.environ.items() if not k.startswith("PACKAGE_HUNTER_")}
        data = {"PACKAGE_HUNTER_DATA_DIR": str(folder / "data"), "COLUMNS": "200"}
        self.environment = {**kept, **data, "PATH": f"{program}:{os.environ['PATH']}"}

    def take(self, step: Step) -> None:
        """Do it; AssertionError where something else comes of it than the document says."""
        command = step.command.replace("/srv/git", str(self.folder / "git"))
        command = command.replace("/etc/package-hunter", str(self.folder / "etc")).replace(
            "3000", str(self.port)
        )
        if command.endswith(" &"):
            self._serve(command.removesuffix(" &"))
        elif exported := re.fullmatch(r"export (\w+)=(.*)", command):
            self.environment[exported[1]] = self._shell(f"printf %s {exported[2]}").stdout
        else:
            done = self._shell(command)
            told = done.stdout + done.stderr
            assert done.returncode == step.code, f"{command}\n{told}\n{self.log()}"
            plain = " ".join(told.split())
            for line in step.says:
                wanted = line.replace("/srv/git", str(self.folder / "git"))
                assert " ".join(wanted.split()) in plain, f"{command}\nsaid: {told}\nnot: {wanted}"

    def _shell(self, command: str) -> subprocess.CompletedProcess[str]:
        who = re.search(r"(?:--as|user add) (\w+)", command)
        password = PASSWORDS[who[1]] + "\n" if who else ""
        return subprocess.run(
            ["bash", "-c", command],
            input=password,
            capture_output=True,
            text=True,
            timeout=1_000,
            cwd=self.folder / "desk",
            env=self.environment,
        )

    def _serve(self, command: str) -> None:
        with (self.folder / "log").open("wb") as log:
            self.server = subprocess.Popen(
                ["bash", "-c", f"exec {command}"], env=self.environment, stderr=log
            )
        wait_for(self._answers, 60)

    def _answers(self) -> bool:
        try:
            url = f"http://localhost:{self.port}/api/v1/health"
            return httpx.get(url, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def log(self) -> str:
        """What the server said last."""
        path = self.folder / "log"
        return path.read_text()[-4_000:] if path.exists() else ""

    def stop(self) -> None:
        """End the server, in order."""
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            assert self.server.wait(60) == 0, self.log()


@contextmanager
def places() -> Iterator[Path]:
    """A folder with a repository of a simulation, and what was built once for all servers."""
    folder = Path(tempfile.mkdtemp(prefix="package-hunter-duties-"))
    try:
        folder.chmod(0o755)
        for name in ("data", "etc", "desk", "git"):
            (folder / name).mkdir(mode=0o755)
        for name in ("image", "probe", "cache"):
            shared = Settings().data_dir / name
            shared.mkdir(parents=True, exist_ok=True)
            (folder / "data" / name).symlink_to(shared)
        shop = Path(shutil.copytree(ROOT / "simulations/dependency-confusion", folder / "git/shop"))
        for arguments in (
            ("init", "-q", "-b", "main"),
            ("add", "-A"),
            ("commit", "-q", "-m", "a new dependency"),
        ):
            git(shop, *arguments)
        yield folder
    finally:
        shutil.rmtree(folder)


@pytest.mark.timeout(1_500)
def test_the_walk() -> None:
    needs_runc()
    needs_btf()
    needs_program("git")
    steps = steps_of((ROOT / "docs/duties.md").read_text(encoding="utf-8"))
    assert len(steps) > 25
    with places() as folder:
        walk = Walk(folder)
        try:
            for step in steps:
                walk.take(step)
        finally:
            walk.stop()
