"""The original's walk-through, request for request, over real HTTP; and the same over /api/v1."""

from __future__ import annotations

import hashlib
import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.archives import held
from tests.support.service_harness import ARCHIVE, Running, open_folder, running, wait_for


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with open_folder() as folder, running(folder, fork=False) as started:
        yield started


def test_the_walk_through(server: Running) -> None:
    answer = server.client.post("/monitor/project/npm", content=b"malicious", headers=ARCHIVE)
    assert re.fullmatch(r'\{"status":"ok","id":"[0-9a-f-]{36}"\}', answer.text)
    scan_id = answer.json()["id"]
    found = server.ended(scan_id)
    assert set(found) == {"id", "status", "result"}
    assert (found["id"], found["status"]) == (scan_id, "finished")
    (element,) = found["result"]
    assert set(element) == {"output", "time", "source", "hostname", "priority", "rule", "output_fields"}
    assert element["time"] == {"seconds": "1637339716", "nanos": 457772674}
    assert (element["source"], element["priority"]) == ("SYSCALL", "NOTICE")
    fields = element["output_fields"]
    assert fields["container.name"] == f"some-container-{scan_id}.tgz"
    assert fields["evt.time"] == "16:35:16.457772674"
    assert all(isinstance(v, str) for v in fields.values())
    assert {"container.id", "user.name", "proc.cmdline", "fd.name", "container.image.repository"} <= set(
        fields
    )


def test_pending_until_it_is_finished(server: Running) -> None:
    scan_id = server.submit(b"sleep 1", "yarn")
    assert server.status(scan_id) == {"id": scan_id, "status": "pending", "result": []}
    assert server.ended(scan_id) == {"id": scan_id, "status": "finished", "result": []}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"fail", "This is no tar archive. Make one with tar -czf."),
        (b"crash", "Package Hunter itself failed (ValueError): the worker's log says more."),
        (b"inconclusive", "The install phase failed."),
    ],
)
def test_what_did_not_end_well_is_failed_with_its_reason(server: Running, body: bytes, reason: str) -> None:
    found = server.ended(server.submit(body))
    assert (found["status"], found["reason"]) == ("failed", reason)


def test_get_without_an_id(server: Running) -> None:
    answer = server.client.get("/")
    assert answer.status_code == 400
    assert answer.json()["status"] == "error"
    assert answer.json()["reason"] == "The query has no id."
    assert "message" in answer.json()


def test_every_upload_is_gone_once_its_scan_ended(server: Running) -> None:
    first, second = server.submit(b"sleep 0.5 x"), server.submit(b"sleep 0.5 x")
    server.ended(first)
    server.ended(second)
    digest = hashlib.sha256(b"sleep 0.5 x").hexdigest()  # those of dead letters are kept
    assert wait_for(lambda: digest not in {path.name for path in held(server.data_dir)})


def test_v1_with_a_token(server: Running) -> None:
    api = httpx.Client(
        base_url=server.client.base_url,
        headers={"Authorization": f"Bearer {server.token}"},
        timeout=30,
        trust_env=False,
    )
    with api:
        submitted = api.post("/api/v1/scans?ecosystem=npm&name=demo", content=b"malicious", headers=ARCHIVE)
        assert submitted.status_code == 202
        info = submitted.json()
        assert info["target"] == "demo"
        assert info["submitter"] == "token:ci"
        where = submitted.headers["location"]
        assert where == f"/api/v1/scans/{info['id']}"
        wait_for(lambda: api.get(where).json()["status"] == "finished")
        assert api.get(where).json()["verdict"] == "malicious"
        report = api.get(f"{where}/report")
        assert report.json()["schema_version"] == "1"
        assert report.json()["verdict"] == "malicious"
        assert info["id"] in [s["id"] for s in api.get("/api/v1/scans?status=finished").json()["scans"]]


def test_v1_takes_a_package(server: Running) -> None:
    answer = server.client.post("/api/v1/scans", json={"purl": "pkg:npm/%40scope/name@1.0.0"})
    assert answer.status_code == 202
    assert answer.json()["purl"] == "pkg:npm/%40scope/name@1.0.0"
    server.ended(answer.json()["id"])


def test_v1_says_when_there_is_no_report(server: Running) -> None:
    slow = server.submit(b"sleep 1")
    assert server.client.get(f"/api/v1/scans/{slow}/report").status_code == 409
    server.ended(slow)
    failed = server.submit(b"fail")
    server.ended(failed)
    answer = server.client.get(f"/api/v1/scans/{failed}/report")
    assert answer.status_code == 409
    assert "This is no tar archive." in answer.json()["detail"]


def test_pages_of_the_list(server: Running) -> None:
    for _ in range(5):
        server.submit(b"x")
    seen: list[str] = []
    position = None
    while True:
        page = server.client.get(
            "/api/v1/scans", params={"limit": 2, **({"before": position} if position else {})}
        ).json()
        seen += [s["id"] for s in page["scans"]]
        position = page["next"]
        if position is None:
            break
    assert len(seen) == len(set(seen)) >= 5


def test_open_api_needs_no_credentials_and_is_described(server: Running) -> None:
    answer = httpx.get(f"{server.client.base_url}/api/v1/openapi.json", trust_env=False)
    assert answer.status_code == 200
    schema = answer.json()
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            assert operation.get("summary"), (path, method)
    assert schema["security"] == [{"token": []}, {"password": []}]
    json.dumps(schema)


def test_metrics_name_no_package(server: Running) -> None:
    server.ended(server.submit(b"x"))
    text = server.client.get("/metrics").text
    assert 'package_hunter_scans{status="finished"}' in text
    assert 'route="/monitor/project/{manager}"' in text
    assert "demo" not in text


def test_rights_are_given_up(server: Running) -> None:
    children = server.children()
    api = Path(f"/proc/{children['server']}/status").read_text()
    uids = re.search(r"^Uid:\t(\d+)\t(\d+)\t(\d+)\t(\d+)", api, re.M)
    assert uids is not None
    if Path(f"/proc/{server.process.pid}").stat().st_uid == 0:
        assert set(uids.groups()) == {"64990"}
        assert re.search(r"^Groups:\s*$", api, re.M)
        assert re.search(r"^CapEff:\t0+$", api, re.M)
        assert re.search(r"^CapPrm:\t0+$", api, re.M)
        assert re.search(r"^CapBnd:\t0+$", api, re.M)
    assert re.search(r"^NoNewPrivs:\t1", api, re.M)
    assert re.search(r"^Seccomp:\t2", api, re.M)
    for folder in ("store", "artefacts"):
        assert stat.S_IMODE((server.data_dir / folder).stat().st_mode) == 0o700
