"""How many guesses at passwords are let through: by account and address, each counted before it is checked."""

from __future__ import annotations

from dataclasses import dataclass

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.limits import Windows, neighbourhood

_ALL_OF_AN_ADDRESS = 4  # times what it may guess at one account: a check costs CPU
_WAITING_OF_AN_ADDRESS = 32
_MAX_WAITING = 64


@dataclass(slots=True)
class Guess:
    """A password that is to be checked, and what it was counted by. ``refused`` is not nought where it need not
    be: there is no such account, and the address tried too many of those (seconds to wait)."""

    address: str
    counted: list[tuple[Windows, str, float]]
    refused: float = 0.0


class LoginLimits:
    """A guess counts until its check has shown that it was none.

    One address may fail ``per_minute`` times a minute at one account, so often at names that are nobody's, and
    four times as often at all accounts together. So guesses at one account keep nobody from another one, and
    guesses from elsewhere keep nobody from his own.
    """

    def __init__(self, per_minute: int) -> None:
        self._pairs = Windows(per_minute)
        self._strangers = Windows(per_minute)
        self._addresses = Windows(per_minute * _ALL_OF_AN_ADDRESS)
        self._waiting: dict[str, int] = {}

    def begin(self, name: str, address: str, exists: bool) -> Guess:
        """Count a guess at the account ``name``, before it is checked; ApiError 429."""
        place = neighbourhood(address)
        counters = [(self._pairs, f"{place} {name}")]
        if exists:
            counters.append((self._addresses, place))
        wait = max(windows.wait(key) for windows, key in counters)
        if wait:
            raise too_many_failures(wait)
        refused = 0.0 if exists else self._strangers.wait(place)
        if not refused:
            self._wait_in_line(place)
            if not exists:
                self._strangers.take(place)
        return Guess(place, [(windows, key, windows.take(key)) for windows, key in counters], refused)

    def end(self, guess: Guess, failed: bool) -> None:
        """The check is over. One that did not fail (or was never made) was no guess."""
        if not guess.refused:
            self._waiting[guess.address] -= 1
            if not self._waiting[guess.address]:
                del self._waiting[guess.address]
        if not failed:
            for windows, key, act in guess.counted:
                windows.give_back(key, act)

    def noisy(self, address: str) -> float:
        """Seconds for which the address has tried too many names and tokens that are nobody's; 0.0: it has not."""
        return self._strangers.wait(neighbourhood(address))

    def stranger(self, address: str) -> None:
        """Count a token that is nobody's. Nobody can guess a token, and to look one up is cheap: so
        that is done first, and no number of wrong ones keeps out a right one."""
        self._strangers.take(neighbourhood(address))

    def _wait_in_line(self, place: str) -> None:
        here = self._waiting.get(place, 0)
        if here >= _WAITING_OF_AN_ADDRESS or sum(self._waiting.values()) >= _MAX_WAITING:
            raise too_many("Too many logins at once.", "Try again in a moment.", 5, "too-many-logins")
        self._waiting[place] = here + 1


def too_many_failures(wait: float) -> ApiError:
    """429."""
    return too_many(
        "Too many failed logins from this address.", "Wait, then check them.", wait, "failed-logins"
    )
