"""Scans, reports, jobs, workers, users, tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "scans",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("target", sa.String(512), nullable=False),
        sa.Column("manager", sa.String(32)),
        sa.Column("sha256", sa.String(64)),
        sa.Column("size", sa.BigInteger()),
        sa.Column("purl", sa.String(512)),
        sa.Column("submitter", sa.String(128), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("started", sa.BigInteger()),
        sa.Column("finished", sa.BigInteger()),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("exit_code", sa.SmallInteger()),
        sa.Column("verdict", sa.String(16)),
        sa.Column("decision", sa.String(16)),
        sa.CheckConstraint("status IN ('pending', 'running', 'finished', 'failed')", name="scan_status"),
        sa.CheckConstraint("(sha256 IS NULL) <> (purl IS NULL)", name="archive_or_purl"),
    )
    op.create_index("scans_by_time", "scans", ["created", "id"])
    op.create_index("scans_by_status", "scans", ["status", "created"])
    op.create_index("ix_scans_sha256", "scans", ["sha256"])
    op.create_table("reports", _scan_key(), sa.Column("body", sa.LargeBinary(), nullable=False))
    op.create_table(
        "jobs",
        _scan_key(),
        sa.Column("enqueued", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("worker", sa.String(128)),
        sa.Column("lease", sa.String(32)),
        sa.Column("lease_until", sa.BigInteger()),
    )
    op.create_index("jobs_by_time", "jobs", ["lease_until", "enqueued"])
    op.create_table(
        "workers",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("seen", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("password", sa.String(256), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "tokens",
        sa.Column("name", sa.String(128), primary_key=True),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("last_used", sa.BigInteger()),
        sa.Column("revoked", sa.BigInteger()),
    )


def _scan_key() -> sa.Column[object]:
    return sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True)


def downgrade() -> None:
    """Drop them all."""
    for table in ("tokens", "users", "workers", "jobs", "reports", "scans"):
        op.drop_table(table)
