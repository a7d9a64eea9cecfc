"""`make deploy-try`: starts the containers as `deploy/up` does, uses them, breaks them, and says how that went.

Needs root, docker and docker-compose; leaves nothing behind but images. Not part of CI: it takes minutes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Sequence
from io import BytesIO
from pathlib import Path
from typing import TypeVar

import httpx

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PROJECT = "package-hunter-try"
PORT = os.environ.get("PORT", "3999")
DOCKER = os.environ.get("DOCKER", "docker")
ENVIRONMENT = {**os.environ, "COMPOSE_PROJECT_NAME": PROJECT, "PUBLISH": f"127.0.0.1:{PORT}"}
T = TypeVar("T")
USER, PASSWORD = "ana", "correct horse"
client = httpx.Client(base_url=f"http://127.0.0.1:{PORT}", auth=(USER, PASSWORD), timeout=60, trust_env=False)


def main() -> int:
    """Every step, in order; the first that fails ends it."""
    compose("down", "--volumes")
    try:
        began = time.monotonic()
        subprocess.run([HERE / "up"], env=ENVIRONMENT, check=True)
        wait_for(answers, 300)
        say(f"up after {time.monotonic() - began:.0f} s")
        run(DOCKER, "exec", "-i", server(), "package-hunter", "user", "add", USER,
            "--role", "administrator", "--role", "developer", typed=f"{PASSWORD}\n")  # fmt: skip
        a_scan_finds_the_simulation()
        a_killed_worker_loses_nothing()
        down_and_up_loses_nothing()
        figures(int(sys.argv[1]) if sys.argv[1:] else 12)
    finally:
        if "--keep" not in sys.argv:
            compose("down", "--volumes")
    return 0


def a_scan_finds_the_simulation() -> None:
    """The bundled falco-test simulation, through API, PostgreSQL, S3 and a worker in its container."""
    scan = submit()
    ended = wait_for(lambda: finished(scan), 300)
    report = client.get(f"/api/v1/scans/{scan}/report?format=json").raise_for_status().json()
    assert any(alert["rule"] == "Download tool started" for alert in report["alerts"]), report["alerts"]
    assert report["findings"][0]["blame"]["package"].startswith("pkg:npm/maldep"), report["findings"]
    say(
        f"falco-test: {ended['status']}, {report['verdict']}, {len(report['alerts'])} alerts, on {who(scan)[-1]}"
    )


def a_killed_worker_loses_nothing() -> None:
    """`docker kill` of the worker that scans: the other one finishes its scan."""
    scan = submit(fresh=True)
    (killed,) = wait_for(lambda: who(scan), 120)
    began = time.monotonic()
    run(DOCKER, "kill", killed)
    wait_for(lambda: finished(scan), 600)
    last = who(scan)[-1]
    assert last != killed, who(scan)
    say(f"{killed} was killed with a scan; {last} finished it {time.monotonic() - began:.0f} s later")
    left = run(DOCKER, "ps", "-aq", "--filter", "status=running", "--filter", f"name={killed}")
    assert left == "", left
    run(DOCKER, "start", killed)


def down_and_up_loses_nothing() -> None:
    """`docker-compose down`, `up`: accounts, scans, reports and the history are as they were."""
    before = scans()
    waiting = [submit(fresh=True) for _ in range(3)]
    compose("down")
    subprocess.run([HERE / "up"], env=ENVIRONMENT, check=True)
    wait_for(answers, 300)
    after = {scan["id"]: scan for scan in scans().values()}
    assert {i: after.get(i) for i in before} == before
    for scan in waiting:
        wait_for(lambda scan=scan: finished(scan), 600)  # type: ignore[misc]
    for scan in [*before, *waiting]:
        client.get(f"/api/v1/scans/{scan}/report?format=json").raise_for_status()
    said = run(DOCKER, "exec", server(), "package-hunter", "audit", "verify")
    say(f"down and up: {len(before)} scans as they were, {len(waiting)} that waited were finished; {said}")


def figures(number: int) -> None:
    """Scans an hour with one worker and with two."""
    names = workers()
    for count in (1, 2):
        for name in names[count:]:
            run(DOCKER, "stop", name)
        began = time.monotonic()
        made = [submit(fresh=True) for _ in range(number)]
        for scan in made:
            wait_for(lambda scan=scan: finished(scan), 1800)  # type: ignore[misc]
        seconds = time.monotonic() - began
        say(f"{count} worker(s): {number} scans in {seconds:.0f} s, {number / seconds * 3600:.0f} an hour")
        for name in names[count:]:
            run(DOCKER, "start", name)


def submit(fresh: bool = False) -> str:
    """The simulation as an archive; the scan's id."""
    body = BytesIO()
    with tarfile.open(fileobj=body, mode="w:gz") as archive:
        archive.add(ROOT / "simulations/falco-test", "falco-test")
    headers = {"Content-Type": "application/octet-stream"}
    where = f"/api/v1/scans?fresh={str(fresh).lower()}&depth=quick"
    answer = client.post(where, content=body.getvalue(), headers=headers)
    assert answer.status_code < 300, answer.text
    return str(answer.json()["id"])


