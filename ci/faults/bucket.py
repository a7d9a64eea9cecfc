"""An object store of a run's own (moto's S3 server), in a network namespace behind a wire that can be cut."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.faults.wire import Wire

BUCKET = "faults"
_PORT = 9000
_START_SECONDS = 300.0
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "faults", "AWS_SECRET_ACCESS_KEY": "faults", "AWS_REGION": "us-east-1"}


@contextmanager
def bucket(wire: Wire, log: Path) -> Iterator[dict[str, str]]:
    """Settings (without their prefix) of a fresh bucket, for the block; credentials are in the environment
    meanwhile."""
    server = str(Path(sys.executable).parent / "moto_server")
    command = ["nsenter", f"--net={wire.worker}", server, "-H", wire.far, "-p", str(_PORT)]
    url = f"http://{wire.far}:{_PORT}"
    with log.open("wb") as out, subprocess.Popen(command, stdout=out, stderr=out) as process:
        try:
            _make(f"{url}/{BUCKET}")
            os.environ.update(CREDENTIALS)
            yield {"ARTEFACTS_URL": f"s3://{BUCKET}/hunter", "ARTEFACTS_ENDPOINT": url}
        finally:
            process.kill()
            for name in CREDENTIALS:
                os.environ.pop(name, None)


def _make(url: str) -> None:
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            request = urllib.request.Request(url, method="PUT")  # noqa: S310 (our own server)
            urllib.request.urlopen(request, timeout=5).close()  # noqa: S310
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.2)
