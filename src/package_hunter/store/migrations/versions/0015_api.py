"""The API: requests that are done once, what is told of a scan while it runs, scans to be judged again; and what scans
are listed by."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_LISTED_BY = ("verdict", "decision", "submitter", "ecosystem")
_MANAGERS = {
    "npm": ("npm", "yarn", "pnpm", "bun"),
    "pypi": ("pypi", "pip", "python", "uv", "poetry"),
    "gem": ("gem", "bundler", "ruby"),
}


def upgrade() -> None:
    """Make the tables, the column and the indexes."""
    op.create_table(
        "kept_requests",
        sa.Column("account", sa.String(160), primary_key=True),
        sa.Column("key", sa.String(128), primary_key=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("holder", sa.String(32), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(64)),
        sa.Column("status", sa.SmallInteger()),
        sa.Column("location", sa.String(512)),
        sa.Column("body", sa.LargeBinary()),
    )
    op.create_index("kept_requests_by_time", "kept_requests", ["created"])
    _of_scans()
    op.add_column("scans", sa.Column("ecosystem", sa.String(32)))
    for name, managers in _MANAGERS.items():
        said = ", ".join(f"'{manager}'" for manager in managers)
        op.execute(
            f"UPDATE scans SET ecosystem = '{name}' WHERE manager IN ({said}) OR purl LIKE 'pkg:{name}/%'"  # noqa: S608
        )
    for column in _LISTED_BY:
        op.create_index(f"scans_by_{column}", "scans", [column, "created", "id"])
    op.execute("INSERT INTO tolerances (revision, oldest) VALUES ('0015', '0014')")  # it only adds


def _of_scans() -> None:
    scan = sa.ForeignKey("scans.id", ondelete="CASCADE")
    op.create_table(
        "scan_events",
        sa.Column("scan_id", sa.Uuid(), scan, primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("text", sa.String(300), nullable=False),
    )
    op.create_table(
        "rejudge_requests",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("said", sa.Text()),
        sa.Column("ended", sa.BigInteger()),
        sa.CheckConstraint("state IN ('waiting', 'unchanged', 'changed', 'failed')", name="rejudge_state"),
    )
    op.create_index("rejudge_requests_by_state", "rejudge_requests", ["state", "asked"])


def downgrade() -> None:
    """Drop all of it."""
    op.execute("DELETE FROM tolerances WHERE revision = '0015'")
    for column in _LISTED_BY:
        op.drop_index(f"scans_by_{column}", table_name="scans")
    op.drop_column("scans", "ecosystem")
    for table in ("rejudge_requests", "scan_events", "kept_requests"):
        op.drop_table(table)
