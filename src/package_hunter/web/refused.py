"""What the API refuses, for who reads a page: fields by their labels, and advice that can be followed there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from html.parser import HTMLParser

from package_hunter.api.errors import ApiError

_FIELD = re.compile(
    r"The (?:field|parameter) '(?P<path>[^']*)' (?:of the body )?is wrong: (?P<said>.*?)\.?", re.S
)
"""As `errors.invalid` says it."""
_OTHERWISE = {"reason": "why", "text": "note", "expires_in_days": "days", "source": "rules"}
"""Fields of the API that forms have under another name; only where the page has none of the API's."""
_SAID: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (r"Extra inputs are not permitted", "is nothing that can be asked or said here"),
        (r"(?:String|List) should have at least 1 .*|Field required", "must not be empty"),
        (r"String should have at least (\d+) character.*", r"is too short: it takes \1 characters"),
        (r"String should have at most (\d+) character.*", r"is too long: \1 characters at most"),
        (r"Input should be greater than or equal to (\S+)", r"is too small: \1 at least"),
        (r"Input should be less than or equal to (\S+)", r"is too large: \1 at most"),
        (r"Input should be a valid (?:integer|number).*", "must be a number"),
        (r"Input should be a valid datetime.*", "must be a time, such as 2027-01-31T10:00"),
        (r"Input should be a valid date\b.*", "must be a day, such as 2027-01-31"),
        (r"Input should be a valid boolean.*", "must be true or false"),
        (r"Input should be ('.*)", r"must be one of these: \1"),
        (r"String should match pattern .*", "is not written as such a thing is"),
    )
)
"""What pydantic says of values that people type (its documentation, "Validation Errors"), for people."""
_FOR_OTHERS = re.compile(r"package-hunter [a-z]|PACKAGE_HUNTER_|/api/v1")
_ASIDE = re.compile(r" \((?:package-hunter [a-z]|PACKAGE_HUNTER_)[^()]*\)")
_SENTENCE = re.compile(r"(?<=[.;]) ")
_COMMAND = re.compile(r"package-hunter ([a-z]+)")
_PLACES = {
    "proposals": "Propose it on the page Proposals: it holds once somebody else has approved it.",
    "policy": "Propose it on the page Policies.",
    "user": "The page People has all accounts.",
    "member": "The page People has who may do what.",
    "token": "The page Tokens has all of them.",
    "project": "The page Projects has all that you can see.",
    "group": "The page Groups has all that you can see.",
    "identity": "The page Identity providers has them.",
    "notices": "The page Settings has them.",
    "workers": "The page Workers has all of them.",
    "hold": "The scan's page has it, at “Download and keep”.",
}
"""Where pages do what a command does."""
_USUAL = {
    403: "Your roles are at Settings; whoever administers the server gives others.",
    404: "It may be gone, or lie where your account may not look.",
}


def for_people(problem: ApiError, labels: Mapping[str, str] | None = None) -> ApiError:
    """The same, in the words of a page whose fields have these ``labels`` (`labels_of`)."""
    reason = problem.reason if labels is None else _in_its_words(problem.reason, labels)
    advice = _advice(problem.status, problem.advice)
    return ApiError(problem.status, reason, advice, problem.headers, problem.kind)


def names_a_field(problem: ApiError) -> bool:
    """Whether it says so of a field, which a page calls otherwise than the API."""
    return _FIELD.fullmatch(problem.reason) is not None


def _in_its_words(reason: str, labels: Mapping[str, str]) -> str:
    found = _FIELD.fullmatch(reason)
    if found is None:
        return reason
    names = [name for name in found["path"].split(".") if not name.isdigit()] or [found["path"]]
    name = names[-1]
    label = labels.get(name) or labels.get(_OTHERWISE.get(name, ""))
    said = found["said"]
    for pattern, words in _SAID:
        match = pattern.fullmatch(said)
        if match is not None:
            said = match.expand(words)
            break
    else:
        said = f"is wrong: {said}"
    return f"“{label or name.replace('_', ' ')}” {said}."


def _advice(status: int, advice: str) -> str:
    advice = _ASIDE.sub("", advice)
    if not _FOR_OTHERS.search(advice):
        return advice
    if "/api/v1" in advice and status in _USUAL:
        return _USUAL[status]
    kept = " ".join(one for one in _SENTENCE.split(advice) if not _FOR_OTHERS.search(one))
    if kept:
        return kept[:-1] + "." if kept.endswith(";") else kept
    command = _COMMAND.search(advice)
    if command is not None and command[1] in _PLACES:
        return _PLACES[command[1]]
    return "" if "/api/v1" in advice else _USUAL.get(status, "Whoever runs the server can change that.")


def labels_of(page: str) -> dict[str, str]:
    """Of each field of a page, by its name, what stands beside it; of a name that has several, none."""
    reader = _Labels()
    reader.feed(page)
    found: dict[str, set[str]] = {}
    for key, name in reader.names.items():
        if label := " ".join(reader.labels.get(key, "").split()):
            found.setdefault(name, set()).add(label)
    return {name: said.pop() for name, said in found.items() if len(said) == 1}


class _Labels(HTMLParser):
    """``labels`` and ``names`` of fields, by their id."""

    def __init__(self) -> None:
        super().__init__()
        self.labels: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self._of: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = dict(attrs)
        if tag == "label":
            self._of = said.get("for")
        elif tag in ("input", "select", "textarea") and said.get("id") and said.get("name"):
            self.names[str(said["id"])] = str(said["name"])

    def handle_endtag(self, tag: str) -> None:
        if tag == "label":
            self._of = None

    def handle_data(self, data: str) -> None:
        if self._of is not None:
            self.labels[self._of] = self.labels.get(self._of, "") + data
