"""Proposals are made and edited. What costs time (the impact) is worked out before anything is locked."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.access.permissions import Permission
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people, telling
from package_hunter.governance.proposals.diff import diff
from package_hunter.governance.proposals.errors import ForbiddenError
from package_hunter.governance.proposals.kind import Budget, ChangeKind, Impact, Wanted
from package_hunter.governance.proposals.kinds import KINDS
from package_hunter.governance.proposals.life import locked, require_open
from package_hunter.governance.proposals.settings import DAY_MS, effective
from package_hunter.store.access_tables import Account
from package_hunter.store.canonical import canonical, content_hash, parsed
from package_hunter.store.database import now_ms
from package_hunter.store.history import MAX_WHY
from package_hunter.store.members import Place, access_of
from package_hunter.store.proposal_tables import Proposal, ProposalEdit


@dataclass(frozen=True, slots=True)
class By:
    """Who acts: the account, and from where. ``at``: ms since the epoch."""

    account: Account
    origin: str
    at: int

    @property
    def actor(self) -> Actor:
        """As the history has it."""
        return Actor(self.account.name, self.origin)


def acting(session: Session, name: str, origin: str, at: int | None = None) -> By:
    """The live account of this name as who acts; MissingError. ForbiddenError: a CI job, which has none."""
    if name.startswith("job:"):
        raise _nobody(name)
    return By(people.account(session, name), origin, now_ms() if at is None else at)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A change, read and looked at: what it is to be, what is in force, what differs, what it would do."""

    kind: ChangeKind
    place: Place
    wanted: Wanted
    text: str
    base_hash: str
    diff: str
    impact: Impact

    @property
    def content_hash(self) -> str:
        """Of the document: what is approved, and applied."""
        return content_hash(self.text)


@dataclass(frozen=True, slots=True)
class Asked:
    """What goes with a change: why, and from when on it is to hold (ms since the epoch; None: at once).
    ``keep_time``: an edit leaves that as it was."""

    reason: str
    apply_at: int | None = None
    keep_time: bool = False


def prepare(session: Session, kind_name: str, place: Place, document: object, budget: Budget) -> Prepared:
    """Read a change and work out what it would do; writes nothing. UsageError: what is wrong with it."""
    kind = KINDS.get(kind_name)
    if kind is None:
        raise UsageError(f"There is no kind of change {kind_name[:40]!r}.", f"Kinds: {', '.join(KINDS)}.")
    wanted = kind.read(session, place, document)
    base = kind.base(session, place, wanted)
    text, in_force = canonical(wanted.document), canonical(base)
    if text == in_force:
        raise UsageError("That is in force already: the proposal would change nothing.", "Change something.")
    impact = kind.impact(session, place, wanted, budget)
    shown = diff(base, wanted.document)
    return Prepared(kind, place, wanted, text, content_hash(in_force), shown, impact)


def create(session: Session, by: By, prepared: Prepared, asked: Asked) -> Proposal:
    """Store a proposal; where nobody else could look at it, apply it (unreviewed). ForbiddenError, UsageError."""
    _require(session, by, prepared.place)
    settings = effective(session, prepared.place)
    where = prepared.place
    made = Proposal(
        kind=prepared.kind.name,
        place=where.key,
        group_id=None if where.group is None else where.group.id,
        project_id=None if where.project is None else where.project.id,
        author_id=by.account.id,
        author=by.account.name,
        needed=settings.needed(prepared.kind.name),
        state="open",
        version=1,
        created=by.at,
        expires=by.at + settings.days * DAY_MS,
    )
    _fill(made, prepared, _checked(asked, by.at, made.expires))
    session.add(made)
    session.flush()
    _note_edit(session, by, made)
    _tell_history(session, by, made, "proposal.add", None)
    return made


def edit(session: Session, by: By, number: int, prepared: Prepared, asked: Asked) -> Proposal:
    """Change what a proposal says: its approvals are dropped, and who edits it cannot approve it any more."""
    proposal = locked(session, number)
    _require(session, by, prepared.place)
    require_open(proposal, by.at)
    if (proposal.kind, proposal.place) != (prepared.kind.name, prepared.place.key):
        raise UsageError("An edit changes neither kind nor place.", "Withdraw it, and propose the other.")
    before = proposal.content_hash
    when = proposal.apply_at if asked.keep_time else asked.apply_at
    checked = _checked(Asked(asked.reason, when), by.at, proposal.expires)
    next_version = proposal.version + 1
    row = ProposalEdit(
        proposal=number,
        version=next_version,
        account_id=by.account.id,
        editor=by.account.name,
        created=by.at,
        document=prepared.text,
        content_hash=prepared.content_hash,
    )
    session.add(row)
    session.flush()  # the database takes a changed proposal only after its edit
    _fill(proposal, prepared, checked)
    proposal.version, proposal.state = next_version, "open"
    proposal.needed = max(proposal.needed, effective(session, prepared.place).needed(proposal.kind))
    session.flush()
    _tell_history(session, by, proposal, "proposal.edit", before)
    return proposal


def _require(session: Session, by: By, place: Place) -> None:
    if not people.is_somebody(session, by.account):
        raise _nobody(by.account.name)
    if not people.may_at(access_of(session, by.account.name), place, Permission.PROPOSAL_MAKE):
        raise ForbiddenError(
            f"{by.account.name!r} may not propose changes there ({place.name}).",
            f"It takes the permission {Permission.PROPOSAL_MAKE.value}.",
        )


def _nobody(name: str) -> ForbiddenError:
    return ForbiddenError(
        f"{name[:140]!r} is nobody's: only people, and tokens with an owner, make or edit proposals.",
        "Make a token that is yours, by package-hunter token add NAME --owner YOU, or propose it yourself.",
    )


def _checked(asked: Asked, now: int, expires: int) -> Asked:
    reason = asked.reason.strip()
    if not reason or len(reason) > MAX_WHY:
        raise UsageError(f"A proposal has a reason (at most {MAX_WHY} characters).", "Say why: --why TEXT.")
    if asked.apply_at is not None and asked.apply_at >= expires:
        raise UsageError("It would be expired before its time comes.", "Choose an earlier time to apply it.")
    return Asked(reason, None if asked.apply_at is not None and asked.apply_at <= now else asked.apply_at)


def _fill(proposal: Proposal, prepared: Prepared, asked: Asked) -> None:
    proposal.subject = prepared.wanted.subject[:512]
    proposal.reason, proposal.apply_at = asked.reason, asked.apply_at
    proposal.document, proposal.content_hash = prepared.text, prepared.content_hash
    proposal.base_hash, proposal.diff = prepared.base_hash, prepared.diff
    proposal.impact = json.dumps(prepared.impact.as_json(), separators=(",", ":"))


def _note_edit(session: Session, by: By, made: Proposal) -> None:
    row = ProposalEdit(proposal=made.number, version=1, account_id=by.account.id, editor=by.account.name)
    row.created, row.document, row.content_hash = by.at, made.document, made.content_hash
    session.add(row)
    session.flush()


def _tell_history(session: Session, by: By, proposal: Proposal, action: str, before: str | None) -> None:
    impact = parsed(proposal.impact)
    after = {
        "kind": proposal.kind,
        "subject": proposal.subject,
        "content": proposal.content_hash,
        "base": proposal.base_hash,
        "would_flip": impact["flipped"],
        "not_tried": impact["not_tried"],
    }
    was = None if before is None else {"content": before}
    telling.entry(session, by.actor, proposal, action, was, after, why=proposal.reason)
    telling.waits(session, proposal)
