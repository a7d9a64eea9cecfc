"""`package-hunter rules …` as a user calls it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.cli.main import main

RULE = "- rule: R\n  desc: d\n  output: o\n  priority: INFO\n  condition: {}\n"


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["rules", *arguments])
    return int(end.value.code or 0)


def test_check_says_where(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RULE.format("evt.type = and"))
    assert run("check", str(path), "--format", "json") == 2
    problem = json.loads(capsys.readouterr().out)["problems"][0]
    assert (problem["severity"], problem["line"]) == ("error", 5)
    assert run("check", str(path)) == 2
    assert f"{path}:5:" in capsys.readouterr().out


def test_check_is_content(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "r.yaml"
    path.write_text(RULE.format("evt.type = openat"))
    assert run("check", str(path)) == 0
    assert "1 rules, 0 macros, 0 lists; 0 errors, 0 warnings" in capsys.readouterr().out


def test_list_and_explain(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("list") == 0
    assert "Unexpected outbound connection destination" in capsys.readouterr().out
    assert run("explain", "Unexpected outbound connection destination") == 0
    said = capsys.readouterr().out
    assert "It matches where" in said and "address of the server" in said.lower()


def test_explain_an_unknown_rule(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("explain", "Credential file reed") == 2
    assert "Did you mean 'Credential file read'" in capsys.readouterr().err


def test_match(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text(
        '{"evt.type": "openat", "fd.name": "/etc/shadow"}\n{"fd.name": "/etc/passwd"}\n{"fd.name": "/etc/shadow"}\n'
    )
    assert run("match", "fd.name = /etc/shadow", "--events", str(path)) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines == [{"line": 1, "match": True}, {"line": 2, "match": False}, {"line": 3, "match": True}]


@pytest.mark.parametrize("text", ["[1]\n", "{\n", "x\n"])
def test_match_bad_events(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text(text)
    assert run("match", "proc.name = cat", "--events", str(path)) == 2
    assert "no JSON object" in capsys.readouterr().err


def test_match_bad_condition(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "e.jsonl"
    path.write_text("{}\n")
    assert run("match", "proc.name = ", "--events", str(path)) == 2
    assert "ends too early" in capsys.readouterr().err


def test_test_runs_our_tests(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("test") == 0
    assert ", 0 failed" in capsys.readouterr().out


def test_test_fails_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "t.yaml"
    path.write_text("- rule: Download tool started\n  matches: [{evt.type: openat}]\n")
    assert run("test", str(path)) == 1
    assert "should match and does not" in capsys.readouterr().out
