"""Whether a finding is one that a waiver or a rule means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from packageurl import PackageURL
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from package_hunter.model.finding import Finding
from package_hunter.model.scales import severity_rank
from package_hunter.model.scan import Package
from package_hunter.policy.model import Match


def _purl(finding: Finding) -> PackageURL | None:
    if finding.blame is None or finding.blame.package is None:
        return None
    try:
        return PackageURL.from_string(finding.blame.package)
    except ValueError:
        return None


def _package_fits(match: Match, finding: Finding) -> bool:
    if not match.package and not match.versions:
        return True
    purl = _purl(finding)
    if purl is None:
        return False
    bare = PackageURL(purl.type, purl.namespace, purl.name).to_string()
    if match.package and not fnmatchcase(bare.replace("%40", "@"), match.package.replace("%40", "@")):
        return False
    return not match.versions or _in_range(purl.version or "", match.versions)


def _in_range(version: str, wanted: str) -> bool:
    try:
        return Version(version) in SpecifierSet(wanted, prereleases=True)
    except ValueError:  # invalid, or a number of more digits than Python reads
        return version in [w.strip().removeprefix("==") for w in wanted.split(",")]


def _values(finding: Finding, keys: tuple[str, ...]) -> Iterator[str]:
    for evidence in finding.evidence:
        for data in (evidence.data, evidence.data.get("fields", {})):
            if isinstance(data, Mapping):
                yield from (str(data[k]) for k in keys if isinstance(data.get(k), str))


_PATHS = ("path", "place", "fs.path.name", "fd.name", "evt.arg.path", "evt.arg.name", "evt.arg.filename")
_HOSTS = ("destination", "name", "url")


def _all_fit(pattern: str, values: list[str]) -> bool:
    """A waiver by path or host covers a finding only where it covers all of its evidence."""
    return bool(values) and all(fnmatchcase(v, pattern) for v in values)


def _hosts(finding: Finding) -> list[str]:
    named = [v.rpartition("://")[2].partition("/")[0].partition(":")[0] for v in _values(finding, _HOSTS)]
    return named or [w.strip(",.()") for w in finding.title.split() if "." in w.strip(",.()")]


def fits(match: Match, finding: Finding, packages: Mapping[str, Package] | None = None) -> bool:
    """Whether every field that is set fits."""
    blame = finding.blame
    rules = {str(e.data.get("rule")) for e in finding.evidence if e.data.get("rule")}
    package = (packages or {}).get(blame.package or "") if blame else None
    ecosystem = (blame.package or "").removeprefix("pkg:").partition("/")[0] if blame else ""
    return (
        (not match.fingerprint or match.fingerprint == finding.fingerprint)
        and (not match.kind or fnmatchcase(finding.kind, match.kind))
        and (not match.rule or rules == {match.rule})
        and (not match.severity or severity_rank(finding.severity) >= severity_rank(match.severity))
        and (not match.ecosystem or ecosystem == match.ecosystem)
        and (not match.phase or (blame is not None and blame.phase == match.phase))
        and (match.direct is None or (package is not None and package.direct == match.direct))
        and (not match.path or _all_fit(match.path, list(_values(finding, _PATHS))))
        and (not match.destination or _all_fit(match.destination, _hosts(finding)))
        and _package_fits(match, finding)
    )
