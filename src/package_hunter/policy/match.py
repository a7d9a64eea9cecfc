"""Whether a finding is one that a waiver or a rule means."""

from __future__ import annotations

from fnmatch import fnmatchcase

from packageurl import PackageURL
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from package_hunter.model.scales import severity_rank
from package_hunter.policy.facts import Facts
from package_hunter.policy.model import CONFIDENCES, Match


def _purl(facts: Facts) -> tuple[str, str] | None:
    """The package without its version, and its version; None where it is no package URL (of a name with a lone
    surrogate, say)."""
    try:
        purl = PackageURL.from_string(facts.package)
        return PackageURL(purl.type, purl.namespace, purl.name).to_string(), purl.version or ""
    except ValueError:
        return None


def _package_fits(match: Match, facts: Facts) -> bool:
    if not match.package and not match.versions:
        return True
    purl = _purl(facts)
    if purl is None:
        return False
    bare, version = purl
    if match.package and not fnmatchcase(bare.replace("%40", "@"), match.package.replace("%40", "@")):
        return False
    return not match.versions or _in_range(version, match.versions)


def _in_range(version: str, wanted: str) -> bool:
    try:
        return Version(version) in SpecifierSet(wanted, prereleases=True)
    except ValueError:  # invalid, or a number of more digits than Python reads
        return version in [w.strip().removeprefix("==") for w in wanted.split(",")]


def _all_fit(pattern: str, values: tuple[str, ...]) -> bool:
    """A waiver by path or host covers a finding only where it covers all of its evidence."""
    return bool(values) and all(fnmatchcase(v, pattern) for v in values)


def _as_sure(wanted: str, confidence: str) -> bool:
    """Whether blame is as sure as that, or surer; where nobody is blamed it is not."""
    return confidence in CONFIDENCES and CONFIDENCES.index(confidence) >= CONFIDENCES.index(wanted)


def _age_fits(match: Match, days: int) -> bool:
    old_enough = match.older_than is None or days > match.older_than
    return old_enough and (match.newer_than is None or days < match.newer_than)


def fits(match: Match, facts: Facts) -> bool:
    """Whether every field that is set fits."""
    return (
        (not match.fingerprint or match.fingerprint == facts.fingerprint)
        and (not match.kind or fnmatchcase(facts.kind, match.kind))
        and (not match.rule or facts.rules == (match.rule,))
        and (not match.severity or severity_rank(facts.severity) >= severity_rank(match.severity))
        and (not match.verdict or facts.verdict == match.verdict)
        and (not match.confidence or _as_sure(match.confidence, facts.confidence))
        and (not match.ecosystem or facts.ecosystem == match.ecosystem)
        and (not match.phase or facts.phase == match.phase)
        and (match.direct is None or facts.direct == match.direct)
        and _age_fits(match, facts.days)
        and (not match.path or _all_fit(match.path, facts.paths))
        and (not match.destination or _all_fit(match.destination, facts.hosts))
        and _package_fits(match, facts)
    )
