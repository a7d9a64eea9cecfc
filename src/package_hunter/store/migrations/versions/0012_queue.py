"""How scans wait: priorities, deadlines, needs, what is the same, cancelled scans and dead letters; on PostgreSQL the
tables, types and functions of procrastinate 3.10."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_OLD = "status IN ('pending', 'running', 'finished', 'failed')"
_NEW = "status IN ('pending', 'running', 'finished', 'failed', 'cancelled')"
_DROP_ENGINE = """
DROP TABLE procrastinate_periodic_defers, procrastinate_events, procrastinate_jobs, procrastinate_workers;
DO $$ DECLARE found record; BEGIN
  FOR found IN SELECT p.oid::regprocedure AS it FROM pg_proc p
    WHERE p.proname LIKE 'procrastinate\\_%' AND p.pronamespace = current_schema()::regnamespace
  LOOP EXECUTE 'DROP FUNCTION ' || found.it; END LOOP;
END $$;
DROP TYPE procrastinate_job_to_defer_v1, procrastinate_job_event_type, procrastinate_job_status;
"""
_INDEXES = {"work": "jobs_by_work", "joined": "jobs_joined", "handed": "jobs_handed"}
_PARTS = {
    "waiting_jobs": (["submitter", "project_id", "priority", "enqueued"], "lease IS NULL"),
    "waiting_needs": (["needs"], "lease IS NULL"),
    "waiting_priorities": (["priority"], "lease IS NULL"),
    "running_jobs": (["submitter", "project_id"], "lease IS NOT NULL"),
}
_LEGACY = "00000000000040008000000000000001"


def upgrade() -> None:
    """Add the columns and tables."""
    _allow(_OLD, _NEW)
    op.add_column("scans", sa.Column("dead", sa.BigInteger()))
    dead = sa.text("dead IS NOT NULL")
    op.create_index("dead_letters", "scans", ["dead"], sqlite_where=dead, postgresql_where=dead)
    for column in _job_columns():
        op.add_column("jobs", column)
    of_scan = "(SELECT {0} FROM scans WHERE scans.id = jobs.scan_id)"
    for name in ("submitter", "project_id"):
        op.execute(f"UPDATE jobs SET {name} = COALESCE({of_scan.format(name)}, {name})")  # noqa: S608 - ours
    for name, (columns, part) in _PARTS.items():
        where = sa.text(part)
        op.create_index(name, "jobs", columns, sqlite_where=where, postgresql_where=where)
    for name in ("work", "joined", "handed"):
        op.create_index(_INDEXES[name], "jobs", [name])
    op.create_table(
        "project_turns",
        sa.Column("submitter", sa.String(128), primary_key=True),
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO turns SELECT DISTINCT submitter, 0 FROM jobs WHERE true ON CONFLICT DO NOTHING")
    op.execute("INSERT INTO project_turns SELECT DISTINCT submitter, project_id, 0 FROM jobs")
    if op.get_bind().dialect.name == "postgresql":
        from procrastinate.schema import SchemaManager  # the extra `postgres`

        _raw(SchemaManager.get_schema())
    op.create_table(
        "chores",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("done", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text()),
    )


def _job_columns() -> "list[sa.Column[Any]]":
    return [
        sa.Column("submitter", sa.String(128), nullable=False, server_default=""),
        sa.Column("project_id", sa.Uuid(), nullable=False, server_default=_LEGACY),
        sa.Column("priority", sa.SmallInteger(), nullable=False, server_default="10"),
        sa.Column("deadline", sa.BigInteger()),
        sa.Column("needs", sa.Text(), nullable=False, server_default=""),
        sa.Column("work", sa.String(64)),
        sa.Column("joined", sa.Uuid()),
        sa.Column("cancel", sa.Text()),
        sa.Column("handed", sa.BigInteger()),
    ]


def _allow(old: str, new: str) -> None:
    """Let scans have other statuses.

    SQLite changes a table's constraint by copying the table, and dropping the old one would take the reports along
    (ON DELETE CASCADE, which cannot be switched off inside of a transaction). The constraint is nothing on the disk but
    its text, and is changed as SQLite's documentation says (lang_altertable.html, "Making Other Kinds Of Table Schema
    Changes").
    """
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint("scan_status", "scans", type_="check")
        op.create_check_constraint("scan_status", "scans", new)
        return
    connection = op.get_bind()
    kept = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'scans'")
    text = kept.scalar_one()
    if text.count(old) != 1:
        raise RuntimeError("The table of scans is not as the migrations made it.")
    version = connection.exec_driver_sql("PRAGMA schema_version").scalar_one()
    connection.exec_driver_sql("PRAGMA writable_schema = ON")
    connection.exec_driver_sql(
        "UPDATE sqlite_master SET sql = ? WHERE type = 'table' AND name = 'scans'", (text.replace(old, new),)
    )
    connection.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    connection.exec_driver_sql("PRAGMA writable_schema = OFF")


def _raw(statements: str) -> None:
    """Many statements at once, by the driver, which then looks for no placeholders in them."""
    op.get_bind().connection.driver_connection.execute(statements)  # type: ignore[union-attr]


def downgrade() -> None:
    """Drop them; cancelled scans have failed."""
    if op.get_bind().dialect.name == "postgresql":
        _raw(_DROP_ENGINE)
    op.execute("UPDATE scans SET status = 'failed' WHERE status = 'cancelled'")
    _allow(_NEW, _OLD)
    op.drop_table("chores")
    op.drop_table("project_turns")
    for name in (*_PARTS, *_INDEXES.values()):
        op.drop_index(name, "jobs")
    for column in reversed(_job_columns()):
        op.drop_column("jobs", column.name)
    op.drop_index("dead_letters", "scans")
    op.drop_column("scans", "dead")
