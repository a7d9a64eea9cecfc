"""Which commit a scan is of, and how that is known. What the service did not fetch itself, and no pinned pipeline
vouches for, is but claimed: it is kept and shown, and counts for nothing."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy.orm import Session

from package_hunter.access.job import JobClaims
from package_hunter.errors import UsageError
from package_hunter.governance import requirements
from package_hunter.inventory.intake import check_commit
from package_hunter.policy.layers import Effective
from package_hunter.policy.model import Pipeline
from package_hunter.store.access_tables import Project
from package_hunter.store.database import now_ms
from package_hunter.store.gate_tables import Repository, ScanOrigin
from package_hunter.store.inventory_tables import MAX_REF
from package_hunter.store.models import Scan

_NOT_IN_REFS = frozenset(" ~^:?*[\\")  # git-check-ref-format(1)
_NUMBER = re.compile(r"[0-9]{1,18}")
_MAX_OWNERS = 20


class Known(StrEnum):
    """How it is known which tree was scanned."""

    FETCHED = "fetched"
    PINNED = "pinned"
    CLAIMED = "claimed"

    @property
    def counts(self) -> bool:
        """Whether the gate believes it."""
        return self is not Known.CLAIMED


@dataclass(frozen=True, slots=True)
class Origin:
    """What a scan is said to be of: commit (its whole name), ref, number of the merge request, commit that it is to be
    merged into."""

    commit: str
    ref: str | None = None
    merge_request: str | None = None
    base: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """How it is known: a sentence, and what the forge said."""

    known: Known
    says: str
    claims: JobClaims | None = None


def check(commit: str, ref: str | None, merge_request: str | None, base: str | None) -> Origin:
    """What somebody says of a scan, in the one form; UsageError."""
    if ref is not None and not _is_ref(ref):
        raise UsageError("This is no ref.", "It looks like refs/heads/main, or main.")
    if merge_request is not None and not _NUMBER.fullmatch(merge_request):
        raise UsageError("This is no number of a merge request.", "Give the number alone.")
    return Origin(check_commit(commit), ref, merge_request, None if base is None else check_commit(base))


def _is_ref(text: str) -> bool:
    odd = not text.isprintable() or _NOT_IN_REFS & set(text) or ".." in text or text.startswith("-")
    return 0 < len(text) <= MAX_REF and not odd


def witness(
    session: Session, project: Project, origin: Origin, effective: Effective, claims: JobClaims | None
) -> Witness:
    """How the tree of a submission is known: pinned, where the job's token says so, else claimed and why."""
    if claims is None:
        return Witness(
            Known.CLAIMED, "No job's token says so: whoever submitted it says that it is of this commit."
        )
    why_not = _why_not(session, project, origin, claims) or _not_pinned(project, effective, claims)
    if why_not is not None:
        return Witness(Known.CLAIMED, why_not, claims)
    return Witness(Known.PINNED, f"The job was defined by {claims.pipeline_definition}.", claims)


def _why_not(session: Session, project: Project, origin: Origin, claims: JobClaims) -> str | None:
    if claims.commit is None or claims.commit.lower() != origin.commit:
        return f"The job's token is of another commit ({claims.commit or 'none'})."
    bound = session.get(Repository, project.id)
    if bound is not None and bound.external is not None and not _same(bound.external, claims.project):
        return f"The job is one of {claims.project}, and this project's repository is {bound.external}."
    return None


def _same(external: str, project: str) -> bool:
    """GitLab's numbers cannot be compared with a path: the project that a rule let the job in by is believed then."""
    return external.isdigit() or external.lower() == project.lower()


def _not_pinned(project: Project, effective: Effective, claims: JobClaims) -> str | None:
    """Each scope that names pipelines must name this one: what is narrower makes nothing milder."""
    named = [_pinned_for(project, layer.policy.pipelines) for layer in effective.layers]
    asked = [pipelines for pipelines in named if pipelines]
    if not asked:
        return "No policy names a pipeline whose jobs count here ([[pipeline]])."
    if all(any(_is(claims, one) for one in pipelines) for pipelines in asked):
        return None
    by = claims.pipeline_definition or "nothing that its token names"
    return f"The job was defined by {by}, not by security's pipeline."


def _pinned_for(project: Project, pipelines: tuple[Pipeline, ...]) -> list[Pipeline]:
    return [pipeline for pipeline in pipelines if requirements.applies(pipeline.projects, project.path)]


def _is(claims: JobClaims, pipeline: Pipeline) -> bool:
    at = (claims.definition_commit or "").lower()
    return (
        claims.issuer.rstrip("/") == pipeline.issuer
        and claims.pipeline_definition == pipeline.definition
        and pipeline.commit in ("", at)
    )


def note(session: Session, scan: Scan, origin: Origin, how: Witness, gaps: str | None = None) -> ScanOrigin:
    """Keep it, in the transaction that stores the scan."""
    row = ScanOrigin(
        scan_id=scan.id,
        project_id=scan.project_id,
        commit=origin.commit,
        ref=origin.ref,
        merge_request=origin.merge_request,
        base=origin.base,
        known=how.known.value,
        witness=json.dumps(_said(how), sort_keys=True),
        gaps=gaps,
        created=now_ms(),
    )
    session.add(row)
    session.flush()
    return row


def _said(how: Witness) -> dict[str, object]:
    claims = how.claims
    if claims is None:
        return {"says": how.says}
    return {
        "says": how.says,
        "issuer": claims.issuer[:MAX_REF],
        "project": claims.project[:MAX_REF],
        "commit": claims.commit,
        "definition": claims.pipeline_definition,
        "definition_commit": claims.definition_commit,
        "owners": [owner[:MAX_REF] for owner in claims.owners[:_MAX_OWNERS]],
    }


def says(row: ScanOrigin) -> str:
    """The sentence of a row."""
    try:
        return str(json.loads(row.witness or "{}").get("says", ""))
    except ValueError:
        return ""
