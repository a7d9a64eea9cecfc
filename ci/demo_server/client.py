"""A person who asks the server's API, as any program would."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx

T = TypeVar("T")


class RefusedError(Exception):
    """The server does not do what was asked."""


class Client:
    """One person's. ``base`` is the server's URL."""

    def __init__(self, base: str, name: str, password: str) -> None:
        self.name, self._password = name, password
        self._http = httpx.Client(
            base_url=f"{base}/api/v1", auth=(name, password), timeout=120, trust_env=False
        )

    def get(self, path: str, **query: Any) -> Any:
        """What is there."""
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any) -> Any:
        """Have something made or done."""
        return self._ask("POST", path, json=body)

    def put(self, path: str, body: Any) -> Any:
        """Have something set."""
        return self._ask("PUT", path, json=body)

    def upload(self, path: str, data: bytes, **query: Any) -> Any:
        """Send an archive."""
        headers = {"Content-Type": "application/octet-stream"}
        return self._ask("POST", path, params=query, content=data, headers=headers)

    def all(self, path: str, items: str = "items", cursor: str = "after", **query: Any) -> Iterator[Any]:
        """Every item of a list, page by page."""
        while True:
            page = self.get(path, limit=100, **query)
            yield from page[items]
            if not page["next"]:
                return
            query[cursor] = page["next"]

    def proof(self) -> dict[str, str]:
        """Who one is, once more."""
        return {"password": self._password}

    def close(self) -> None:
        """No more is asked."""
        self._http.close()

    def _ask(self, method: str, path: str, **more: Any) -> Any:
        answer = self._http.request(method, path, **more)
        if answer.status_code >= 400:
            raise RefusedError(f"{self.name}: {method} {path}: {answer.status_code} {answer.text[:1000]}")
        return answer.json() if answer.content else None


def wait_for(what: Callable[[], T | None], seconds: float, told: str) -> T:
    """The first value that is one; RefusedError after so long."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found is not None:
            return found
        time.sleep(0.3)
    raise RefusedError(f"Not within {seconds:.0f} s: {told}")
