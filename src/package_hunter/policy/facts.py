"""What a policy looks at of a finding: small enough to be stored beside each occurrence, enough to judge again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from package_hunter.model.finding import Finding
from package_hunter.model.scan import Package, Verdict
from package_hunter.model.text import shortened

_MAX_VALUES = 200  # paths or hosts of one finding; evidence has 20 pieces
_MAX_VALUE = 500  # characters
_PATHS = ("path", "place", "fs.path.name", "fd.name", "evt.arg.path", "evt.arg.name", "evt.arg.filename")
_HOSTS = ("destination", "name", "url")


@dataclass(frozen=True, slots=True)
class Facts:
    """``package`` is a purl with its version, "" where none is blamed; ``direct`` None where that is not known;
    ``days`` how long ago it was first seen in its project."""

    fingerprint: str
    kind: str
    severity: str
    proof: bool
    package: str = ""
    phase: str = ""
    confidence: str = ""
    direct: bool | None = None
    rules: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    days: int = 0

    @classmethod
    def of(cls, finding: Finding, packages: Mapping[str, Package] | None = None, days: int = 0) -> Facts:
        """Of a finding; ``packages`` are the scan's by purl."""
        blame = finding.blame
        purl = (blame.package if blame else None) or ""
        package = (packages or {}).get(purl)
        return cls(
            fingerprint=finding.fingerprint,
            kind=finding.kind,
            severity=finding.severity,
            proof=finding.proof,
            package=purl,
            phase=blame.phase if blame else "",
            confidence=blame.confidence if blame else "",
            direct=None if package is None else package.direct,
            rules=tuple(sorted({str(e.data["rule"]) for e in finding.evidence if e.data.get("rule")})),
            paths=_cut(_values(finding, _PATHS)),
            hosts=_cut(iter(_hosts(finding))),
            days=days,
        )

    @property
    def ecosystem(self) -> str:
        """The purl's type, "" where there is none."""
        return self.package.removeprefix("pkg:").partition("/")[0]

    @property
    def counts(self) -> bool:
        """Whether it can decide anything at all."""
        return self.severity != "info"

    @property
    def verdict(self) -> Verdict:
        """What it alone makes of a scan that saw all."""
        if self.proof:
            return Verdict.MALICIOUS
        return Verdict.SUSPICIOUS if self.counts else Verdict.NO_FINDINGS


def _cut(values: Iterator[str]) -> tuple[str, ...]:
    """Distinct values. One that is shortened ends in a mark, so that no pattern takes it for what it was."""
    distinct = dict.fromkeys(values)
    kept = [shortened(value, _MAX_VALUE) for value in distinct]
    if len(kept) > _MAX_VALUES:
        kept = [*kept[:_MAX_VALUES], f"and {len(kept) - _MAX_VALUES} more"]  # "all of it fits" must not hold
    return tuple(kept)


def _values(finding: Finding, keys: tuple[str, ...]) -> Iterator[str]:
    for evidence in finding.evidence:
        for data in (evidence.data, evidence.data.get("fields", {})):
            if isinstance(data, Mapping):
                yield from (str(data[k]) for k in keys if isinstance(data.get(k), str))


def _hosts(finding: Finding) -> list[str]:
    named = [v.rpartition("://")[2].partition("/")[0].partition(":")[0] for v in _values(finding, _HOSTS)]
    return named or [w.strip(",.()") for w in finding.title.split() if "." in w.strip(",.()")]
