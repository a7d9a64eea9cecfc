"""Artefacts in an object store: S3 (Amazon's or another's), Google, Azure, by obstore.

Credentials come from the environment as obstore reads them (``AWS_ACCESS_KEY_ID``, …; docs/storage.md), never from a
project. Every request has an end: a store that is away is told within seconds, and whoever waits for it decides.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError
from obstore.store import from_url

from package_hunter.errors import StoreError, UsageError
from package_hunter.storage.blobs import Blob, Content
from package_hunter.storage.errors import ChangedError, MissingError, unreachable
from package_hunter.storage.incoming import Incoming

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PIECE = 8 << 20  # bytes of one request
_RETRIES = 3
_CONNECT_SECONDS = 5.0
_LISTED = 1_000  # objects an answer has
_THREADS = "2"  # of its client, whose default is one a processor
_SCHEMES = ("s3", "gs", "az")
_begun: int | None = None  # the process in which the library's threads are


class Bucket:
    """Implements `blobs.Blobs`."""

    def __init__(self, url: str, endpoint: str | None, seconds: float) -> None:
        _require_own_threads()
        self._store = _opened(url, endpoint, seconds)

    def put(self, name: str, chunks: Iterable[bytes], size: int) -> None:
        """See the port: what is larger than a piece goes in parts, which the store makes one at the end."""
        with _explained():
            if size <= _PIECE:
                obstore.put(self._store, name, b"".join(chunks), use_multipart=False)
            else:
                obstore.put(self._store, name, _pieces(chunks), chunk_size=_PIECE, max_concurrency=2)

    def adopt(self, name: str, incoming: Incoming) -> bool:
        """See the port."""
        return False

    def get(self, name: str) -> Content:
        """See the port: piece by piece, so that no request is long, all of the same version."""
        with _explained():
            try:
                found = obstore.head(self._store, name)
            except FileNotFoundError as error:
                raise MissingError(f"The artefact {name} is not there.") from error
        return Content(found["size"], self._pieces_of(name, found["size"], found["e_tag"]))

    def _pieces_of(self, name: str, size: int, tag: str | None) -> Iterator[bytes]:
        for start in range(0, size, _PIECE):
            end = min(start + _PIECE, size)
            with _explained():
                try:
                    options: Any = {"range": (start, end), **({"if_match": tag} if tag else {})}
                    yield bytes(obstore.get(self._store, name, options=options).bytes())
                except (PreconditionError, FileNotFoundError) as error:
                    raise ChangedError(f"The artefact {name} changed while it was read.") from error

    def head(self, name: str) -> Blob | None:
        """See the port."""
        with _explained():
            try:
                found = obstore.head(self._store, name)
            except FileNotFoundError:
                return None
        return Blob(name, found["size"], found["last_modified"].timestamp())

    def delete(self, name: str) -> None:
        """See the port."""
        with _explained(), contextlib.suppress(FileNotFoundError):
            obstore.delete(self._store, name)

    def list(self, prefix: str) -> Iterator[Blob]:
        """See the port."""
        answers = iter(obstore.list(self._store, prefix, chunk_size=_LISTED))
        while True:
            with _explained():
                batch = next(answers, None)
            if batch is None:
                return
            for found in batch:
                yield Blob(found["path"], found["size"], found["last_modified"].timestamp())


def _require_own_threads() -> None:
    """The library's threads do not survive a fork: whoever used it before one would wait for ever after it."""
    global _begun
    if _begun not in (None, os.getpid()):
        raise RuntimeError("the object store was used before this process was forked")
    _begun = os.getpid()


def _opened(url: str, endpoint: str | None, seconds: float) -> ObjectStore:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES or not parts.netloc or parts.query or "@" in parts.netloc:
        raise UsageError(
            "PACKAGE_HUNTER_ARTEFACTS_URL names no object store.",
            "Give s3://BUCKET/PREFIX, gs://BUCKET/PREFIX or az://ACCOUNT/CONTAINER/PREFIX; credentials go into "
            "the environment (AWS_ACCESS_KEY_ID, …).",
        )
    config: Any = {}
    if endpoint is not None:
        if urlsplit(endpoint).scheme not in ("http", "https"):
            raise UsageError("PACKAGE_HUNTER_ARTEFACTS_ENDPOINT is no URL.", "Give https://HOST:PORT.")
        config = {"endpoint": endpoint}
    if parts.scheme == "s3":  # the bucket in the path: stores that are not Amazon's have no names for each
        config["virtual_hosted_style_request"] = False
    client: Any = {
        "allow_http": endpoint is not None and endpoint.startswith("http:"),
        "connect_timeout": timedelta(seconds=min(seconds, _CONNECT_SECONDS)),
        "timeout": timedelta(seconds=seconds),
    }
    retry: Any = {"max_retries": _RETRIES, "retry_timeout": timedelta(seconds=seconds)}
    os.environ.setdefault("TOKIO_WORKER_THREADS", _THREADS)
    try:
        return from_url(url, config=config, client_options=client, retry_config=retry)
    except (BaseError, ValueError) as error:
        raise UsageError(
            f"The object store cannot be used ({_first_line(error)}).", "See docs/storage.md."
        ) from error


def _pieces(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The chunks, joined to pieces."""
    held = bytearray()
    for chunk in chunks:
        held += chunk
        if len(held) >= _PIECE:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (PermissionDeniedError, UnauthenticatedError) as error:
        raise unreachable(f"it refuses our credentials: {_first_line(error)}") from error
    except PreconditionError:
        raise
    except StoreError:
        raise
    except BaseError as error:
        raise unreachable(_first_line(error)) from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300]
