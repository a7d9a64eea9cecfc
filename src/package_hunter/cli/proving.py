"""Who acts on the command line where that must be a person and not just this machine's user: an account, shown by its
password, and its one-time code where it has any."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from package_hunter.access.actor import command_line
from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.store import accounts, passwords
from package_hunter.store.database import Store

AsWhom = Annotated[
    str,
    typer.Option(
        "--as", help="Your account; its password is asked for, or read from stdin.", show_default=False
    ),
]


class NotProvedError(HunterError):
    """The password or the code is wrong."""

    exit_code = 2


def prove(store: Store, _config: Settings, name: str) -> str:
    """Ask who that is; how it was shown (``password``). NotProvedError, where it was not."""
    password = _secret("Password")
    with store.read() as session:
        stored = accounts.stored_password(session, name)
    fits = passwords.password_fits(password, stored or passwords.UNKNOWN_USER)
    if not fits or stored is None:
        raise NotProvedError("The password is not this account's.", "Try again.")
    return "password"


def origin() -> str:
    """From where somebody acts who was asked here: the command line, and this machine's user."""
    return f"command line, {command_line().name}"[:64]


def _secret(what: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    return sys.stdin.readline(passwords.MAX_PASSWORD_BYTES + 2).rstrip("\r\n")
