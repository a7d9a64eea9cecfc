"""What the rules of a policy did: what each decided, how often it was wrong, and the time that it cost people."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from package_hunter.access.view import View
from package_hunter.governance import policies, policy_file
from package_hunter.governance.document import Document
from package_hunter.policy.decide import today
from package_hunter.policy.layers import Layer
from package_hunter.policy.match import fits
from package_hunter.policy.model import Mode, Rule
from package_hunter.store.batches import batches
from package_hunter.store.finding_tables import EffortRow, FindingRow
from package_hunter.store.members import Place
from package_hunter.store.scoping import scoped
from package_hunter.triage.chain import projects_in, scope_name
from package_hunter.triage.stored import facts_of
from package_hunter.triage.values import State

MAX_FINDINGS, USUAL_FINDINGS = 20_000, 1_000
_MINUTE_MS = 60_000
_WRONG_ENOUGH = 2  # false positives of one kind by one package, before an exception is proposed


# of rows that are wide
_LOOKED_AT = (
    *(FindingRow.id, FindingRow.facts, FindingRow.first_seen, FindingRow.state),
    *(FindingRow.package, FindingRow.kind, FindingRow.proof),
)


@dataclass(frozen=True, slots=True)
class Exempt:
    """An exception that a rule proposes of itself: a rule to stand before it. ``false_positives`` findings are why."""

    rule: Document
    false_positives: int


@dataclass(slots=True)
class RuleFigures:
    """``fits``: findings that the rule is for; ``decided`` those that it decided (as it is enforced, first of its
    layer); ``states`` theirs by state. ``minutes``: from claims to states. ``exceptions``: what it proposes."""

    label: str
    decision: str
    mode: str
    fits: int = 0
    decided: int = 0
    states: Counter[str] = field(default_factory=Counter)
    minutes: int = 0
    exceptions: tuple[Exempt, ...] = ()

    @property
    def false_positive_share(self) -> float | None:
        """Of those that somebody decided about; None where nobody did."""
        known = sum(n for state, n in self.states.items() if state != State.NEEDS_TRIAGE.value)
        return self.states[State.FALSE_POSITIVE.value] / known if known else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the rules of one scope's policy, in their order. ``not_counted``: findings beyond the limit, the oldest."""

    rules: tuple[RuleFigures, ...]
    counted: int
    not_counted: int


def of_policy(session: Session, view: View, place: Place, most: int = USUAL_FINDINGS) -> Figures:
    """The figures of a scope's own rules, over the newest findings there that the view sees: 1,000 take 30 ms, so
    whoever wants more says so (``most``, up to 20,000)."""
    layer = layer_of(session, place)
    if layer is None:
        return Figures((), 0, 0)
    rows, left = _findings(session, view, place, min(most, MAX_FINDINGS))
    minutes = _minutes(session, [row.id for row in rows])
    day = today()
    made = tuple(
        RuleFigures(layer.label(r), r.decision.value, r.mode_on(day).value) for r in layer.policy.rules
    )
    wrong: list[Counter[tuple[str, str]]] = [Counter() for _ in made]
    right: list[set[tuple[str, str]]] = [set() for _ in made]
    for row in rows:
        facts, first = facts_of(row, day), True
        for index, rule in enumerate(layer.policy.rules):
            if not (facts.counts and fits(rule.match, facts)):
                continue
            figures, enforced = made[index], rule.mode_on(day) is Mode.ENFORCE
            figures.fits += 1
            figures.decided += enforced and first
            first = first and not enforced
            figures.states[row.state] += 1
            figures.minutes += minutes.get(row.id, 0)
            _note(row, wrong[index], right[index])
    for index, figures in enumerate(made):
        figures.exceptions = _exceptions(layer.policy.rules[index], wrong[index], right[index])
    return Figures(made, len(rows), left)


def layer_of(session: Session, place: Place) -> Layer | None:
    """A scope's own policy; for all, the server's file where the store has none; else None."""
    standing = policies.current(session, place)
    if standing.document is not None:
        return Layer(scope_name(place), policies.check(place, standing.document), standing.digest)
    return policy_file.layer() if place == Place() else None


def _findings(session: Session, view: View, place: Place, most: int) -> tuple[Sequence[Any], int]:
    inside = projects_in(session, place)
    seen = view if inside is None else View(frozenset(p for p in inside if view.sees(p)))
    query: Any = select(*_LOOKED_AT).order_by(FindingRow.last_seen.desc())
    query = scoped(query, seen, FindingRow.project_id)
    total = (
        session.scalar(scoped(select(func.count()).select_from(FindingRow), seen, FindingRow.project_id)) or 0
    )
    rows = session.execute(query.limit(most)).all()
    return rows, total - len(rows)


def _minutes(session: Session, ids: Sequence[uuid.UUID]) -> Mapping[uuid.UUID, int]:
    spent: Counter[uuid.UUID] = Counter()
    for some in batches(ids):
        query = select(EffortRow.finding_id, EffortRow.began, EffortRow.ended)
        for finding, began, ended in session.execute(query.where(EffortRow.finding_id.in_(some))):
            spent[finding] += max(0, ended - began)
    return {key: -(-ms // _MINUTE_MS) for key, ms in spent.items()}


def _note(row: Any, wrong: Counter[tuple[str, str]], right: set[tuple[str, str]]) -> None:
    if row.package and row.state == State.FALSE_POSITIVE.value:
        wrong[row.kind, row.package] += 1
    elif row.state == State.CONFIRMED.value or row.proof:
        right.add((row.kind, row.package))


def _exceptions(
    rule: Rule, wrong: Counter[tuple[str, str]], right: set[tuple[str, str]]
) -> tuple[Exempt, ...]:
    """For each kind and package where it was wrong several times, and never right."""
    return tuple(
        Exempt(
            {
                "name": f"exception: {kind} by {package}"[:200],
                "decision": "pass",
                "kind": kind,
                "package": package,
                **({"phase": rule.match.phase} if rule.match.phase else {}),
            },
            number,
        )
        for (kind, package), number in sorted(wrong.items())
        if number >= _WRONG_ENOUGH and (kind, package) not in right and rule.decision.value != "pass"
    )
