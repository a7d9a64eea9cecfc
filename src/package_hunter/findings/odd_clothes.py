"""Signals of secrets that seem to have left in odd clothes: read before, and alike what left after."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from package_hunter.findings.catalog import kinds
from package_hunter.findings.context import Context
from package_hunter.findings.data_out import Sent, sender_of, sent
from package_hunter.findings.likeness import ENOUGH, Likeness, Stream, keyed, noise, patterns, pieces, turned
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Canary

KIND = "other"  # the contract of reports names the kinds, and none is added within its version
BUDGET = 10.0  # seconds of processor time for one round: what is not looked at by then is not found
_HOW = {
    "letters": "written in other letters or words",
    "turned": "with its letters turned, or in base-85",
    "keyed": "mixed with a short key that repeats",
    "pieces": "in pieces",
    "noise": "with noise between its characters",
}


def alike(canary: Canary, what: Sent, streams: list[Stream]) -> Likeness | None:
    """The likeness of what was sent to a secret, where chance does not explain it. ``streams`` are those of
    ``what.symbols()``."""
    for how, look in _looks(canary, what, streams):
        if (bits := look()) >= ENOUGH:
            return Likeness(how, bits)
    return None


def _looks(canary: Canary, what: Sent, streams: list[Stream]) -> Iterator[tuple[str, Callable[[], float]]]:
    value = canary.value
    texts = [data.decode("utf-8", "replace") for *_, data in what.messages]
    whole = list(what.streams())
    yield "pieces", lambda: pieces(value, texts)
    yield "turned", lambda: max((turned(value, data) for data in whole), default=0.0)
    yield "noise", lambda: max((noise(value, data) for data in whole), default=0.0)
    yield "keyed", lambda: max((keyed(value, data) for data in whole), default=0.0)
    yield "letters", lambda: max((s.likeness(p) for p in patterns(value) for s in streams), default=0.0)


def _read_before(context: Context, sender: tuple[str, str | None], last_ns: int) -> list[Canary]:
    """The fakes that whoever sent had opened before the last of it left."""
    opened = {
        r.canary
        for r in context.observation.canary_reads
        if sender_of(r.blame) == sender and r.time_ns <= last_ns
    }
    return [c for c in context.canaries.values() if c.id in opened]


def signals(context: Context) -> Iterator[Signal]:
    """One signal for each secret and sender. What was found exactly is proof already, and not told again."""
    proven = {(sender_of(h.blame), h.canary) for h in context.network.hits}
    if not context.observation.canary_reads:
        return
    until = time.process_time() + BUDGET
    for sender, what in sent(context).items():
        wanted = [c for c in _read_before(context, sender, what.last_ns) if (sender, c.id) not in proven]
        streams = [Stream(symbols) for symbols in what.symbols()] if wanted else []
        for canary in wanted:
            if time.process_time() > until:
                return
            found = alike(canary, what, streams)
            if found:
                yield _signal(canary, what, found)


def _signal(canary: Canary, what: Sent, found: Likeness) -> Signal:
    label = canary.kind.replace("-", " ").replace("_", " ")
    places = ", ".join(what.places[:3]) + (" and others" if len(what.places) > 3 else "")
    said = f"What it sent to {places} looks like your {label} {_HOW[found.how]}"
    return Signal(
        time_ns=what.last_ns,
        kind=KIND,
        weight=kinds()[KIND].weight,
        subject=said,
        what=f"{said}: by chance alone that happens once in 2^{int(found.bits)}",
        blame=what.blame,
        data={
            "canary": canary.id,
            "kind": label,
            "how": found.how,
            "bits": int(found.bits),
            "to": list(what.places[:20]),
        },
    )
