"""What is told to teams: the outbox, destinations, deliveries, the issues that were opened."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "notices",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("event", sa.String(64), nullable=False),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id", ondelete="CASCADE")),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("once", sa.String(200), unique=True),
        sa.Column("spread", sa.BigInteger()),
    )
    op.create_index("notices_unspread", "notices", ["spread", "time"])
    _make_destinations()
    _make_deliveries()


def _make_destinations() -> None:
    op.create_table(
        "notice_destinations",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("place", sa.String(32), nullable=False),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id", ondelete="CASCADE")),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("name", sa.String(128), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("target", sa.String(2_048), nullable=False),
        sa.Column("options", sa.Text(), nullable=False),
        sa.Column("events", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger()),
    )
    live = sa.text("removed IS NULL")
    op.create_index(
        "live_destinations",
        "notice_destinations",
        ["place", "name"],
        unique=True,
        sqlite_where=live,
        postgresql_where=live,
    )


def _make_deliveries() -> None:
    destination = "notice_destinations.id"
    op.create_table(
        "notice_deliveries",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("notice_id", sa.Uuid(), sa.ForeignKey("notices.id", ondelete="CASCADE"), nullable=False),
        sa.Column(
            "destination_id", sa.Uuid(), sa.ForeignKey(destination, ondelete="CASCADE"), nullable=False
        ),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("tried", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.CheckConstraint("state IN ('waiting', 'delivered', 'dead')", name="delivery_state"),
        sa.UniqueConstraint("notice_id", "destination_id", name="one_delivery"),
    )
    op.create_index("deliveries_due", "notice_deliveries", ["state", "due"])
    op.create_index("ix_notice_deliveries_destination_id", "notice_deliveries", ["destination_id"])
    op.create_table(
        "notice_issues",
        sa.Column(
            "destination_id", sa.Uuid(), sa.ForeignKey(destination, ondelete="CASCADE"), primary_key=True
        ),
        sa.Column(
            "project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("fingerprint", sa.String(128), primary_key=True),
        sa.Column("remote", sa.String(128)),
        sa.Column("url", sa.String(2_048)),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("changed", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "told_findings",
        sa.Column(
            "project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("open", sa.Boolean(), nullable=False),
    )


def downgrade() -> None:
    """Drop them; what was not told yet is lost."""
    for table in ("told_findings", "notice_issues", "notice_deliveries", "notice_destinations", "notices"):
        op.drop_table(table)
