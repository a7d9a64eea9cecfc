"""The values of the inventory, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from package_hunter.store.inventory_tables import MAX_COMMIT

Commit = Annotated[
    str,
    Field(
        max_length=MAX_COMMIT,
        description="A commit's whole name (40 or 64 hex digits).",
        examples=["8f2c3a5d9e1b47c60f8a2d3e4c5b6a7980f1e2d3"],
    ),
]
FileVerdict = Literal[
    "malicious", "suspicious", "no_findings", "judged_by_sibling", "inconclusive", "unknown"
]


class HasInfo(BaseModel):
    """A project that holds it, as it was seen last."""

    project: str = Field(description="Its path.")
    what: str = Field(description="The package's purl; or the fingerprint or host.")
    since: datetime
    last: datetime
    source: Literal["scan", "lock", "sbom"] = Field(description="What says so, the newest that does.")
    owner: str = Field(description="The account that submitted that.")
    scan: str | None
    commit: str | None
    direct: bool = Field(description="Whether the project itself asks for it.")
    wanted_by: str | None = Field(
        description="Who asks for it else; of a host or finding: the package blamed."
    )
    path: str | None = Field(description="Its folder in the box.")
    certain: bool = Field(description="False: a lock file allows this file among others.")


class HasList(BaseModel):
    """Who has it: by project, those that the account can see."""

    projects: int = Field(description="How many projects that is.")
    items: list[HasInfo]


class FileInfo(BaseModel):
    """A file of a release. `no_findings` never means: harmless."""

    version: str
    digest: str = Field(description="`sha256:HEX` or the like; empty: no digest of it is known.")
    name: str = Field(description="The file's name, where it is known.")
    verdict: FileVerdict = Field(
        description="`judged_by_sibling`: not run here; another file of the release with the same code was."
    )
    because: list[str]
    scans: list[str] = Field(description="Those that held it and that the account can see.")
    sibling: str | None = Field(description="The digest of the file that was judged in its place.")
    native: list[str] = Field(description="Members (machine code) of which nothing is known then.")


class FileList(BaseModel):
    """The files of a release, or of all releases where the purl has no version."""

    purl: str
    items: list[FileInfo]


class BehaviourInfo(BaseModel):
    """What a package did."""

    fingerprint: str = Field(description="It survives versions.")
    kind: str
    title: str
    severity: str
    proof: bool
    last: datetime = Field(description="When it was seen last.")
    versions: list[str] = Field(description="Versions that showed it; empty text: not known which.")
    projects: list[str] = Field(description="Ids of the projects in which it is a finding.")


class BehaviourList(BaseModel):
    """What the versions of a package did, gravest first."""

    purl: str = Field(description="Without version.")
    items: list[BehaviourInfo]


class SbomTaken(BaseModel):
    """An SBOM that was stored."""

    id: str
    components: int = Field(description="Those with a purl: they are in the inventory now.")
    without_purl: int = Field(description="Those that the inventory cannot name.")
