"""The values of what is told of a scan beside its report, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from package_hunter.api.schemas import ScanInfo


class StepInfo(BaseModel):
    """Something that a worker said of a scan."""

    seq: int = Field(description="It counts from 1, over all attempts.")
    at: datetime
    kind: str = Field(description="`step`, or what else the worker calls it.")
    text: str


class StepList(BaseModel):
    """What was said of a scan, in order."""

    items: list[StepInfo]


class Earlier(BaseModel):
    """The scan of the version before."""

    scan: ScanInfo | None = Field(description="Null: there is none.")


class FoundInfo(BaseModel):
    """A finding of one of two scans."""

    fingerprint: str
    kind: str
    severity: str
    proof: bool
    title: str
    package: str | None = Field(description="Who is blamed.")


class Sides(BaseModel):
    """What is in one of two scans alone."""

    new: list[str] = Field(description="In this one and not in the older.")
    gone: list[str] = Field(description="In the older and not in this one.")
    more: int = Field(description="So many more are left out of both lists.")


class PackageChange(BaseModel):
    """A package that is there in another version, or in one scan alone."""

    package: str = Field(description="A purl without version.")
    old: str | None
    new: str | None


class Comparison(BaseModel):
    """What one scan shows and another does not."""

    old: ScanInfo
    new: ScanInfo
    new_findings: list[FoundInfo]
    gone_findings: list[FoundInfo]
    more_findings: int = Field(description="So many more are left out.")
    hosts: Sides = Field(description="Names or addresses that were contacted.")
    programs: Sides
    files: Sides = Field(description="Files that were written or deleted.")
    packages: list[PackageChange]
    more_packages: int = Field(description="So many more are left out.")
    is_empty: bool = Field(description="Nothing is new. That is no proof that there is nothing.")
