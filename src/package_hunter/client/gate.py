"""Asking a server's gate from a CI job: have it fetch the commit, wait for its word."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from package_hunter.client.credentials import Bearer
from package_hunter.client.remote import Progress, Remote
from package_hunter.errors import UsageError

_PAUSE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Wish:
    """Of which commit of which project. ``fetch``: have the server fetch and scan it, with this ref, merge request and
    base; ``seconds``: wait so long for a scan that is under way."""

    project: str
    commit: str
    fetch: bool = False
    tree: Mapping[str, str] | None = None
    seconds: float = 0.0


def ask(
    remote: Remote, wish: Wish, progress: Progress, sleep: Callable[[float], None] = time.sleep
) -> dict[str, Any]:
    """The gate's last word. Errors as `Remote.scan`."""
    at = {"project": wish.project}
    end = time.monotonic() + wish.seconds
    word = _word(remote, wish, end)
    if wish.fetch and word.get("result") == "missing" and not word.get("waits"):
        remote.post("/gate/fetches", at, {"commit": wish.commit, **(wish.tree or {})})
        progress("the server fetches the commit")
        word = _word(remote, wish, end)
    while word.get("result") == "missing" and _may_change(word) and time.monotonic() < end:
        sleep(_PAUSE_SECONDS)
        word = _word(remote, wish, end)
    return word


def _word(remote: Remote, wish: Wish, end: float) -> dict[str, Any]:
    """The gate's word now; a server that does not answer is asked again until ``end``."""
    asked = {"project": wish.project, "commit": wish.commit}
    return remote.get("/gate", asked, patience=max(0.0, end - time.monotonic()))


def _may_change(word: Mapping[str, Any]) -> bool:
    """Whether a scan is under way, or the commit is being fetched."""
    return bool(word.get("waits")) or "is being fetched" in str(word.get("says"))


def job_credentials(server: str, project: str | None = None) -> httpx.Auth | None:
    """What a CI job's ID token (PACKAGE_HUNTER_ID_TOKEN) gives here: a short token; None without one. UsageError."""
    token = os.environ.get("PACKAGE_HUNTER_ID_TOKEN")
    if not token:
        return None
    with Remote(server, None, lambda _: None) as remote:
        made = remote.post("/job-token", {}, {"token": token} | ({"project": project} if project else {}))
    if not isinstance(made.get("token"), str):
        raise UsageError("The server gave no token for the job's ID token.", "See docs/identity.md, CI jobs.")
    return Bearer(str(made["token"]))
