"""Names by which a program asks whether everything is answered do not exist; a package's own names do."""

from __future__ import annotations

from package_hunter.decoy.existence import Existence

RANDOM = ("zz4fzyo82mvyr.example", "q8xk2v9wp3.example", "9f86d081884c7d65.example", "xkqzjvwpfhg.example")


def nothing(labels: tuple[str, ...]) -> bool:
    return False


def test_reserved_names_and_single_labels_never_exist() -> None:
    existence = Existence(lambda labels: True)
    for name in ("printer", "collect.invalid", "abcdefghijklmnop.onion", "nas.local"):
        assert not existence.exists(name)


def test_the_first_two_made_up_names_do_not_exist_and_later_ones_do() -> None:
    existence = Existence(nothing)
    first = [existence.exists(name) for name in RANDOM]
    assert first == [False, False, True, True]
    assert [existence.exists(name) for name in RANDOM] == first, "asked again, the answer is the same"


def test_names_that_a_person_chose_exist() -> None:
    existence = Existence(nothing)
    for name in (
        "collector.example",
        "api.my-company.example",
        "web2py.example",
        "s3.eu-west-1.cloud.example",
    ):
        assert existence.exists(name), name


def test_a_name_that_stands_in_the_package_exists() -> None:
    asked: list[tuple[str, ...]] = []

    def stands(labels: tuple[str, ...]) -> bool:
        asked.append(labels)
        return labels == ("q8xk2v9wp3",)

    existence = Existence(stands)
    assert existence.exists("hook.q8xk2v9wp3.example")
    assert not existence.exists("zz4fzyo82mvyr.example")
    assert asked == [("q8xk2v9wp3",), ("zz4fzyo82mvyr",)]
    assert existence.written("hook.q8xk2v9wp3.example")
    assert not existence.written("zz4fzyo82mvyr.example")


def test_where_the_files_could_not_be_looked_through_a_name_exists_and_is_not_said_to_stand_there() -> None:
    existence = Existence(lambda labels: None)
    assert existence.exists("q8xk2v9wp3.example")
    assert not existence.written("q8xk2v9wp3.example")


def test_what_lies_below_a_name_that_was_answered_exists() -> None:
    existence = Existence(nothing)
    assert existence.exists("channel.example")
    assert existence.exists("9f86d081884c7d65.a.channel.example")
    assert not existence.exists("9f86d081884c7d65.other.example")


def test_markers_of_our_own_decoys_exist() -> None:
    existence = Existence(nothing, lambda name: name.endswith("9f86d081884c.example"))
    assert existence.exists("c0.9f86d081884c.example")


def test_questions_have_an_end() -> None:
    asked: list[object] = []
    existence = Existence(lambda labels: not asked.append(labels))
    assert all(existence.exists(f"{n:016x}.example") for n in range(10**15, 10**15 + 500))
    assert 0 < len(asked) <= 50
