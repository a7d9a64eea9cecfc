"""What a round was judged by beside the events of its box: kept at the end of its recording, so that anybody comes to
the same findings without a network, a registry or a box.

What the gateway recorded, the commands that ran, the packages, the fakes, what lived on, the rules' texts, the image.
None of it can be worked out of events; a bundle's signature says who attests it (docs/bundle.md).
"""

from __future__ import annotations

import hashlib
import time
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter import __version__
from package_hunter.findings import RoundFacts
from package_hunter.model import wire
from package_hunter.model.observation import NetworkLog
from package_hunter.model.scan import CommandRun
from package_hunter.pipeline.detonate import Sighting
from package_hunter.pipeline.options import Scan, ScanOptions
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.rules.document import read_file
from package_hunter.rules.load import builtin_files
from package_hunter.sandbox.image.build import find_image, image_dir
from package_hunter.sensor.scap import append_round
from package_hunter.sensor.scap.reader import MAX_ROUND

FORM = 1
_MAX_PLAIN = 1 << 30  # bytes of what is unpacked
_LEVEL = 6


@dataclass(frozen=True)
class Surroundings:
    """See above. ``rules`` are names and texts in the order of loading; ``image`` is the image file's name and SHA-256
    (hex). ``after``: the keys of processes begin after it. ``hurried``: a further box, of which only what it adds
    counts. ``began_ns`` and ``ended_ns``: between them its box lived, ns since the epoch."""

    form: int
    program: str
    image: tuple[str, str]
    rules: tuple[tuple[str, str], ...]
    world: str
    hurried: bool
    after: int
    max_alerts: int
    max_records: int
    fetches_alone: bool
    began_ns: int
    ended_ns: int
    runs: tuple[CommandRun, ...]
    network: NetworkLog
    facts: RoundFacts


def keep(scan: Scan, seen: Sighting, item: RoundResult, after: int) -> Surroundings | None:
    """Add a round's surroundings to its recording, where it has one that is whole; what was added."""
    record = item.round.record
    if record is None or seen.by_falco or not seen.observation.recorded:
        return None
    runs = tuple(_without_output(run) for run in seen.runs)
    made = Surroundings(
        form=FORM,
        program=__version__,
        image=_image(find_image()),
        rules=rule_texts(scan.options),
        world=item.round.world.name,
        hurried=item.round.hurry is not None,
        after=after,
        max_alerts=scan.config.max_alerts,
        max_records=scan.config.max_records,
        fetches_alone=item.round.plan.fetches_alone,
        began_ns=min((run.started_ns for run in runs), default=scan.started),
        ended_ns=time.time_ns(),
        runs=runs,
        network=seen.network,
        facts=replace(item.facts, runs=()),  # they are those above
    )
    packed = pack(made)
    if len(packed) > MAX_ROUND:
        scan.say(
            "The recording keeps no surroundings: they are too large. It cannot be judged again as a whole."
        )
        return None
    append_round(record, packed)
    return made


def pack(surroundings: Surroundings) -> bytes:
    """As a recording keeps it."""
    return zlib.compress(wire.to_bytes(Surroundings, surroundings), _LEVEL)


def unpack(packed: bytes) -> Surroundings | None:
    """What `pack` made; None where it is none, or of a form that is not known here."""
    opened = zlib.decompressobj()
    try:
        plain = opened.decompress(packed, _MAX_PLAIN)
        if not opened.eof or opened.unused_data:
            return None
        made: Surroundings = wire.from_bytes(Surroundings, plain)
    except (zlib.error, ValueError):
        return None
    return made if made.form == FORM else None


def rule_texts(options: ScanOptions) -> tuple[tuple[str, str], ...]:
    """Names and texts of the rule files of a scan, in the order of loading."""
    files = [*(builtin_files() if options.builtin_rules else ()), *options.rule_files]
    return tuple((path.name, read_file(path)) for path in files)


def _without_output(run: CommandRun) -> CommandRun:
    """What a command printed was read when coverage was judged, and is asked for no more."""
    return replace(run, output_tail="")


def _image(path: Path) -> tuple[str, str]:
    """Name and SHA-256 of the image's file. One of our own folder is read once: beside it lies what it came to."""
    state = path.stat()
    stamp = f"{state.st_size} {state.st_mtime_ns}"
    beside = path.with_name(f"{path.name}.sha256") if path.parent == image_dir() else None
    if beside is not None:
        with suppress(OSError, ValueError):
            digest, known = beside.read_text(encoding="ascii").strip().split(" ", 1)
            if known == stamp and len(digest) == 64:
                return path.name, digest
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if beside is not None:
        with suppress(OSError):  # a full disk, say: then it is read again next time
            beside.write_text(f"{digest} {stamp}\n", encoding="ascii")
    return path.name, digest
