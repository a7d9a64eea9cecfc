"""What the API refuses, in a page's words."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from package_hunter.api.errors import ApiError, invalid
from package_hunter.web.refused import for_people, labels_of

PAGE = """<label for="f-why">Why,
 in short</label><input id="f-why" name="why"><label for="a">Older than, days</label><input id="a" name="older_than">
<label for="x">One</label><input id="x" name="two"><label for="y">Other</label><textarea id="y" name="two"></textarea>
<label for="f-s">State &amp; all</label><select id="f-s" name="state"><option value="a">a</option></select>"""


class _Inner(BaseModel):
    until: str = Field(min_length=1)


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid")
    reason: Annotated[str, Field(min_length=1, max_length=5)] = "x"
    older_than: Annotated[int, Field(ge=0)] = 0
    two: int = 0
    state: Literal["a", "b"] = "a"
    mail: Annotated[str, Field(pattern="^a$")] = "a"
    inner: _Inner | None = None


def _said(**fields: object) -> str:
    """As `errors.invalid` words it, and then a page."""
    with pytest.raises(ValidationError) as refused:
        _Asked.model_validate(fields)
    found = refused.value.errors()[0]
    return for_people(invalid({**found, "loc": ("body", *found["loc"])}), labels_of(PAGE)).reason


def test_labels_are_read_off_the_page() -> None:
    assert labels_of(PAGE) == {
        "why": "Why, in short",
        "older_than": "Older than, days",
        "state": "State & all",
    }


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "“Why, in short” must not be empty."),
        ({"reason": "123456"}, "“Why, in short” is too long: 5 characters at most."),
        ({"older_than": "abc"}, "“Older than, days” must be a number."),
        ({"older_than": -1}, "“Older than, days” is too small: 0 at least."),
        ({"two": "x"}, "“two” must be a number."),
        ({"state": "c"}, "“State & all” must be one of these: 'a' or 'b'."),
        ({"mail": "b"}, "“mail” is not written as such a thing is."),
        ({"inner": {"until": ""}}, "“until” must not be empty."),
        ({"nothing_such": "1"}, "“nothing such” is nothing that can be asked or said here."),
    ],
)
def test_a_field_is_called_as_on_the_page(fields: dict[str, object], sentence: str) -> None:
    assert _said(**fields) == sentence


@pytest.mark.parametrize(
    ("status", "advice", "told"),
    [
        (409, "Propose a waiver (package-hunter proposals make); it holds then.", "Propose a waiver; it"),
        (409, "Use package-hunter proposals make.", "Propose it on the page Proposals"),
        (409, "Submit it again; PACKAGE_HUNTER_ARCHIVE_DAYS says how long.", "Submit it again."),
        (404, "See package-hunter user list.", "The page People has all accounts."),
        (503, "Set PACKAGE_HUNTER_PUBLIC_URL (https://…).", "Whoever runs the server can change that."),
        (403, "See GET /api/v1/me.", "Your roles are at Settings"),
        (400, "Correct it there.", "Correct it there."),
    ],
)
def test_advice_is_what_a_reader_of_pages_can_do(status: int, advice: str, told: str) -> None:
    found = for_people(ApiError(status, "No.", advice)).advice
    assert found.startswith(told)
    assert "package-hunter " not in found and "PACKAGE_HUNTER" not in found


def test_other_reasons_stay() -> None:
    assert for_people(ApiError(400, "The field is far away."), {}).reason == "The field is far away."
