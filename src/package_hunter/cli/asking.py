"""What every verb has in common that the API has, too: where it is asked, and how its answer is printed.

``--format json`` prints the API's own document: of a server, or of the same routes on the store here (`cli.here`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.cli.console import Progress, harmless, print_table
from package_hunter.cli.serve import open_store
from package_hunter.client import credentials
from package_hunter.client.remote import Remote
from package_hunter.config import settings
from package_hunter.errors import UsageError

Json = dict[str, Any]


class Form(StrEnum):
    """How it is printed."""

    TEXT = "text"
    JSON = "json"


AsForm = Annotated[Form, typer.Option("--format", help="How to print it; json: the API's document.")]
Server = Annotated[
    str | None, typer.Option(envvar="PACKAGE_HUNTER_SERVER", help="Ask this server; unset: the store here.")
]
TokenFile = Annotated[Path | None, typer.Option("--token-file", help="File with the server's token.")]
Where = tuple[Form, str | None, Path | None]
"""The three of them, as a command was given them."""
_SHOWN = 7  # columns of a table that nobody laid out
_WIDTH = 60


@contextmanager
def api(server: str | None, token_file: Path | None) -> Iterator[Remote]:
    """A server's API, or the same routes here; errors as `Remote.scan`."""
    if server is not None:
        with Remote(server, credentials.find(token_file), Progress(False)) as remote:
            yield remote
        return
    from package_hunter.cli.here import ADDRESS, Here  # late: a server is asked without all of this

    config = settings()
    with Remote(ADDRESS, None, Progress(False), transport=Here(config, open_store(config))) as remote:
        yield remote


def answered(path: str, query: Mapping[str, object], where: Where) -> bool:
    """Ask the API for a document and print it, where JSON is wanted or a server is named; else False, and the command
    prints what the store here holds. Values of ``query`` that are None or empty are left out."""
    form, server, token_file = where
    if form is Form.TEXT and server is None:
        return False
    with api(server, token_file) as asked:
        show(asked.get(path, said(query)), form)
    return True


def answered_at(at: str, kind: str, query: Mapping[str, object], where: Where) -> bool:
    """The same of what a place has (``members``, ``destinations``): a project, a group, or everywhere (empty)."""
    form, server, token_file = where
    if form is Form.TEXT and server is None:
        return False
    with api(server, token_file) as asked:
        show(asked.get(f"{place_path(asked, at)}/{kind}", said(query)), form)
    return True


def answered_in(path: str, at: str, query: Mapping[str, object], where: Where) -> bool:
    """The same of a list that takes ``project`` or ``group``: ``at`` is the path of either, or empty."""
    form, server, token_file = where
    if form is Form.TEXT and server is None:
        return False
    with api(server, token_file) as asked:
        kind = place_path(asked, at).split("/")[1:2]
        place = {one.removesuffix("s"): at for one in kind}
        show(asked.get(path, said(query) | place), form)
    return True


def said(query: Mapping[str, object]) -> dict[str, str]:
    """What of a query says something, as text."""
    return {key: str(value) for key, value in query.items() if value is not None and value != ""}


def place_path(asked: Remote, path: str) -> str:
    """The API's path of the project or group of this path (empty: everywhere); UsageError."""
    if not path:
        return ""
    for kind in ("projects", "groups"):
        for one in asked.get(f"/{kind}", {})["items"]:
            if one["path"] == path:
                return f"/{kind}/{one['id']}"
    raise UsageError(
        f"There is no project or group {path!r}.", "See package-hunter project list and group list."
    )


def print_json(document: object) -> None:
    """On stdout."""
    typer.echo(json.dumps(document, indent=2))


def show(document: Json, form: Form) -> None:
    """A document; as text a table of what it lists, or a line for each value."""
    if form is Form.JSON:
        print_json(document)
        return
    lists = [value for value in document.values() if isinstance(value, list)]
    if len(lists) == 1 and all(isinstance(one, dict) for one in lists[0]):
        _rows(lists[0])
        return
    for key, value in document.items():
        if value not in (None, "", []):
            typer.echo(harmless(f"{key.replace('_', ' ')}: {_text(value)}"))


def _rows(items: list[Json]) -> None:
    keys = [key for key, value in (items[0] if items else {}).items() if not isinstance(value, list | dict)]
    head = tuple(key.replace("_", " ").upper() for key in keys[:_SHOWN])
    if head:
        print_table(head, [tuple(_text(one.get(key))[:_WIDTH] for key in keys[:_SHOWN]) for one in items])


def _text(value: object) -> str:
    if value is None or value == "":
        return "-"
    if isinstance(value, list) and not any(isinstance(one, list | dict) for one in value):
        return ", ".join(map(str, value))
    return value if isinstance(value, str) else json.dumps(value)
