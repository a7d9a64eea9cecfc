"""How many guesses at passwords are let through: by account and address, each counted before it is checked."""

from __future__ import annotations

from dataclasses import dataclass

from package_hunter.api.errors import ApiError, too_many
from package_hunter.api.limits import Windows, neighbourhood

_ALL_OF_AN_ADDRESS = 4  # times what it may guess at one account: a check costs CPU
_WAITING_OF_AN_ADDRESS = 16
_MAX_WAITING = 64


@dataclass(slots=True)
class Guess:
    """A check of a password that was let through, and what it was counted by."""

    address: str
    counted: list[tuple[Windows, str, float]]


class LoginLimits:
    """A guess counts until its check has shown that it was none.

    One address may fail ``per_minute`` times a minute at one account, and at so many accounts; at all of them
    together four times as often. So guesses at one account keep nobody from another one, and guesses from
    elsewhere keep nobody from his own.
    """

    def __init__(self, per_minute: int) -> None:
        self._pairs = Windows(per_minute)
        self._accounts = Windows(per_minute)  # of an address: how many different ones it tried
        self._addresses = Windows(per_minute * _ALL_OF_AN_ADDRESS)
        self._waiting: dict[str, int] = {}

    def begin(self, account: str, address: str) -> Guess:
        """Count a guess at ``account``, before it is checked; ApiError 429."""
        place = neighbourhood(address)
        pair = f"{place} {account}"
        counters = [(self._pairs, pair), (self._addresses, place)]
        if not self._pairs.count(pair):
            counters.append((self._accounts, place))
        wait = max(windows.wait(key) for windows, key in counters)
        if wait:
            raise too_many_failures(wait)
        if self._crowded(place):
            raise too_many("Too many logins at once.", "Try again in a moment.", 5)
        self._waiting[place] = self._waiting.get(place, 0) + 1
        return Guess(place, [(windows, key, windows.take(key)) for windows, key in counters])

    def end(self, guess: Guess, failed: bool) -> None:
        """The check is over. One that did not fail (or was never made) was no guess."""
        left = self._waiting[guess.address] - 1
        if left:
            self._waiting[guess.address] = left
        else:
            del self._waiting[guess.address]
        if not failed:
            for windows, key, act in guess.counted:
                windows.give_back(key, act)

    def failed_token(self, address: str) -> float:
        """Count a token that is none; the seconds to wait where those were too many.

        Nobody can guess 256 random bits, and looking one up is cheap: it is looked up in any case.
        """
        key = neighbourhood(address)
        wait = self._pairs.wait(key)
        if not wait:
            self._pairs.take(key)
        return wait

    def _crowded(self, place: str) -> bool:
        waiting = sum(self._waiting.values())
        return waiting >= _MAX_WAITING or self._waiting.get(place, 0) >= _WAITING_OF_AN_ADDRESS


def too_many_failures(wait: float) -> ApiError:
    """429."""
    return too_many("Too many failed logins from this address.", "Wait, then check them.", wait)
