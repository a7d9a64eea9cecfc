"""GitHub and GitLab: their APIs."""

from __future__ import annotations

import re

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_GITHUB_CHANGES = (
    ("POST", re.compile(r"/(user|orgs/[^/]+)/repos"), "created a repository"),
    ("POST", re.compile(r"/gists"), "created a gist"),
    ("PUT", re.compile(r"/repos/[^/]+/[^/]+/contents/.*"), "wrote a file to a repository"),
    ("POST", re.compile(r"/repos/[^/]+/[^/]+/(git|forks|hooks|keys|actions)/?.*"), "changed a repository"),
    ("PATCH", re.compile(r"/repos/.*"), "changed a repository"),
    ("DELETE", re.compile(r"/repos/.*"), "deleted from a repository"),
)
_GITLAB_CHANGE = re.compile(r"/api/v4/(projects|snippets|groups).*")
# The worlds in which a code host does not take the token, by world.
_REFUSES = {"ci": "api.github.com", "gitlab": "gitlab.com"}
_REFUSED = {
    "api.github.com": '{"message":"Bad credentials","documentation_url":"https://docs.github.com/rest","status":"401"}',
    "gitlab.com": '{"message":"401 Unauthorized"}',
}


class CodeHosts:
    """A user with a few repositories who may do everything."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return ask.host in ("api.github.com", "gitlab.com")

    def answer(self, ask: Ask) -> Answer | None:
        answer = self._answer(ask)
        refused = answer is not None and self._refuses(ask)
        return json_answer(_REFUSED[ask.host], 401) if refused else answer

    def _refuses(self, ask: Ask) -> bool:
        """Whether the token of a CI job is out of date by now: handlers wait for that. What is asked is noted."""
        asked_by = (
            ask.headers.get("authorization")
            or ask.headers.get("private-token")
            or ask.headers.get("job-token")
        )
        return bool(asked_by) and _REFUSES.get(self._world.spec.world) == ask.host

    def _answer(self, ask: Ask) -> Answer | None:
        path = ask.raw_path
        if ask.host == "gitlab.com":
            return self._gitlab(ask, path)
        for method, pattern, what in _GITHUB_CHANGES:
            if ask.method == method and pattern.fullmatch(path):
                self._world.mark("repository_change", ask.peer, what, url=ask.url[:2000])
                return json_answer(self._created(ask), 201)
        return json_answer(_READS.get(path, "[]" if path.endswith("s") else '{"message":"Not Found"}'), 200)

    def _gitlab(self, ask: Ask, path: str) -> Answer | None:
        if not path.startswith("/api/"):
            return None
        if ask.method in ("POST", "PUT", "DELETE") and _GITLAB_CHANGE.fullmatch(path):
            self._world.mark("repository_change", ask.peer, "changed a project", url=ask.url[:2000])
            return json_answer(
                f'{{"id":{self._world.steady.number(ask.url, 10**6, 10**8)},"web_url":"https://gitlab.com/dmeyer/new"}}',
                201,
            )
        return json_answer('{"id":1834211,"username":"dmeyer","name":"Daniel Meyer","state":"active"}')

    def _created(self, ask: Ask) -> str:
        number = self._world.steady.number(ask.url, 10**8, 10**9)
        return (
            f'{{"id":{number},"name":"new","full_name":"dmeyer-dev/new","private":false,'
            f'"html_url":"https://github.com/dmeyer-dev/new","sha":"{self._world.steady.hex(ask.url, 20)}",'
            '"owner":{"login":"dmeyer-dev","id":9138241}}'
        )


_REPOSITORY = (
    '{"id":81233,"name":"storefront","full_name":"northwind-labs/storefront","private":true,'
    '"default_branch":"main","permissions":{"admin":true,"push":true,"pull":true}}'
)
_READS = {
    "/user": '{"login":"dmeyer-dev","id":9138241,"type":"User","name":"Daniel Meyer"}',
    "/user/repos": f"[{_REPOSITORY}]",
    "/user/orgs": '[{"login":"northwind-labs","id":7712345}]',
    "/user/emails": '[{"email":"daniel.meyer@northwind-labs.dev","primary":true,"verified":true}]',
    "/repos/northwind-labs/storefront": _REPOSITORY,
    "/rate_limit": '{"resources":{"core":{"limit":5000,"used":3,"remaining":4997,"reset":1893456000}}}',
}
