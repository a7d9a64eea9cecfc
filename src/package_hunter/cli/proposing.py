"""What the commands of changes that need two people share: proposing, and showing what became of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.orm import Session

from package_hunter import given
from package_hunter.cli.console import harmless
from package_hunter.cli.places import place_at, say, shown_time
from package_hunter.cli.proving import origin, prove
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance import policy_file
from package_hunter.governance.proposals import decide, propose, views
from package_hunter.governance.proposals.alone import stuck
from package_hunter.governance.proposals.kind import Budget
from package_hunter.governance.proposals.propose import Asked, By
from package_hunter.model import toml
from package_hunter.queue import recordings
from package_hunter.store.canonical import MAX_BYTES
from package_hunter.store.database import Store, now_ms
from package_hunter.store.members import Place
from package_hunter.store.proposal_tables import Proposal

At = Annotated[str, typer.Option("--at", help="A project or group; unset: everywhere.")]
Why = Annotated[
    str, typer.Option("--why", help="Why: for who approves, and for the history.", show_default=False)
]
ApplyAt = Annotated[
    str | None, typer.Option("--apply-at", help="Not before then: 2027-03-31 or 2027-03-31T08:00 (UTC).")
]


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be proposed, and by whom."""

    kind: str
    at: str
    document: Any
    who: str
    why: str
    apply_at: str | None = None


def propose_change(change: Change) -> int:
    """Look at a change, ask who proposes it, store it, say what became of it; its number."""
    config, store = settings(), opened()
    asked = Asked(change.why, moment(change.apply_at))
    with store.read() as session:
        place = place_at(session, change.at)
        prepared = propose.prepare(session, change.kind, place, change.document, budget())
    prove(store, config, change.who)
    with store.write() as session:
        made = decide.propose(session, by(session, change.who), prepared, asked)
        say_state(made, session)
    return made.number


def propose_policies(wanted: Sequence[tuple[Place, Any]], who: str, why: str) -> None:
    """Propose policies, each in a proposal of its own; one that waits already is not proposed again."""
    store, _ = act(who)
    for place, document in wanted:
        with store.read() as session:
            prepared = propose.prepare(session, "policy", place, document, budget())
            waiting = views.waiting(session, prepared, now_ms())
        if waiting is not None:
            say(f"{place.name}: proposal {waiting} waits already.")
            continue
        with store.write() as session:
            say_state(decide.propose(session, by(session, who), prepared, Asked(why)), session)


def budget() -> Budget:
    """How much a look at what a change would do may cost here."""
    return Budget(settings().impact_seconds, recordings.where(settings()))


def by(session: Session, name: str) -> By:
    """Who acts here."""
    return propose.acting(session, name, origin())


def opened() -> Store:
    """The store, where the server's policy file holds."""
    policy_file.use(settings().policy_file)
    return open_store(settings())


def act(who: str) -> tuple[Store, str]:
    """The store, once somebody has shown who he is; and how."""
    store = opened()
    return store, prove(store, settings(), who)


def say_state(proposal: Proposal, session: Session) -> None:
    """A sentence on how a proposal stands."""
    number, state = proposal.number, proposal.state
    impact = json.loads(proposal.impact)
    if state == "applied":
        way = {
            "approved": "",
            "alone": ", and marked unreviewed: there is nobody else who could approve it there",
        }
        mark = way.get(proposal.way or "", ", and waits for a review by somebody else")
        say(f"Proposal {number} is applied{mark}.")
    elif state == "stale":
        say(f"Proposal {number} is stale: {proposal.decided_why}")
    else:
        flips = f"{impact['flipped']} of {impact['tried']} {impact['what']} would be decided otherwise"
        say(f"Proposal {number} is {state}: {flips}, {impact['not_tried']} were not tried.")
        if state == "open" and (why := stuck(session, proposal)) is not None:
            say(why)


def document_of(path: Path) -> Any:
    """The document in a file: JSON, or TOML by its name; UsageError."""
    try:
        data = given.read(path, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise UsageError(f"The file {path} is larger than {MAX_BYTES} bytes.", "Split or shorten it.")
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"The file {path} cannot be read: {error}.", "Check the path.") from error
    try:
        return toml.loads(text) if path.suffix == ".toml" else json.loads(text)
    except (toml.TomlError, ValueError, RecursionError) as error:
        raise UsageError(f"The file {path} is neither JSON nor TOML: {error}.", "Correct it.") from error


def moment(text: str | None) -> int | None:
    """A time as ms since the epoch; UsageError."""
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text[:60]!r} is no time.", "Write 2027-03-31 or 2027-03-31T08:00.") from None
    return int((read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp() * 1000)


def shown(found: dict[str, Any]) -> list[str]:
    """All of a proposal, for people."""
    lines = [
        f"Proposal {found['number']} ({found['kind']}, {found['place']}): {found['subject']}",
        f"  {_standing(found)}",
        f"  by {found['author']}, {shown_time(found['created'])}: {found['reason']}",
    ]
    lines += [f"  {found['stuck']}"] if found["stuck"] else []
    lines += [f"  edited by {e['editor']} (version {e['version']})" for e in found["edits"][1:]]
    for one in found["given"]:
        counts = "" if one["counts"] else f" (counts no more: {one['dropped_why'] or 'an earlier version'})"
        lines.append(f"  approved by {one['approver']}, {shown_time(one['time'])}{counts}")
    if found["emergency"]:
        lines.append(
            f"  the glass was broken by {found['decided_by']}: {found['emergency']}: {found['emergency_text']}"
        )
    if found["reviewed"]:
        lines.append(f"  reviewed by {found['reviewer']}, {shown_time(found['reviewed'])}: {found['review']}")
    lines += [
        "",
        *_impact(found["impact"]),
        "",
        f"Changes:\n{found['diff']}",
        "",
        f"version {found['version']}, content {found['content_hash']}",
    ]
    return [harmless(line) for line in lines]


def _standing(found: dict[str, Any]) -> str:
    state = f"{found['state']}, {found['approvals']} of {found['needed']} approvals"
    if found["state"] in ("open", "approved"):
        state += f", until {shown_time(found['expires'])}"
        if found["apply_at"]:
            state += f", to be applied {shown_time(found['apply_at'])}"
    elif found["decided_by"]:
        state += f", {shown_time(found['decided'])} by {found['decided_by']}"
        state += f": {found['decided_why']}" if found["decided_why"] else ""
    return state + (", unreviewed" if found["unreviewed"] else "")


def _impact(impact: dict[str, Any]) -> list[str]:
    tried = f"{impact['tried']} of {impact['total']} {impact['what']} tried, {impact['not_tried']} not"
    lines = [f"Impact: {tried}; {impact['flipped']} would be decided otherwise."]
    for flip in impact["flips"][:50]:
        request = f", merge request {flip['merge_request']}" if flip["merge_request"] else ""
        lines.append(
            f"  {flip['was']} -> {flip['now']}  {flip['target']} ({flip['project']}{request}) {flip['scan']}"
        )
    if impact["flipped"] > 50:
        lines.append(f"  and {impact['flipped'] - 50} more")
    return lines + [f"  {effect}" for effect in impact["effects"]]
