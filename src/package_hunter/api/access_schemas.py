"""The values of people, projects and roles, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.access.permissions import Permission
from package_hunter.access.roles import Role
from package_hunter.store.access_tables import MAX_PATH, MAX_PRINCIPAL
from package_hunter.store.base import MAX_NAME
from package_hunter.store.history import MAX_WHY
from package_hunter.store.passwords import MAX_PASSWORD_BYTES

AccountName = Annotated[
    str, Field(max_length=MAX_PRINCIPAL, description="A user's name, or `token:NAME`.", examples=["ana"])
]
Why = Annotated[str | None, Field(max_length=MAX_WHY, description="Why: for the history.")]
Path = Annotated[str, Field(max_length=MAX_PATH, description="Its way from the top.", examples=["web/shop"])]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewPlace(_Asked):
    """A group or project to be made."""

    path: Path
    why: Why = None


class PlaceInfo(BaseModel):
    """A group or project."""

    id: str
    path: Path
    created: datetime


class PlaceList(BaseModel):
    """Those that the account can see, by path."""

    items: list[PlaceInfo]


class NewMember(_Asked):
    """A role to be given."""

    account: AccountName
    role: Role
    why: Why = None


class MemberInfo(BaseModel):
    """A role that an account has here. What it has from the groups above is listed there."""

    account: AccountName
    role: str
    since: datetime


class MemberList(BaseModel):
    """By account."""

    items: list[MemberInfo]


class StartRole(_Asked):
    """A role that a new account begins with, in a project, in a group, or (neither) everywhere."""

    role: Role
    project: Path | None = None
    group: Path | None = None


class NewAccount(_Asked):
    """What a new user and a new token have in common."""

    name: str = Field(max_length=MAX_NAME)
    roles: list[StartRole] = Field(max_length=100, description="What it may do, and where.")
    home: Path = Field(default="legacy", description="The project of its scans that name none.")
    why: Why = None


class NewUser(NewAccount):
    """A user to be made."""

    password: str = Field(max_length=MAX_PASSWORD_BYTES)


class RoleAt(BaseModel):
    """A role of an account."""

    role: str
    place: str = Field(description="A path, or `everywhere`.")


class AccountInfo(BaseModel):
    """A user."""

    name: str
    created: datetime
    roles: list[RoleAt] = Field(description="Those that were given to it, and where.")
    password: bool = Field(description="Whether it can sign in with a password.")
    codes: bool = Field(description="Whether signing in with a password needs a one-time code, too.")
    locked: datetime | None = Field(description="Since when it is locked, after wrong codes.")
    sessions: int = Field(description="How many sessions of browsers it has.")
    seen: datetime | None = Field(description="When one of these was last used.")
    providers: list[str] = Field(description="The identity providers that know it.")


class AccountList(BaseModel):
    """By name."""

    items: list[AccountInfo]


class MadeToken(BaseModel):
    """A new token; its value is told this once."""

    name: str
    value: str


class Me(BaseModel):
    """Who asks, and what he may do."""

    account: str
    home: str | None = Field(description="The project of scans that name none; null: it cannot be seen.")
    roles: list[RoleAt]
    everywhere: list[Permission]
    codes: bool = Field(description="Whether signing in with the password needs a one-time code, too.")
