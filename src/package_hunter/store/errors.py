"""What the store may fail with. Nothing of it names a place of the server: users of the API read it too."""

from __future__ import annotations

from package_hunter.errors import DiskFullError as DiskFullError  # part of this module's interface
from package_hunter.errors import StoreError as StoreError


class UnstorableError(StoreError):
    """Somebody gave a value that the database has no room for (a NUL character in PostgreSQL, say): his fault, not the
    store's."""
