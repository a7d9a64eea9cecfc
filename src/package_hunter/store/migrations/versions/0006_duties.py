"""Groups, projects, accounts, members, the history. What was scanned before belongs to the project ``legacy``, and
whoever could log in keeps there what everybody could do: submit, read, see the server's figures."""

import time
import uuid

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LEGACY = uuid.UUID("00000000-0000-4000-8000-000000000001")
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, move what is there into them, close the history."""
    _make_places()
    _make_history()
    op.add_column("scans", sa.Column("project_id", sa.Uuid(), nullable=False, server_default=_LEGACY.hex))
    op.create_index("scans_by_project", "scans", ["project_id", "created", "id"])
    _move_accounts()
    _close_history()


def _make_places() -> None:
    for name in ("groups", "projects"):
        op.create_table(
            name,
            sa.Column("id", sa.Uuid(), primary_key=True),
            sa.Column("path", sa.String(255), nullable=False, unique=True),
            sa.Column("created", sa.BigInteger(), nullable=False),
        )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(134), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("home", sa.Uuid(), sa.ForeignKey("projects.id"), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger()),
        sa.CheckConstraint("kind IN ('user', 'token')", name="account_kind"),
    )
    live = sa.text("removed IS NULL")
    op.create_index(
        "live_accounts", "accounts", ["name"], unique=True, sqlite_where=live, postgresql_where=live
    )
    op.create_table(
        "members",
        sa.Column(
            "account_id", sa.Uuid(), sa.ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("role", sa.String(32), primary_key=True),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id", ondelete="CASCADE")),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE")),
        sa.Column("created", sa.BigInteger(), nullable=False),
    )
    op.create_index("ix_members_project_id", "members", ["project_id"])


def _make_history() -> None:
    op.create_table(
        "history",
        sa.Column("id", _NUMBER, primary_key=True, autoincrement=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(160), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("action", sa.String(64), nullable=False),
        sa.Column("object", sa.String(512), nullable=False),
        sa.Column("project_id", sa.Uuid()),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        sa.Column("why", sa.Text()),
    )
    op.create_index("history_by_time", "history", ["time"])
    op.create_table(
        "history_seals",
        sa.Column("position", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("entry_id", _NUMBER, nullable=False, unique=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("signature", sa.String(88), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("sealed", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "history_unsealed",
        sa.Column("entry_id", _NUMBER, sa.ForeignKey("history.id"), primary_key=True),
        sa.Column("time", sa.BigInteger(), nullable=False),
    )


def _move_accounts() -> None:
    now = time.time_ns() // 1_000_000
    uid, number, text = sa.Uuid(), sa.BigInteger(), sa.String()
    projects = sa.table(
        "projects", sa.column("id", uid), sa.column("path", text), sa.column("created", number)
    )
    accounts = sa.table(
        "accounts",
        *(sa.column("id", uid), sa.column("name", text), sa.column("kind", text), sa.column("home", uid)),
        sa.column("created", number),
    )
    members = sa.table(
        "members",
        *(sa.column("account_id", uid), sa.column("place", text), sa.column("role", text)),
        *(sa.column("project_id", uid), sa.column("created", number)),
    )
    connection = op.get_bind()
    connection.execute(projects.insert().values(id=_LEGACY, path="legacy", created=now))
    users = connection.execute(sa.text("SELECT name, created FROM users")).all()
    tokens = connection.execute(sa.text("SELECT name, created FROM tokens WHERE revoked IS NULL")).all()
    found = [(name, "user", made) for name, made in users]
    found += [(f"token:{name}", "token", made) for name, made in tokens]
    for name, kind, made in found:
        account = uuid.uuid4()
        connection.execute(
            accounts.insert().values(id=account, name=name, kind=kind, home=_LEGACY, created=made)
        )
        for place, role, project in ((_LEGACY.hex, "developer", _LEGACY), ("everywhere", "monitor", None)):
            connection.execute(
                members.insert().values(
                    account_id=account, place=place, role=role, project_id=project, created=now
                )
            )


def _close_history() -> None:
    """What is written there stays: the database itself refuses anything else, whoever asks as the application."""
    if op.get_bind().dialect.name == "sqlite":
        for table in ("history", "history_seals"):
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    "BEGIN SELECT RAISE(ABORT, 'the history is never changed'); END"
                )
        for table, key in (("history", "id"), ("history_seals", "position"), ("history_seals", "entry_id")):
            # INSERT OR REPLACE takes a row away without asking the trigger on DELETE
            taken = f"SELECT 1 FROM {table} WHERE {key} = NEW.{key}"  # noqa: S608 (the names above)
            op.execute(
                f"CREATE TRIGGER {table}_no_other_{key} BEFORE INSERT ON {table} WHEN EXISTS ({taken}) "
                "BEGIN SELECT RAISE(ABORT, 'the history is never changed'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION package_hunter_history_stays() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the history is never changed'; END $$"
    )
    for table in ("history", "history_seals"):
        op.execute(
            f"CREATE TRIGGER {table}_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION package_hunter_history_stays()"
        )


def downgrade() -> None:
    """Drop them; roles and history are lost."""
    op.drop_index("scans_by_project", "scans")
    op.drop_column("scans", "project_id")
    for table in (
        "history_unsealed",
        "history_seals",
        "history",
        "members",
        "accounts",
        "projects",
        "groups",
    ):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION package_hunter_history_stays()")
