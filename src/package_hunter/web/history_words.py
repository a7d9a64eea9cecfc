"""Entries of the history as plain sentences, with the page of what each is about."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from package_hunter.web.inside import part

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """``who`` did ``verb`` with ``object`` (whose page ``href`` is, if it has one), and ``tail``."""

    who: str
    verb: str
    object: str
    href: str | None
    tail: str


VERBS: dict[str, str] = {
    "approval-settings.put": "set how proposals are approved in",
    "ci-rule.add": "let CI jobs in by the rule",
    "ci-rule.remove": "lets no CI jobs in any more by the rule",
    "delivery.retry": "had notices tried again:",
    "destination.add": "added the notice destination",
    "destination.remove": "removed the notice destination",
    "destination.test": "tested the notice destination",
    "drill.run": "began a standing drill in",
    "finding.claim": "claimed or gave back the finding",
    "finding.note": "wrote a note on the finding",
    "finding.state": "set the state of the finding",
    "group.add": "made the group",
    "hold.add": "placed",
    "hold.remove": "lifted",
    "inventory.file": "added the file",
    "link.add": "linked an identity provider to the account",
    "link.remove": "unlinked an identity provider from the account",
    "login.fail": "failed to sign in as",
    "mapping.set": "set the",
    "member.add": "gave a role to",
    "member.remove": "took a role from",
    "osv.import": "imported the records of",
    "person.link": "said who else is the person of",
    "policy.put": "set the policy of",
    "project.add": "made the project",
    "project.bind": "bound a forge's project to",
    "project.unbind": "unbound a forge's project from",
    "proposal.add": "made",
    "proposal.drop-approval": "took back an approval of",
    "proposal.edit": "edited",
    "proposal.approve": "approved",
    "proposal.reject": "rejected",
    "proposal.withdraw": "withdrew",
    "proposal.apply": "applied",
    "proposal.break-glass": "broke the glass for",
    "proposal.review": "reviewed",
    "proposal.stale": "found out of date",
    "proposal.expired": "let run out",
    "provider.add": "added the identity provider",
    "provider.remove": "removed the identity provider",
    "repository.set": "set the repository of",
    "repository.remove": "removed the repository of",
    "retention.set": "set how long scans are kept in",
    "rules.put": "set the rules",
    "recording.fetch": "fetched a recording of the scan",
    "sample.fetch": "fetched a file that a package dropped in the scan",
    "sbom.add": "handed in what is held:",
    "scan.cancel": "cancelled the scan",
    "scan.delete": "deleted the scan",
    "scan.fetch-bundle": "fetched a bundle, with the recordings, of the scan",
    "scan.rejudge": "judged anew the scan",
    "scan.rejudge-ask": "asked to judge anew the scan",
    "scan.rerun": "let a dead letter wait again: the scan",
    "scan.rescan": "had the same scanned again: the scan",
    "scan.trim": "let files go of the scan",
    "session.add": "signed in:",
    "session.confirm": "showed again who it is:",
    "session.end": "ended sessions of",
    "token.add": "made the token",
    "token.revoke": "revoked the token",
    "totp.add": "set one-time codes up for",
    "totp.recovered": "signed in by a recovery code:",
    "totp.recovery": "made new recovery codes for",
    "totp.remove": "took the one-time codes away from",
    "user.add": "made the user",
    "user.invite": "invited",
    "user.lock": "had one-time codes locked, by wrong ones:",
    "user.password": "changed the password of",
    "user.rehash": "had a password kept in today's form:",
    "user.remove": "removed the user",
    "user.unlock": "unlocked",
    "worker.drain": "drained the worker",
    "worker.resume": "let take scans again the worker",
}
"""By action. One that is not here is told by its name: it may be of a newer version."""


def _project(entry: Values, tail: str = "") -> str | None:
    return f"/projects/{part(str(entry['project']))}{tail}" if entry["project"] else None


def _proposal(entry: Values) -> str | None:
    number = str(entry["object"]).removeprefix("proposal ")
    return f"/proposals/{number}" if number.isdigit() else "/proposals"


_Href = Callable[[Values], str | None]
_HREFS: dict[str, _Href] = {
    **dict.fromkeys(
        ("user", "session", "totp", "link", "person"),
        lambda e: f"/people/account?name={part(str(e['object']))}",
    ),
    **dict.fromkeys(
        ("project", "sbom", "inventory", "repository", "retention", "approval-settings"), _project
    ),
    **dict.fromkeys(("ci-rule", "provider", "mapping"), lambda _: "/settings/identity"),
    **dict.fromkeys(("destination", "delivery"), lambda _: "/settings/notices"),
    "member": lambda e: _project(e, "/members") or f"/people/account?name={part(str(e['object']))}",
    "finding": lambda e: f"/findings?fingerprint={part(str(e['object']))}",
    **dict.fromkeys(("scan", "sample", "recording"), lambda e: f"/scans/{part(str(e['object']))}"),
    "proposal": _proposal,
    "policy": lambda _: "/policies",
    "rules": lambda _: "/rules",
    "token": lambda _: "/tokens",
    "group": lambda _: "/groups",
    "hold": _project,
    "worker": lambda _: "/workers",
    "drill": lambda _: "/settings/drill",
}
_OF_ONESELF = {"session.add", "session.confirm", "totp.recovered"}
_NOT_THERE = {"scan.delete"}  # what it is about has no page any more


def told(entry: Values) -> Told:
    """An entry of the API as a sentence."""
    action = str(entry["action"])
    thing, _, did = action.partition(".")
    verb = VERBS.get(action) or f"did “{thing.replace('-', ' ')}: {did.replace('-', ' ')}” with"
    what = str(entry["object"])
    if action in _OF_ONESELF and what == entry["who"]:
        return Told(what, verb.rstrip(":"), "", None, _tail(entry))
    there = None if action in _NOT_THERE else _HREFS.get(thing)
    href = None if there is None else there(entry)
    return Told(str(entry["who"]), verb, what, href, _tail(entry))


def _tail(entry: Values) -> str:
    said = values(entry["after"]) or values(entry["before"])
    facts = []
    if isinstance(said.get("role"), str):
        facts.append(f": {said['role']}")
    if isinstance(said.get("state"), str) and str(entry["action"]).startswith("finding."):
        facts.append(f"to {said['state'].replace('_', ' ')}")
    if isinstance(said.get("verdict"), str):
        facts.append(f"now {said['verdict'].replace('_', ' ')}")
    if isinstance(said.get("place"), str):
        facts.append(f"in {said['place']}" if said["place"] != "everywhere" else "everywhere")
    if isinstance(said.get("method"), str):
        facts.append(f"by {said['method']}")
    if isinstance(said.get("version"), int):
        facts.append(f"(version {said['version']})")
    return " ".join(facts)


def values(text: str | None) -> dict[str, Any]:
    """``before`` or ``after`` as they were written; nothing where there is none, or no object."""
    try:
        found = json.loads(text) if text else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
