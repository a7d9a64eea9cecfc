"""`package-hunter identity`: providers of people, what their groups may do, and which CI jobs are let in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from package_hunter import given
from package_hunter.access.actor import command_line
from package_hunter.access.permissions import Permission
from package_hunter.cli.asking import AsForm, Form, Server, TokenFile, answered
from package_hunter.cli.places import role_named, say, shown_time, table
from package_hunter.cli.proposing import Change, propose_change
from package_hunter.cli.serve import open_store
from package_hunter.config import settings
from package_hunter.errors import UsageError
from package_hunter.governance.proposals import people
from package_hunter.governance.proposals.kinds.role_mappings import RoleMappingsKind
from package_hunter.identity import jobs
from package_hunter.store import ci, providers
from package_hunter.store.members import Place
from package_hunter.store.providers import KINDS, Mapping, NewProvider
from package_hunter.store.secret_box import SecretBox

app = typer.Typer(help="Identity providers, and the CI jobs that forges vouch for.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Its name here.")]
_Why = Annotated[str | None, typer.Option("--why", help="Why: for the history.")]
_Provider = Annotated[str, typer.Argument(help="The provider's name.")]
_Group = Annotated[str, typer.Argument(help="The group, as the provider calls it.")]
_At = Annotated[str, typer.Argument(help="A project or group; unset: everywhere.")]
_AsWhom = Annotated[
    str | None, typer.Option("--as", help="Your account, to propose it by; its password is asked for.")
]
_MAX_SECRET = 1_000


@app.command("add-provider")
def add_provider(  # noqa: PLR0913 (each is an option)
    name: _Name,
    issuer: Annotated[str, typer.Option(help="Its address, as it calls itself.")],
    client_id: Annotated[
        str, typer.Option("--client-id", help="Ours there; of a forge: the audience of its jobs' tokens.")
    ],
    kind: Annotated[str, typer.Option(help=f"One of {', '.join(KINDS)}.")] = providers.OIDC,
    secret_file: Annotated[
        Path | None, typer.Option("--secret-file", help="Holds our secret there; unset: PKCE alone.")
    ] = None,
    groups_claim: Annotated[str, typer.Option("--groups-claim", help="Which claim lists groups.")] = "groups",
    why: _Why = None,
) -> None:
    """Believe a provider: of people (oidc), or of CI jobs (gitlab, github)."""
    config = settings()
    new = NewProvider(name, kind, issuer, client_id, _secret(secret_file), groups_claim)
    with open_store(config).write() as session:
        providers.add(session, SecretBox(config), new, command_line(), why)
    say(f"The provider {name!r} is believed now.")


def _secret(path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        found = given.read(path, _MAX_SECRET + 1).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read ({error}).", "Give a file with the secret alone.") from error
    if not 0 < len(found) <= _MAX_SECRET:
        raise UsageError(f"{path} holds no secret.", "Give a file with the secret alone.")
    return found


@app.command("remove-provider")
def remove_provider(name: _Name, why: _Why = None) -> None:
    """Believe it no more: links, mappings, rules and jobs' tokens that came by it go too."""
    with open_store(settings()).write() as session:
        providers.remove(session, name, command_line(), why)
    say(f"The provider {name!r} is believed no more.")


