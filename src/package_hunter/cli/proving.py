"""Who acts on the command line where that must be a person and not just this machine's user: an account, shown by its
password, and its one-time code where it has any."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from package_hunter.access.actor import Actor, command_line
from package_hunter.config import Settings
from package_hunter.errors import HunterError
from package_hunter.store import accounts, members, passwords, totp
from package_hunter.store.database import Store
from package_hunter.store.secret_box import SecretBox

AsWhom = Annotated[
    str,
    typer.Option(
        "--as", help="Your account; its password is asked for, or read from stdin.", show_default=False
    ),
]
_REFUSED = "The password or the code is wrong."


class NotProvedError(HunterError):
    """The password or the code is wrong; in the same words whichever it was."""

    exit_code = 2


def prove(store: Store, config: Settings, name: str) -> str:
    """Ask who that is; how it was shown (``password``, ``password, code``). NotProvedError where it was not."""
    password = _secret("Password")
    with store.read() as session:
        stored = accounts.stored_password(session, name)
        account = members.account(session, name)
        needs_code = account is not None and totp.is_on(session, account)
    fits = passwords.password_fits(password, stored or passwords.UNKNOWN_USER)
    if not fits or stored is None:
        raise NotProvedError(_REFUSED, "Try again.")
    if not needs_code:
        return "password"
    if not _code_fits(store, config, name, _secret("Code")):
        raise NotProvedError(
            _REFUSED, "Try again; ten wrong codes lock an account (package-hunter user unlock)."
        )
    return "password, code"


def _code_fits(store: Store, config: Settings, name: str, code: str) -> bool:
    with store.write() as session:
        account = members.account(session, name)
        return account is not None and totp.accept(
            session, SecretBox(config), account, code, Actor(name, origin())
        )


def origin() -> str:
    """From where somebody acts who was asked here: the command line, and this machine's user."""
    return f"command line, {command_line().name}"[:64]


def _secret(what: str) -> str:
    if sys.stdin.isatty():
        return getpass.getpass(f"{what}: ")
    return sys.stdin.readline(passwords.MAX_PASSWORD_BYTES + 2).rstrip("\r\n")
