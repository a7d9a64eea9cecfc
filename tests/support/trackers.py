"""GitLab's and Jira's issues, as far as notices use them: answers for `receivers.Receiver`, written from the documents
of their REST APIs."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.receivers import Got, Told


def _told(value: Any, status: int = 200) -> Told:
    return Told(status, json.dumps(value).encode(), {"Content-Type": "application/json"})


class FakeGitLab:
    """Issues of the project ``web/shop``."""

    def __init__(self, token: str = "glpat-x") -> None:
        self.token = token
        self.issues: list[dict[str, Any]] = []
        self.notes: list[tuple[int, str]] = []
        self.lose_next_answer = False

    def __call__(self, got: Got) -> Told:
        """The answer to a request."""
        if got.headers.get("private-token") != self.token:
            return _told({"message": "401 Unauthorized"}, 401)
        url = urlsplit(got.path)
        base = "/api/v4/projects/web%2Fshop"
        if not url.path.startswith(base):
            return _told({"message": "404 Project Not Found"}, 404)
        told = self._answer(got, url.path.removeprefix(base), parse_qs(url.query))
        if self.lose_next_answer and got.method == "POST":
            self.lose_next_answer = False
            return Told(502, b"bad gateway")
        return told

    def _answer(self, got: Got, path: str, query: dict[str, list[str]]) -> Told:
        if got.method == "GET" and path == "":
            return _told({"id": 1})
        if path == "/issues":
            return self._issues(got, query)
        hit = re.fullmatch(r"/issues/(\d+)(/notes)?", path)
        issue = next((i for i in self.issues if hit and i["iid"] == int(hit[1])), None)
        if hit is None or issue is None:
            return _told({"message": "404 Not found"}, 404)
        if hit[2]:
            self.notes.append((issue["iid"], got.json["body"]))
            return _told({"id": 1}, 201)
        issue["state"] = {"close": "closed", "reopen": "opened"}[got.json["state_event"]]
        return _told(issue)

    def _issues(self, got: Got, query: dict[str, list[str]]) -> Told:
        if got.method == "GET":
            wanted = query["search"][0].lower()
            return _told([i for i in self.issues if wanted in i["description"].lower()])
        number = len(self.issues) + 1
        issue = {
            "iid": number,
            "state": "opened",
            "web_url": f"https://gitlab.example/-/issues/{number}",
        } | got.json
        self.issues.append(issue)
        return _told(issue, 201)


class FakeJira:
    """Issues of the project ``SEC``; ``cloud``: without the search that Cloud took away, else without the new one."""

    def __init__(self, authorization: str, cloud: bool = True) -> None:
        self.authorization, self.cloud = authorization, cloud
        self.issues: list[dict[str, Any]] = []
        self.comments: list[tuple[str, str]] = []
        self.lose_next_answer = False

    def __call__(self, got: Got) -> Told:
        """The answer to a request."""
        if got.headers.get("authorization") != self.authorization:
            return _told({"errorMessages": ["no"]}, 401)
        url = urlsplit(got.path)
        told = self._answer(got, url.path.removeprefix("/rest/api/2"), parse_qs(url.query))
        if self.lose_next_answer and got.method == "POST":
            self.lose_next_answer = False
            return Told(502, b"bad gateway")
        return told

    def _answer(self, got: Got, path: str, query: dict[str, list[str]]) -> Told:
        if path == "/project/SEC":
            return _told({"key": "SEC"})
        if path in ("/search", "/search/jql"):
            if (path == "/search/jql") is not self.cloud:
                return _told({}, 404)
            label = re.search(r'project = "SEC" AND labels = "([^"]+)"', query["jql"][0])
            assert label is not None
            return _told({"issues": [i for i in self.issues if label[1] in i["fields"]["labels"]]})
        if path == "/issue":
            issue = {"key": f"SEC-{len(self.issues) + 1}", "done": False, **got.json}
            self.issues.append(issue)
            return _told({"key": issue["key"]}, 201)
        return self._one(got, path)

    def _one(self, got: Got, path: str) -> Told:
        hit = re.fullmatch(r"/issue/(SEC-\d+)(/comment|/transitions|)", path)
        issue = next((i for i in self.issues if hit and i["key"] == hit[1]), None)
        if hit is None or issue is None:
            return _told({"errorMessages": ["no issue"]}, 404)
        if hit[2] == "/comment":
            self.comments.append((issue["key"], got.json["body"]))
            return _told({"id": "1"}, 201)
        if hit[2] == "/transitions" and got.method == "POST":
            issue["done"] = got.json["transition"]["id"] == "31"
            return Told(204, b"")
        if hit[2] == "/transitions":
            ways = [("11", "new"), ("21", "indeterminate"), ("31", "done")]
            return _told({"transitions": [{"id": i, "to": {"statusCategory": {"key": k}}} for i, k in ways]})
        key = "done" if issue["done"] else "new"
        return _told({"fields": {"status": {"statusCategory": {"key": key}}}})
