"""What pages show: lists that somebody keeps, what happened to one thing, and figures of what waits for people."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

_INDEXES = (
    ("findings_by_wait", "findings", ["state", "detected", "first_seen", "severity", "project_id"]),
    ("findings_by_asks", "findings", ["asks", "last_seen", "id"]),
    ("states_by_time", "finding_states", ["time"]),
    ("gate_answers_by_result", "gate_answers", ["result", "created"]),
    ("history_by_object", "history", ["object"]),
)


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "saved_views",
        sa.Column("account_id", sa.Uuid(), sa.ForeignKey("accounts.id"), primary_key=True),
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("query", sa.String(2_000), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    for name, table, columns in _INDEXES:
        op.create_index(name, table, columns)
    op.execute("INSERT INTO tolerances (revision, oldest) VALUES ('0019', '0017')")  # it only adds


def downgrade() -> None:
    """Drop them."""
    op.execute("DELETE FROM tolerances WHERE revision = '0019'")
    for name, table, _ in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
    op.drop_table("saved_views")
