"""What is attested: an in-toto Statement (v1) with a predicate of our own (docs/bundle.md describes each key).

Format: https://github.com/in-toto/attestation/tree/main/spec/v1 (Statement, ResourceDescriptor).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from package_hunter.bundle.errors import BadBundleError
from package_hunter.model.scan import Decision, Verdict

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:package-hunter:attestation:scan:1"
_HEX = r"^[0-9a-f]{64}$"
_MAX_FILES = 500


class _Form(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True, populate_by_name=True)


class Described(_Form):
    """An in-toto ResourceDescriptor: a thing and its digests (hex, by algorithm)."""

    name: str = Field(max_length=4_096)
    digest: dict[str, str] = Field(min_length=1, max_length=8)
    annotations: dict[str, str] = Field(default_factory=dict, max_length=8)


class InBundle(_Form):
    """A file of the bundle: its name there, its SHA-256."""

    name: str = Field(max_length=100)
    digest: dict[Literal["sha256"], str] = Field(min_length=1)
    annotations: dict[str, str] = Field(default_factory=dict, max_length=8)

    @property
    def sha256(self) -> str:
        """Hex."""
        return self.digest["sha256"]


class Predicate(_Form):
    """What the scan came to, and of what. ``day``: on which the policy was asked (UTC)."""

    scan: dict[str, str] = Field(max_length=8)
    program: dict[str, str] = Field(max_length=8)
    verdict: Verdict = Field(strict=False)
    decision: Decision = Field(strict=False)
    day: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")
    report: InBundle
    policy: InBundle
    rules: list[InBundle] = Field(max_length=_MAX_FILES)
    recordings: list[InBundle] = Field(max_length=_MAX_FILES)
    image: Described | None = None

    def files(self) -> Sequence[InBundle]:
        """All files that the bundle holds beside the attestation and the key."""
        return (self.report, self.policy, *self.rules, *self.recordings)


class Statement(_Form):
    """See above."""

    type: Literal["https://in-toto.io/Statement/v1"] = Field(alias="_type")
    subject: list[Described] = Field(min_length=1, max_length=1_000)
    predicate_type: Literal["urn:package-hunter:attestation:scan:1"] = Field(alias="predicateType")
    predicate: Predicate


def described(name: str, sha256: str, annotations: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A ResourceDescriptor as JSON."""
    made: dict[str, Any] = {"name": name, "digest": {"sha256": sha256}}
    return made | ({"annotations": dict(annotations)} if annotations else {})


def written(subject: Sequence[Mapping[str, Any]], predicate: Mapping[str, Any]) -> bytes:
    """The statement as it is signed."""
    made = {
        "_type": STATEMENT,
        "subject": list(subject),
        "predicateType": PREDICATE,
        "predicate": dict(predicate),
    }
    return json.dumps(made, separators=(",", ":"), sort_keys=True).encode()


def read(payload: bytes) -> Statement:
    """What a signed statement says; BadBundleError where it is none of ours."""
    try:
        return Statement.model_validate_json(payload)
    except (ValidationError, RecursionError) as error:
        if isinstance(error, ValidationError):
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "the whole"
            said = f"{where[:200]}: {first['msg'][:200]}"
        else:
            said = "it is nested too deep"
        raise BadBundleError(
            f"What is signed is no statement about a scan that this version knows ({said}).",
            "Verify it with the version that made it.",
        ) from None


def unknown_keys(payload: bytes) -> tuple[str, ...]:
    """Keys of a statement that `read` read, which this version does not know: another may have added them."""
    data = json.loads(payload)
    there = [key for key in data if key not in ("_type", "subject", "predicateType", "predicate")]
    return (*there, *(f"predicate.{key}" for key in data["predicate"] if key not in Predicate.model_fields))
