"""Which script files a command line runs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.findings.programs import files_run
from package_hunter.model.observation import Process


def runs(cmdline: str, *execs: str, shells: bool = False) -> frozenset[str]:
    process = Process(1, None, 1, 1, "x", "/usr/bin/x", cmdline, "/p/", 0, 0, None, None, execs)
    return files_run(process, shells)


@pytest.mark.parametrize(
    ("cmdline", "file", "not_run"),
    [
        ("node s.js out.js", "/p/s.js", "/p/out.js"),
        ("node -r ./a.js b", "/p/b.js", "/p/-r"),
        ("node -r ./a.js b", "/p/a.js", "/p/-r.js"),
        ("env A=1 node /abs/s.js", "/abs/s.js", "/p/env"),
        ("python3 -B lib/../s.py x.py", "/p/s.py", "/p/x.py"),
        ("./run.sh s.js", "/p/run.sh", "/p/s.js"),
        ("sh -c node s.js && rm s.js", "/p/none", "/p/s.js"),
    ],
)
def test_the_program_and_not_its_words(cmdline: str, file: str, not_run: str) -> None:
    found = runs(cmdline)
    assert not_run not in found and (file in found or file == "/p/none")


def test_a_shells_line_counts_where_it_is_asked_for() -> None:
    line = "sh -c A=1 node s.js && node t.js > u.js"
    assert {"/p/s.js", "/p/t.js"} <= runs(line, shells=True) and "/p/u.js" not in runs(line, shells=True)
    assert not runs(line)
    assert runs("node t.js", line, shells=True) == runs("node t.js"), "what it was forked from is another's"


@given(st.text(max_size=300), st.booleans())
def test_no_command_line_breaks_it(cmdline: str, shells: bool) -> None:
    assert all(path.startswith("/") for path in runs(cmdline, cmdline, shells=shells))
