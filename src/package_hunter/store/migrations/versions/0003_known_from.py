"""Where a scan's result came from, where nothing was run. What is known was known by too little: forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column; empty the table of results, which accounts shared."""
    op.add_column("scans", sa.Column("known_from", sa.Uuid(), nullable=True))
    op.execute("DELETE FROM known_results")


def downgrade() -> None:
    """Drop it."""
    op.drop_column("scans", "known_from")
