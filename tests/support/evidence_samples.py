"""Reports with many, deep, or hostile processes: for what is drawn of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from package_hunter.model.observation import Alert, Process
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.report.sample import sample

BEGAN = sample().started
NAMES = ("node", "sh", "gcc", "cc1", "as", "ld")


def process(key: int, parent: int | None, cmdline: str = "", **changes: Any) -> Process:
    """One of a box: its pid follows from its key, a microsecond a key."""
    started, line = BEGAN + key * 1_000, cmdline or f"{NAMES[key % 6]} step-{key}"
    box = "/home/dev/projects/demo"
    made = Process(
        key, parent, 1_000 + key, key, line.split(" ")[0], "/usr/bin/x", line, box, 101_000, started, None, 0
    )
    return replace(made, **changes)


def alert(key: int, rule: str = "Credential file read") -> Alert:
    """A rule that matched on a process."""
    return Alert(
        BEGAN + key * 1_000 + 5, rule, "Warning", "", {}, (), "syscall", 1, "openat", 1_000 + key, 1_000 + key
    )


def with_processes(processes: Sequence[Process], alerts: Sequence[Alert] = (), **changes: Any) -> Report:
    """The sample with these in place of its own."""
    finished = BEGAN + 10**9
    made = replace(sample(), processes=tuple(processes), alerts=tuple(alerts), finished=finished)
    return replace(made, **changes)


HOSTILE = "\u202e<script>document.title='owned'</script><img src=x onerror=alert(1)>\x1b[2J " + "b" * 3_000
_WRITTEN = {
    *("cmdline", "name", "path", "title", "what", "url", "destination", "place", "sni", "script", "rule"),
    *("exepath", "cwd", "channel", "method", "other_path", "chain", "notes", "reasons", "explain", "advice"),
    *("notices", "explanation", "output"),
}


def hostile(report: Report) -> Report:
    """The same with what an attacker writes wherever a package can write."""
    return from_json(_written(to_json(report), ""))


def _written(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {name: _written(one, name) for name, one in value.items()}
    if isinstance(value, list):
        return [_written(one, key) for one in value]
    return value + HOSTILE if isinstance(value, str) and key in _WRITTEN else value


def build(number: int, noted: int = 20) -> Report:
    """A build of so many processes, three to a parent; ``noted`` of them read a secret."""
    processes = [process(1, None, "init")] + [process(n, max(1, n // 3)) for n in range(2, number + 1)]
    step = max(1, number // max(1, noted))
    return with_processes(processes, [alert(n) for n in range(step, number, step)])
