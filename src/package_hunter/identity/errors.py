"""What goes wrong between us and an identity provider."""

from __future__ import annotations

from package_hunter.errors import HunterError


class UntrustedError(HunterError):
    """What a provider, or somebody in its name, gave us is not believed."""


class ProviderError(HunterError):
    """The provider does not answer, or not as it should."""

    again = True
