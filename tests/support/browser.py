"""A browser for tests: keeps cookies and the session's token as browsers and our pages do."""

from __future__ import annotations

from typing import Any

import httpx

from tests.support.access_server import AccessServer

ORIGIN = "http://localhost"


class Browser:
    """``ask`` goes to the server; cookies are kept by name."""

    def __init__(self, server: AccessServer) -> None:
        self.server = server
        self.cookies: dict[str, str] = {}
        self.csrf = ""

    def ask(self, method: str, url: str, **more: Any) -> httpx.Response:
        """The answer to a request."""
        headers = {}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if method != "GET":
            headers |= {"X-CSRF-Token": self.csrf, "Origin": ORIGIN}
        headers |= more.pop("headers", {})
        answer = self.server.ask(None, method, url, headers=headers, **more)
        for line in answer.headers.get_list("set-cookie"):
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
            if not value:
                del self.cookies[name]
        return answer

    def look(self) -> None:
        """Learn the session's token, as a page of ours does."""
        answer = self.ask("GET", "/api/v1/session")
        assert answer.status_code == 200, answer.text
        self.csrf = answer.json()["csrf"]

    def sign_in(self, name: str, password: str) -> None:
        """With a password."""
        answer = self.ask("POST", "/api/v1/session", json={"name": name, "password": password})
        assert answer.status_code == 201, answer.text
        self.csrf = answer.json()["csrf"]
