"""The table of figures in docs/watching.md is what a server exposes."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.metrics import MetricWrapperBase

from package_hunter.api.metrics import Metrics
from package_hunter.api.server import prepare_folders
from package_hunter.api.store_figures import StoreFigures
from package_hunter.config import Settings
from package_hunter.store.database import Store
from tests.support.requires import ROOT

_PAGE = ROOT / "docs/watching.md"
_TABLE = re.compile(r"(<!-- made by [^\n]* -->\n).*?(<!-- end -->)", re.DOTALL)


def _row(name: str, kind: str, labels: tuple[str, ...], where: str, text: str) -> str:
    shown = ", ".join(f"`{label}`" for label in labels)
    full = f"{name}_total" if kind == "counter" else name
    return f"| `{full}` | {kind} | {shown} | {where} | {text} |"


def _of_process() -> Iterator[str]:
    made = Metrics()
    for figure in vars(made).values():
        if isinstance(figure, MetricWrapperBase):
            where = "process" if figure._name.split("_", 2)[2] in _OWN else "store"
            yield _row(figure._name, figure._type, tuple(figure._labelnames), where, figure._documentation)


_OWN = {"http_requests", "http_seconds", "rate_limited", "event_streams", "uploads_active", "disk_free_bytes"}


def _of_store(folder: Path) -> Iterator[str]:
    settings = Settings(data_dir=folder)
    prepare_folders(settings)
    store = Store(settings)
    store.migrate()
    with store.read() as session:
        families: list[Metric] = list(StoreFigures(session, settings, {}).collect())
    store.close()
    for family in families:
        yield _row(
            family.name, family.type, tuple(getattr(family, "_labelnames", ())), "store", family.documentation
        )


def _table(folder: Path) -> str:
    head = "| figure | kind | labels | of | what |\n|---|---|---|---|---|\n"
    return head + "\n".join(sorted([*_of_process(), *_of_store(folder)])) + "\n"


def test_the_table_is_what_there_is(tmp_path: Path) -> None:
    page, table = _PAGE.read_text(encoding="utf-8"), _table(tmp_path)
    if os.environ.get("PACKAGE_HUNTER_GOLDEN") == "1":
        page = _TABLE.sub(lambda found: found[1] + table + found[2], page)
        _PAGE.write_text(page, encoding="utf-8")
    found = _TABLE.search(page)
    assert found is not None
    assert found[0].removeprefix(found[1]).removesuffix(found[2]) == table, (
        "PACKAGE_HUNTER_GOLDEN=1 renews it"
    )


def test_each_figure_is_explained_and_has_its_own_name(tmp_path: Path) -> None:
    rows = _table(tmp_path).splitlines()[2:]
    names = [row.split("|")[1].strip() for row in rows]
    assert len(set(names)) == len(names)
    assert all(name.startswith("`package_hunter_") for name in names)
    assert all(row.rstrip(" |").endswith((".", "never", "was", "did", "does")) for row in rows)
