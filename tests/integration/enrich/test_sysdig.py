"""Debian's sysdig reads what we write, and sees what we see."""

from __future__ import annotations

import subprocess
from pathlib import Path

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.sensor.scap import ScapReader, ScapWriter
from tests.support.requires import needs_program, needs_shared

_FORMAT = "%evt.rawtime %evt.type %proc.pid"


def test_sysdig_reads_our_recordings(tmp_path: Path) -> None:
    needs_program("sysdig")
    capture = needs_shared("falco-captures") / "attack.scap"
    ours = tmp_path / "ours.scap"
    with ScapReader(capture) as source, ScapWriter(ours, source.start, {"target": "test"}) as sink:
        for raw, cpu in source:
            sink.append(raw, cpu)
    command = ["sysdig", "-r", str(ours), "-p", _FORMAT, "evt.type in (execve, connect, chdir)"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    seen = {tuple(line.split(" ")) for line in done.stdout.splitlines() if line}
    known = set()
    pid = Fields().extractor("proc.pid", None)
    with ScapReader(ours) as source:
        enricher = Enricher(source.start)
        for raw, cpu in source:
            ev = enricher.feed(raw, cpu)
            if ev is not None and ev.kind.name in ("execve", "connect", "chdir"):
                known.add((str(ev.ts), ev.kind.name, str(pid(ev))))
    assert len(known) > 300
    assert seen == known
