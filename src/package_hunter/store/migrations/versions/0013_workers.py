"""What workers can, and which of them are to take no more. A worker of a version that knows of none of this takes no
scan any more: where its archive lies, and what it needs, is written in a way that such a version does not read."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_SAYS = "a worker of an older version takes no scans: stop it, or upgrade it"
_OLD = "EXISTS (SELECT 1 FROM workers WHERE name = NEW.worker AND form IS NULL)"
_TRIGGER = "jobs_for_workers_that_know"


def upgrade() -> None:
    """Add the columns, and the trigger."""
    for column in _columns():
        op.add_column("workers", column)
    op.add_column("jobs", sa.Column("killed", sa.SmallInteger(), nullable=False, server_default="0"))
    op.create_table(
        "tolerances",
        sa.Column("revision", sa.String(32), primary_key=True),
        sa.Column("oldest", sa.String(32), nullable=False),
    )
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            f"CREATE TRIGGER {_TRIGGER} BEFORE UPDATE OF worker ON jobs "
            f"WHEN NEW.worker IS NOT NULL AND {_OLD} BEGIN SELECT RAISE(ABORT, '{_SAYS}'); END"
        )
        return
    op.execute(
        f"CREATE FUNCTION {_TRIGGER}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
        f"IF NEW.worker IS NOT NULL AND {_OLD} THEN RAISE EXCEPTION '{_SAYS}'; END IF; RETURN NEW; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_TRIGGER} BEFORE UPDATE OF worker ON jobs "
        f"FOR EACH ROW EXECUTE FUNCTION {_TRIGGER}()"
    )


def _columns() -> "list[sa.Column[object]]":
    return [
        sa.Column("form", sa.SmallInteger()),
        sa.Column("started", sa.BigInteger()),
        sa.Column("version", sa.String(64)),
        sa.Column("engine", sa.String(16)),
        sa.Column("kernel", sa.String(128)),
        sa.Column("machine", sa.String(32)),
        sa.Column("image", sa.String(64)),
        sa.Column("rules", sa.String(64)),
        sa.Column("can", sa.Text()),
        sa.Column("slots", sa.SmallInteger()),
        sa.Column("drain", sa.BigInteger()),
        sa.Column("give_back", sa.BigInteger()),
    ]


def downgrade() -> None:
    """Drop them."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute(f"DROP TRIGGER {_TRIGGER}")
    else:
        op.execute(f"DROP TRIGGER {_TRIGGER} ON jobs")
        op.execute(f"DROP FUNCTION {_TRIGGER}()")
    op.drop_table("tolerances")
    op.drop_column("jobs", "killed")
    for column in reversed(_columns()):
        op.drop_column("workers", column.name)
