"""The values of the history, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.api.scan_schemas import Time
from package_hunter.store.access_tables import MAX_PATH


class HistoryQuery(BaseModel):
    """Which changes; all that is said must fit."""

    model_config = ConfigDict(extra="forbid")

    after: int = Field(default=0, ge=0, le=1 << 62, description="`next` of the page before.")
    limit: int = Field(default=100, ge=1, le=1_000)
    order: Literal["oldest", "newest"] = Field(default="oldest", description="Which come first.")
    action: str | None = Field(
        default=None, max_length=64, description="One (`user.add`), or all of a thing (`user`)."
    )
    who: str | None = Field(default=None, max_length=160, description="The account.")
    origin: str | None = Field(default=None, max_length=64, description="An address, or `command line`.")
    object: str | None = Field(
        default=None, max_length=512, description="The name of what was changed, whole."
    )
    project: str | None = Field(default=None, max_length=MAX_PATH, description="A project's path.")
    since: Time | None = Field(default=None, description="At this time or later.")
    until: Time | None = Field(default=None, description="Before this time.")


class Entry(BaseModel):
    """A change."""

    id: int
    time: datetime
    who: str
    origin: str = Field(description="A network address, or `command line`.")
    action: str = Field(examples=["member.add"])
    object: str
    project: str | None
    before: str | None = Field(description="JSON.")
    after: str | None = Field(description="JSON.")
    why: str | None
    position: int | None = Field(description="Its place in the chain; null: it waits for its seal.")


class EntryList(BaseModel):
    """Changes, oldest first where nothing else is asked for."""

    items: list[Entry]
    next: int | None = Field(description="Give this as `after` to see those that follow; null at the end.")


class ChainInfo(BaseModel):
    """How the history's chain stands."""

    says: str = Field(description="All of it in a sentence.")
    sealed: int = Field(description="How many entries are sealed.")
    waiting: int = Field(description="How many wait for their seal.")
    waits_since: datetime | None = Field(description="Since when the first of these waits.")
    last_sealed: datetime | None
    digest: str | None = Field(description="Of the last seal: compare it with one that was kept elsewhere.")
    key: str | None = Field(description="The name of the key that signed it.")
    checked: int = Field(description="How many of the newest seals were held against their entries just now.")
    problems: list[str] = Field(description="What does not fit, each a sentence.")
