"""On PostgreSQL the tables may belong to another role than the application's: then the application can neither change
the history, nor switch off what keeps it from that."""

from __future__ import annotations

from sqlalchemy import Connection, inspect, text

from package_hunter.errors import UsageError

APPEND_ONLY = ("history", "history_seals", "gate_answers")
"""What the application may add to and read, and nothing else, where there is such a table."""


def grant(connection: Connection, role: str) -> None:
    """Let the application's role do what the application does, on all tables that there are now; UsageError."""
    known = connection.scalar(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
    if known is None:
        raise UsageError(f"PostgreSQL has no role {role[:63]!r}.", "Make it: CREATE ROLE NAME LOGIN.")
    mine = connection.scalar(text("SELECT pg_has_role(:role, current_user, 'USAGE')"), {"role": role})
    if mine:
        raise UsageError(
            f"The role {role[:63]!r} can do all that the owner of the tables can.",
            "Connect as another role, which is to own them, and name the application's.",
        )
    name = connection.dialect.identifier_preparer.quote_identifier(role)
    tables = set(inspect(connection).get_table_names())
    for statement in (
        f"GRANT USAGE ON SCHEMA public TO {name}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {name}",
        f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {name}",
        *(f"REVOKE UPDATE, DELETE ON {table} FROM {name}" for table in APPEND_ONLY if table in tables),
    ):
        connection.execute(text(statement))
    usable = text("SELECT has_schema_privilege(:role, 'public', 'USAGE')")
    if not connection.scalar(usable, {"role": role}):
        raise UsageError(
            f"The role {role[:63]!r} may not use the schema public, and this one cannot let it.",
            "As a superuser: ALTER SCHEMA public OWNER TO the role that owns the tables.",
        )
