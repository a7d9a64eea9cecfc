"""The process tree: of note open, the rest folded and counted, whatever the report says of parents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from package_hunter.report.evidence import Exhibits
from package_hunter.report.evidence.tree import MAX_HARMLESS, MAX_NOTED, Fold, Node, Tree
from tests.support.evidence_samples import alert, build, process, with_processes


def walk(children: Sequence[Node | Fold]) -> Iterator[Node | Fold]:
    todo = list(children)
    while todo:
        one = todo.pop()
        yield one
        if isinstance(one, Node):
            todo += one.children


def told(tree: Tree) -> int:
    """All processes that the tree tells of, drawn, folded or left out."""
    parts = list(walk(tree.roots))
    nodes = sum(isinstance(one, Node) for one in parts)
    return nodes + sum(one.count for one in parts if isinstance(one, Fold)) + tree.left_out


def test_what_nothing_is_known_of_is_folded_beside_what_is_of_note() -> None:
    box = [
        process(1, None, "init"),
        process(2, 1, "npm install"),
        process(3, 2, "node steal.js"),
        process(4, 2, "gcc a.c"),
        process(5, 4, "as a.s"),
        process(6, 2, "gcc b.c"),
    ]
    tree = Exhibits(with_processes(box, [alert(3)])).tree
    [root] = tree.roots
    assert isinstance(root, Node)
    assert root.cmdline == "Box 1"
    [install] = root.children
    assert isinstance(install, Node)
    steal, fold = install.children
    assert isinstance(steal, Node)
    assert isinstance(fold, Fold)
    assert [mark.text for mark in steal.marks] == ["Credential file read"]
    assert (fold.count, dict(fold.programs)) == (3, {"gcc": 2, "as": 1})
    assert told(tree) == 6


@pytest.mark.parametrize("number", [1, 7, 1_000, 20_000])
def test_every_process_is_told_of(number: int) -> None:
    tree = Exhibits(build(number)).tree
    assert (told(tree), tree.total) == (number, number)


def test_a_hundred_thousand_are_told_of_and_few_are_drawn() -> None:
    tree = Exhibits(build(100_000)).tree
    parts = list(walk(tree.roots))
    drawn = sum(isinstance(one, Node) for one in parts)
    unfolded = sum(len(one.children) for one in parts if isinstance(one, Fold))
    assert told(tree) == 100_000
    assert drawn <= MAX_NOTED
    assert unfolded <= MAX_HARMLESS


def test_more_of_note_than_can_be_drawn_are_counted() -> None:
    many = [process(1, None, "init")] + [process(n, 1) for n in range(2, 5_000)]
    tree = Exhibits(with_processes(many, [alert(n) for n in range(2, 5_000)])).tree
    assert tree.noted == 4_999, "the sample's first process has read a secret"
    assert tree.left_out == 4_999 - MAX_NOTED
    assert told(tree) == 4_999


def test_a_line_of_thousands_nests_no_deeper_than_a_page_can() -> None:
    line = [process(1, None, "init")] + [process(n, n - 1) for n in range(2, 5_001)]
    tree = Exhibits(with_processes(line, [alert(5_000)])).tree
    depth, level = 0, list(tree.roots)
    while level:
        depth += 1
        level = [child for one in level if isinstance(one, Node) for child in one.children]
    assert depth < 40
    assert told(tree) == 5_000


def test_parents_that_cannot_be() -> None:
    """A process that is its own parent, two that are each other's, one of a parent that is not there or is younger."""
    odd = [process(1, 1), process(2, 3), process(3, 2), process(4, 99), process(5, 6), process(6, None)]
    tree = Exhibits(with_processes(odd, [alert(5)])).tree
    assert told(tree) == 6


def test_keys_that_are_given_twice() -> None:
    twins = [process(1, None, "init"), process(2, 1), process(2, 1), process(3, 2)]
    assert told(Exhibits(with_processes(twins)).tree) == 4


def test_an_own_program_is_called_what_it_stands_for() -> None:
    box = [
        process(1, None, "init"),
        process(2, 1, "node /usr/share/npm/lifecycle.js npm install postinstall left"),
    ]
    tree = Exhibits(with_processes(box, [alert(2)])).tree
    assert [n.cmdline for n in walk(tree.roots) if isinstance(n, Node)] == [
        "Box 1",
        "npm, for the postinstall script of left",
    ]


def test_a_package_that_calls_itself_init_is_no_box() -> None:
    box = [process(1, None, "init"), process(2, 1, "init")]
    tree = Exhibits(with_processes(box, [alert(2)])).tree
    assert [(n.cmdline, n.is_box) for n in walk(tree.roots) if isinstance(n, Node)] == [
        ("Box 1", True),
        ("init", False),
    ]
