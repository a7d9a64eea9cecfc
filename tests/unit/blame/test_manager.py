"""What the package manager does itself while it fetches, and which hosts it or its git turns to, is nobody's doing."""

from __future__ import annotations

from dataclasses import replace

from package_hunter.blame.manager import without_manager
from package_hunter.model.observation import CanaryRead, Observation, Process
from tests.support.judge_samples import BLAME, alert

FETCH = replace(BLAME, phase="fetch", confidence="tree")


def _process(key: int, pid: int, exepath: str) -> Process:
    return Process(key, None, pid, pid, "x", exepath, "x", "/", 1, 0, None, None)


def test_manager_reads_its_settings_while_it_fetches() -> None:
    node, git = _process(1, 10, "/usr/local/bin/node"), _process(2, 20, "/usr/bin/git")
    other = _process(3, 30, "/usr/bin/curl")
    alerts = [
        replace(alert(), pid=10, event_type="connect", blame=FETCH),
        replace(alert(), pid=20, event_type="connect", blame=FETCH),
        replace(alert(), pid=10, event_type="openat", blame=FETCH),
        replace(alert(), pid=20, event_type="openat", blame=FETCH),
        replace(alert(), pid=30, event_type="connect", blame=FETCH),
        replace(alert(), pid=10, event_type="openat", blame=BLAME),
        replace(alert(), pid=20, event_type="connect", blame=BLAME),
    ]
    reads = [CanaryRead(5, "c", "/x", 1, FETCH), CanaryRead(5, "c", "/x", 2, FETCH)]
    shown = Observation(alerts=tuple(alerts), processes=(node, git, other), canary_reads=tuple(reads))
    seen = without_manager(shown)
    assert seen.alerts == tuple(alerts[3:])
    assert seen.canary_reads == (reads[1],)
