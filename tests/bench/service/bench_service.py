"""Budget of the API: status polls with credentials a second and core; memory during ten uploads of 1 GB."""

from __future__ import annotations

import base64
import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.archives import held
from tests.support.service_harness import PASSWORD, USER, Running, open_folder, running

TICK = os.sysconf("SC_CLK_TCK")
SECONDS = 4
SCANS = 200
UPLOADS, UPLOAD_BYTES = 10, 1_000_000_000
AUTHORIZATION = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def main() -> None:
    """Print both figures."""
    with (
        open_folder() as folder,
        running(
            folder, submissions_per_minute=10_000, requests_per_minute=10**9, max_archive_bytes=1 << 30
        ) as server,
    ):
        polls(server)
        uploads(server, UPLOADS, UPLOAD_BYTES)


def cpu_seconds(pid: int) -> float:
    """User and system time of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def polls(server: Running) -> None:
    """Statuses asked by 16 connections, of 200 scans; budget 1,500 a second and core."""
    server.submit(b"sleep 600")  # holds the worker, so that the others stay pending
    pending = [server.submit(b"x %d" % n) for n in range(SCANS)]
    pid = server.children()["server"]
    print(f"status polls, 16 connections, {SCANS} scans, HTTP Basic (budget 1,500 a second and core):")
    for name, path in (
        ("pending, GET /?id=", "/?id={}"),
        ("pending, GET /api/v1/scans/ID", "/api/v1/scans/{}"),
    ):
        rates = []
        for _ in range(3):
            before = cpu_seconds(pid)
            rate, errors = _load(server.port, [path.format(i) for i in pending])
            cores = (cpu_seconds(pid) - before) / SECONDS
            rates.append((rate / max(cores, 1.0), rate, cores, errors))
        per_core, rate, cores, errors = sorted(rates)[1]
        used = f"({rate:,.0f}/s, {cores:.2f} cores, {errors} errors)"
        print(f"  {name:32} {per_core:7,.0f} a second and core {used}")


def _load(port: int, paths: list[str]) -> tuple[float, int]:
    """Requests a second and failed requests, by wrk where it is installed."""
    if shutil.which("wrk") is None:
        print("  (wrk is missing: apt-get install wrk; a client in Python would measure itself)")
        return 0.0, 0
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        listed = ",".join(f'"{p}"' for p in paths)
        script.write(f"local paths = {{{listed}}}\nlocal n = 0\n")
        script.write(f'local headers = {{Authorization = "{AUTHORIZATION}"}}\n')
        script.write(
            "function request() n = n % #paths + 1; return wrk.format('GET', paths[n], headers) end\n"
        )
        script.flush()
        url = f"http://127.0.0.1:{port}/"
        command = ["wrk", "-t1", "-c16", f"-d{SECONDS}s", "-s", script.name, url]
        text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", text)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
    assert rate is not None
    return float(rate[1]), int(errors[1]) if errors else 0


def uploads(server: Running, number: int, size: int) -> None:
    """Resident memory of the API process while ``number`` uploads of ``size`` bytes come in."""
    pid = server.children()["server"]
    idle = _rss(pid)
    with _sampling(pid) as samples:
        began = time.perf_counter()
        threads = [threading.Thread(target=_upload, args=(server.port, size, n)) for n in range(number)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
    kept = len(held(server.data_dir))
    print(f"{number} uploads of {size / 1e9:g} GB at once (budget 250 MB):")
    print(f"  resident {idle / 1e6:.0f} MB before, at most {max(samples) / 1e6:.0f} MB during,", end=" ")
    speed = number * size / 1e6 / seconds
    print(f"median {statistics.median(samples) / 1e6:.0f} MB; {speed:.0f} MB/s; {kept} files kept")


def _upload(port: int, size: int, number: int) -> None:
    block = bytes([number]) * (1 << 20)
    with socket.create_connection(("127.0.0.1", port)) as connection:
        head = f"POST /monitor/project/npm HTTP/1.1\r\nHost: localhost\r\nAuthorization: {AUTHORIZATION}\r\n"
        head += f"Content-Type: application/octet-stream\r\nContent-Length: {size}\r\n\r\n"
        connection.sendall(head.encode())
        left = size
        while left:
            piece = block[: min(left, len(block))]
            connection.sendall(piece)
            left -= len(piece)
        answer = connection.recv(4096)
        assert answer.startswith(b"HTTP/1.1 200"), answer


def _rss(pid: int) -> int:
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


@contextlib.contextmanager
def _sampling(pid: int) -> Iterator[list[int]]:
    samples = [_rss(pid)]
    stop = threading.Event()

    def sample() -> None:
        while not stop.wait(0.05):
            samples.append(_rss(pid))

    thread = threading.Thread(target=sample)
    thread.start()
    try:
        yield samples
    finally:
        stop.set()
        thread.join()


if __name__ == "__main__":
    main()
