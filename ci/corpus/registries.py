"""Addresses of registries in lock files, as marks and back: the repository names none, this host's managers do."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit


def _ask(*argv: str) -> str:
    clean = {k: v for k, v in os.environ.items() if not k.lower().startswith("npm_config_")}
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd="/", env=clean)
    return done.stdout.strip().rstrip("/")


@functools.cache
def _npm() -> str:
    return _ask("npm", "config", "get", "registry")


@functools.cache
def _yarn() -> str:
    """yarn 1's own default: another name of the same registry."""
    out = _ask(
        "npm",
        "exec",
        "--yes",
        "--package=yarn@1",
        "--",
        "yarn",
        "--no-default-rc",
        "config",
        "get",
        "registry",
    )
    return out.splitlines()[-1].strip().rstrip("/")


@functools.cache
def _pip(what: str) -> str:
    return _ask(
        sys.executable, "-c", f"from pip._internal.models.index import PyPI as index; print(index.{what})"
    )


def _host(url: str) -> str:
    return urlsplit(url).netloc


# A mark, and what it stands for. Whole addresses before bare hosts: `collapsed` goes through them in this order.
MARKS: dict[str, Callable[[], str]] = {
    "@NPM@": _npm,
    "@YARN@": _yarn,
    "@PYPI_FILES@": lambda: "https://" + _pip("file_storage_domain"),
    "@PYPI@": lambda: _pip("url"),
    "@NPM_HOST@": lambda: _host(_npm()),
    "@YARN_HOST@": lambda: _host(_yarn()),
    "@PYPI_FILES_HOST@": lambda: _pip("file_storage_domain"),
    "@PYPI_HOST@": lambda: _pip("netloc"),
}
_MARK = re.compile("|".join(MARKS))


def expanded(text: str) -> str:
    """With this host's addresses in place of the marks.

    Raises CalledProcessError where a package manager that a mark needs is not here.
    """
    return _MARK.sub(lambda hit: MARKS[hit[0]](), text)


def collapsed(text: str) -> str:
    """With marks in place of this host's addresses."""
    for mark, value in MARKS.items():
        text = text.replace(value(), mark)
    return text


def copied(source: Path, target: Path) -> None:
    """The inside of a folder copied into ``target``, with the marks of every text expanded."""
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_symlink():
            place.symlink_to(path.readlink())
        elif path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        else:
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(_expanded_bytes(path.read_bytes()))
            place.chmod(path.stat().st_mode & 0o777)


def _expanded_bytes(data: bytes) -> bytes:
    try:
        return expanded(data.decode("utf-8")).encode()
    except UnicodeDecodeError:  # UTF-16 and the like stay as they are
        return data
