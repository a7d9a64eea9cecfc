"""Asking this host's package managers for their configuration.

The package managers themselves are asked, so that their defaults and precedence hold and no registry is
named in this code; in ``/``, since inside a project its own files would answer; by an unprivileged process,
which gets the user's file as a descriptor. What they do not tell (tokens) is read from the same files.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from package_hunter.confine import UIDS
from package_hunter.errors import HelperDiedError, HostError

_SECONDS = 120.0  # they take two; on a host that has much to do, ten times as long, and more
_MAX_CONFIG = 1 << 20


@dataclass(frozen=True, slots=True)
class Question:
    """A command that is run in ``/``; ``text`` is handed to it as a file that the variable named ``variable``
    leads to."""

    argv: list[str]
    env: dict[str, str]
    text: bytes = b""
    variable: str = ""


def asked(
    question: Question,
    cache_dir: Path | None,
    reduce: Callable[[str], str] = str,
    kept_keys: tuple[str, ...] = (),
) -> str:
    """What the command prints.

    With ``cache_dir`` the answer, ``reduce``d, is kept there (never with credentials) until the question or the program
    changes. ``kept_keys``: what ``reduce`` leaves in; an answer that was kept for fewer is none.
    """
    argv, env = question.argv, question.env
    wanted = (argv, sorted(env.items()), question.text, _stamp(argv[0]), kept_keys)
    key = hashlib.sha256(repr(wanted).encode()).hexdigest()
    kept = cache_dir / f"config-{key[:32]}.json" if cache_dir else None
    if kept is not None:
        with suppress(OSError, ValueError):
            return str(json.loads(kept.read_bytes())["said"])
    said = reduce(_run(argv, env, question.text, question.variable))
    if kept is not None and not re.search(r"//[^/\s\"']*@", said):  # perhaps user:password@
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            temporary = kept.with_suffix(f".{os.getpid()}")
            try:
                temporary.write_text(json.dumps({"said": said}))
                temporary.replace(kept)
            finally:
                temporary.unlink(missing_ok=True)  # where the disk is full, say
    return said


def _run(argv: list[str], env: dict[str, str], text: bytes, variable: str) -> str:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LANG": "C.UTF-8", **env}
    fd = os.memfd_create("configuration", 0)
    try:
        os.write(fd, text)
        if variable:
            env[variable] = f"/proc/self/fd/{fd}"
        options: dict[str, Any] = {
            "cwd": "/", "env": env, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": _SECONDS,
            "pass_fds": (fd,), "text": True, "errors": "replace",
        }  # fmt: skip
        if os.geteuid() == 0:
            uid = UIDS["gateway"]
            with suppress(PermissionError):  # installed in root's home: it can only be run as root
                done = subprocess.run(argv, user=uid, group=uid, extra_groups=[], **options)
                if done.returncode <= 0:
                    return _said(done)
        return _said(subprocess.run(argv, **options))
    except subprocess.TimeoutExpired as error:
        raise HostError(
            f"{argv[0]} did not tell its configuration within {_SECONDS:g} s.",
            "This host is busy: try again, or let fewer scans run at the same time.",
        ) from error
    except OSError as error:
        raise HostError(f"{argv[0]} does not tell its configuration: {error}.") from error
    finally:
        os.close(fd)


def _said(done: subprocess.CompletedProcess[str]) -> str:
    """What it printed; half an answer would be taken for all of it."""
    if done.returncode < 0:
        raise HelperDiedError(
            f"{done.args[0]} was ended by signal {-done.returncode} while it told its configuration.",
            "Try again; the kernel log may say more.",
        )
    return done.stdout


def _stamp(program: str) -> tuple[int, int]:
    try:
        facts = Path(program).stat()
    except OSError:
        return (0, 0)
    return facts.st_mtime_ns, facts.st_size


def home(name: str) -> Path:
    """A file of the user's home."""
    return Path.home() / name


def config_home() -> Path:
    """Where the user's settings lie."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or home(".config"))


def read(path: Path) -> bytes:
    """A settings file, up to 1 MiB; empty where there is none."""
    try:
        with path.open("rb") as file:
            return file.read(_MAX_CONFIG)
    except OSError:
        return b""


def slash(url: str) -> str:
    """An address with a slash at its end."""
    return url if url.endswith("/") else url + "/"
