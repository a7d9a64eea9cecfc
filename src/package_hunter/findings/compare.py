"""What one scan shows and another does not: the question that every update of a dependency asks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from packageurl import PackageURL

from package_hunter.findings.signals import stable
from package_hunter.model.finding import Finding
from package_hunter.model.report import Report
from package_hunter.model.scan import Package

# what package managers and interpreters keep for themselves
_CACHES = ("~/.npm/", "~/.cache/", "/tmp/node-compile-cache/")  # noqa: S108 - a path in the box


@dataclass(frozen=True, slots=True)
class Difference:
    """Behaviour that the new report has and the old has not, and the other way round."""

    new_findings: tuple[Finding, ...]
    gone_findings: tuple[Finding, ...]
    new_hosts: tuple[str, ...]
    gone_hosts: tuple[str, ...]
    new_files: tuple[str, ...]
    gone_files: tuple[str, ...]
    new_programs: tuple[str, ...]
    gone_programs: tuple[str, ...]
    changed_packages: tuple[tuple[str, str | None, str | None], ...]  # name, old version, new version

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing new."""
        return not (self.new_findings or self.new_hosts or self.new_files or self.new_programs)


def hosts(report: Report) -> set[str]:
    """Names (or bare addresses) that were contacted, the registry left out."""
    found = {c.name or c.address for c in report.network.connections if c.kind not in ("registry", "dns")}
    for request in report.network.requests:
        try:
            host = urlsplit(request.url).hostname
        except ValueError:
            continue
        if host and not request.registry:
            found.add(host)
    return found


def files(report: Report) -> set[str]:
    """Files that were written, in their stable form, those of installed packages and caches left out."""
    moved = {f.path: f.other_path for f in report.files if f.action == "renamed"}
    changed = (f.path for f in report.files if f.action in ("created", "written", "deleted", "renamed"))
    # a file that was moved into its place counts there: the names on the way are made up each time
    paths = {stable(moved.get(path) or path) for path in changed}
    return {p for p in paths if "/node_modules/" not in p and not p.startswith(_CACHES)}


def programs(report: Report) -> set[str]:
    """Programs that were run, by path."""
    return {stable(p.exepath) for p in report.processes if p.exepath}


def versions(report: Report) -> Mapping[str, str]:
    """Package (purl without version) -> version; of several the highest by text."""
    found: dict[str, str] = {}
    for package in report.packages:
        try:
            purl = PackageURL.from_string(package.purl)
        except ValueError:
            continue
        name = PackageURL(purl.type, purl.namespace, purl.name).to_string()
        found[name] = max(found.get(name, ""), purl.version or "")
    return found


def _less(of: Iterable[str], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(of) - set(other)))


def compare(old: Report, new: Report) -> Difference:
    """What changed between two reports."""
    before = {f.fingerprint for f in old.findings}
    after = {f.fingerprint for f in new.findings}
    was, is_now = versions(old), versions(new)
    changed = tuple(
        (name, was.get(name), is_now.get(name))
        for name in sorted(set(was) | set(is_now))
        if was.get(name) != is_now.get(name)
    )
    return Difference(
        new_findings=tuple(f for f in new.findings if f.fingerprint not in before),
        gone_findings=tuple(f for f in old.findings if f.fingerprint not in after),
        new_hosts=_less(hosts(new), hosts(old)),
        gone_hosts=_less(hosts(old), hosts(new)),
        new_files=_less(files(new), files(old)),
        gone_files=_less(files(old), files(new)),
        new_programs=_less(programs(new), programs(old)),
        gone_programs=_less(programs(old), programs(new)),
        changed_packages=changed,
    )


def changed_packages(old: Iterable[Package], new: Iterable[Package]) -> tuple[Package, ...]:
    """Packages of the new tree that the old one had not in the same version and with the same bytes.

    What `scan --changed-only` scans: a version that keeps its number but not its integrity has changed too.
    """
    known = {(p.purl, p.integrity) for p in old} | {(p.purl, None) for p in old if p.integrity is None}
    return tuple(p for p in new if (p.purl, p.integrity) not in known and (p.purl, None) not in known)
