"""What a test needs of its host. Missing: the test is skipped with the reason, or fails where
PACKAGE_HUNTER_REQUIRE_ALL=1 says that nothing may be missing (as in CI)."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared"


def need(present: bool, reason: str) -> None:
    """Skip, or fail where nothing may be missing, unless what the test needs is ``present``."""
    if present:
        return
    if os.environ.get("PACKAGE_HUNTER_REQUIRE_ALL") == "1":
        pytest.fail(f"needed here, but missing: {reason}")
    pytest.skip(reason)


def needs_root() -> None:
    """Root, for namespaces, cgroups and eBPF."""
    need(os.geteuid() == 0, "needs root")


def needs_btf() -> None:
    """Kernel type information, for the probe."""
    needs_root()
    need(Path("/sys/kernel/btf/vmlinux").exists(), "needs BTF at /sys/kernel/btf/vmlinux")


def needs_program(name: str) -> None:
    """A program on PATH."""
    need(shutil.which(name) is not None, f"needs the program {name}")


def if_installed(name: str, why: str) -> str:
    """The path of a program that another check may use where it is there; CI has none of it, and ``why`` says why."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: {why}")
    return found


def needs_module(name: str) -> Any:
    """A Python package that is no dependency of ours (requirements/dev.in has it); returns the module."""
    try:
        return import_module(name)
    except ImportError as error:
        need(False, f"needs the Python module {name} ({error})")
        raise


def needs_asking(variable: str, what: str) -> str:
    """A test that runs only where somebody asks for it by an environment variable, in CI too; its value."""
    value = os.environ.get(variable, "")
    if not value:
        pytest.skip(f"{variable} names no {what}")
    return value


def only_where_asked(variable: str, what: str) -> pytest.MarkDecorator:
    """The mark of tests that run only where somebody asks for them by an environment variable, in CI too: for those
    whose fixtures take long."""
    return pytest.mark.skipif(not os.environ.get(variable), reason=f"{variable} names no {what}")


def needs_runc() -> None:
    """runc and root, for the sandbox."""
    needs_root()
    needs_program("runc")


@cache
def _registry_answers() -> bool:
    if shutil.which("npm") is None:
        return False
    try:
        done = subprocess.run(
            ["npm", "view", "is-number@7.0.0", "version"], capture_output=True, timeout=60, cwd="/"
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def needs_registry() -> None:
    """The npm registry, as npm itself is set up to reach it."""
    need(_registry_answers(), "needs npm and an npm registry that answers")


def needs_shared(part: str = "") -> Path:
    """The material beside the checkout (../shared), which a clone does not have; returns its path."""
    path = SHARED / part
    need(path.exists(), f"needs ../shared/{part}, which is not part of this repository")
    return path
