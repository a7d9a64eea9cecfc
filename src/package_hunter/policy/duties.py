"""What a policy asks for beside decisions: scans that must be there, scans at set times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from packageurl import PackageURL

from package_hunter.errors import UsageError
from package_hunter.model.depth import DepthName
from package_hunter.policy.cron import Cron
from package_hunter.policy.model import Pipeline, Requirement, Schedule, When
from package_hunter.policy.reading import choice, known, text, texts

MAX_TARGETS = 1_000


def requirement(data: Mapping[str, Any], where: str) -> Requirement:
    """Of a table ``[[require]]``; UsageError."""
    known(data, {"scan", "projects", "depth"}, where)
    return Requirement(choice(When, data.get("scan"), where), _projects(data, where), _depth(data, where))


def schedule(data: Mapping[str, Any], where: str) -> Schedule:
    """Of a table ``[[schedule]]``; UsageError."""
    known(data, {"name", "cron", "projects", "targets", "depth"}, where)
    cron = text(data.get("cron"), f"{where}: cron", 200)
    Cron.of(cron)
    targets = texts(data["targets"], f"{where}: targets", MAX_TARGETS) if "targets" in data else ()
    for target in targets:
        try:
            PackageURL.from_string(target)
        except ValueError as error:
            raise UsageError(f"{where}: {target[:200]!r} is no package URL ({error}).", "") from error
    name = text(data.get("name"), f"{where}: name", 200)
    return Schedule(name, cron, _projects(data, where), targets, _depth(data, where))


def pipeline(data: Mapping[str, Any], where: str) -> Pipeline:
    """Of a table ``[[pipeline]]``; UsageError. Patterns are refused: they would fit what somebody else can make."""
    known(data, {"issuer", "definition", "commit", "projects"}, where)
    issuer = text(data.get("issuer"), f"{where}: issuer", 255)
    definition = text(data.get("definition"), f"{where}: definition", 512)
    commit = text(data["commit"], f"{where}: commit", 64) if "commit" in data else ""
    if not issuer.startswith("https://"):
        raise UsageError(f"{where}: the issuer is no https address.", "It looks like https://gitlab.example.")
    if "@" not in definition or set(definition) & set("*?[]"):
        raise UsageError(
            f"{where}: the definition names no file at a ref.",
            "It looks like gitlab.example/security/ci//hunter.yml@refs/heads/main, without patterns.",
        )
    return Pipeline(issuer.rstrip("/"), definition, commit.lower(), _projects(data, where))


def _projects(data: Mapping[str, Any], where: str) -> tuple[str, ...]:
    return texts(data["projects"], f"{where}: projects") if "projects" in data else ("*",)


def _depth(data: Mapping[str, Any], where: str) -> str:
    return choice(DepthName, data["depth"], f"{where}: depth").value if "depth" in data else ""
