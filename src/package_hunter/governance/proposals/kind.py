"""The port that each kind of change has one file for."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy.orm import Session

from package_hunter.access.actor import Actor
from package_hunter.config import Settings
from package_hunter.store.members import Place

MAX_FLIPS = 1_000


@dataclass(frozen=True, slots=True)
class Budget:
    """How much an impact may cost: ``seconds`` of looking (wall clock). What does not fit is counted as not tried.
    ``recordings``: the settings by which kept recordings are found; None: none is kept."""

    seconds: float
    recordings: Settings | None = None

    def end(self) -> float:
        """The moment (of time.monotonic) at which no more is tried."""
        return time.monotonic() + self.seconds


@dataclass(frozen=True, slots=True)
class Act:
    """The applying of a proposal: which one, by whom, why; ``reviewed``: somebody else approved it."""

    number: int
    by: Actor
    why: str
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Flip:
    """A scan that would be decided otherwise."""

    scan: str
    target: str
    project: str
    was: str
    now: str
    merge_request: str | None = None


@dataclass(frozen=True, slots=True)
class Impact:
    """What a change would do to what was scanned. ``what``: what was tried (``scans``, ``recordings``); ``total``: how
    many there are, ``tried`` of them within the budget. ``effects`` are sentences on what no scan shows."""

    what: str
    total: int
    tried: int
    flips: tuple[Flip, ...] = ()
    effects: tuple[str, ...] = ()

    @property
    def not_tried(self) -> int:
        """How many are left out."""
        return self.total - self.tried

    def as_json(self) -> dict[str, Any]:
        """As it is stored; ``flips`` up to a limit, ``flipped`` is their number."""
        shown = [asdict(flip) for flip in self.flips[:MAX_FLIPS]]
        numbers = {"total": self.total, "tried": self.tried, "not_tried": self.not_tried}
        return {
            "what": self.what,
            **numbers,
            "flipped": len(self.flips),
            "flips": shown,
            "effects": list(self.effects),
        }


@dataclass(frozen=True, slots=True)
class Wanted:
    """A change that somebody wants, read and checked: ``document`` in the kind's own form, ``subject`` for people."""

    document: Any
    subject: str


class ChangeKind(Protocol):
    """A kind of change that needs two people. Each function works in the caller's transaction and looks at nothing
    but the store."""

    name: str
    what: str  # for people: "the policy"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """The document, checked; UsageError says what is wrong, also where it would lock everybody out."""

    def base(self, session: Session, place: Place, wanted: Wanted) -> Any:
        """What is in force now where the change would be, None where nothing is."""

    def impact(self, session: Session, place: Place, wanted: Wanted, budget: Budget) -> Impact:
        """What it would do."""

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """Put it in force, with its entry in the history."""