def finished(scan: str) -> dict[str, object] | None:
    """The scan, once it has ended well; AssertionError where it failed."""
    found = client.get(f"/api/v1/scans/{scan}").raise_for_status().json()
    assert found["status"] != "failed", found
    return dict(found) if found["status"] == "finished" else None


def scans() -> dict[str, dict[str, object]]:
    """What the list has, by id."""
    return {
        scan["id"]: scan for scan in client.get("/api/v1/scans?limit=100").raise_for_status().json()["scans"]
    }


def who(scan: str) -> list[str]:
    """The workers that began a scan, in order, by their containers' names: their logs say it."""
    found = []
    for name in run(DOCKER, "ps", "-a", *ours("worker"), "--format", "{{.Names}}").split():
        done = subprocess.run([DOCKER, "logs", name], capture_output=True, text=True, check=True)
        for line in (done.stdout + done.stderr).splitlines():
            entry = json.loads(line) if line.startswith("{") else {}
            if entry.get("event") == "scan started" and entry.get("scan") == scan:
                found.append((entry["timestamp"], name))
    return [name for _, name in sorted(found)]


def workers() -> list[str]:
    """Names of the workers' containers that run."""
    return sorted(run(DOCKER, "ps", *ours("worker"), "--format", "{{.Names}}").split())


def server() -> str:
    """The server's container."""
    return run(DOCKER, "ps", "-q", *ours("server"))


def ours(service: str) -> Sequence[str]:
    """Filters of `docker ps`."""
    labels = (f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}")
    return [word for label in labels for word in ("--filter", f"label={label}")]


def answers() -> bool:
    """Whether the server and a worker are there."""
    try:
        return bool(client.get("/api/v1/health").json()["status"] == "ok")
    except (httpx.HTTPError, ValueError):
        return False


def compose(*words: str) -> None:
    """docker-compose on the project."""
    file = str(HERE / "compose/compose.yaml")
    (HERE / "compose/settings").mkdir(exist_ok=True)
    for name in ("server.env", "owner.env", "owner_password", "server_password", "artefacts_key"):
        if words[0] == "down" and not (HERE / "compose/settings" / name).exists():
            (HERE / "compose/settings" / name).touch()  # docker-compose reads them even to stop
    subprocess.run(["docker-compose", "-f", file, *words], env=ENVIRONMENT, check=True, capture_output=True)


def run(*command: str, typed: str = "") -> str:
    """What a command prints; its last words where it fails."""
    done = subprocess.run(command, input=typed, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr[-2000:])
    return (done.stdout + done.stderr).strip()


def wait_for(what: Callable[[], T], seconds: float) -> T:
    """The first true value that ``what`` gives."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := what():
            return value
        time.sleep(0.5)
    raise AssertionError(f"not within {seconds} s: {what}")


def say(sentence: str) -> None:
    """For the one who waits."""
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main())
