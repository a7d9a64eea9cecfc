"""Pairs of --format and -o."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.cli.outputs import Output, outputs, write
from package_hunter.errors import UsageError
from tests.support import judge_samples as samples


def test_text_on_stdout_is_the_default(capsys: pytest.CaptureFixture[str]) -> None:
    where = outputs([], [])
    assert where == [Output("text")]
    write(samples.report(), where, None, explain=False)
    assert "MALICIOUS" in capsys.readouterr().out


def test_pairs_in_order(tmp_path: Path) -> None:
    where = outputs(["json", "text", "html"], [tmp_path / "a", Path("-"), tmp_path / "b"])
    assert where == [Output("json", tmp_path / "a"), Output("text"), Output("html", tmp_path / "b")]


@pytest.mark.parametrize(
    ("formats", "files", "what"),
    [
        (["exe"], [], "no report format"),
        (["json", "text"], ["a"], "2 --format and 1 -o"),
        (["json"], ["a", "b"], "1 --format and 2 -o"),
        (["json", "text"], ["-", "-"], "cannot both go to stdout"),
        (["json"], ["no/such/folder/a"], "no folder"),
    ],
)
def test_what_cannot_be_is_said_before_the_scan(formats: list[str], files: list[str], what: str) -> None:
    with pytest.raises(UsageError, match=what):
        outputs(formats, [Path(f) for f in files])


def test_a_file_gets_no_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    path = tmp_path / "report.txt"
    write(samples.report(), outputs(["text"], [path]), None, explain=True)
    text = path.read_text()
    assert "\x1b" not in text
    assert "The value is unique to this scan." in text, "--explain says what raised a finding"


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        write(replace(samples.report()), [Output("json", tmp_path)], None, explain=False)
