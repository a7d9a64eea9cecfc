"""The policies that hold in one place: of all, of the groups above it, of the project itself. The stricter wins."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass

from package_hunter.policy.model import Policy, Rule, Waiver

ALL = "all"


@dataclass(frozen=True, slots=True)
class Layer:
    """A scope's policy. ``scope`` is ``all``, ``group:PATH`` or ``project:PATH``, ``digest`` its document's."""

    scope: str
    policy: Policy
    digest: str

    def label(self, rule: Rule) -> str:
        """The rule's name, or its place, for people."""
        where = next(i for i, other in enumerate(self.policy.rules, 1) if other is rule)
        return f"{self.scope}, " + (rule.name or f"rule {where}")

    def valid_waivers(self, day: dt.date) -> Iterator[Waiver]:
        """Those whose last day is not over."""
        return (w for w in self.policy.waivers if w.expires >= day)


@dataclass(frozen=True, slots=True)
class Effective:
    """The layers, the widest first: there is always one for all."""

    layers: tuple[Layer, ...]

    @property
    def base(self) -> Policy:
        """What holds for all: it alone says whether a scanned project's own file is heeded."""
        return self.layers[0].policy

    def key(self, day: dt.date) -> str:
        """What results under these policies are known by: the same key, the same results. A rule that begins to be
        enforced, a waiver that ends, and, where rules ask for ages, each new day give another."""
        said: list[object] = []
        ages = False
        for layer in self.layers:
            rules = layer.policy.rules
            ages = ages or any(
                r.match.older_than is not None or r.match.newer_than is not None for r in rules
            )
            ages = ages or any(
                w.match.older_than is not None or w.match.newer_than is not None for w in layer.policy.waivers
            )
            modes = [rule.mode_on(day).value for rule in rules]
            said.append([layer.scope, layer.digest, modes, [w.expires >= day for w in layer.policy.waivers]])
        if ages:
            said.append(day.isoformat())
        return hashlib.sha256(json.dumps(said, separators=(",", ":")).encode()).hexdigest()
