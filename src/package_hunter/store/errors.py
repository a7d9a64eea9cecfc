"""What the store may fail with. Nothing of it names a place of the server: users of the API read it too."""

from __future__ import annotations

from package_hunter.errors import HostError


class StoreError(HostError):
    """The store cannot be read or written just now. ``told`` is what strangers are told: ``message`` may quote
    the database, and with it the name of a host or a path."""

    again = True

    def __init__(self, message: str, advice: str = "", told: str = "") -> None:
        super().__init__(message, advice)
        self.told = told or message


class UnstorableError(StoreError):
    """Somebody gave a value that the database has no room for (a NUL character in PostgreSQL, say): his fault, not the
    store's."""


class DiskFullError(StoreError):
    """No room for what should be stored."""
