"""Bundles that somebody asked a server for: only who holds the history's key can sign one."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "bundle_requests",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("asked", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("said", sa.Text()),
        sa.Column("digest", sa.String(64)),
        sa.Column("ended", sa.BigInteger()),
        sa.CheckConstraint("state IN ('waiting', 'made', 'failed')", name="bundle_state"),
    )
    op.create_index("bundle_requests_by_state", "bundle_requests", ["state", "asked"])
    op.execute("INSERT INTO tolerances (revision, oldest) VALUES ('0016', '0014')")  # it only adds


def downgrade() -> None:
    """Drop it."""
    op.execute("DELETE FROM tolerances WHERE revision = '0016'")
    op.drop_table("bundle_requests")
