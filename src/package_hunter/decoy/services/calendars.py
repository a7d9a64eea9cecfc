"""Calendars and documents that anybody can be given a link to: an event's title that is an address in base64, as
loaders read it out of the page's ``data-base-title`` (2025), and a document's first line."""

from __future__ import annotations

import base64

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask

_CALENDARS = ("calendar.app.google", "calendar.google.com", "calendar.proton.me", "calendly.com")
_DOCUMENTS = ("docs.google.com", "telegra.ph", "hackmd.io")
HOSTS = frozenset((*_CALENDARS, *_DOCUMENTS))
_PAGE = (
    '<!DOCTYPE html><html lang="en" data-base-title="{title}"><head><title>{title}</title>'
    '<meta property="og:title" content="{title}"><meta itemprop="name" content="{title}"></head>'
    '<body data-text="{title}"><h1>{title}</h1></body></html>\n'
)
_EVENT = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Google Inc//Google Calendar 70.9054//EN\r\nBEGIN:VEVENT\r\n"
    "DTSTART:20260105T090000Z\r\nDTEND:20260105T093000Z\r\nUID:{uid}@google.com\r\nSUMMARY:{title}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


class Calendars:
    """Every link is of an event, or a document, whose title leads on."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return ask.method in ("GET", "HEAD") and ask.host in HOSTS and len(ask.raw_path) > 1

    def answer(self, ask: Ask) -> Answer | None:
        source = "a public calendar" if ask.host in _CALENDARS else "a public document"
        lead = self._world.leads.give(f"{source} {ask.host} {ask.target}", source, ask.url)
        title = base64.b64encode(lead.address.encode()).decode()
        if ask.raw_path.endswith(".ics"):
            uid = self._world.steady.hex(ask.target, 13)
            return Answer(
                200, _EVENT.format(uid=uid, title=title).encode(), type="text/calendar; charset=utf-8"
            )
        if "/export" in ask.raw_path and "format=txt" in ask.query:
            return Answer(200, f"{title}\n".encode(), type="text/plain; charset=utf-8")
        return Answer(200, _PAGE.format(title=title).encode())
