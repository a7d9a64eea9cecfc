"""A policy of a place: a document as `governance.document` has it (docs/verdicts.md), null to have none there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.governance import policies
from package_hunter.governance.document import Document
from package_hunter.governance.proposals.impact import rejudged, stored_scans
from package_hunter.governance.proposals.kind import Act, Budget, Impact, Wanted
from package_hunter.model.scan import Decision, Verdict
from package_hunter.policy.model import Policy
from package_hunter.store.canonical import canonical
from package_hunter.store.members import Place
from package_hunter.triage.chain import scope_name
from package_hunter.triage.results import Standing, judge
from package_hunter.triage.values import Grant


class PolicyKind:
    """See `ChangeKind`."""

    name = "policy"
    what = "the policy"

    def read(self, session: Session, place: Place, document: Any) -> Wanted:
        """Refused where nothing could pass any more, whatever is found or not."""
        if document is None:
            return Wanted(None, f"no policy of its own for {scope_name(place)}")
        if not isinstance(document, Mapping):
            raise UsageError("A policy is an object.", "See docs/verdicts.md.")
        made = json.loads(canonical(document))
        _require_a_way(policies.check_new(place, made))
        return Wanted(made, f"the policy of {scope_name(place)}")

    def base(self, session: Session, place: Place, _wanted: Wanted) -> Any:
        """That of the place itself, as it stands."""
        return policies.current(session, place).document

    def impact(self, session: Session, place: Place, wanted: Wanted, budget: Budget) -> Impact:
        """All stored scans of the place, judged by it."""
        return with_policy(session, place, wanted.document, budget)

    def apply(self, session: Session, place: Place, wanted: Wanted, act: Act) -> None:
        """See `governance.policies.put`."""
        policies.put(session, act.by, place, wanted.document, act.why, granted(act))


def with_policy(session: Session, place: Place, document: Document | None, budget: Budget) -> Impact:
    """What a policy's document would do in a place."""
    then = Standing(session, instead={place.key: document})
    return rejudged(session, stored_scans(session, place), lambda scan: judge(then, scan), budget)


def granted(act: Act) -> Grant | None:
    """The right of a reviewed proposal; None: what is put is marked as unreviewed."""
    return Grant(str(act.number)) if act.reviewed else None


def _require_a_way(policy: Policy) -> None:
    if dict(policy.by_verdict).get(Verdict.NO_FINDINGS) is Decision.BLOCK:
        raise UsageError(
            "This policy blocks scans without any finding: nothing could pass any more, and no waiver could help.",
            "Let no_findings be pass or review.",
        )
