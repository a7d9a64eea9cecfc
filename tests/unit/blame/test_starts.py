"""What start-up files do where a manager asks an interpreter what it is, is not the doing of whose turn it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.blame.blamer import Blamer
from package_hunter.model.observation import Blame, FileChange, Process
from package_hunter.model.scan import Command, CommandRun, Package

S = 1_000_000_000
P = "/home/dev/projects/app"
SITE = f"{P}/.venv/lib/python3.11/site-packages"
A, B, C = "pkg:pypi/a@1.0.0", "pkg:pypi/b@1.0.0", "pkg:pypi/c@1.0.0"
QUESTION = (
    'python -I -B -c import sys; sys.path = [__import__("os").fsdecode(b"/home/dev/.cache/uv/.tmpK")] + sys.path; '
    "from python.get_interpreter_info import main; main()"
)
UV = "uv pip install --no-deps ./b"
HOOK = "python -c import backend"


def package(purl: str, *places: str) -> Package:
    return Package(purl, purl[9], "1.0.0", f"{SITE}/{purl[9]}", places=(f"{SITE}/{purl[9]}", *places))


def run(purl: str, pid: int, start: int) -> CommandRun:
    command = Command(("python3",), P, blame_purl=purl, script="build")
    return CommandRun("install", "default", command, pid, start * S, (start + 9) * S, 0)


def process(
    key: int, parent: int, cmdline: str, exepath: str = "/usr/bin/python3.11", at: int = 31
) -> Process:
    return Process(
        key, parent, 100 + key, key, "x", exepath, cmdline, P, 101000, at * S, None, None, ("uv", cmdline)
    )


ANCHOR = Process(
    1, None, 300, 9, "x", "/usr/bin/python3.11", "python3 -I resolve.py", P, 101000, 30 * S, None, None
)
MANAGER = process(2, 1, UV, "/usr/local/bin/uv")
ASKED = process(3, 2, QUESTION)
BELOW = process(4, 3, "curl https://x.example")
BUILD = process(5, 2, HOOK)
RUNS = (run(A, 200, 20), run(B, 300, 30), run(C, 400, 50))
PTH = (package(A, f"{SITE}/a.pth"), package(B), package(C, f"{SITE}/c.pth"))


def blame(who: Process, *processes: Process, packages: tuple[Package, ...] = PTH) -> Blame:
    blamer = Blamer(RUNS, (ANCHOR, MANAGER, ASKED, BELOW, BUILD, *processes), packages)
    found = blamer.blame(who.key, 32 * S)
    assert found is not None
    return found


@pytest.mark.parametrize("who", [ASKED, BELOW])
def test_the_only_one_with_a_start_up_file_did_it(who: Process) -> None:
    found = blame(who)
    assert (found.package, found.confidence, found.script) == (A, "likely", "startup")
    assert "only a had one" in found.basis


def test_of_several_nobody_is_accused_and_all_are_named() -> None:
    several = (*PTH, package("pkg:pypi/d@1.0.0", f"{SITE}/d.pth"))
    found = blame(BELOW, packages=several)
    assert (found.package, found.confidence) == (None, "tree")
    assert "of a and d" in found.basis


def test_a_package_that_comes_later_did_not() -> None:
    assert blame(ASKED, packages=(package(B), package(C, f"{SITE}/c.pth"))).package is None


def test_the_build_itself_is_the_packages() -> None:
    assert (blame(BUILD).package, blame(BUILD).confidence) == (B, "certain")


@pytest.mark.parametrize(
    "forged",
    [
        replace(process(6, 5, QUESTION)),  # below the build: it asked by itself
        replace(process(6, 2, QUESTION), execs=("uv", HOOK)),  # the build, which gave itself another line
        replace(process(6, 2, QUESTION + "; import evil"), execs=("uv",)),
        process(6, 1, QUESTION),  # of another program than uv
    ],
)
def test_a_build_cannot_make_itself_a_question(forged: Process) -> None:
    assert blame(forged, forged).package == B


D = "pkg:pypi/d@1.0.0"
PIP = process(20, None, "python -I -m pip install ./d", at=60)
INNER = process(21, 10, "python -m pip install ./inner", at=33)


def laid(path: str, by: int = 21, *, packages: tuple[Package, ...] = (package(B), package(D))) -> Blame:
    """Who is blamed for what pip itself does, when it installs d and a script of b's had written a file."""
    script = process(10, 1, "python -c setup.py", at=32)
    runs = (
        run(B, 300, 30),
        replace(run(D, 120, 59), command=Command(("python",), P, blame_purl=D, script="pip install")),
    )
    change = FileChange(path, "created", by, 34 * S)
    blamer = Blamer(runs, (ANCHOR, script, INNER, PIP), packages, (change,))
    found = blamer.blame(20, 61 * S)
    assert found is not None
    return found


@pytest.mark.parametrize("name", ["zz.pth", "sitecustomize.py", "usercustomize.py"])
def test_what_a_script_laid_for_every_start_is_its_own_doing_in_anothers_install(name: str) -> None:
    found = laid(f"{SITE}/{name}")
    assert (found.package, found.confidence, found.phase) == (B, "likely", "install")
    assert f"{SITE}/{name}" in found.basis


def test_also_where_it_came_with_a_package_that_the_script_had_pip_install() -> None:
    inner = package("pkg:pypi/i@1.0.0", f"{SITE}/zz.pth")
    assert laid(f"{SITE}/zz.pth", packages=(package(B), package(D), inner)).package == B


@pytest.mark.parametrize("path", [f"{SITE}/b/x.py", f"{SITE}/own.pth", "/tmp/zz.pth"])
def test_other_files_and_ones_own_say_nothing_of_who_it_was(path: str) -> None:
    own = (package(B, f"{SITE}/own.pth"), package(D))
    assert laid(path, packages=own).package is None


def test_of_two_that_laid_one_nobody_is_blamed() -> None:
    runs = (
        run(B, 300, 30),
        run(C, 400, 50),
        replace(run(D, 120, 59), command=Command(("p",), P, blame_purl=D, script="pip install")),
    )
    other = process(11, None, "python c", at=51)
    other = replace(other, pid=400)
    changes = (
        FileChange(f"{SITE}/x.pth", "created", 1, 34 * S),
        FileChange(f"{SITE}/y.pth", "created", 11, 52 * S),
    )
    blamer = Blamer(runs, (ANCHOR, other, PIP), (package(B), package(C), package(D)), changes)
    found = blamer.blame(20, 61 * S)
    assert found is not None and found.package is None