@app.command("list")
def list_providers(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List the providers."""
    if answered("/identity/providers", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [(p.name, p.kind, p.issuer, shown_time(p.created)) for p in providers.providers(session)]
    table(("NAME", "KIND", "ISSUER", "CREATED"), rows)


@app.command("map-group")
def map_group(
    provider: _Provider,
    group: _Group,
    role: Annotated[str, typer.Argument(help="The role that it has.")],
    at: _At = "",
    who: _AsWhom = None,
    why: _Why = None,
) -> None:
    """Give everybody in a provider's group a role, now and as long as he is in it. A proposal, where there is somebody
    who approves."""
    mapping = Mapping(provider, group, role_named(role).value, at)
    if _changed(lambda found: sorted({*found, mapping}), who, why):
        say(f"{group!r} of {provider!r} is {role} now ({at or 'everywhere'}).")


@app.command("unmap-group")
def unmap_group(
    provider: _Provider,
    group: _Group,
    role: Annotated[str, typer.Argument(help="The role that it had.")],
    at: _At = "",
    who: _AsWhom = None,
    why: _Why = None,
) -> None:
    """Take a group's role away, and from everybody who has it by that group. A proposal, where there is somebody who
    approves."""
    mapping = Mapping(provider, group, role, at)

    def without(found: list[Mapping]) -> list[Mapping]:
        if mapping not in found:
            raise UsageError("There is no such mapping.", "See package-hunter identity mappings.")
        return [other for other in found if other != mapping]

    if _changed(without, who, why):
        say(f"{group!r} of {provider!r} is {role} no more ({at or 'everywhere'}).")


def _changed(change: Callable[[list[Mapping]], list[Mapping]], who: str | None, why: str | None) -> bool:
    """Change the mappings, at once where nobody could approve that; else propose it. Whether it was done here."""
    with open_store(settings()).write() as session:
        wanted = change(providers.mappings(session))
        if not people.approvers(session, Place()):
            providers.put_mappings(session, wanted, command_line(), why)
            return True
    if who is None or not why:
        raise UsageError("Such a change needs two people.", "Propose it: --as ACCOUNT --why REASON.")
    said = [{"provider": m.provider, "group": m.group, "role": m.role, "place": m.place} for m in wanted]
    propose_change(Change(RoleMappingsKind.name, "", {"mappings": said}, who, why))
    return False


@app.command("mappings")
def list_mappings(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List which groups have which roles where."""
    if answered("/identity/mappings", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [(m.provider, m.group, m.role, m.place or "everywhere") for m in providers.mappings(session)]
    table(("PROVIDER", "GROUP", "ROLE", "PLACE"), rows)


@app.command("ci-rule")
def add_rule(  # noqa: PLR0913 (each is an option)
    name: _Name,
    provider: Annotated[str, typer.Option(help="The forge.")],
    when: Annotated[
        list[str],
        typer.Option(
            "--when", help="CLAIM=PATTERN (* stops at a slash, ** does not); of one claim any, of all each."
        ),
    ],
    project: Annotated[str, typer.Option(help="The project here; claims in braces: forge/{project_path}.")],
    permission: Annotated[
        list[str] | None, typer.Option("--permission", help="Unset: submit, and read what comes of it.")
    ] = None,
    create: Annotated[
        bool, typer.Option("--create", help="Make the project, and groups above it, at first sight.")
    ] = False,
    owner_claim: Annotated[
        str | None, typer.Option("--owner-claim", help="A claim that names a user here (user_login, actor).")
    ] = None,
    owner_role: Annotated[str, typer.Option("--owner-role", help="His role in a new project.")] = "developer",
    why: _Why = None,
) -> None:
    """Let CI jobs in, by what their forge says of them."""
    conditions = _conditions(when)
    rule = ci.Rule(
        name,
        provider,
        conditions,
        project,
        ci.USUAL if permission is None else tuple(_permission(text) for text in permission),
        create,
        owner_claim,
        None if owner_claim is None else role_named(owner_role),
    )
    with open_store(settings()).write() as session:
        found = providers.provider(session, provider)
        jobs.check_rule(found.kind, conditions, project)
        ci.add_rule(session, found, rule, command_line(), why)
    say(f"Jobs of {provider!r} that fit {name!r} are let in now.")


def _conditions(texts: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for text in texts:
        claim, equals, pattern = text.partition("=")
        if not equals or not claim or not pattern:
            raise UsageError(f"{text[:100]!r} is no condition.", "Give CLAIM=PATTERN.")
        found.setdefault(claim, []).append(pattern)
    return found


def _permission(text: str) -> Permission:
    try:
        return Permission(text)
    except ValueError:
        raise UsageError(f"There is no permission {text!r}.", "See docs/access.md.") from None


@app.command("ci-rules")
def list_rules(
    form: AsForm = Form.TEXT,
    server: Server = None,
    token_file: TokenFile = None,
) -> None:
    """List which CI jobs are let in."""
    if answered("/identity/ci-rules", {}, (form, server, token_file)):
        return
    with open_store(settings()).read() as session:
        rows = [
            (
                rule.name,
                rule.provider,
                "\n".join(f"{claim}={' or '.join(wanted)}" for claim, wanted in rule.conditions.items()),
                rule.project + (" (made)" if rule.creates else ""),
            )
            for rule in ci.rules(session)
        ]
    table(("NAME", "PROVIDER", "WHEN", "PROJECT"), rows)


@app.command("remove-ci-rule")
def remove_rule(name: _Name, why: _Why = None) -> None:
    """Let these jobs in no more; the tokens that they have end."""
    with open_store(settings()).write() as session:
        ci.remove_rule(session, name, command_line(), why)
    say(f"The rule {name!r} is gone.")


@app.command("rebind")
def rebind(project: Annotated[str, typer.Argument(help="The project here.")], why: _Why = None) -> None:
    """A project was made anew at its forge: the next job that comes for it says which one it is."""
    with open_store(settings()).write() as session:
        ci.rebind(session, project, command_line(), why)
    say(f"The next job of {project!r} binds it anew.")
