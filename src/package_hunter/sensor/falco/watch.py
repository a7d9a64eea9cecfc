"""One scan watched by a running Falco: which alerts are the scan's, whether Falco was there all the time, and
whether it lost events.

Silence is no proof of innocence: so the scan runs a command of its own that a rule of ours reports (the mark).
The mark at the beginning proves that Falco runs, has our rule, reaches us and names the box; an alert of a
built-in rule for the same command, that it has those rules too (with stock rules alone, an attack on a developer's
machine goes by without a word). Outputs come in order: when the mark at the end has come, so has all before it.
"""

from __future__ import annotations

import secrets
import threading
from collections import Counter
from dataclasses import dataclass

from package_hunter.errors import UnreachableError
from package_hunter.model.box import full_container_id
from package_hunter.model.observation import Alert, Observation
from package_hunter.sensor.falco.alert import BadAlertError, number, parse, text
from package_hunter.sensor.falco.place import AlertSource, Http, Rpc, place
from package_hunter.sensor.falco.processes import Told

MARK_RULE = "Package Hunter mark"
MARK = "package-hunter-mark-"
MARKED = (
    "id"  # a program that one of our built-in rules reports too: the mark's command shows that it is loaded
)
PROOF_RULE = "Facts about the machine asked for"
_INTERNAL = "Falco internal: "
_LOSSES = ("syscall event drop", "timeouts notification", "capture size limit reached", "hot restart failure")
_RESTART_SLACK_NS = 1_000_000_000


def open_source(said: str | None) -> AlertSource:
    """The way in that PACKAGE_HUNTER_FALCO names."""
    where = place(said)
    if isinstance(where, Http):
        from package_hunter.sensor.falco.receiver import Receiver  # a server: slow to load, so only here

        return Receiver(where)
    if isinstance(where, Rpc):
        from package_hunter.sensor.falco.rpc import RpcSource

        return RpcSource(where)
    from package_hunter.sensor.falco.tail import Tail

    return Tail(where.path)


@dataclass(frozen=True, slots=True)
class Box:
    """By what alerts name a box: its scan's (or round's) id."""

    id: str

    def owns(self, alert: Alert) -> bool | None:
        """Whether an alert is of this box; None where it names no container at all.

        Falco takes container.id from the cgroup's path (64 digits, twelve shown); the name only where a
        container runtime that it can ask knows it.
        """
        fields = alert.output_fields
        cid, name = text(fields, "container.id"), text(fields, "container.name")
        groups = [str(value) for key, value in fields.items() if key.startswith("thread.cgroup") and value]
        if not cid and not name and not groups:
            return None
        return (
            name.lstrip("/") == f"package-hunter-{self.id}"
            or (len(cid) >= 12 and full_container_id(self.id).startswith(cid))
            or any(f"/package-hunter/{self.id}/" in f"{group}/" for group in groups)
        )


