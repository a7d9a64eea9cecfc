"""PostgreSQL: the tables belong to one role, the server works as another that may not change the history.

An owner can switch triggers off and drop tables; whoever takes the server over must not be one. So migrations run as
the owner, and the application's role gets what it needs: all but UPDATE, DELETE and TRUNCATE of what is never changed.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from package_hunter.errors import UsageError
from package_hunter.store.models import Base

NEVER_CHANGED = frozenset({"history", "history_seals", "gate_answers"})
"""Tables that are only added to."""
_VERSION = "alembic_version"
_ENGINE = (
    "procrastinate_events",
    "procrastinate_jobs",
    "procrastinate_periodic_defers",
    "procrastinate_workers",
)


@dataclass(frozen=True, slots=True)
class Role:
    """A database role: whether it could do whatever it likes."""

    name: str
    superuser: bool
    owns: tuple[str, ...]


def current_role(connection: Connection) -> Role:
    """Whom the connection works as, and which of our tables it, or a role that it is a member of, owns."""
    name, superuser = connection.execute(
        text("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
    ).one()
    query = text(
        "SELECT c.relname FROM pg_class c WHERE c.relname = ANY(:tables) AND c.relkind IN ('r', 'p') "
        "AND pg_has_role(current_user, c.relowner, 'MEMBER')"
    )
    owns = connection.execute(query, {"tables": sorted(Base.metadata.tables)}).scalars().all()
    return Role(name, superuser, tuple(owns))


def grant(connection: Connection, role: str) -> None:
    """Give ``role`` what the server needs, and no more; UsageError where that would mean nothing (it is the owner, a
    superuser, or not there). To be run as the owner, after each migration."""
    _check(connection, role)
    quote = connection.dialect.identifier_preparer.quote
    who, schema = quote(role), quote(connection.execute(text("SELECT current_schema()")).scalar_one())
    connection.execute(text(f"GRANT USAGE ON SCHEMA {schema} TO {who}"))
    for name in sorted([*Base.metadata.tables, *_ENGINE]):
        table = f"{schema}.{quote(name)}"
        rights = "SELECT, INSERT" if name in NEVER_CHANGED else "SELECT, INSERT, UPDATE, DELETE"
        connection.execute(text(f"REVOKE ALL ON {table} FROM {who}, PUBLIC"))
        connection.execute(text(f"GRANT {rights} ON {table} TO {who}"))
    connection.execute(text(f"REVOKE ALL ON {schema}.{quote(_VERSION)} FROM {who}, PUBLIC"))
    connection.execute(text(f"GRANT SELECT ON {schema}.{quote(_VERSION)} TO {who}"))
    connection.execute(text(f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {who}"))


def _check(connection: Connection, role: str) -> None:
    query = text(
        "SELECT rolsuper, pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role"
    )
    found = connection.execute(query, {"role": role}).first()
    if found is None:
        raise UsageError(f"There is no role {role[:63]!r}.", "Make it: CREATE ROLE … LOGIN PASSWORD …")
    if found[0] or found[1]:
        raise UsageError(
            f"The role {role[:63]!r} is the owner, or could become it.",
            "Give another one, that is no superuser and no member of the owner.",
        )
