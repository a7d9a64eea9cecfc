"""What the server makes of a real report value: the original's form and the formats that it offers."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from typing import Any

import pytest

from package_hunter.api.original_form import answer
from package_hunter.cli.serve import real_parts
from package_hunter.config import Settings
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Target
from package_hunter.store.reports import pack
from tests.support.judge_samples import BLAME, OBSERVATION, report

DATA = to_json(report())


def _kept(data: dict[str, Any]) -> dict[str, Any]:
    """As it comes out of the store again."""
    again: dict[str, Any] = json.loads(zlib.decompress(pack(data)))
    return again


def test_a_stored_report_comes_back() -> None:
    assert _kept(DATA) == json.loads(json.dumps(DATA))


def test_in_the_original_s_form() -> None:
    found = answer(DATA["id"], "finished", None, DATA)
    assert found["status"] == "finished"
    assert len(found["result"]) >= len(DATA["alerts"]) > 0
    assert all(DATA["id"] in e["output_fields"]["container.name"] for e in found["result"])
    assert all(isinstance(e["time"]["seconds"], str) for e in found["result"])


def test_every_format_is_rendered() -> None:
    renderers = real_parts(Settings()).renderers
    assert "demo-app" in renderers["text"].render(DATA)
    assert "\x1b" not in renderers["text"].render(DATA)
    for line in renderers["falco"].render(DATA).splitlines():
        assert json.loads(line)["rule"]


@pytest.mark.parametrize("bad", ["\ud800", "a\0b", "\udcff\u202e\x1b[2J", "9" * 5_000])
def test_any_text_is_answered(bad: str) -> None:
    blame = replace(BLAME, cmdline=bad, script=bad, path=(bad,))
    alerts = tuple(
        replace(a, output=bad, output_fields={"proc.cmdline": bad}, blame=blame) for a in OBSERVATION.alerts
    )
    data = to_json(report(target=Target(bad, "npm"), alerts=alerts, error=bad, notices=(bad,)))
    stored = _kept(data)
    json.dumps(answer(stored["id"], "finished", None, stored), ensure_ascii=False).encode()
    for renderer in real_parts(Settings()).renderers.values():
        renderer.render(stored).encode()
