"""Whose turn it was last, so that accounts take turns; what a worker lacks, so that health can say it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the column."""
    op.create_table(
        "turns",
        sa.Column("submitter", sa.String(128), primary_key=True),
        sa.Column("turn", sa.BigInteger(), nullable=False),
    )
    op.add_column("workers", sa.Column("lacks", sa.Text()))


def downgrade() -> None:
    """Drop them."""
    op.drop_column("workers", "lacks")
    op.drop_table("turns")
