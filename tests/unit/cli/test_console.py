"""What commands print: no text can pass for a line of theirs, and rows stay whole."""

from __future__ import annotations

import uuid

import pytest

from package_hunter.cli.console import complain, harmless, print_table

PURL = "pkg:npm/%40example/a-package-with-a-long-name-that-goes-on@1.2.3"
REMARK = "seven words that may stand on lines"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\n\n  "])
def test_further_lines_are_indented(end: str) -> None:
    first, *others = harmless(f"note by eve: ok{end}note by ana: harmless").split("\n")
    assert first == "note by eve: ok"
    assert others
    assert all(line.startswith("    ") for line in others)


@pytest.mark.parametrize("mark", ["\u202e", "\u2028", "\u200b", "\x1b", "\x0b", "\x85", "\r"])
def test_what_moves_text_or_is_not_seen_is_shown(mark: str, capsys: pytest.CaptureFixture[str]) -> None:
    complain(f"a{mark}b", f"c{mark}d")
    print_table(("A",), [(f"x{mark}y",)])
    said = capsys.readouterr()
    for text in (said.err, said.out):
        assert mark not in text
        assert f"{ord(mark):02x}" in text


@pytest.mark.parametrize("width", ["20", "80", "500"])
def test_rows_of_a_pipe_are_lines(
    width: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", width)
    rows = [(str(uuid.uuid4()), PURL, REMARK, "a\nb") for _ in range(3)]
    print_table(("ID", "PACKAGE", "REMARK", "MORE"), rows)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 4
    assert lines[0].split() == ["ID", "PACKAGE", "REMARK", "MORE"]
    for line, row in zip(lines[1:], rows, strict=True):
        assert line.split() == [row[0], PURL, *REMARK.split(), "a\\x0ab"]


def test_a_narrow_terminal_breaks_between_words_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    ids = [str(uuid.uuid4()) for _ in range(3)]
    print_table(("ID", "PACKAGE", "REMARK"), [(one, PURL, REMARK) for one in ids])
    said = capsys.readouterr().out
    assert all(one in said for one in ids)
    assert said.count(PURL) == 3
    assert REMARK not in said
    assert all(said.split().count(word) == 3 for word in REMARK.split())


def test_a_wide_terminal_breaks_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    print_table(("PACKAGE", "REMARK"), [(PURL, REMARK)])
    said = capsys.readouterr().out
    assert f"{PURL} " in said
    assert REMARK in said


def test_a_table_may_be_empty(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("ID", "STATE"), [])
    assert capsys.readouterr().out.split() == ["ID", "STATE"]
