"""How far a scan is to look, where the submitter said."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column."""
    op.add_column("scans", sa.Column("depth", sa.String(16)))


def downgrade() -> None:
    """Drop it."""
    op.drop_column("scans", "depth")
