"""The tables of who is who: sessions, one-time codes, invitations, identity providers, CI jobs. Secrets that are only
compared are kept as SHA-256 (they are random: nothing to guess or stretch); those that must be read again are sealed
(`store.secret_box`)."""

from __future__ import annotations

import uuid

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from package_hunter.store.access_tables import MAX_PATH
from package_hunter.store.base import MAX_NAME, Base
from package_hunter.store.types import Id, Whole

MAX_ISSUER = 512
MAX_SUBJECT = 255
MAX_LABEL = 64


class SessionRow(Base):
    """A person's session. Its cookie's secret changes when rights do; the one before it goes on for
    ``previous_until``, for requests that were under way. ``rights`` is `Account.rights` as it was then;
    ``authenticated``: when the person last showed who he is; ``csrf`` must come along with whatever changes
    something."""

    __tablename__ = "sessions"

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    previous: Mapped[str | None] = mapped_column(String(64), index=True)
    previous_until: Mapped[int | None] = mapped_column(Whole)
    csrf: Mapped[str] = mapped_column(String(64))
    rights: Mapped[int] = mapped_column(Whole)
    method: Mapped[str] = mapped_column(String(MAX_NAME))
    origin: Mapped[str] = mapped_column(String(64))
    agent: Mapped[str] = mapped_column(String(200))
    created: Mapped[int] = mapped_column(Whole)
    seen: Mapped[int] = mapped_column(Whole)
    authenticated: Mapped[int] = mapped_column(Whole)
    ends: Mapped[int] = mapped_column(Whole)


class TotpRow(Base):
    """A user's one-time codes (RFC 6238). ``confirmed`` null: shown, not in force. ``last_step`` is the time step of
    the last code that was right: none is taken twice. ``failures`` in a row; at a number of them it is ``locked``."""

    __tablename__ = "totp"

    account_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    confirmed: Mapped[int | None] = mapped_column(Whole)
    last_step: Mapped[int] = mapped_column(Whole)
    failures: Mapped[int] = mapped_column(Whole)
    locked: Mapped[int | None] = mapped_column(Whole)


class RecoveryCodeRow(Base):
    """A code in place of a one-time code; gone once it was used."""

    __tablename__ = "recovery_codes"

    account_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True
    )
    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)


class InvitationRow(Base):
    """A one-time link: whoever has it chooses a password. For an account that is there (``account_id``), or for a new
    one with ``name`` (null: whoever takes it chooses) and ``roles`` (JSON: pairs of role and place's key)."""

    __tablename__ = "invitations"

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    account_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"))
    name: Mapped[str | None] = mapped_column(String(MAX_NAME))
    roles: Mapped[str] = mapped_column(Text)
    home: Mapped[uuid.UUID] = mapped_column(Id)
    created: Mapped[int] = mapped_column(Whole)
    expires: Mapped[int] = mapped_column(Whole)


class ProviderRow(Base):
    """Whose word is believed: an OpenID Connect provider of people (``oidc``), or of CI jobs (``gitlab``, ``github``).
    ``client_id`` is whom its tokens must be for; ``secret`` is sealed."""

    __tablename__ = "identity_providers"
    __table_args__ = (UniqueConstraint("issuer", "client_id", name="one_provider"),)

    id: Mapped[uuid.UUID] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_LABEL), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    issuer: Mapped[str] = mapped_column(String(MAX_ISSUER))
    client_id: Mapped[str] = mapped_column(String(255))
    secret: Mapped[bytes | None] = mapped_column(LargeBinary)
    groups_claim: Mapped[str] = mapped_column(String(MAX_LABEL))
    created: Mapped[int] = mapped_column(Whole)


class IdentityRow(Base):
    """Whom a provider calls ``subject`` is this account. ``groups`` (JSON) as the provider said at the last login."""

    __tablename__ = "identities"

    provider_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    subject: Mapped[str] = mapped_column(String(MAX_SUBJECT), primary_key=True)
    account_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True
    )
    groups: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)
    seen: Mapped[int] = mapped_column(Whole)


class GroupRoleRow(Base):
    """Who is in a provider's group has this role there (``place`` as `Member.place`)."""

    __tablename__ = "group_roles"

    provider_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    group_name: Mapped[str] = mapped_column(String(MAX_SUBJECT), primary_key=True)
    role: Mapped[str] = mapped_column(String(32), primary_key=True)
    place: Mapped[str] = mapped_column(String(32), primary_key=True)
    group_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("groups.id", ondelete="CASCADE"))
    project_id: Mapped[uuid.UUID | None] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))


class CiRuleRow(Base):
    """Which jobs may do what where. ``conditions`` (JSON: claim to patterns) must all hold; ``permissions`` (JSON);
    ``project``: a path, with claims in braces; ``creates``: it is made, and the groups above it, at the first sight
    of a job; whom ``owner_claim`` names is then given ``owner_role``."""

    __tablename__ = "ci_rules"

    name: Mapped[str] = mapped_column(String(MAX_LABEL), primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("identity_providers.id", ondelete="CASCADE")
    )
    conditions: Mapped[str] = mapped_column(Text)
    permissions: Mapped[str] = mapped_column(Text)
    project: Mapped[str] = mapped_column(String(MAX_PATH))
    creates: Mapped[bool]
    owner_claim: Mapped[str | None] = mapped_column(String(MAX_LABEL))
    owner_role: Mapped[str | None] = mapped_column(String(32))
    created: Mapped[int] = mapped_column(Whole)


class ForgeProjectRow(Base):
    """Which project of a forge (by its number there, which no other gets) a project of ours was first seen as: another
    one that comes by the same name later is somebody else's."""

    __tablename__ = "forge_projects"

    project_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("projects.id", ondelete="CASCADE"), primary_key=True
    )
    provider_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("identity_providers.id", ondelete="CASCADE"), primary_key=True
    )
    forge_id: Mapped[str] = mapped_column(String(MAX_LABEL))
    created: Mapped[int] = mapped_column(Whole)


class JobTokenRow(Base):
    """What a job got for its forge's token: limited to one project, and short. ``jti`` is the forge's token: it is
    exchanged once."""

    __tablename__ = "job_tokens"
    __table_args__ = (
        UniqueConstraint("provider_id", "jti", name="exchanged_once"),
        Index("job_tokens_by_end", "expires"),
    )

    sha256: Mapped[str] = mapped_column(String(64), primary_key=True)
    provider_id: Mapped[uuid.UUID] = mapped_column(
        Id, ForeignKey("identity_providers.id", ondelete="CASCADE")
    )
    jti: Mapped[str] = mapped_column(String(MAX_SUBJECT))
    rule: Mapped[str] = mapped_column(String(MAX_LABEL))
    project_id: Mapped[uuid.UUID] = mapped_column(Id, ForeignKey("projects.id", ondelete="CASCADE"))
    permissions: Mapped[str] = mapped_column(Text)
    claims: Mapped[str] = mapped_column(Text)
    created: Mapped[int] = mapped_column(Whole)
    expires: Mapped[int] = mapped_column(Whole)
