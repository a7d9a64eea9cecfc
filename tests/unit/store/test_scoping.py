"""No query forgets whose it is: what reads scans or reports takes a view, or says here why it needs none."""

from __future__ import annotations

import ast
import inspect

import pytest

from package_hunter.access.view import EVERYTHING, View
from package_hunter.store import places, scan_list, scans
from package_hunter.store.models import Scan
from package_hunter.store.scoping import scoped
from tests.support.requires import ROOT

# What reads of all projects, and why. Who answers an account with it makes a View of a permission instead.
OF_ALL = {
    "scans.add": "writes",
    "scans.get_many": "asks for many accounts at once: `Service.find` looks at the view",
    "scans.counts": "figures: project-free numbers, behind server:metrics:read",
    "scans.unfinished": "the queue's length, for health",
    "scans.unfinished_by_account": "the queue's limits",
    "scans.unfinished_bytes": "an account's own",
    "scans.oldest_waiting": "the queue's health",
    "scans.worker_lacks": "workers",
    "scans.worker_seen": "workers",
    "places.add_project": "writes",
    "places.add_group": "writes",
    "places.all_paths": "the limits of tokens, for who may see all tokens",
}


@pytest.mark.parametrize("module", [scans, scan_list, places])
def test_what_reads_takes_a_view(module: object) -> None:
    short = str(getattr(module, "__name__", "")).rpartition(".")[2]
    functions = {
        f"{short}.{name}": inspect.signature(function)
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__.endswith(f"store.{short}") and not name.startswith("_")
    }
    reading = {n: s for n, s in functions.items() if {"session", "connection"} & set(s.parameters)}
    without = {n for n, s in reading.items() if "view" not in s.parameters}
    assert without == {n for n in OF_ALL if n.startswith(f"{short}.")}
    for name in set(reading) - without:
        assert reading[name].parameters["view"].default is inspect.Parameter.empty, name


def test_the_api_asks_the_store_and_writes_no_queries_of_its_own() -> None:
    """And it makes no view but of a permission."""
    for file in (ROOT / "src/package_hunter/api").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = {alias.name for alias in node.names}
                assert not names & {"select", "EVERYTHING"}, f"{file.name} imports {names}"
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                assert node.func.id != "View", f"{file.name} makes a view"


def test_a_query_is_narrowed_to_the_view() -> None:
    from sqlalchemy import select

    whole = select(Scan)
    assert scoped(whole, EVERYTHING, Scan.project_id) is whole
    assert "project_id IN" in str(scoped(whole, View(frozenset()), Scan.project_id))
