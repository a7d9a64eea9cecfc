"""A small recording with its surroundings, made without a box, and the report that a scan would have made of it."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from package_hunter import __version__
from package_hunter.bundle import make, of_files
from package_hunter.bundle.replayed import matcher_of
from package_hunter.enrich.convert import pack as event
from package_hunter.enrich.kinds import kind_of
from package_hunter.findings import RoundFacts
from package_hunter.model.observation import Canary, CanaryHit, NetworkLog
from package_hunter.model.report import Canaries, Report
from package_hunter.model.scan import Command, CommandRun, Coverage, ScanStatus, Target
from package_hunter.model.table import ProcEntry, StartState
from package_hunter.pipeline.rederive import rederive, together
from package_hunter.pipeline.surroundings import FORM, Surroundings, pack
from package_hunter.policy.load import parse_policy
from package_hunter.policy.rejudge import rejudge
from package_hunter.sensor.scap import ScapWriter, append_round, append_runs

KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
SCAN = "0f8fad5b-d9cb-469f-a165-70867728950e"
BEGAN = 1_790_000_000_000_000_000  # ns
RULES = """
- rule: A socket is closed
  desc: d
  condition: evt.type = close
  output: closed by %proc.pid
  priority: WARNING
  tags: [network]
"""
CANARY = Canary("c1", "npm-token", "/home/dev/.npmrc", "npm_fake")
HIT = CanaryHit(BEGAN + 5, "c1", (), "http-body", "evil.example:80", 40_000, False)
RUN = CommandRun("install", "default", Command(("npm", "install"), "/"), 8, BEGAN, BEGAN + 9, 0)


def surroundings(**changes: Any) -> Surroundings:
    """Of a scan in which the gateway saw the fake token leave."""
    facts = RoundFacts(
        canaries=(CANARY,), coverage=Coverage(events=2), host_facts=("devbox", "/home/dev/app")
    )
    made = Surroundings(
        form=FORM,
        program=__version__,
        image=("0123456789abcdef.erofs", "ab" * 32),
        rules=(("team.yaml", RULES),),
        world="default",
        hurried=False,
        after=0,
        max_alerts=100,
        max_records=100,
        fetches_alone=False,
        began_ns=BEGAN,
        ended_ns=BEGAN + 100,
        runs=(RUN,),
        network=NetworkLog(hits=(HIT,)),
        facts=facts,
    )
    return replace(made, **changes)


def recording(path: Path, around: Surroundings | None = None, scan: str = SCAN, events: int = 2) -> Path:
    """As a scan leaves it; without ``around`` as an older one did."""
    ids, texts = (1, 0, 7, 7, 7, 7, 7), (b"a", b"a", b"/a", (), (), b"/", 0, 0, 0)
    processes = tuple(ProcEntry(pid, pid, *ids[:6], *texts) for pid in (7, 8))
    facts = {"scan": scan, "init_pid": 7, "driver": "", "canaries": {}, "inodes": [], "fetches_alone": False}
    with ScapWriter(path, StartState(processes), facts) as writer:
        for number in range(events):
            close = event(BEGAN + 2 + number, 8, kind_of("syscall_close_x"), [bytes(8), bytes(8)])
            writer.append(close, 0)
    if around is not None:
        append_runs(path, around.runs)
        append_round(path, pack(around))
    return path


def report(*recordings: Path, **changes: Any) -> Report:
    """What a scan would have made of these."""
    rounds = [
        rederive(path, lambda around: matcher_of(around.rules if around else ())) for path in recordings
    ]
    made = Report(
        id=SCAN,
        target=Target("demo", "npm", None, "cd" * 32),
        started=BEGAN,
        finished=BEGAN + 1_000,
        status=ScanStatus.FINISHED,
        coverage=Coverage(events=sum(r.events for r in rounds)),
        alerts=tuple(alert for r in rounds for alert in r.alerts),
        findings=together(rounds),
        canaries=Canaries((CANARY,), sent=(HIT,)),
    )
    return rejudge(replace(made, **changes))


def bundled(folder: Path, policy: str | None = None, **changes: Any) -> Path:
    """A bundle of it, in a folder of its own; ``changes`` are of the report."""
    scap = recording(folder / "x.scap", surroundings())
    made = report(scap, **changes)
    if policy is not None:
        made = rejudge(made, parse_policy(policy))
    return written(of_files(made, [scap], policy, None), folder / "bundle.zip")


def written(source: make.Source, target: Path, key: Ed25519PrivateKey = KEY) -> Path:
    """To a file."""
    make.to_file(source, target, key)
    return target


def again(path: Path, changed: dict[str, bytes], extra: Sequence[tuple[str, bytes]] = ()) -> Path:
    """A copy with other content in some of its files, and further ones."""
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            data = changed.get(info.filename, old.read(info))
            new.writestr(info.filename, data, compress_type=info.compress_type)
        for name, data in extra:
            new.writestr(name, data, compress_type=zipfile.ZIP_DEFLATED)
    return target


def content(path: Path, name: str) -> bytes:
    """A file of a bundle."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)
