"""Results by what was scanned, so that unchanged dependencies need no second scan; scans that want a fresh one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the column."""
    op.create_table(
        "known_results",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("key", sa.String(64), nullable=False),
    )
    op.create_index("known_results_by_key", "known_results", ["key"])
    op.add_column("scans", sa.Column("fresh", sa.Boolean(), nullable=False, server_default=sa.false()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("scans", "fresh")
    op.drop_table("known_results")
