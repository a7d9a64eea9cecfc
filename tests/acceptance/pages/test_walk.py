"""The walk of docs/triage.md, step by step, on a server that is filled as `make demo-server` does, with real boxes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ci.demo_server import folder as folders
from ci.demo_server.fill import fill
from ci.demo_server.plan import ANA, WALK
from ci.demo_server.server import serving

from tests.support.chromium import chromium, person
from tests.support.requires import ROOT, needs_btf, needs_runc
from tests.support.service_harness import free_port, open_folder

WALK_TEXT = (ROOT / "docs/triage.md").read_text(encoding="utf-8").partition("## What a finding is")[0]
REMARK = "It fetches its own list of words."


@dataclass(frozen=True)
class Demo:
    """A filled server."""

    base: str
    passwords: dict[str, str]
    folder: Path
    said: list[str]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    needs_runc()
    needs_btf()
    with open_folder() as place:
        folder = place / "demo"
        folders.prepare(folder, fresh=False)
        passwords, said = folders.passwords(folder), []
        with serving(folder, free_port(), passwords[ANA.name]) as server:
            fill(WALK, server.url, folder, said.append)
            yield Demo(server.url, passwords, folder, said)


def _as(browser: Any, demo: Demo, name: str, **how: Any) -> Any:
    return person(browser, demo.base, name, demo.passwords[name], **how)
