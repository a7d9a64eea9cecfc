"""docs/access.md, made of the tables that decide: `python -m package_hunter.api.access_document > docs/access.md`."""

from __future__ import annotations

import sys

from package_hunter.access import permissions, roles
from package_hunter.access.permissions import Permission
from package_hunter.access.roles import ROLES, SERVER_ROLES, Role
from package_hunter.api.permits import PERMITS, Where

_HEAD = """\
# Who may do what

Made of the code by `python -m package_hunter.api.access_document`; a test holds it to it. Do not edit.

A *permission* is what code asks for; a *role* is a set of them; an account (a user, or a machine's token) has \
roles in *projects*, in *groups* (folders of projects; a role there holds in all below), or everywhere. Permissions \
of the scope *server* count only where a role is held everywhere. What an account may not see is not there for it: \
404, and absent from lists and counts.

Pages have no rows here: whoever is signed in opens any page, and what stands there, and what can be done there, is \
asked of these routes as that account.

"""


def document() -> str:
    """The document."""
    return _HEAD + _roles() + _permissions() + _routes()


def _roles() -> str:
    rows = [f"| {role.value} | {roles.MEANING[role]} | {_held(role)} |" for role in Role]
    head = ["## Roles", "", "| role | what for | held |", "|---|---|---|"]
    return "\n".join([*head, *rows, "", ""])


def _held(role: Role) -> str:
    return "everywhere" if role in SERVER_ROLES else "in projects, groups, everywhere"


def _permissions() -> str:
    names = [role.value for role in Role]
    lines = ["## Permissions", "", f"| permission | allows to | {' | '.join(names)} |"]
    lines.append("|---" * (2 + len(names)) + "|")
    for permission in Permission:
        held = ["x" if permission in ROLES[role] else "" for role in Role]
        meaning = permissions.MEANING[permission]
        lines.append(f"| `{permission.value}` | {meaning} | {' | '.join(held)} |")
    return "\n".join([*lines, "", ""])


def _routes() -> str:
    lines = ["## Routes", "", "| route | needs | where | in the history |", "|---|---|---|---|"]
    for permit in PERMITS:
        needs = "" if permit.permission is None else f"`{permit.permission.value}`"
        action = "" if permit.action is None else f"`{permit.action}`"
        where = permit.where.value + ("; no tokens" if permit.person else "")
        path = permit.path.replace(":path}", "}")
        lines.append(f"| `{permit.method} {path}` | {needs} | {where} | {action} |")
    return "\n".join([*lines, "", _FOOT])


_FOOT = f"""\
*{Where.SCAN.value}*: 404 where the permission is missing, as where there is no such scan. \
*{Where.PROJECT.value}*, *{Where.GROUP.value}*, *{Where.PROPOSAL.value}*: 404 where the account cannot know of it, \
403 where it can and may not do that. Else 403.

Who may not give any role (`{Permission.ROLE_MANAGE.value}`) gives none that goes beyond his own rights there. On the \
command line of the server's machine whoever can write the store may do all of it; the history says who it was.
"""


if __name__ == "__main__":
    sys.stdout.write(document())
