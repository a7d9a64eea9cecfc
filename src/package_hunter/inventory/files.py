"""Files of a release whose members were read, in the store."""

from __future__ import annotations

import json
import uuid
from pathlib import Path

from sqlalchemy.orm import Session

from package_hunter.errors import UsageError
from package_hunter.inventory.members import members_of
from package_hunter.inventory.names import Name, name_of
from package_hunter.inventory.siblings import Members
from package_hunter.store.database import now_ms
from package_hunter.store.inventory_tables import ReleaseFile


def read(path: Path, purl: str) -> tuple[Name, str, Members]:
    """The release that the purl names, the file's digest, and its members; UsageError, BadArchiveError."""
    name = name_of(purl)
    if not name.version:
        raise UsageError(
            "The purl has no version.", "Say of which release the file is: pkg:pypi/numpy@2.1.0."
        )
    return name, *members_of(path, name.version)


def keep(session: Session, project: uuid.UUID, name: Name, digest: str, members: Members) -> None:
    """Store them, as known to the project."""
    row = ReleaseFile(
        digest=digest,
        project_id=project,
        base=name.base,
        version=name.version,
        name=members.name[:255],
        runs_here=members.runs_here,
        members=json.dumps(dict(members.members)),
        native=json.dumps(sorted(members.native)),
        created=now_ms(),
    )
    session.merge(row)
    session.flush()
