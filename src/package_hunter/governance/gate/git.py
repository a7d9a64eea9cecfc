"""Git, run on a stranger's repository in a process without rights."""

from __future__ import annotations

import base64
import contextlib
import os
import resource
import signal
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from package_hunter.config import Settings
from package_hunter.errors import HunterError, UnreachableError
from package_hunter.governance.gate.forges import Forge

UID = 60877  # of git: it can neither write the store nor signal anybody
FETCH_SECONDS = 600
_MAX_LISTING = 256 << 20
_MAX_SAID = 2_000


class NotFetchedError(HunterError):
    """The commit could not be fetched; the sentence names no credential."""


class Git:
    """Git with nobody's settings, in a folder of its own."""

    def __init__(self, settings: Settings, forge: Forge, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self._limit = settings.max_unpacked_bytes
        self._environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "GIT_DIR": str(folder / "git"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": str(_settings_for_files(folder)) if url.startswith("file:") else os.devnull,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_ASKPASS": "/bin/false",
            "GIT_SSH_COMMAND": "/bin/false",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
            **_configuration(forge, url),
        }

    def get(self, commit: str) -> None:
        """Fetch the commit alone, without its history."""
        form = "sha256" if len(commit) == 64 else "sha1"
        self.run(["init", "-q", "--bare", f"--object-format={form}", str(self._folder / "git")], 60)
        options = ["--depth=1", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "-q"]
        self.run(["fetch", *options, "--", self._url, commit], FETCH_SECONDS)
        found = self.run(["rev-parse", "--verify", "-q", f"{commit}^{{commit}}"], 60).decode().strip()
        if found != commit:
            raise NotFetchedError(f"The forge has no commit {commit}.", "Is it pushed?")

    def run(self, arguments: list[str], seconds: float) -> bytes:
        """What it prints."""
        with self.started(arguments) as process:
            try:
                out, said = process.communicate(timeout=seconds)
            except subprocess.TimeoutExpired as error:
                kill(process)
                raise UnreachableError(
                    f"git did not end within {seconds:.0f} s.", "Try again later."
                ) from error
        if process.returncode != 0:
            raise _refused(arguments[0], process.returncode, said)
        if len(out) > _MAX_LISTING:
            raise NotFetchedError("The tree has more names than are read.", "Split the repository.")
        return bytes(out)

    def started(self, arguments: list[str], **more: Any) -> subprocess.Popen[bytes]:
        """The process, in a group of its own, so that its helpers end with it."""
        ids: dict[str, Any] = {"user": UID, "group": UID, "extra_groups": []} if os.geteuid() == 0 else {}
        return subprocess.Popen(
            ["git", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=more.get("stdin", subprocess.DEVNULL),
            stdout=subprocess.PIPE,
            stderr=more.get("stderr", subprocess.PIPE),
            start_new_session=True,
            preexec_fn=lambda: _limit(self._limit),
            umask=0o077,
            **ids,
        )


def _settings_for_files(folder: Path) -> Path:
    """For a repository on this host, whose owner is another: the host's file of forges allowed the place. The part of
    git that reads there gets no configuration by its environment."""
    path = folder / "settings"
    path.write_text("[safe]\n\tdirectory = *\n", encoding="ascii")
    path.chmod(0o644)
    return path


def _limit(size: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_CPU, (FETCH_SECONDS, FETCH_SECONDS))
    resource.setrlimit(resource.RLIMIT_DATA, (2 << 30, 2 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def kill(process: subprocess.Popen[bytes]) -> None:
    """It and its helpers; it is in a group of its own, and not waited for yet, so the number is still its."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def _configuration(forge: Forge, url: str) -> dict[str, str]:
    """Git's configuration, by its environment: on a command line every process of the machine would read the token."""
    scheme = urlsplit(url).scheme
    wanted = {
        "protocol.allow": "never",
        f"protocol.{scheme}.allow": "always",
        "http.followRedirects": "false",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "60",
        "credential.helper": "",
        "core.hooksPath": os.devnull,
        "core.fsmonitor": "false",
        "core.attributesFile": os.devnull,
        "fetch.fsckObjects": "true",
        "transfer.fsckObjects": "true",
        "transfer.bundleURI": "false",
        "fetch.recurseSubmodules": "false",
        "submodule.recurse": "false",
        "gc.auto": "0",
        "maintenance.auto": "false",
        "advice.detachedHead": "false",
    }
    if forge.ca_file:
        wanted["http.sslCAInfo"] = forge.ca_file
    if forge.token and scheme != "file":
        pair = base64.b64encode(f"{forge.git_user}:{forge.token}".encode()).decode()
        wanted[f"http.{forge.url}.extraHeader"] = f"Authorization: Basic {pair}"
    made = {"GIT_CONFIG_COUNT": str(len(wanted))}
    for number, (key, value) in enumerate(wanted.items()):
        made |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return made


_SILENT = ("Could not resolve", "Connection refused", "timed out", "Failed to connect", "returned error: 5")


def _refused(verb: str, code: int, said: bytes) -> HunterError:
    text = "".join(c if c.isprintable() else " " for c in said.decode("utf-8", "replace"))[:_MAX_SAID]
    last = next((part.strip() for part in reversed(text.split("fatal:")) if part.strip()), "it said nothing")
    if any(words in text for words in _SILENT):
        return UnreachableError(f"The forge does not answer: {last}", "Try again later.")
    if code == -signal.SIGXFSZ or f"signal {int(signal.SIGXFSZ)}" in text:
        last = "the commit is larger than this server takes"
    return NotFetchedError(f"git {verb} failed: {last}", "See docs/gate.md.")
