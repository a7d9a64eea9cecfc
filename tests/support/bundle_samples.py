"""A small recording with its surroundings, made without a box, and the report that a scan would have made of it."""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Callable, Container, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from package_hunter import __version__
from package_hunter.bundle import make, of_files
from package_hunter.bundle.replayed import matcher_of
from package_hunter.bundle.signing import sign
from package_hunter.enrich.convert import pack as event
from package_hunter.enrich.kinds import kind_of
from package_hunter.findings import RoundFacts
from package_hunter.model.depth import DepthName
from package_hunter.model.observation import Canary, CanaryHit, NetworkLog
from package_hunter.model.report import Report
from package_hunter.model.scan import Command, CommandRun, Coverage, ScanStatus, Target
from package_hunter.model.table import ProcEntry, StartState
from package_hunter.pipeline.closing import Box, closing_of
from package_hunter.pipeline.closing import pack as packed_closing
from package_hunter.pipeline.rederive import Rederived, kept_in, rederive, together
from package_hunter.pipeline.surroundings import FORM, Surroundings, pack
from package_hunter.policy.load import parse_policy
from package_hunter.policy.rejudge import rejudge
from package_hunter.sensor.scap import ScapWriter, append_closing, append_round, append_runs

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


def report(*recordings: Path, further: Sequence[Box] = (), **changes: Any) -> Report:
    """What a scan would have made of these; at its end it says so in each that keeps its surroundings. ``further``:
    boxes that were not recorded."""
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
        hostname="build-7",
        depth=DepthName.QUICK,
    )
    boxes = (*(box_of(r) for r in rounds if r.surroundings is not None), *further)
    said = closing_of(made, boxes)  # which boxes there were decides what differs between worlds
    rounds = [replace(r, kept=replace(r.kept, closing=said)) for r in rounds]
    made = rejudge(replace(together(rounds).shown_in(made), **changes))
    close(made, recordings, boxes)
    return made


def box_of(item: Rederived) -> Box:
    """As the scan listed it."""
    around = item.surroundings
    assert around is not None
    further = "hurried" if around.hurried else ""
    return Box("npm", "/home/dev/app", around.world, further, True, around.began_ns, around.ended_ns)


def close(made: Report, recordings: Sequence[Path], boxes: Sequence[Box]) -> None:
    """What the scan says at its end, in each recording that keeps what else it judged by; said once."""
    for path in recordings:
        kept = kept_in(path)
        if kept.surroundings is not None and kept.closing is None:
            append_closing(path, packed_closing(closing_of(made, tuple(boxes))))


def bundled(folder: Path, policy: str | None = None, **changes: Any) -> Path:
    """A bundle of it, in a folder of its own; ``changes`` are of the report."""
    scap = recording(folder / "x.scap", surroundings())
    made = report(scap, **changes)
    if policy is not None:
        made = rejudge(made, parse_policy(policy))
    return written(of_files(made, [scap], policy, None), folder / "bundle.zip")


def bundled_worlds(folder: Path) -> Path:
    """A bundle of a scan with boxes in two worlds, in one of which nothing left."""
    first = recording(folder / "x.scap", surroundings())
    quiet = surroundings(world="later", network=NetworkLog(), began_ns=BEGAN + 1_000, ended_ns=BEGAN + 1_100)
    second = recording(folder / "x.2.scap", quiet)
    return written(of_files(report(first, second), [first, second], None, None), folder / "worlds.zip")


def written(source: make.Source, target: Path, key: Ed25519PrivateKey = KEY) -> Path:
    """To a file."""
    make.to_file(source, target, key)
    return target


def again(
    path: Path,
    changed: dict[str, bytes],
    extra: Sequence[tuple[str, bytes]] = (),
    gone: Container[str] = (),
) -> Path:
    """A copy with other content in some of its files, further ones, and without others."""
    target = path.with_name("changed.zip")
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w") as new:
        for info in old.infolist():
            if info.filename in gone:
                continue
            data = changed.get(info.filename, old.read(info))
            new.writestr(info.filename, data, compress_type=info.compress_type)
        for name, data in extra:
            new.writestr(name, data, compress_type=zipfile.ZIP_DEFLATED)
    return target


def forged(
    path: Path,
    report: Callable[[Any], None] | None = None,
    said: Callable[[Any], None] | None = None,
    policy: Callable[[Any], None] | None = None,
    **files: bytes,
) -> Path:
    """As somebody who has the key would forge it: ``report``, ``said`` (the statement) and ``policy`` change those JSON
    values in their place, ``files`` are others' content (``recording_0`` is ``recordings/0.scap``). All digests and the
    signature are those of the new content."""
    names = {
        "recording_0": "recordings/0.scap",
        "recording_1": "recordings/1.scap",
        "rules": "rules/000.yaml",
    }
    changed = {names[key]: data for key, data in files.items()}
    for name, change in (("report.json", report), ("policy.json", policy)):
        if change is not None:
            value = json.loads(content(path, name))
            change(value)
            changed[name] = json.dumps(value).encode()
    statement = json.loads(base64.b64decode(json.loads(content(path, "attestation.json"))["payload"]))
    if said is not None:
        said(statement)
    predicate = statement["predicate"]
    for one in (predicate["report"], predicate["policy"], *predicate["rules"], *predicate["recordings"]):
        if one["name"] in changed:
            one["digest"]["sha256"] = hashlib.sha256(changed[one["name"]]).hexdigest()
    listed = {one["name"] for one in predicate["recordings"]}
    gone = {f"recordings/{n}.scap" for n in range(9)} - listed
    return again(path, {**changed, "attestation.json": sign(json.dumps(statement).encode(), KEY)}, gone=gone)


def content(path: Path, name: str) -> bytes:
    """A file of a bundle."""
    with zipfile.ZipFile(path) as archive:
        return archive.read(name)
