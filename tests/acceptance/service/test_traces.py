"""One real scan as one trace: a server, a worker, a box, and a receiver of OTLP that reads what it is sent."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import httpx
import pytest

from package_hunter.config import Settings
from tests.support.otlp_receiver import otlp_receiver
from tests.support.requires import needs_btf, needs_runc
from tests.support.served import served
from tests.support.service_harness import ARCHIVE, open_folder, running, wait_for

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def _archive(folder: Path) -> bytes:
    (folder / "p").mkdir()
    scripts = {"postinstall": "echo a-text-of-the-package"}
    (folder / "p/package.json").write_text(
        json.dumps({"name": "traced", "version": "1.0.0", "scripts": scripts})
    )
    subprocess.run(["tar", "-C", folder / "p", "-czf", folder / "t.tgz", "."], check=True)
    return (folder / "t.tgz").read_bytes()


def test_a_scan_is_one_trace_from_the_request_to_the_stored_result(tmp_path: Path) -> None:
    needs_runc()
    needs_btf()
    with otlp_receiver() as receiver, served(PACKAGE_HUNTER_TRACES_URL=receiver.url) as server:
        answer = httpx.post(
            f"{server.url}/api/v1/scans",
            content=_archive(tmp_path),
            headers={**ARCHIVE, "traceparent": CALLER},
            trust_env=False,
        )
        scan = answer.json()["id"]
        wait_for(lambda: any(span.name == "store" for span in receiver.spans), 120)
        info = httpx.get(f"{server.url}/api/v1/scans/{scan}", trust_env=False).json()
    assert info["status"] == "finished", info
    assert {span.trace_id.hex() for span in receiver.spans} == {CALLER.split("-")[1]}
    names = [span.name for span in receiver.spans]
    for name in (
        "scan",
        "accept",
        "wait",
        "try",
        "receive",
        "plan",
        "box",
        "fetch",
        "install",
        "judge",
        "store",
    ):
        assert name in names, names
    whole, by_id = receiver.spans[0], {span.span_id: span for span in receiver.spans}
    assert whole.parent_span_id.hex() == CALLER.split("-")[2]
    for span in receiver.spans[1:]:
        above = by_id[span.parent_span_id]
        assert whole.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        assert span.end_time_unix_nano <= whole.end_time_unix_nano
        assert above.name in ("scan", "try")
    said = {a.key: a.value.string_value for a in whole.attributes}
    assert said["hunter.scan.id"] == scan
    assert said["hunter.scan.verdict"] == info["verdict"]
    assert "a-text-of-the-package" not in str(receiver.spans)
    assert "traced" not in str(receiver.spans)


@pytest.mark.parametrize("status", [500, 302])
def test_a_receiver_that_fails_costs_no_scan(status: int) -> None:
    with otlp_receiver() as receiver, open_folder() as folder:
        receiver.status, receiver.location = status, "http://127.0.0.1:1/"
        with running(folder, traces_url=receiver.url) as server:
            assert server.ended(server.submit(b"x"))["status"] == "finished"
            wait_for(lambda: "traces could not be sent" in server.log())
            assert server.ended(server.submit(b"y"))["status"] == "finished"


def test_without_a_receiver_nobody_is_started_or_told(tmp_path: Path) -> None:
    with open_folder() as folder, running(folder) as server:
        assert server.ended(server.submit(b"x"))["status"] == "finished"
        assert "tracer" not in server.children()
        assert Settings(data_dir=folder).traces_url is None
