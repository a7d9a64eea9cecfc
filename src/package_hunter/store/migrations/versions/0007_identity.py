"""Who is who: persons, sessions, one-time codes, invitations, identity providers, CI jobs; what tokens are limited to.
Tokens that are there keep what they could do, without an end."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables and columns."""
    op.add_column("accounts", sa.Column("person", sa.Uuid()))
    op.add_column("accounts", sa.Column("rights", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE accounts SET person = id")
    op.add_column("members", sa.Column("source", sa.String(32), nullable=False, server_default=""))
    for column in (
        sa.Column("expires", sa.BigInteger()),
        sa.Column("permissions", sa.Text()),
        sa.Column("places", sa.Text()),
        sa.Column("owner_id", sa.Uuid()),
        sa.Column("delegated", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("tokens", column)
    _make_sign_in()
    _make_providers()
    _make_jobs()


def _account(**more: bool) -> sa.Column[object]:
    key = sa.ForeignKey("accounts.id", ondelete="CASCADE")
    return sa.Column("account_id", sa.Uuid(), key, **more)  # type: ignore[arg-type]


def _provider(**more: bool) -> sa.Column[object]:
    key = sa.ForeignKey("identity_providers.id", ondelete="CASCADE")
    return sa.Column("provider_id", sa.Uuid(), key, **more)  # type: ignore[arg-type]


def _times(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger(), nullable=False) for name in names]


def _make_sign_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        _account(nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False, unique=True),
        sa.Column("previous", sa.String(64)),
        sa.Column("previous_until", sa.BigInteger()),
        sa.Column("csrf", sa.String(64), nullable=False),
        sa.Column("rights", sa.BigInteger(), nullable=False),
        sa.Column("method", sa.String(128), nullable=False),
        sa.Column("origin", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False),
        *_times("created", "seen", "authenticated", "ends"),
    )
    op.create_index("ix_sessions_account_id", "sessions", ["account_id"])
    op.create_index("ix_sessions_previous", "sessions", ["previous"])
    op.create_table(
        "totp",
        _account(primary_key=True),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("confirmed", sa.BigInteger()),
        *_times("last_step", "failures"),
        sa.Column("locked", sa.BigInteger()),
    )
    op.create_table(
        "recovery_codes", _account(primary_key=True), sa.Column("sha256", sa.String(64), primary_key=True)
    )
    op.create_table(
        "invitations",
        sa.Column("sha256", sa.String(64), primary_key=True),
        _account(),
        sa.Column("name", sa.String(128)),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("home", sa.Uuid(), nullable=False),
        *_times("created", "expires"),
    )


def _make_providers() -> None:
    op.create_table(
        "identity_providers",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("issuer", sa.String(512), nullable=False),
        sa.Column("client_id", sa.String(255), nullable=False),
        sa.Column("secret", sa.LargeBinary()),
        sa.Column("groups_claim", sa.String(64), nullable=False),
        *_times("created"),
        sa.UniqueConstraint("issuer", "client_id", name="one_provider"),
    )
    op.create_table(
        "identities",
        _provider(primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        _account(nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        *_times("created", "seen"),
    )
    op.create_index("ix_identities_account_id", "identities", ["account_id"])
    op.create_table(
        "group_roles",
        _provider(primary_key=True),
        sa.Column("group_name", sa.String(255), primary_key=True),
        sa.Column("role", sa.String(32), primary_key=True),
        sa.Column("place", sa.String(32), primary_key=True),
        sa.Column("group_id", sa.Uuid(), sa.ForeignKey("groups.id", ondelete="CASCADE")),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE")),
    )


def _make_jobs() -> None:
    op.create_table(
        "ci_rules",
        sa.Column("name", sa.String(64), primary_key=True),
        _provider(nullable=False),
        sa.Column("conditions", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("project", sa.String(255), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("owner_claim", sa.String(64)),
        sa.Column("owner_role", sa.String(32)),
        *_times("created"),
    )
    op.create_table(
        "forge_projects",
        sa.Column(
            "project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
        ),
        _provider(primary_key=True),
        sa.Column("forge_id", sa.String(64), nullable=False),
        *_times("created"),
    )
    op.create_table(
        "job_tokens",
        sa.Column("sha256", sa.String(64), primary_key=True),
        _provider(nullable=False),
        sa.Column("jti", sa.String(255), nullable=False),
        sa.Column("rule", sa.String(64), nullable=False),
        sa.Column("project_id", sa.Uuid(), sa.ForeignKey("projects.id", ondelete="CASCADE"), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("claims", sa.Text(), nullable=False),
        *_times("created", "expires"),
        sa.UniqueConstraint("provider_id", "jti", name="exchanged_once"),
    )
    op.create_index("job_tokens_by_end", "job_tokens", ["expires"])


def downgrade() -> None:
    """Drop them."""
    for table in (
        *("job_tokens", "forge_projects", "ci_rules", "group_roles", "identities"),
        *("identity_providers", "invitations", "recovery_codes", "totp", "sessions"),
    ):
        op.drop_table(table)
    for column in ("expires", "permissions", "places", "owner_id", "delegated"):
        op.drop_column("tokens", column)
    op.drop_column("members", "source")
    op.drop_column("accounts", "rights")
    op.drop_column("accounts", "person")
