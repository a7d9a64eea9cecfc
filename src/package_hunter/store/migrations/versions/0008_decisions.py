"""Findings in projects, what people decide about them, policies by scope. What was scanned before is projected by the
server, scan after scan (`triage.projection.backfill`)."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_INDEXES = (
    ("findings_by_end", "findings", ("state", "until")),
    ("findings_by_age", "findings", ("first_seen",)),
    ("findings_by_claim", "findings", ("claimed_until",)),
    ("findings_by_fingerprint", "findings", ("fingerprint", "project_id")),
    ("findings_by_kind", "findings", ("kind", "last_seen", "id")),
    ("findings_by_project", "findings", ("project_id", "last_seen", "id")),
    ("findings_by_project_state", "findings", ("project_id", "state", "last_seen", "id")),
    ("findings_by_project_severity", "findings", ("project_id", "severity", "last_seen", "id")),
    ("findings_by_severity", "findings", ("severity", "last_seen", "id")),
    ("findings_by_state", "findings", ("state", "last_seen", "id")),
    ("findings_by_time", "findings", ("last_seen", "id")),
    ("occurrences_by_fingerprint", "occurrences", ("fingerprint", "project_id")),
    ("presence_by_fingerprint", "finding_presence", ("project_id", "fingerprint", "present")),
    ("results_by_project", "scan_results", ("project_id", "basis")),
    ("states_by_fingerprint", "finding_states", ("fingerprint",)),
    ("notes_by_finding", "finding_notes", ("finding_id", "time", "id")),
    ("efforts_by_finding", "finding_efforts", ("finding_id",)),
)


def upgrade() -> None:
    """Make the tables; they are empty."""
    _make_findings()
    _make_decisions()
    _make_policies()
    for name, table, columns in _INDEXES:
        op.create_index(name, table, list(columns))
    op.create_index(
        "findings_by_package",
        "findings",
        ["package", "last_seen", "id"],
        postgresql_ops={"package": "varchar_pattern_ops"},
    )


def _make_findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("severity", sa.SmallInteger(), nullable=False),
        sa.Column("proof", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("confidence", sa.String(16), nullable=False),
        sa.Column("title", sa.String(500), nullable=False),
        sa.Column("package", sa.String(512), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
        sa.Column("behaviour_digest", sa.String(32), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("first_scan", sa.Uuid(), nullable=False),
        sa.Column("last_scan", sa.Uuid(), nullable=False),
        sa.Column("scans", sa.BigInteger(), nullable=False),
        sa.Column("detected", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asks", sa.String(16)),
        sa.Column("place", sa.String(32)),
        sa.Column("until", sa.String(10)),
        sa.Column("claimed_by", sa.String(160)),
        sa.Column("claimed", sa.BigInteger()),
        sa.Column("claimed_until", sa.BigInteger()),
    )
    op.create_table(
        "finding_words",
        sa.Column(
            "finding_id", sa.Uuid(), sa.ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_table(
        "occurrences",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("package", sa.String(512), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("behaviour", sa.Text(), nullable=False),
    )
    op.create_table(
        "scan_lines",
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("key", sa.String(32), primary_key=True),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("purl", sa.String(512)),
        sa.Column("last_scan", sa.Uuid(), nullable=False),
        sa.Column("last_created", sa.BigInteger(), nullable=False),
        sa.Column("whole_created", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "finding_presence",
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("line", sa.String(32), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("present", sa.Boolean(), nullable=False),
    )
    op.create_table(
        "scan_results",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.String(32), nullable=False),
        sa.Column("incomplete", sa.Boolean(), nullable=False),
        sa.Column("own", sa.Text()),
        sa.Column("basis", sa.String(64), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("decision", sa.String(16), nullable=False),
        sa.Column("outcomes", sa.Text(), nullable=False),
    )
    op.create_table(
        "own_says",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("said", sa.Text(), nullable=False),
    )


def _make_decisions() -> None:
    op.create_table(
        "finding_states",
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("fingerprint", sa.String(64), primary_key=True),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(32)),
        sa.Column("remark", sa.Text(), nullable=False),
        sa.Column("until", sa.String(10)),
        sa.Column("proposal", sa.String(64)),
        sa.Column("behaviour", sa.Text()),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "state_versions",
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "finding_notes",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("finding_id", sa.Uuid(), sa.ForeignKey("findings.id", ondelete="CASCADE"), nullable=False),
        sa.Column("parent_id", sa.Uuid(), sa.ForeignKey("finding_notes.id")),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
    )
    op.create_table(
        "finding_efforts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("finding_id", sa.Uuid(), sa.ForeignKey("findings.id", ondelete="CASCADE"), nullable=False),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("began", sa.BigInteger(), nullable=False),
        sa.Column("ended", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
    )


def _make_policies() -> None:
    op.create_table(
        "policies",
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("version", sa.BigInteger(), primary_key=True),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id")),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id")),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("document", sa.Text()),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text()),
        sa.Column("proposal", sa.String(64)),
    )
    op.create_table(
        "schedule_runs",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("ran", sa.BigInteger(), nullable=False),
        sa.Column("submitted", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
    )


def downgrade() -> None:
    """Drop them; states, notes and policies are lost."""
    for table in (
        "schedule_runs",
        "policies",
        "finding_efforts",
        "finding_notes",
        "state_versions",
        "finding_states",
        "own_says",
        "scan_results",
        "finding_presence",
        "scan_lines",
        "occurrences",
        "finding_words",
        "findings",
    ):
        op.drop_table(table)
