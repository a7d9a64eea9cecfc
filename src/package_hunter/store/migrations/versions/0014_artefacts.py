"""Artefacts by digest: what refers to them, what claims them, what is being removed; holds, and how long scans are
kept. A report's row keeps its digest, and an empty body; one that has its body is moved out later, by a chore."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.add_column("reports", sa.Column("digest", sa.String(64)))
    inside = sa.text("digest IS NULL")
    op.create_index("reports_inside", "reports", ["scan_id"], sqlite_where=inside, postgresql_where=inside)
    _make_refs()
    _make_claims()
    _make_keeping()


def _make_refs() -> None:
    op.create_table(
        "artefact_refs",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(1_024), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_index("artefact_refs_by_name", "artefact_refs", ["kind", "digest"])
    op.create_index("artefact_refs_by_scan", "artefact_refs", ["scan_id", "kind"])


def _make_claims() -> None:
    op.create_table(
        "artefact_claims",
        sa.Column("holder", sa.Uuid(), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("until", sa.BigInteger(), nullable=False),
    )
    op.create_index("artefact_claims_by_name", "artefact_claims", ["kind", "digest"])
    op.create_table(
        "artefacts_doomed",
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
    )


def _make_keeping() -> None:
    op.create_table(
        "holds",
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("scan_id", sa.Uuid()),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(scan_id IS NULL) <> (project_id IS NULL)", name="scan_or_project"),
    )
    op.create_index("holds_by_scan", "holds", ["scan_id"])
    op.create_index("holds_by_project", "holds", ["project_id"])
    op.create_table(
        "retention",
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("days", sa.BigInteger()),
        sa.Column("scans", sa.BigInteger()),
        sa.Column("bytes", sa.BigInteger()),
    )


def downgrade() -> None:
    """Take them away. A report that lies outside is lost by it."""
    for name in ("retention", "holds", "artefacts_doomed", "artefact_claims", "artefact_refs"):
        op.drop_table(name)
    op.drop_index("reports_inside", "reports")
    op.drop_column("reports", "digest")
