"""Talking to a server: submit, wait, fetch the report. Failures are the command line's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.progress import Progress as BarOfProgress

from package_hunter import given
from package_hunter.client.events import parsed
from package_hunter.errors import HunterError, UnreachableError, UsageError
from package_hunter.model.report import Report

Progress = Callable[[str], None]

_BLOCK = 256 << 10
_POLL_FIRST, _POLL_LAST = 0.25, 3.0  # seconds
_TROUBLE_SECONDS = 120.0  # a server that does not answer for so long while we wait is gone
_RETRIES = 5
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class RemoteScanError(HunterError):
    """The server could not make the scan; ``exit_code`` is what a local scan would have ended with."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclass(frozen=True, slots=True)
class Submission:
    """What to send: an archive with a name for people, or a purl."""

    ecosystem: str | None = None
    archive: Path | None = None
    name: str = ""
    purl: str | None = None
    fresh: bool = False  # scan even where the server knows a result for the same dependencies
    depth: str | None = None  # how far to look; None: as the server is set up
    tree: Mapping[str, str] = field(
        default_factory=dict
    )  # commit, ref, merge_request, base: of which tree it is
    project: str | None = None  # its path; None: the account's own
    priority: str | None = None


class Remote:
    """A server. Use it as a context manager."""

    def __init__(
        self,
        url: str,
        auth: httpx.Auth | None,
        progress: Progress,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        address = httpx.URL(url)
        if address.scheme not in ("http", "https") or not address.host:
            raise UsageError(f"{url!r} is no server's address.", "It looks like https://hunter.example.")
        if address.scheme == "http" and address.host not in _LOOPBACK and auth is not None:
            progress(f"warning: credentials go to {address.host} unencrypted; use https.")
        self._near = transport is not None  # no server: the same routes in this process
        self._progress = progress
        self._sleep = sleep
        near: dict[str, Any] = {} if transport is None else {"transport": transport}
        self._client = httpx.Client(
            base_url=url.rstrip("/") + "/api/v1",
            auth=auth,
            timeout=httpx.Timeout(60.0, connect=10.0),
            follow_redirects=False,  # credentials go where the user said, nowhere else
            **near,
        )

    def __enter__(self) -> Remote:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def scan(self, what: Submission, seconds: float) -> Report:
        """Submit, wait up to ``seconds``, and fetch the report.

        UnreachableError (69), UsageError (2: credentials, address, size), RemoteScanError (as a local scan).
        """
        self._call("GET", "/scans?limit=1")  # credentials are checked before a gigabyte is sent
        info = self.submit(what)
        self._progress(f"submitted as {info['id']}")
        self.wait(str(info["id"]), seconds)
        return self._report(str(info["id"]))

    def get(self, path: str, query: Mapping[str, str], patience: float = 0.0) -> dict[str, Any]:
        """What the server answers; errors as `scan`. ``patience``: so many seconds, two minutes at most, a server that
        does not answer is asked again."""
        return self._json(
            self._call("GET", path, params=dict(query), patience=min(patience, _TROUBLE_SECONDS))
        )

    def post(self, path: str, query: Mapping[str, str], body: Mapping[str, Any]) -> dict[str, Any]:
        """The same, of a request with a body."""
        return self._json(self._call("POST", path, params=dict(query), json=dict(body)))

    def delete(self, path: str, query: Mapping[str, str]) -> None:
        """The same, of a request that takes something away."""
        self._call("DELETE", path, params=dict(query))

    def download(self, path: str, query: Mapping[str, str], to: Path) -> None:
        """What the server sends, into a new file; UsageError where there is one already."""
        try:
            file = to.open("xb")
        except OSError as error:
            raise UsageError(f"{to} cannot be written ({error.strerror}).", "Give another file.") from error
        try:
            with file, self._client.stream("GET", path, params=dict(query)) as answer:
                if not answer.is_success:
                    answer.read()
                    self._good(answer)
                for piece in answer.iter_bytes():
                    file.write(piece)
        except BaseException as error:
            to.unlink(missing_ok=True)  # half a file is none
            if isinstance(error, httpx.TransportError):
                raise self._silent(error) from error
            raise

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        """Server-sent events (`client.events`) until the one called ``end``; goes on where it was broken off."""
        last, silent_since = "", time.monotonic()
        while True:
            headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": last} if last else {})
            try:
                with self._client.stream("GET", path, headers=headers) as answer:
                    if not answer.is_success:
                        answer.read()
                        self._good(answer)
                    for event in parsed(answer.iter_lines()):
                        last = event["id"] or last
                        silent_since = time.monotonic()
                        yield event
                        if event["event"] == "end":
                            return
            except httpx.TransportError as error:
                if time.monotonic() - silent_since > _TROUBLE_SECONDS:
                    raise self._silent(error) from error
            self._sleep(1.0)

    def submit(self, what: Submission) -> dict[str, Any]:
        """Hand it in: the scan, as the server tells of it. Errors as `scan`."""
        query = {"ecosystem": what.ecosystem} if what.ecosystem else {}
        query |= {"fresh": "true"} if what.fresh else {}
        query |= {"depth": what.depth} if what.depth else {}
        query |= {"project": what.project} if what.project else {}
        query |= {"priority": what.priority} if what.priority else {}
        query |= what.tree
        if what.purl is not None:
            return self._json(self._call("POST", "/scans", params=query, json={"purl": what.purl}))
        assert what.archive is not None
        archive = what.archive
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(archive.stat().st_size)}
        query |= {"name": what.name[:200]} if what.name else {}
        return self._json(
            self._call("POST", "/scans", params=query, headers=headers, body=lambda: self._blocks(archive))
        )

    def _blocks(self, archive: Path) -> Iterator[bytes]:
        total, sent, said = archive.stat().st_size, 0, 0
        live = sys.stderr.isatty()  # not rich's own guess: FORCE_COLOR makes no terminal of a log
        bar = BarOfProgress(console=Console(stderr=True), transient=True, disable=not live)
        with given.open_file(archive) as file, bar:
            task = bar.add_task("Uploading", total=total)
            while block := file.read(_BLOCK):
                yield block
                sent += len(block)
                bar.update(task, completed=sent)
                if live:
                    continue
                if (percent := sent * 10 // total * 10) > said and total > 4 * _BLOCK:
                    said = percent
                    self._progress(f"uploaded {percent} % of {total / 1e6:.1f} MB")

    def wait(self, scan_id: str, seconds: float) -> None:
        """Until it is finished; errors as `scan`."""
        deadline = time.monotonic() + seconds
        pause, before = _POLL_FIRST, ""
        while True:
            info = self._json(self._call("GET", f"/scans/{scan_id}", patience=_TROUBLE_SECONDS))
            status = str(info.get("status"))
            if status in ("failed", "cancelled"):
                reason = str(info.get("reason") or "The server gave no reason.")
                what = "failed" if status == "failed" else "was cancelled"
                raise RemoteScanError(f"The scan {what}. {reason}", int(info.get("exit_code") or 70))
            if status == "finished":
                return
            if status != before:
                self._progress({"pending": "waiting for a worker"}.get(status, status))
                before = status
            if time.monotonic() > deadline:
                raise UnreachableError(
                    f"Scan {scan_id} was not finished within {seconds:.0f} s.",
                    "It goes on; ask the server for it later, or wait longer.",
                )
            self._sleep(pause)
            pause = min(pause * 1.3, _POLL_LAST)

    def _report(self, scan_id: str) -> Report:
        data = self._json(self._call("GET", f"/scans/{scan_id}/report", patience=_TROUBLE_SECONDS))
        from package_hunter.model.report_form import (
            from_json,  # only with a report in hand: it costs some 50 ms
        )

        try:
            return from_json(data)
        except (ValueError, KeyError, TypeError) as error:
            raise UnreachableError(
                "The server's report cannot be read.", "Bring client and server to the same version."
            ) from error

    def _call(
        self,
        method: str,
        path: str,
        body: Callable[[], Iterator[bytes]] | None = None,
        patience: float = 0.0,
        **more: Any,
    ) -> httpx.Response:
        """The server's good answer. ``patience``: for so many seconds a silent server is asked again."""
        began, tries = time.monotonic(), 0
        while True:
            tries += 1
            try:
                answer = self._client.request(method, path, content=body() if body else None, **more)
            except httpx.TransportError as error:
                if time.monotonic() - began >= patience:
                    raise self._silent(error) from error
                if tries == 1:
                    self._progress(f"{self._silent(error)} Trying again for up to {patience:.0f} s.")
                self._sleep(min(2.0, 0.2 * tries))
                continue
            pause = _try_again_in(answer)
            if pause is None or (tries > _RETRIES and time.monotonic() - began >= patience):
                return self._good(answer)
            self._progress(f"the server is busy: {_reason(answer)} Trying again in {pause:.0f} s.")
            self._sleep(pause)

    def _silent(self, error: httpx.TransportError) -> UnreachableError:
        return UnreachableError(
            f"{self._client.base_url.host} does not answer ({error or type(error).__name__}).",
            "Check the address, and that `package-hunter serve` runs there.",
        )

    def _good(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            return answer
        reason = _reason(answer)
        if self._near:
            raise UsageError(reason) if answer.status_code < 500 else HunterError(reason)
        if answer.status_code in (401, 403):
            advice = "Set PACKAGE_HUNTER_TOKEN_FILE or PACKAGE_HUNTER_TOKEN (package-hunter token add NAME)."
            raise UsageError(f"The server refuses these credentials: {reason}", advice)
        if answer.status_code in (429, 500, 502, 503, 504):
            raise UnreachableError(f"The server cannot take it now: {reason}", "Try again later.")
        if (answer.status_code == 404 and not _is_ours(answer)) or answer.is_redirect:
            raise UsageError(f"This is no Package Hunter server: {reason}", "Check the address.")
        raise UsageError(f"The server refuses this: {reason}")

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        try:
            value = answer.json()
        except ValueError:
            value = None
        if not isinstance(value, dict):
            raise UsageError("This is no Package Hunter server.", "Check the address.")
        return value


def _try_again_in(answer: httpx.Response) -> float | None:
    """Seconds to wait where the server is merely busy; None: this answer stands."""
    if answer.status_code not in (429, 502, 503, 504):
        return None
    told = answer.headers.get("retry-after", "")
    return min(float(told), 60.0) if told.isascii() and told.isdigit() and len(told) < 6 else 5.0


def _is_ours(answer: httpx.Response) -> bool:
    """Whether a refusal has the form of ours: a problem document, or (of older servers) the original's."""
    try:
        said = answer.json()
        return bool(said["status"] == "error" or {"type", "title", "detail"} <= said.keys())
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _reason(answer: httpx.Response) -> str:
    """The server's own words, short and harmless."""
    try:
        body = answer.json()
        said = body.get("message") or f"{body['detail']} {body.get('advice') or ''}"
    except (ValueError, KeyError, TypeError, AttributeError):
        said = f"HTTP {answer.status_code}."
    return "".join(c if c.isprintable() else " " for c in str(said)[:500]).strip()
