"""Indexes that hold all that is asked of them: for lists of findings, and for who holds a package."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_LISTED = (
    "project_id",
    "state",
    "asks",
    "kind",
    "verdict",
    "detected",
    "claimed_until",
    "first_seen",
    "package",
    "claimed_by",
    "until",
)


def upgrade() -> None:
    """Make the indexes, in place of those that they begin with. Programs of 0017 need not know."""
    op.create_index("findings_listed", "findings", ["last_seen", "id", "severity", *_LISTED])
    op.create_index("findings_gravest", "findings", ["severity", "last_seen", "id", *_LISTED])
    op.drop_index("findings_by_time", "findings")
    op.drop_index("findings_by_severity", "findings")
    op.drop_index("components_by_name", "components")
    op.create_index("components_by_name", "components", ["base", "version", "list", "exact", "id"])
    op.execute("INSERT INTO tolerances (revision, oldest) VALUES ('0018', '0017')")


def downgrade() -> None:
    """The indexes of before."""
    op.execute("DELETE FROM tolerances WHERE revision = '0018'")
    op.drop_index("components_by_name", "components")
    op.create_index("components_by_name", "components", ["base", "version"])
    op.create_index("findings_by_time", "findings", ["last_seen", "id"])
    op.create_index("findings_by_severity", "findings", ["severity", "last_seen", "id"])
    op.drop_index("findings_gravest", "findings")
    op.drop_index("findings_listed", "findings")
