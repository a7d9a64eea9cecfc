"""The grammar: what an attack package is made of, which parts go together, and what is right for each."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from itertools import combinations

TRIGGERS = {
    "npm": ("preinstall", "postinstall", "import", "submodule", "bin"),
    "pypi": ("setup.py", "build-backend", "import", "pth", "submodule"),
    "rubygems": ("extconf", "import", "plugin"),
}
SECRETS = ("npmrc", "ssh", "aws", "environment", "dotenv", "git", "browser", "wallet", "metadata")
ENCODINGS = ("plain", "base64", "hex", "gzip", "reversed", "xor", "pieces", "json-in-json", "aes")
CHANNELS = ("post", "query", "header", "dns", "tcp", "udp", "websocket", "ftp", "icmp")
CLOAKS = (
    *("none", "curl", "child", "inline", "detached", "manager", "memfd", "env-i", "renamed"),
    *("ask-uid-map", "ask-random-name", "dot-file"),
)
TIMINGS = ("now", "timer-20s", "exit", "double-fork", "login-shell", "user-unit", "timer-10min")

WEIGHTS = {"npm": 10, "pypi": 8, "rubygems": 1}  # how often each ecosystem is drawn
OFTEN = {"none": 3, "now": 10, "timer-20s": 2, "exit": 4, "double-fork": 4, "login-shell": 2}
OFTEN |= {"post": 4, "query": 4, "header": 4, "dns": 4, "tcp": 4, "udp": 4}  # others: 1
KEYED = ("xor", "aes")  # what left cannot be read without the key
LATER = ("login-shell",)  # a file that several write: what it starts is blamed on none of them
_ONCE_ONLY = ("login-shell", "user-unit", "timer-10min", "double-fork")
_CURL_SENDS = ("post", "query", "header")
_RUBY = (("none", "child", "detached"), ("now",), ("post", "query", "header", "dns", "tcp"))


@dataclass(frozen=True, order=True)
class Combination:
    """One choice of each factor."""

    ecosystem: str
    trigger: str
    secret: str
    encoding: str
    channel: str
    cloak: str
    timing: str

    def __str__(self) -> str:
        return " × ".join(astuple(self))

    @property
    def right(self) -> str:
        """``malicious`` where the theft must be proven, ``noticed`` where suspicious is enough: a key hides what
        left, the question to the box kept it quiet (and is told), or whose it was cannot be said."""
        hidden = self.encoding in KEYED or self.timing in LATER
        return "noticed" if hidden or self.cloak == "ask-uid-map" else "malicious"


FACTORS = tuple(field.name for field in fields(Combination))


def fits(c: Combination) -> bool:
    """Whether the parts go together: the others have no meaning, or no program that could do it."""
    if c.trigger not in TRIGGERS[c.ecosystem]:
        return False
    if c.ecosystem == "rubygems":
        cloaks, timings, channels = _RUBY
        return c.cloak in cloaks and c.timing in timings and c.channel in channels and c.encoding != "aes"
    return not (
        (c.cloak == "curl" and (c.channel not in _CURL_SENDS or c.encoding == "pieces"))
        or (c.cloak == "memfd" and c.ecosystem != "pypi")  # Node has no call for it
        or (c.channel == "websocket" and c.ecosystem != "npm")
        or (c.secret == "environment" and (c.cloak == "env-i" or c.timing in ("login-shell", "user-unit")))
        or (c.cloak == "detached" and c.timing in _ONCE_ONLY)  # these are detached by themselves
        or (c.encoding == "pieces" and c.channel in ("ftp", "icmp", "websocket"))
    )


def _draw(chance: random.Random) -> Combination:
    while True:
        ecosystem = chance.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
        rest = (_pick(chance, values) for values in (SECRETS, ENCODINGS, CHANNELS, CLOAKS, TIMINGS))
        found = Combination(ecosystem, chance.choice(TRIGGERS[ecosystem]), *rest)
        if fits(found):
            return found


def _pick(chance: random.Random, values: tuple[str, ...]) -> str:
    return chance.choices(values, [OFTEN.get(value, 1) for value in values])[0]


def _pairs(c: Combination) -> Iterator[tuple[int, str, int, str]]:
    for (i, a), (j, b) in combinations(enumerate(astuple(c)), 2):
        yield i, a, j, b


def sample(seed: int, count: int) -> list[Combination]:
    """``count`` different combinations, the same for the same seed; of four drawn the one is taken that brings
    together most pairs of values that no earlier one did."""
    chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
    covered: set[tuple[int, str, int, str]] = set()
    found: dict[Combination, None] = {}
    while len(found) < count:
        drawn = [c for c in (_draw(chance) for _ in range(4)) if c not in found]
        if drawn:
            best = max(drawn, key=lambda c: sum(pair not in covered for pair in _pairs(c)))
            covered.update(_pairs(best))
            found[best] = None
    return list(found)
