"""The values of sign-in, tokens and codes, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.api.access_schemas import NewAccount, Path, RoleAt, StartRole, Why
from package_hunter.store.base import MAX_NAME
from package_hunter.store.ci import USUAL
from package_hunter.store.passwords import MAX_PASSWORD_BYTES
from package_hunter.store.tokens import MAX_DAYS, USUAL_DAYS

Password = Annotated[str, Field(max_length=MAX_PASSWORD_BYTES)]
Code = Annotated[str, Field(max_length=64, description="A one-time code, or a recovery code.")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SignIn(_Asked):
    """Who one is. ``code`` where the account has one-time codes."""

    name: str = Field(max_length=MAX_NAME)
    password: Password
    code: Code | None = None


class Confirmation(_Asked):
    """Once more who one is."""

    password: Password
    code: Code | None = None


class SessionInfo(BaseModel):
    """A session of one's own."""

    id: str
    account: str
    method: str = Field(description="How it was begun: `password`, `password and code`, `oidc:NAME`.")
    origin: str = Field(description="The address that began it.")
    agent: str = Field(description="What the browser called itself.")
    created: datetime
    seen: datetime = Field(description="When it was last used, within a minute or so.")
    authenticated: datetime = Field(description="When the person last showed who he is.")
    ends: datetime
    current: bool


class OwnSession(SessionInfo):
    """The session that asks."""

    csrf: str = Field(description="The header X-CSRF-Token of whatever changes something.")


class SessionList(BaseModel):
    """The one used last first."""

    items: list[SessionInfo]


class Ended(BaseModel):
    """How many sessions ended."""

    ended: int


class NewPassword(_Asked):
    """Another password for oneself."""

    old: Password
    new: Password
    code: Code | None = None


class Enrolment(BaseModel):
    """For an authenticator app; in force once a code was confirmed."""

    secret: str
    uri: str = Field(description="What a QR code of it holds (otpauth:).")


class OneCode(_Asked):
    """A code."""

    code: Code


class RecoveryCodes(BaseModel):
    """Each good once in place of a code; told this once."""

    codes: list[str]


class TakenInvitation(_Asked):
    """What whoever has a one-time link chooses."""

    token: str = Field(max_length=128)
    password: Password
    name: str | None = Field(
        default=None, max_length=MAX_NAME, description="Where the invitation names nobody: the first one."
    )


class Taken(BaseModel):
    """The account that can log in now."""

    account: str
    session: OwnSession | None = Field(description="null: the account has one-time codes; sign in with one.")


class NewInvitation(_Asked):
    """For somebody new (with roles), or a user who is there (another password)."""

    name: str = Field(max_length=MAX_NAME)
    roles: list[StartRole] = Field(default=[], max_length=100)
    home: Path = "legacy"
    hours: float = Field(default=72.0, gt=0, le=24 * 30)
    why: Why = None


class Invitation(BaseModel):
    """A one-time link; told this once."""

    token: str
    url: str


class TokenLimits(_Asked):
    """What a token is limited to, whatever its roles."""

    permissions: list[Permission] | None = Field(default=None, max_length=100, description="null: any.")
    projects: list[Path] | None = Field(
        default=None, max_length=100, description="With `groups`: nowhere else."
    )
    groups: list[Path] | None = Field(default=None, max_length=100, description="And all below them.")
    expires_in_days: int | None = Field(
        default=USUAL_DAYS, ge=1, le=MAX_DAYS, description="null: it never expires."
    )


class NewToken(TokenLimits, NewAccount):
    """A token to be made."""

    owner: str | None = Field(
        default=None, max_length=MAX_NAME, description="The user whose rights bound it."
    )


class OwnToken(TokenLimits):
    """A token of one's own: it can what one can, within its limits; never approve."""

    name: str = Field(max_length=MAX_NAME)
    why: Why = None


class TokenInfo(BaseModel):
    """A token."""

    name: str
    created: datetime
    last_used: datetime | None
    revoked: datetime | None = Field(description="Since when it is worthless.")
    expires: datetime | None = Field(description="null: never.")
    owner: str | None = Field(description="The user whose it is, and whose rights bound it.")
    own: bool = Field(description="It has no roles: it can what its owner can.")
    roles: list[RoleAt]
    permissions: list[str] | None = Field(description="It is limited to these; null: to none.")
    places: list[str] | None = Field(description="It is limited to these places (paths); null: to none.")


class TokenList(BaseModel):
    """By name."""

    items: list[TokenInfo]


class ProviderNames(BaseModel):
    """For a page of sign-in."""

    items: list[str]


class Address(BaseModel):
    """Where the browser is to go."""

    url: str


class LinkInfo(BaseModel):
    """A provider that knows one."""

    provider: str
    subject: str
    seen: datetime


class LinkList(BaseModel):
    """By provider."""

    items: list[LinkInfo]


class AskedJobToken(_Asked):
    """A CI job's ID token of its forge."""

    token: str = Field(max_length=16 << 10)
    project: Path | None = Field(default=None, description="Where rules let the job into several.")


class JobToken(BaseModel):
    """What the job may use as a bearer token."""

    token: str
    project: str
    permissions: list[Permission]
    expires: datetime


class NewProvider(_Asked):
    """An identity provider to be believed."""

    name: str = Field(max_length=64, examples=["company"])
    kind: Literal["oidc", "gitlab", "github"]
    issuer: str = Field(max_length=512, examples=["https://login.example"])
    client_id: str = Field(
        max_length=255, description="Ours there; of CI jobs: the audience of their tokens."
    )
    secret: str | None = Field(default=None, max_length=1_000, description="Ours there; null: by PKCE alone.")
    groups_claim: str = Field(default="groups", max_length=64)
    why: Why = None


class ProviderInfo(BaseModel):
    """An identity provider."""

    name: str
    kind: str
    issuer: str
    client_id: str
    groups_claim: str
    created: datetime


class ProviderList(BaseModel):
    """By name."""

    items: list[ProviderInfo]


class MappingInfo(BaseModel):
    """A group's role. How it is changed: docs/identity.md."""

    provider: str
    group: str
    role: str
    place: str = Field(description="A path; empty: everywhere.")


class MappingList(BaseModel):
    """In order."""

    items: list[MappingInfo]


Patterns = Annotated[list[Annotated[str, Field(max_length=1_000)]], Field(min_length=1, max_length=50)]


class CiRule(BaseModel):
    """Which jobs may do what where."""

    name: str = Field(max_length=64)
    provider: str = Field(max_length=64)
    conditions: dict[str, Patterns] = Field(
        description="By claim: the patterns, one of which must fit. All claims must.",
        examples=[{"project_path": ["web/*"], "ref_protected": ["true"]}],
    )
    project: str = Field(max_length=255, examples=["forge/{project_path}"])
    permissions: list[Permission] = Field(default=list(USUAL), max_length=50)
    creates: bool = Field(default=False, description="The project, and its groups, are made at first sight.")
    owner_claim: str | None = Field(default=None, max_length=64)
    owner_role: Role | None = None


class NewCiRule(CiRule):
    """A rule to be made."""

    model_config = ConfigDict(extra="forbid")
    why: Why = None


class CiRuleList(BaseModel):
    """By name."""

    items: list[CiRule]
