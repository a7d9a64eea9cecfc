"""`package-hunter findings waive`, `policy propose`: changes that somebody else approves."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Annotated

import typer

from package_hunter.access.view import EVERYTHING
from package_hunter.cli.places import place_at
from package_hunter.cli.proposing import ApplyAt, At, Change, Why, propose_change
from package_hunter.cli.proving import AsWhom
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.governance.document import from_toml
from package_hunter.policy.load import read_text
from package_hunter.store.members import Place
from package_hunter.store.places import MissingError
from package_hunter.triage import listing
from package_hunter.triage.chain import Chains, scope_name
from package_hunter.triage.values import Reason


def waive(
    finding: Annotated[str, typer.Argument(help="The finding's id (findings list shows it).")],
    who: AsWhom,
    why: Why,
    reason: Annotated[Reason, typer.Option("--reason", help="What kind of reason.", show_default=False)],
    until: Annotated[
        str | None, typer.Option("--until", help="Its last day: 2027-03-31; unset: a false positive.")
    ] = None,
    scope: Annotated[
        str, typer.Option("--for", help="A group's path, or all; unset: the finding's project.")
    ] = "",
) -> None:
    """Propose that a finding counts no more, though it is proof or a rule decides it."""
    with open_store(settings()).read() as session:
        row = listing.get(session, EVERYTHING, _id(finding))
        if row is None:
            raise MissingError(f"There is no finding {finding[:64]!r}.", "See package-hunter findings list.")
        place = Chains(session).of(row.project_id)[-1]
        mark = row.fingerprint
        at = scope_name(place).partition(":")[2] if not scope else "" if scope == "all" else scope
    document = {"fingerprint": mark, "reason": reason.value, "remark": why, "until": until}
    document["state"] = "false_positive" if until is None else "accepted"
    propose_change(Change("waiver", at, document, who, why))


def _id(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise MissingError(f"{text[:64]!r} is no id.", "See package-hunter findings list.") from None


def propose_policy(
    file: Annotated[Path, typer.Argument(help="The policy file (TOML).")],
    who: AsWhom,
    why: Why,
    at: At = "",
    apply_at: ApplyAt = None,
) -> None:
    """Propose a policy for a scope: it holds once somebody else has approved it."""
    text = read_text(file)
    with open_store(settings()).read() as session:
        narrow = place_at(session, at) != Place()
    document = from_toml(text, str(file), narrow=narrow)
    propose_change(Change("policy", at, document, who, why, apply_at))
