"""What an unpacker answers is not trusted: it is whole and of the right kinds, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from package_hunter.errors import HunterError
from package_hunter.intake.run import _judge
from package_hunter.intake.secrets import Withheld
from package_hunter.model.withheld import CredentialKind

GOOD: dict[str, Any] = {
    "files": 2,
    "bytes": 3,
    "top": "app",
    "withheld": [[".env", "env", "It can."], ["out", "link", "It leads out."]],
    "notes": ["A note."],
}


def test_all_of_it() -> None:
    result = _judge(GOOD)
    env, link = CredentialKind.ENV, CredentialKind.LINK
    assert result.withheld == [Withheld(".env", env, "It can."), Withheld("out", link, "It leads out.")]
    assert all(isinstance(item.kind, CredentialKind) for item in result.withheld)


@pytest.mark.parametrize(
    "change",
    [
        {"withheld": [[".env", "nonsense", "It can."]]},
        {"withheld": [[".env", "ENV", "It can."]]},
        {"withheld": [[".env", ["env"], "It can."]]},
        {"withheld": [[".env", "env"]]},
        {"withheld": [5]},
        {"withheld": None},
        {"files": "many"},
        {"bytes": float("inf")},
        {"notes": 5},
    ],
)
def test_what_makes_no_sense_is_an_error(change: dict[str, Any]) -> None:
    with pytest.raises(HunterError, match="makes no sense"):
        _judge({**GOOD, **change})


@pytest.mark.parametrize("key", sorted(GOOD))
def test_what_is_missing_is_an_error(key: str) -> None:
    with pytest.raises(HunterError, match="makes no sense"):
        _judge({k: v for k, v in GOOD.items() if k != key})
