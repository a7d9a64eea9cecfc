"""The values of destinations and deliveries, as OpenAPI shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from package_hunter.api.access_schemas import Why
from package_hunter.notices.kinds import AnySettings
from package_hunter.notices.outbox import Event
from package_hunter.store.base import MAX_NAME

Name = Annotated[
    str, Field(max_length=MAX_NAME, description="Of the destination.", examples=["security chat"])
]
State = Literal["waiting", "delivered", "dead"]
WantedEvent = Annotated[Event, Field(description="One of the events that teams can be told of.")]


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewDestinationBody(_Asked):
    """Where a team wants to be told."""

    name: Name
    settings: AnySettings
    events: list[WantedEvent] = Field(default=[], max_length=len(Event), description="Empty: all of them.")
    why: Why = None


class DestinationInfo(BaseModel):
    """A destination, without its secrets."""

    name: str
    kind: str
    target: str = Field(description="Where it leads to; addresses that are secrets are cut.")
    events: list[str]
    created: datetime


class MadeDestination(DestinationInfo):
    """A new one."""

    secret: str | None = Field(description="The signing key that was made for a webhook; told this once.")


class DestinationList(BaseModel):
    """By name."""

    items: list[DestinationInfo]


class TestBody(_Asked):
    """Which destination is to be told that this is a test."""

    name: Name
    why: Why = None


class Tested(BaseModel):
    """The delivery that shows how it went."""

    delivery: str


class DeliveryInfo(BaseModel):
    """A notice on its way to a destination."""

    id: str
    destination: str
    event: str
    time: datetime = Field(description="When it happened.")
    notice: str = Field(description="The notice's id; webhooks carry it as `msg_…`.")
    state: State
    attempts: int
    tried: datetime | None
    due: datetime | None = Field(description="When it is tried next; null: it is not.")
    error: str | None


class DeliveryList(BaseModel):
    """The newest notices first."""

    items: list[DeliveryInfo]


class RetryBody(_Asked):
    """What is to be tried again, of what was given up."""

    delivery: Annotated[str, Field(max_length=36)] | None = Field(
        default=None, description="Unset: all of it."
    )
    why: Why = None


class Retried(BaseModel):
    """How many deliveries are tried again."""

    deliveries: int
