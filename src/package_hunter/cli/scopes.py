"""`package-hunter policy show`, `put` and `sync`: the policies of a server, by scope."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.orm import Session

from package_hunter.access.actor import command_line
from package_hunter.access.view import EVERYTHING
from package_hunter.cli import proposing
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, api, place_path
from package_hunter.cli.asking import show as print_document
from package_hunter.cli.console import harmless
from package_hunter.cli.findings import print_impact
from package_hunter.cli.places import place_at, say
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.governance import figures, folder, policies, policy_file, requirements
from package_hunter.governance.document import Document, digest_of, from_toml
from package_hunter.governance.figures import RuleFigures
from package_hunter.governance.proposals.alone import require_alone
from package_hunter.model.scan import Decision
from package_hunter.policy.decide import today
from package_hunter.policy.load import read_text
from package_hunter.store import places
from package_hunter.store.members import Place
from package_hunter.triage import impact
from package_hunter.triage.chain import Chains, scope_name

_Scope = Annotated[str, typer.Argument(help="A project or group; all, or unset: what holds for all.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]


def show(
    scope: _Scope = "all",
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """Show a scope's policy: its rules, what they decided, what they cost; of a project, all that holds."""
    if form is Form.JSON or server is not None:
        with api(server, token_file) as asked:
            which = "all" if scope == "all" else place_path(asked, scope).rpartition("/")[2]
            print_document(asked.get(f"/policies/{which}", {}), form)
        return
    policy_file.use(settings().policy_file)
    with open_store(settings()).read() as session:
        place = _place(session, scope)
        standing, layer = policies.current(session, place), figures.layer_of(session, place)
        lines = [
            f"{scope_name(place)}: version {standing.version}" if standing.version else scope_name(place)
        ]
        if layer is None:
            lines = [f"{scope_name(place)} has no policy of its own."]
        else:
            lines.append(f"digest {layer.digest}")
            lines += [f"{verdict.value}: {_asks(decision)}" for verdict, decision in layer.policy.by_verdict]
            found = figures.of_policy(session, EVERYTHING, place)
            lines += [line for rule in found.rules for line in _rule_lines(rule)]
        if place.project is not None:
            lines += _holding(session, place)
    for line in lines:
        typer.echo(harmless(line))


def _asks(decision: Decision) -> str:
    """The strictest of all policies decides: one that says pass lets nothing pass that another one holds."""
    return "asks for nothing" if decision is Decision.PASS else decision.value


def _rule_lines(rule: RuleFigures) -> list[str]:
    share = rule.false_positive_share
    wrong = "nobody decided about them yet" if share is None else f"{share:.0%} false positives"
    lines = [
        f"{rule.label}: {rule.decision} ({rule.mode}); fits {rule.fits}, decides {rule.decided}; {wrong}; "
        f"{rule.minutes} minutes of people"
    ]
    for one in rule.exceptions:
        said = ", ".join(f"{key} = {value!r}" for key, value in one.rule.items())
        lines.append(f"  it proposes an exception ({one.false_positives} false positives): {said}")
    return lines


def _holding(session: Session, place: Place) -> list[str]:
    assert place.project is not None
    chains = Chains(session)
    effective = policies.effective(session, place.project.id, chains)
    wanted = requirements.required(session, place.project.id, chains)
    return [
        f"what holds: {', '.join(layer.scope for layer in effective.layers)} (key {effective.key(today())[:16]})",
        *(f"required: {r.when.value} ({r.scope})" + (f", {r.depth}" if r.depth else "") for r in wanted),
    ]


def put(
    scope: _Scope,
    file: Annotated[Path, typer.Argument(help="The policy file (TOML).")],
    why: _Why = None,
    try_only: Annotated[bool, typer.Option("--try", help="Only say what it would do.")] = False,
) -> None:
    """Let a policy file hold for a scope from now on, where there is nobody else to approve it: it is unreviewed."""
    policy_file.use(settings().policy_file)
    text = read_text(file)
    with open_store(settings()).write() as session:
        place = _place(session, scope)
        document = from_toml(text, str(file), narrow=place != Place())
        print_impact(impact.of_policy(session, place, document))
        if try_only:
            return
        require_alone(session, place)
        made = policies.put(session, command_line(), place, document, why)
        said = f"{scope_name(place)} has version {made.version} of its policy now ({made.digest[:16]})."
    say(said)


def sync(
    source: Annotated[
        Path, typer.Argument(help="A folder with all.toml, groups/PATH.toml, projects/PATH.toml.")
    ],
    why: _Why = None,
    prune: Annotated[bool, typer.Option("--prune", help="Scopes without a file lose their policy.")] = False,
    who: Annotated[
        str | None,
        typer.Option("--as", help="Propose them as this account (needed where others may approve changes)."),
    ] = None,
) -> None:
    """Let the policies of a folder (a git checkout, say) hold, or propose them; all, or none where one is wrong."""
    policy_file.use(settings().policy_file)
    found, commit = folder.read(source), folder.commit_of(source)
    reason = "; ".join(part for part in (why, f"commit {commit}" if commit else None) if part) or None
    if who is not None:
        proposing.propose_policies(_changed(found, prune), who, reason or "as the folder has them")
        return
    with open_store(settings()).write() as session:
        kept = set()
        for one in found:
            place = _named(session, one)
            kept.add(place.key)
            if policies.current(session, place).digest != digest_of(one.document):
                require_alone(session, place)
                made = policies.put(session, command_line(), place, one.document, reason)
                say(f"{scope_name(place)}: version {made.version} ({made.digest[:16]}).")
        for place in policies.scopes(session):
            if place.key in kept:
                continue
            if prune:
                require_alone(session, place)
                policies.put(session, command_line(), place, None, reason)
            say(
                f"{scope_name(place)}: "
                + ("has no policy now." if prune else "has no file, and keeps its policy.")
            )
    say(f"{len(found)} policies are as the folder has them.")


def _changed(found: Sequence[folder.Source], prune: bool) -> list[tuple[Place, Document | None]]:
    """The scopes whose policy is not as the folder has it, each with what it is to be."""
    with open_store(settings()).read() as session:
        wanted = {(place := _named(session, one)).key: (place, one.document) for one in found}
        changed: list[tuple[Place, Document | None]] = [
            (place, document)
            for place, document in wanted.values()
            if policies.current(session, place).digest != digest_of(document)
        ]
        if prune:
            gone = (place for place in policies.scopes(session) if place.key not in wanted)
            changed += [(place, None) for place in gone]
    return changed


def _named(session: Session, source: folder.Source) -> Place:
    if source.kind == "all":
        return Place()
    if source.kind == "group":
        return Place(group=places.group_at(session, EVERYTHING, source.path))
    return Place(project=places.project_at(session, EVERYTHING, source.path))


def _place(session: Session, scope: str) -> Place:
    return Place() if scope == "all" else place_at(session, scope)
