"""What keeps a proposal from going on."""

from __future__ import annotations

from package_hunter.errors import UsageError


class ForbiddenError(UsageError):
    """This person may not do that to this proposal."""


class ClosedError(UsageError):
    """The proposal is not in a state for that, or not what it was."""
