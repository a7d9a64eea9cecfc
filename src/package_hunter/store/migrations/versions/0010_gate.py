"""What projects hold (components, verdicts of files, what was condemned later), and the gate: where scanned trees come
from, its answers (never changed), what is to be fetched and told."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_LIVE = sa.text("status = 'waiting'")
_TABLES = (
    *("component_lists", "components", "component_digests", "holdings", "scan_marks", "file_verdicts"),
    *("release_files", "condemned", "told"),
    *("scan_origins", "gate_answers", "repositories", "fetches", "watches"),
)


def upgrade() -> None:
    """Make the tables, close the answers."""
    _make_inventory()
    _make_gate()
    _close_answers()


def _make_inventory() -> None:
    op.create_table(
        "component_lists",
        sa.Column("digest", sa.String(64), primary_key=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "components",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column(
            "list", sa.String(64), sa.ForeignKey("component_lists.digest", ondelete="CASCADE"), nullable=False
        ),
        sa.Column("base", sa.String(512), nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("path", sa.Text()),
        sa.Column("direct", sa.Boolean(), nullable=False),
        sa.Column("exact", sa.Boolean(), nullable=False),
        sa.Column("wanted_by", sa.String(512)),
    )
    op.create_index("components_by_list", "components", ["list"])
    op.create_index("components_by_name", "components", ["base", "version"])
    op.create_table(
        "component_digests",
        sa.Column(
            "component_id", _NUMBER, sa.ForeignKey("components.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("digest", sa.String(160), primary_key=True),
    )
    op.create_index("component_digests_by_digest", "component_digests", ["digest"])
    op.create_table(
        "holdings",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE")),
        sa.Column("list", sa.String(64), sa.ForeignKey("component_lists.digest"), nullable=False),
        sa.Column("source", sa.String(8), nullable=False),
        sa.Column("name", sa.String(512), nullable=False),
        sa.Column("commit", sa.String(64)),
        sa.Column("document", sa.String(64)),
        sa.Column("owner", sa.String(128), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("source IN ('scan', 'lock', 'sbom')", name="holding_source"),
    )
    op.create_index("holdings_by_list", "holdings", ["list"])
    op.create_index("holdings_by_project", "holdings", ["project_id", "created"])
    op.create_index("holdings_by_scan", "holdings", ["scan_id"])
    op.create_table(
        "scan_marks",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("value", sa.String(255), primary_key=True),
        sa.Column("purl", sa.String(512)),
        sa.CheckConstraint("kind IN ('fingerprint', 'host')", name="mark_kind"),
    )
    op.create_index("scan_marks_by_value", "scan_marks", ["kind", "value"])
    op.create_table(
        "file_verdicts",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", sa.String(160), primary_key=True),
        sa.Column("base", sa.String(512), nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("verdict", sa.String(16), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.CheckConstraint("verdict IN ('malicious', 'suspicious')", name="file_verdict"),
    )
    op.create_index("file_verdicts_by_name", "file_verdicts", ["base", "version"])
    op.create_table(
        "release_files",
        sa.Column("digest", sa.String(160), primary_key=True),
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("base", sa.String(512), nullable=False),
        sa.Column("version", sa.String(255), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("runs_here", sa.Boolean(), nullable=False),
        sa.Column("members", sa.Text(), nullable=False),
        sa.Column("native", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_index("release_files_by_name", "release_files", ["base", "version"])
    op.create_table(
        "condemned",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("origin", sa.String(8), nullable=False),
        sa.Column("record", sa.String(160), nullable=False),
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE")),
        sa.Column("base", sa.String(512), nullable=False),
        sa.Column("versions", sa.Text(), nullable=False),
        sa.Column("digests", sa.Text(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("rotate", sa.Text(), nullable=False),
        sa.Column("hosts", sa.Text(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn", sa.BigInteger()),
        sa.CheckConstraint("origin IN ('osv', 'scan')", name="condemned_origin"),
    )
    op.create_index("condemned_by_name", "condemned", ["base"])
    op.create_index("condemned_by_record", "condemned", ["origin", "record", "base"], unique=True)
    op.create_table(
        "told",
        sa.Column(
            "condemned_id", sa.Uuid(), sa.ForeignKey("condemned.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("list", sa.String(64), primary_key=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )


def _make_gate() -> None:
    op.create_table(
        "scan_origins",
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("ref", sa.String(255)),
        sa.Column("merge_request", sa.String(64)),
        sa.Column("base", sa.String(64)),
        sa.Column("known", sa.String(16), nullable=False),
        sa.Column("witness", sa.Text()),
        sa.Column("gaps", sa.Text()),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("known IN ('fetched', 'pinned', 'claimed')", name="origin_known"),
    )
    op.create_index("scan_origins_by_commit", "scan_origins", ["project_id", "commit"])
    op.create_table(
        "gate_answers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("result", sa.String(16), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("asked_by", sa.String(160), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("result IN ('pass', 'block', 'review', 'missing')", name="gate_result"),
    )
    op.create_index("gate_answers_by_commit", "gate_answers", ["project_id", "commit", "created"])
    op.create_table(
        "repositories",
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("url", sa.String(1024), nullable=False),
        sa.Column("external", sa.String(255)),
        sa.Column("status_check", sa.String(32)),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "fetches",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("project_id", sa.Uuid(), nullable=False),
        sa.Column("commit", sa.String(64), nullable=False),
        sa.Column("ref", sa.String(255)),
        sa.Column("merge_request", sa.String(64)),
        sa.Column("base", sa.String(64)),
        sa.Column("asked_by", sa.String(128), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("scan_id", sa.Uuid(), sa.ForeignKey("scans.id", ondelete="SET NULL")),
        sa.CheckConstraint("status IN ('waiting', 'done', 'failed')", name="fetch_status"),
    )
    op.create_index("fetches_by_status", "fetches", ["status", "due"])
    op.create_index(
        "live_fetches",
        "fetches",
        ["project_id", "commit"],
        unique=True,
        sqlite_where=_LIVE,
        postgresql_where=_LIVE,
    )
    op.create_table(
        "watches",
        sa.Column("project_id", sa.Uuid(), primary_key=True),
        sa.Column("commit", sa.String(64), primary_key=True),
        sa.Column("ref", sa.String(255)),
        sa.Column("merge_request", sa.String(64)),
        sa.Column("told", sa.String(64)),
        sa.Column("external", sa.String(64)),
        sa.Column("due", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("error", sa.Text()),
    )
    op.create_index("watches_by_time", "watches", ["due"])


def _close_answers() -> None:
    """An answer that was given stays as it was given."""
    if op.get_bind().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER gate_answers_no_{act.lower()} BEFORE {act} ON gate_answers "
                "BEGIN SELECT RAISE(ABORT, 'an answer of the gate is never changed'); END"
            )
        # INSERT OR REPLACE takes a row away without asking the trigger on DELETE
        taken = "SELECT 1 FROM gate_answers WHERE id = NEW.id"
        op.execute(
            f"CREATE TRIGGER gate_answers_no_other_id BEFORE INSERT ON gate_answers WHEN EXISTS ({taken}) "
            "BEGIN SELECT RAISE(ABORT, 'an answer of the gate is never changed'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION package_hunter_answers_stay() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'an answer of the gate is never changed'; END $$"
    )
    op.execute(
        "CREATE TRIGGER gate_answers_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON gate_answers "
        "FOR EACH STATEMENT EXECUTE FUNCTION package_hunter_answers_stay()"
    )


def downgrade() -> None:
    """Drop them; inventory and answers are lost."""
    for table in reversed(_TABLES):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION package_hunter_answers_stay()")
