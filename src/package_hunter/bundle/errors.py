"""What is wrong with a bundle, in sentences."""

from __future__ import annotations

from package_hunter.errors import BadArchiveError, HunterError


class BadBundleError(BadArchiveError):
    """It is none, is broken, or is not what was signed."""


class NoBundleError(HunterError):
    """A scan of which no bundle can be made."""

    exit_code = 4
