"""A token's form: what a scanner for secrets looks for."""

from __future__ import annotations

import re

import pytest

from package_hunter.access.token_form import PATTERN, is_token, new_token


def test_every_token_has_the_form_that_is_documented() -> None:
    made = {new_token() for _ in range(200)}
    assert len(made) == 200
    for token in made:
        assert is_token(token)
        assert re.findall(rf"\b{PATTERN}\b", f"TOKEN='{token}' # a comment") == [token]


def test_what_was_mistyped_is_known_without_a_look_up() -> None:
    token = new_token()
    for place in range(len("phunt_"), len(token)):
        other = "a" if token[place] != "a" else "b"
        assert not is_token(token[:place] + other + token[place + 1 :]), place


@pytest.mark.parametrize("text", ["", "phunt_", "ph_" + "a" * 43])
def test_what_is_none(text: str) -> None:
    assert not is_token(text)


@pytest.mark.parametrize("spoilt", ["{}a", " {}", "{}\n"])
def test_a_token_with_more_around_it_is_none(spoilt: str) -> None:
    assert not is_token(spoilt.format(new_token()))
    assert not is_token(new_token()[:-1])
