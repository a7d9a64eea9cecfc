"""Packages that are to be scanned by their URL (https://github.com/package-url/purl-spec): the one place that says
which can be, asked where a scan is submitted and again where it is planned."""

from __future__ import annotations

import re
from dataclasses import dataclass

from packageurl import PackageURL

from package_hunter.errors import NothingToScanError
from package_hunter.model.ecosystem import Facts, facts_of, known

_SHOWN = 200  # characters of what somebody gave


class UnscannableError(NothingToScanError):
    """A URL of no package that can be scanned here."""


@dataclass(frozen=True, slots=True)
class Scannable:
    """A package that can be asked for: its canonical ``purl``, its ``name`` as its registry has it (with a scope), and
    the ``version``, empty where the newest is meant."""

    purl: str
    ecosystem: str
    name: str
    version: str


def scannable(text: str, ecosystem: str | None = None) -> Scannable:
    """The package that ``text`` names. ``ecosystem``: what else was said of it, an ecosystem's or a manager's name.

    UnscannableError: it is no purl, of no ecosystem that there is or of another one, has qualifiers or a subpath, or a
    name or version that its registry cannot have.
    """
    try:
        purl = PackageURL.from_string(text)
        canonical = purl.to_string()
    except ValueError:
        raise UnscannableError(
            f"{_shown(text)} is no purl.", "It looks like pkg:npm/left-pad@1.3.0."
        ) from None
    if purl.qualifiers or purl.subpath:
        raise UnscannableError(
            f"{_shown(text)} has qualifiers or a subpath, which are not followed.", "Leave them out."
        )
    facts = _facts(purl.type, text, ecosystem)
    name, version = f"{purl.namespace}/{purl.name}" if purl.namespace else purl.name, purl.version or ""
    if not re.fullmatch(facts.package_names, name):
        raise UnscannableError(f"{_shown(text)} names no {facts.name} package.", _like(facts))
    if version and not re.fullmatch(facts.package_versions, version):
        raise UnscannableError(f"{_shown(version)} is no version of a package of {facts.name}.", _like(facts))
    return Scannable(canonical, facts.name, name, version)


def _facts(kind: str, text: str, ecosystem: str | None) -> Facts:
    found = next((one for one in known() if one.purl_type == kind), None)
    if found is None:
        types = ", ".join(one.purl_type for one in known())
        raise UnscannableError(
            f"{_shown(text)} is of the type {_shown(kind)}, which is not scanned here.", f"Types: {types}."
        )
    if ecosystem is not None and facts_of(ecosystem) is not found:
        raise UnscannableError(
            f"{_shown(text)} is a package of {found.name}, and not of {_shown(ecosystem)}.",
            "Leave the ecosystem out.",
        )
    return found


def _like(facts: Facts) -> str:
    return f"Write pkg:{facts.purl_type}/NAME@VERSION, or leave the version out."


def _shown(text: str) -> str:
    return f"“{text[:_SHOWN]}”"
