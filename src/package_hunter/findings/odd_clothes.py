"""Signals of secrets that seem to have left in odd clothes: read before, and alike what left after."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from package_hunter.findings.catalog import kinds
from package_hunter.findings.context import Context
from package_hunter.findings.data_out import MAX_KEPT, Sender, Sent, sender_of, sent
from package_hunter.findings.likeness import (
    ENOUGH,
    Bytes,
    Likeness,
    Pieces,
    Stream,
    keyed,
    noise,
    patterns,
    turned,
)
from package_hunter.findings.signals import Signal
from package_hunter.model.observation import Canary

KIND = "likely_exfiltration"
BUDGET = 16 << 20  # bytes sent, times secrets that they are compared with, for one round: seconds of work
_HOW = {
    "letters": "written in other letters or words",
    "turned": "with its letters turned, or in base-85",
    "keyed": "mixed with a short key that repeats",
    "pieces": "in pieces",
    "noise": "with noise between its characters",
}


class Material:
    """What one sender sent, made ready once for all the secrets that it is compared with."""

    def __init__(self, what: Sent, values: Sequence[str]) -> None:
        self._what, self._values = what, values

    @cached_property
    def _whole(self) -> list[Bytes]:
        return [Bytes(data) for data in self._what.streams()]

    @cached_property
    def _pieces(self) -> Pieces:
        texts = [data.decode("utf-8", "replace") for *_, data in self._what.messages]
        return Pieces(self._values, texts)

    @cached_property
    def _streams(self) -> list[Stream]:
        return [Stream(symbols) for symbols in self._what.symbols()]

    def likeness(self, value: str) -> Likeness | None:
        """That to one of the secrets, where chance does not explain it."""
        for how, look in self._looks(value):
            if (bits := look()) >= ENOUGH:
                return Likeness(how, bits)
        return None

    def _looks(self, value: str) -> Iterator[tuple[str, Callable[[], float]]]:
        yield "pieces", lambda: self._pieces.likeness(value)
        yield "turned", lambda: max((turned(value, data) for data in self._whole), default=0.0)
        yield "noise", lambda: max((noise(value, data) for data in self._whole), default=0.0)
        yield "keyed", lambda: max((keyed(value, data) for data in self._whole), default=0.0)
        yield (
            "letters",
            lambda: max((s.likeness(p) for p in patterns(value) for s in self._streams), default=0.0),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """What one sender sent and the secrets that it is to be compared with; ``left_out`` are those for which the
    round's work did not suffice."""

    what: Sent
    canaries: tuple[Canary, ...]
    left_out: tuple[Canary, ...] = ()


def _read_before(context: Context, sender: Sender, last_ns: int) -> list[Canary]:
    """The fakes that whoever sent had opened before the last of it left, in whatever phase: all of a file, of which
    a read names one."""
    opened = {
        r.canary
        for r in context.observation.canary_reads
        if sender_of(r.blame) == sender and r.time_ns <= last_ns
    }
    places = {canary.place for canary in context.canaries.values() if canary.id in opened}
    return [canary for canary in context.canaries.values() if canary.place in places]


def _host(destination: str) -> str:
    return destination.rpartition(":")[0] or destination


def _exempt(context: Context, sender: Sender, canary: Canary) -> frozenset[str]:
    """The hosts that the secret is for: those that it names, and those that got it lawfully."""
    named = (use.partition("@")[2] for use in canary.lawful)
    given = (
        _host(hit.destination)
        for hit in context.network.hits
        if hit.lawful and hit.canary == canary.id and sender_of(hit.blame) == sender
    )
    return frozenset(filter(None, (*named, *given)))


def comparisons(context: Context, budget: int = BUDGET) -> list[Comparison]:
    """What is to be compared with what, within the round's work, in the order of time. It hangs on what was sent
    and read alone. What was found exactly is proof already, and not looked for again."""
    proven = {(sender_of(hit.blame), hit.canary) for hit in context.network.hits if not hit.lawful}
    found = []
    for sender, what in sent(context).items():
        groups: dict[frozenset[str], list[Canary]] = {}
        for canary in _read_before(context, sender, what.last_ns):
            if (sender, canary.id) not in proven:
                groups.setdefault(_exempt(context, sender, canary), []).append(canary)
        for hosts, canaries in groups.items():
            mine = what.without(hosts)
            room = budget // max(1, mine.work)
            found.append(Comparison(mine, tuple(canaries[:room]), tuple(canaries[room:])))
            budget -= mine.work * len(canaries[:room])
        if not groups:
            found.append(Comparison(what, ()))
    return found


def signals(context: Context) -> Iterator[Signal]:
    """One signal for each secret and sender."""
    if not context.observation.canary_reads:
        return
    for one in comparisons(context):
        material = Material(one.what, [canary.value for canary in one.canaries])
        for canary in one.canaries:
            found = material.likeness(canary.value)
            if found:
                yield _signal(canary, one.what, found)


def gaps(context: Context, budget: int = BUDGET) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What was not compared, as sentences: reasons why the scan is inconclusive (a secret was read, and something
    left unseen), and notes."""
    reasons: list[str] = []
    notes: list[str] = []
    for one in comparisons(context, budget):
        who = (one.what.blame.package if one.what.blame else None) or "what ran"
        if one.what.cut:
            said = (
                f"More than {MAX_KEPT >> 10} KiB, or {one.what.most} messages, were sent by {who}: "
                f"{one.what.cut} of its messages were not searched for secrets in odd encodings"
            )
            (reasons if one.canaries or one.left_out else notes).append(said)
        if one.left_out:
            reasons.append(
                f"What {who} sent was not compared with {len(one.left_out)} of the fake secrets that it had read: "
                "together they were more than one round compares"
            )
    return tuple(dict.fromkeys(reasons)), tuple(dict.fromkeys(notes))


def _signal(canary: Canary, what: Sent, found: Likeness) -> Signal:
    label = canary.kind.replace("-", " ").replace("_", " ")
    places = ", ".join(what.places[:3]) + (" and others" if len(what.places) > 3 else "")
    said = f"your {label}, {_HOW[found.how]}, to {places}"
    return Signal(
        time_ns=what.last_ns,
        kind=KIND,
        weight=kinds()[KIND].weight,
        subject=said,
        what=f"It had read the fake, and what it sent to {places} is like it ({_HOW[found.how]})",
        blame=what.blame,
        data={
            "canary": canary.id,
            "kind": label,
            "how": found.how,
            "bits": int(found.bits),
            "to": list(what.places[:20]),
        },
    )
