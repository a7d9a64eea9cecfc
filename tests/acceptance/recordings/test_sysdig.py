"""Debian's sysdig (0.29) reads our recordings; what it prints is what we know."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.enrich.names import NameTable
from package_hunter.sensor.scap import ScapReader
from package_hunter.sensor.scap.older import NEWER
from tests.support.requires import needs_program, needs_shared

# sysdig 0.29 knows event types up to open_by_handle_at; what came later it passes over, also in Falco's
# own recordings: io_uring_setup, pipe2, dup2, prctl, eventfd2, epoll_create1, capset, ...
FIRST_UNKNOWN = 338
# calls that stand in a recording as such without a type of their own (close_range): it prints those without a name
LATER = frozenset(number for number in NEWER if number > FIRST_UNKNOWN)
NEEDS_NO_ENTRY_EVENTS = (
    *("evt.rawtime", "thread.tid", "evt.type", "evt.cpu", "proc.name", "proc.pid", "proc.vpid"),
    *("proc.cwd", "proc.sid", "evt.is_open_read", "evt.is_open_write", "proc.is_exe_writable"),
    *("container.id", "container.name", "container.image", "container.image.repository"),
    *("evt.arg.name", "evt.arg.exe", "evt.arg.comm", "evt.arg.oldpath", "evt.arg.newpath", "evt.arg.path"),
)
SEPARATOR = "\x1f"


def _printed(recording: Path, fields: tuple[str, ...]) -> list[list[str]]:
    form = "*" + SEPARATOR.join(f"%{name}" for name in fields)
    done = subprocess.run(
        ["sysdig", "-r", recording, "-p", form], capture_output=True, timeout=60, check=True
    )
    return [line.split(SEPARATOR) for line in done.stdout.decode("utf-8", "replace").splitlines()]


def _known(recording: Path, fields: tuple[str, ...]) -> tuple[list[list[str]], Counter[int]]:
    """What we know of each event that sysdig should print, in its words, and how often each type occurs."""
    source = Fields()
    getters = [
        source.extractor("evt.arg", name[8:]) if name.startswith("evt.arg.") else source.extractor(name)
        for name in fields
    ]
    named = list(zip(fields, getters, strict=True))
    rows, kinds = [], Counter[int]()
    with ScapReader(recording) as events:
        enricher = Enricher(events.start, NameTable())
        for raw, cpu in events:
            ev = enricher.feed(raw, cpu)
            kinds[ev.type] += 1
            if ev.type in LATER:
                rows.append(["<unknown>" if n == "evt.type" else _text(get(ev)) for n, get in named])
            elif ev.type < FIRST_UNKNOWN and ev.kind.name != "notification":
                rows.append([_text(get(ev)) for _, get in named])
    return rows, kinds


def _text(value: Any) -> str:
    if value is None:
        return "<NA>"
    return str(value).lower() if isinstance(value, bool) else str(value)


def test_sysdig_prints_what_we_know(record: Any) -> None:
    needs_program("sysdig")
    live = record("falco-test")
    printed = _printed(live.scap, NEEDS_NO_ENTRY_EVENTS)
    kind = NEEDS_NO_ENTRY_EVENTS.index("evt.type")
    printed = [row for row in printed if row[kind] not in ("container", "notification")]
    known, kinds = _known(live.scap, NEEDS_NO_ENTRY_EVENTS)
    assert len(known) > 1000
    assert any(number >= FIRST_UNKNOWN for number in kinds)
    assert printed == known


def test_sysdig_shows_the_box_as_a_container(record: Any) -> None:
    needs_program("sysdig")
    live = record("persistence")
    scan = live.report["id"]
    fields = ("evt.type", "container.id", "container.name", "container.image.repository")
    rows = {
        tuple(row[1:]) for row in _printed(live.scap, fields) if row[0] not in ("container", "notification")
    }
    assert rows == {
        (
            scan.replace("-", "")[:12],
            f"package-hunter-{scan}",
            f"package-hunter/{live.report['target']['name']}",
        )
    }


def test_sysdig_passes_over_the_same_types_of_falcos_own_recordings() -> None:
    """So it is no fault of our encoding."""
    needs_program("sysdig")
    for name in ("attack", "npm_install"):
        recording = needs_shared("falco-captures") / f"{name}.scap"
        with ScapReader(recording) as events:
            known = [raw[20] | raw[21] << 8 for raw, cpu in events]
        printed = _printed(recording, ("evt.rawtime",))
        assert len(printed) == sum(number < FIRST_UNKNOWN for number in known) < len(known)
