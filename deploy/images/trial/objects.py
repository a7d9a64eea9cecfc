"""FOR TRIAL ONLY: moto's S3 server, which asks nobody who he is, with its objects kept as files below a folder.

What is answered to a write is on disk before the answer leaves, so nothing is lost when the container ends.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from moto.core import DEFAULT_ACCOUNT_ID
from moto.s3.models import S3Backend, s3_backends
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

FOLDER = Path(os.environ.get("OBJECTS_FOLDER", "/var/lib/objects"))
BUCKETS = os.environ.get("OBJECTS_BUCKETS", "package-hunter").split(",")
Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
_lock = threading.Lock()


def backend() -> S3Backend:
    """Where moto has its buckets."""
    return s3_backends[DEFAULT_ACCOUNT_ID]["aws"]


def load() -> None:
    """The buckets, and all objects of the run before."""
    for bucket in BUCKETS:
        backend().create_bucket(bucket, "us-east-1")
        for path in (FOLDER / bucket).glob("*"):
            if not path.name.endswith("~"):
                backend().put_object(bucket, unquote(path.name), path.read_bytes())


def keep(path: str) -> None:
    """Bring the files of what a request's path names, an object or a whole bucket, to what moto has of it now."""
    bucket, _, key = path.lstrip("/").partition("/")
    if bucket not in BUCKETS:
        return
    folder = FOLDER / bucket
    folder.mkdir(parents=True, exist_ok=True)
    if key:
        _keep(folder, bucket, key)
        return
    for file in folder.glob("*"):  # several were deleted at once
        _keep(folder, bucket, unquote(file.name))


def _keep(folder: Path, bucket: str, key: str) -> None:
    file = folder / quote(key, safe="")
    found = backend().get_object(bucket, key)
    if found is None:
        file.unlink(missing_ok=True)
        return
    part = folder / f"{file.name}~"
    with part.open("wb") as out:
        out.write(found.value)
        out.flush()
        os.fsync(out.fileno())
    part.replace(file)


def durable(inner: Application) -> Application:
    """moto, with what was written on disk before its answer is given."""

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = list(inner(environ, start_response))
        if environ["REQUEST_METHOD"] in ("PUT", "POST", "DELETE"):
            with _lock:
                keep(environ["PATH_INFO"])
        return answer

    return application


def main() -> int:
    """Serve until told to stop."""
    load()
    run_simple("0.0.0.0", 9000, durable(DomainDispatcherApplication(create_backend_app)), threaded=True)  # noqa: S104 (a container)
    return 0


if __name__ == "__main__":
    sys.exit(main())
