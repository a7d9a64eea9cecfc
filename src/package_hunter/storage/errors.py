"""What artefacts may fail with, beside the errors of every store. What is told to strangers names no place."""

from __future__ import annotations

from package_hunter.errors import HostError, StoreError

_SEE = "See docs/storage.md."


class MissingError(HostError):
    """There is no such artefact."""


class DamagedError(HostError):
    """What lies there is not what was stored under this name: changed, cut off, swapped, or sealed with a key that is
    not here."""


class ChangedError(StoreError):
    """It was stored anew while it was read: to be read again."""


def unreachable(what: str) -> StoreError:
    """The place does not answer; ``what`` is for the log."""
    return StoreError(f"The artefact store failed ({what}).", _SEE, "The artefact store cannot be reached.")


def too_large(name: str, limit: int) -> DamagedError:
    """There is more than there may be."""
    return DamagedError(f"The artefact {name} has more than {limit} bytes.")
