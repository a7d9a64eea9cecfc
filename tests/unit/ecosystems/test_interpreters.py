"""Which interpreter of the image is taken, and what the report says of it."""

from __future__ import annotations

from package_hunter.ecosystems.interpreters import Wish, choose
from package_hunter.model.interpreters import Interpreter

OLD = Interpreter("python", "3.11.2")
NEW = Interpreter("python", "3.13.5", "/usr/local/opt/python3.13")
NEWER = Interpreter("python", "3.14.0", "/usr/local/opt/python3.14")
NODE = Interpreter("node", "24.19.0")
HERE = (OLD, NODE, NEWER, NEW)


def at_least(*numbers: int) -> Wish:
    text = ".".join(map(str, numbers))
    return Wish("a range", f">={text}", lambda found: found >= numbers, must=True, short=text)


def pick(*numbers: int) -> Wish:
    text = ".".join(map(str, numbers))
    return Wish("a pick", text, lambda found: found[: len(numbers)] == numbers, short=text)


def test_without_a_wish_the_default_stays_and_nothing_is_said() -> None:
    found = choose("python", (), HERE)
    assert (found.interpreter, found.notes, found.env) == (OLD, (), {})


def test_what_the_default_fits_keeps_it() -> None:
    assert choose("python", [at_least(3, 8), pick(3, 11)], HERE).interpreter == OLD


def test_the_nearest_that_fits_is_taken_and_first_on_path_behind_the_users_own() -> None:
    found = choose("python", [at_least(3, 12)], HERE)
    assert found.interpreter == NEW
    assert found.env["PATH"].split(":")[:2] == ["/home/dev/.local/bin", "/usr/local/opt/python3.13/bin"]
    assert found.notes == ("Python 3.13.5 was used, as the project asks (a range: >=3.12).",)


def test_a_pick_that_is_not_there_yields_to_the_range_and_is_told_with_its_command() -> None:
    found = choose("python", [at_least(3, 12), pick(3, 12)], HERE)
    assert found.interpreter == NEW
    used, told = found.notes
    assert "3.13.5 was used, as the project asks (a range: >=3.12)" in used
    assert "a pick: 3.12" in told
    assert "3.11.2, 3.13.5, 3.14.0" in told
    assert "`package-hunter image build --python 3.12`" in told


def test_where_nothing_fits_the_default_is_used_and_the_command_told() -> None:
    found = choose("node", [pick(16)], HERE)
    assert (found.interpreter, found.env) == (NODE, {})
    (told,) = found.notes
    assert "`package-hunter image build --node 16`" in told
    assert "24.19.0 was used" in told


def test_an_image_that_tells_of_none_changes_nothing() -> None:
    found = choose("python", [at_least(3, 99)], (Interpreter("python", ""),))
    assert (found.interpreter, found.home, found.env, found.notes) == (None, "", {}, ())
