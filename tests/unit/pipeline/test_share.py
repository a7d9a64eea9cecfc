"""A load that hangs takes neither another package's time nor all of its own package's."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, zip_longest

from package_hunter.model.scan import Command, CommandRun
from package_hunter.pipeline.share import Share

_SECOND = 1_000_000_000


def _load(package: str, script: str, within: float | None = 30.0) -> Command:
    return Command(("x",), "/", blame_purl=package, script=script, within=within)


def _begun(commands: list[Command], seconds: dict[str, tuple[float, int | None]]) -> list[str | None]:
    """The scripts that were begun, where a script takes so long and ends so (None: stopped)."""
    share, begun = Share(commands), []
    for command in commands:
        if share.allows(command):
            begun.append(command.script)
            took, code = seconds.get(command.script or "", (0.1, 0))
            ended = int(took * _SECOND)
            share.count(command, CommandRun("import", "default", command, 1, 0, ended, code))
    return begun


def test_three_packages_that_hang_keep_no_other_from_being_looked_at() -> None:
    hanging = [_load(f"pkg:npm/{name}@1", f"require {name}") for name in "abc"]
    commands = [*hanging, _load("pkg:npm/d@1", "bin d"), _load("pkg:npm/e@1", "bin e")]
    slow = {command.script or "": (29.0, 0) for command in hanging}
    assert _begun(commands, slow) == [command.script for command in commands]


def test_modules_that_hang_do_not_hide_the_same_packages_command() -> None:
    commands = [_load("pkg:pypi/a@1", f"import a.{n}") for n in range(4)] + [_load("pkg:pypi/a@1", "bin a")]
    assert _begun(commands, {f"import a.{n}": (10.0, None) for n in range(4)})[-1] == "bin a"


def test_what_works_for_long_has_its_part_and_what_is_left() -> None:
    every = [[_load(f"pkg:npm/{name}@1", f"{name}/{n}") for n in range(9)] for name in "ab"]
    commands = [one for row in zip_longest(*every) for one in row]
    begun = _begun(commands, {command.script or "": (5.0, 0) for command in commands})
    assert begun == ["a/0", "b/0", "a/1", "b/1", "a/2", "b/2"]


def test_what_has_no_limit_is_begun_in_any_case_and_counts_for_nothing() -> None:
    commands = [
        _load("pkg:npm/a@1", "a", None),
        _load("pkg:npm/a@1", "a/b"),
        _load("pkg:npm/a@1", "a/c", 0.0),
    ]
    assert _begun(commands, {"a": (300.0, None)}) == ["a", "a/b"]


def _joint(package: str, item: str) -> Command:
    return replace(_load(package, item), together=("run", "all"), item=item, timeout=10.0)


def _ended(command: Command, seconds: float) -> CommandRun:
    return CommandRun("import", "default", command, 1, 0, int(seconds * _SECOND), 0)


def _rest(commands: list[Command], took: float) -> list[Command]:
    """What is done together, where each load before took 20 s and each of these so long."""
    share, found = Share(commands), []
    for command in chain(filter(share.allows, commands), share.rest()):
        share.count(command, _ended(command, took if command.joined else 20.0))
        found += [command] if command.joined else []
    return found


def test_what_no_time_was_left_for_is_loaded_in_one_process_a_package() -> None:
    commands = [_joint("a", "a/1"), _joint("b", "b/1")]
    commands += [_joint("a", "a/2"), _joint("b", "b/2"), _joint("a", "a/3"), _load("a", "bin a")]
    first, second = _rest(commands, 0.5)
    assert (first.blame_purl, first.argv, first.joined) == ("a", ("run", "all", "a/2", "a/3"), 2)
    assert (second.blame_purl, second.argv, second.within) == ("b", ("run", "all", "b/2"), None)
    assert (first.script, first.timeout, second.timeout) == ("2 further modules", 10.0, 9.5)


def test_together_they_have_a_third_of_the_time() -> None:
    commands = [_joint(package, f"{package}/{n}") for n in range(2) for package in "abcd"]
    assert [command.blame_purl for command in _rest(commands, 6.0)] == ["a", "b"]


def test_where_all_were_begun_there_is_no_rest() -> None:
    assert _rest([_joint("a", "a/1")], 1.0) == []
