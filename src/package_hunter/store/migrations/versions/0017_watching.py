"""Figures that outlive processes, the steps of scans, standing drills; indexes for verdicts of files."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "figures",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("labels", sa.String(200), primary_key=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("ms", sa.BigInteger(), nullable=False),
        sa.Column("buckets", sa.Text(), nullable=False),
    )
    op.create_table(
        "scan_steps",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("counted", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("due", sa.BigInteger()),
        sa.Column("body", sa.Text()),
    )
    some = sa.text("due IS NOT NULL")
    op.create_index("steps_due", "scan_steps", ["due"], sqlite_where=some, postgresql_where=some)
    op.create_table(
        "drills",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("begun", sa.BigInteger(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(128), nullable=False),
        sa.Column("scan_id", sa.Uuid(), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("blocked", sa.BigInteger()),
        sa.Column("fingerprint", sa.String(64)),
        sa.Column("decided", sa.BigInteger()),
        sa.Column("decided_by", sa.String(160)),
        sa.Column("said", sa.Text()),
        sa.CheckConstraint("state IN ('running', 'proven', 'failed')", name="drill_state"),
    )
    op.create_index("drills_by_time", "drills", ["begun"])
    op.create_index("ix_drills_scan_id", "drills", ["scan_id"])
    op.create_index("file_verdicts_by_digest", "file_verdicts", ["digest"])
    op.drop_index("holdings_by_list", "holdings")
    op.create_index("holdings_by_list", "holdings", ["list", "source", "created", "scan_id", "project_id"])


def downgrade() -> None:
    """Drop them; traces that were not sent yet are lost."""
    op.drop_index("holdings_by_list", "holdings")
    op.create_index("holdings_by_list", "holdings", ["list"])
    op.drop_index("file_verdicts_by_digest", "file_verdicts")
    for table in ("drills", "scan_steps", "figures"):
        op.drop_table(table)