class FalcoWatch:
    """Collects what Falco says of one box between ``start`` and ``stop``."""

    def __init__(self, source: AlertSource, box: Box, max_alerts: int = 10_000) -> None:
        self._source, self._box, self._max = source, box, max_alerts
        self._lock = threading.Condition()
        self._alerts: list[Alert] = []
        self._told = Told()
        self._cut: Counter[str] = Counter()
        self._marks: dict[str, Alert] = {}
        self._made: set[str] = set()
        self.has_our_rules = False
        self._starts: set[int] = set()
        self._counts: Counter[str] = Counter()
        self.dropped = 0

    def start(self) -> None:
        """Alerts are collected from now on. HostError where they cannot come."""
        self._source.start(self._take)

    def stop(self) -> None:
        """No more are collected."""
        self._source.stop()

    def new_mark(self) -> str:
        """The argument of a command (`id MARK`) by which Falco is to show that it watches, and by which rules."""
        mark = MARK + secrets.token_hex(16)
        self._made.add(mark)
        return mark

    def wait_for_rules(self, seconds: float) -> bool:
        """Whether a built-in rule of ours reported a mark's command, after ``seconds`` at most."""
        with self._lock:
            return self._lock.wait_for(lambda: self.has_our_rules, seconds)

    def wait(self, mark: str, seconds: float) -> Alert | None:
        """The alert of a mark, where it comes in time."""
        with self._lock:
            self._lock.wait_for(lambda: mark in self._marks, seconds)
            return self._marks.get(mark)

    def require(self, mark: str, seconds: float) -> None:
        """UnreachableError where the first mark, made in the box, does not come or does not name the box."""
        alert = self.wait(mark, seconds)
        advice = (
            "Run `package-hunter doctor --falco`: it tries the way and prints what falco.yaml has to say."
        )
        if alert is None:
            raise UnreachableError(
                f"Falco did not report the scan's own mark within {seconds:g} s{self.heard()}.", advice
            )
        if not self._box.owns(alert):
            seen = {key: alert.output_fields.get(key) for key in ("container.id", "container.name")}
            raise UnreachableError(f"Falco does not tell the box from others: it says {seen}.", advice)

    def heard(self) -> str:
        """What came in place of a mark, as the end of a sentence."""
        with self._lock:
            count = self._counts
            if count["bad"]:
                return f"; {count['bad']} messages came that are no alerts in JSON (json_output)"
            other = count["others"] + count["nameless"] + len(self._alerts)
            return f"; {other} other alerts came" if other else "; nothing came from it at all"

    def observation(self) -> Observation:
        """What Falco said of the box so far."""
        with self._lock:
            return Observation(
                alerts=tuple(self._alerts),
                processes=self._told.processes(),
                sockets=self._told.sockets(),
                dropped=self.dropped,
                cut=dict(self._cut),
            )

    def reasons(self) -> list[str]:
        """Sentences about what kept Falco from seeing or saying all."""
        found = []
        count = self._counts
        if self.dropped:
            found.append(f"Falco lost {self.dropped} events during the scan.")
        found += [f"Falco reported {name} during the scan." for name in _LOSSES[1:] if count[name]]
        if self._source.refused:
            found.append(
                f"{self._source.refused} alerts of Falco came too fast or were too long to be taken."
            )
        if count["bad"]:
            found.append(f"{count['bad']} messages of Falco could not be read as alerts.")
        if count["nameless"]:
            found.append(
                f"{count['nameless']} alerts of Falco named no container: they may have been the box's "
                "(append_output is missing in falco.yaml)."
            )
        if self._starts and max(self._starts) - min(self._starts) > _RESTART_SLACK_NS:
            found.append("Falco was started again during the scan: what happened meanwhile is not known.")
        return found

    def _take(self, data: bytes) -> None:
        try:
            alert = parse(data)
        except BadAlertError:
            with self._lock:
                self._counts["bad"] += 1
            return
        with self._lock:
            self._sort(alert)

    def _sort(self, alert: Alert) -> None:
        if alert.rule.startswith(_INTERNAL):
            self._internal(alert)
        elif alert.rule == MARK_RULE:
            self._mark(alert)
        elif alert.rule == PROOF_RULE and self._is_proof(alert):
            self.has_our_rules = True
            self._lock.notify_all()
        elif (own := self._box.owns(alert)) is None:
            self._counts["nameless"] += 1
        elif not own:
            self._counts["others"] += 1
        elif len(self._alerts) < self._max:
            self._alerts.append(alert)
            self._told.add(alert)
        else:
            self._cut[f"alerts of {alert.rule}"] += 1

    def _internal(self, alert: Alert) -> None:
        kind = alert.rule.removeprefix(_INTERNAL)
        if kind == _LOSSES[0]:
            self.dropped += max(1, number(alert.output_fields, "n_drops") or 0)
        self._counts[kind] += 1

    def _is_proof(self, alert: Alert) -> bool:
        words = text(alert.output_fields, "proc.cmdline").split()
        return any(tag.startswith("kind:") for tag in alert.tags) and any(w in self._made for w in words)

    def _mark(self, alert: Alert) -> None:
        fields = alert.output_fields
        since, now = number(fields, "evt.reltime"), number(fields, "evt.rawtime")
        if since is not None and now is not None:
            self._starts.add(now - since)
        for word in text(fields, "proc.args").split():
            if word.startswith(MARK) and len(self._marks) < 1000:
                self._marks[word] = alert
        self._lock.notify_all()
