"""What the store may fail with. Nothing of it names a place of the server: users of the API read it too."""

from __future__ import annotations

from package_hunter.errors import HostError


class StoreError(HostError):
    """The store cannot be read or written just now."""

    again = True


class DiskFullError(StoreError):
    """No room for what should be stored."""
