"""What start-up files of several packages did in one start is told of the one that does the same alone."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.shared_starts import joined
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Blame

NOBODY = Blame("install", None, (), "startup", 7, "python -c …", "It was only asked.", "tree")
A = Blame("startup", "pkg:pypi/a@1", ("app", "a"), "a.pth", 8, "python -c …", "", "certain")
B = replace(A, package="pkg:pypi/b@1", script="b.pth")


def signal(kind: str, subject: str, blame: Blame | None) -> Signal:
    return Signal(1, kind, Class.SUSPICIOUS, subject, "", blame)


def owners(*signals: Signal) -> list[str | None]:
    return [one.blame.package if one.blame else None for one in joined(signals)]


def test_the_same_act_alone_says_whose_it_was() -> None:
    shared, alone = signal("persistence", "/x", NOBODY), signal("persistence", "/x", A)
    assert owners(shared, alone, signal("persistence", "/y", B)) == [A.package, A.package, B.package]


def test_honest_start_up_files_are_not_accused_of_what_they_do_not_show() -> None:
    """setuptools', coverage's and an editable install's were started alone, and did nothing of that form."""
    theft = signal("credential_access", "/home/dev/.npmrc", NOBODY)
    assert owners(theft, signal("persistence", "/home/dev/.npmrc", A), signal("persistence", "/y", B)) == [
        None,
        A.package,
        B.package,
    ]


def test_acts_of_two_packages_are_parted() -> None:
    read, sent = (
        signal("credential_access", "/home/dev/.npmrc", NOBODY),
        signal("exfiltration", "x.example", NOBODY),
    )
    alone = (
        signal("credential_access", "/home/dev/.npmrc", A),
        signal("exfiltration", "x.example", B),
    )
    assert owners(read, sent, *alone)[:2] == [A.package, B.package]


def test_a_likely_owner_and_other_nobodys_stay() -> None:
    shared, elsewhere = signal("persistence", "/x", NOBODY), signal("persistence", "/x", None)
    tree = signal("persistence", "/x", replace(NOBODY, script="pip install"))
    assert owners(shared, elsewhere, tree, signal("persistence", "/x", replace(A, confidence="likely"))) == [
        None,
        None,
        None,
        A.package,
    ]
