"""A scan of which nothing came, since the registry did not answer, ends as unreachable; any other has a report."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.errors import UnreachableError
from package_hunter.model.observation import NetworkLog, OutsideFetch
from package_hunter.model.scan import Command, CommandRun, Coverage
from package_hunter.pipeline import journey
from package_hunter.pipeline.registry_down import registry_down
from package_hunter.pipeline.round_result import RoundResult
from tests.support import judge_samples as samples
from tests.support.judge_samples import judge
from tests.support.pipeline_samples import judged

SILENT = OutsideFetch(
    1, "https://registry.example/left", OutsideFetch.DOWN, 0, "", "registry.example did not answer: X", 7
)
FETCH = Command(("npm", "install"), "/")
FAILED = CommandRun("fetch", "default", FETCH, 1, 1, 2, 1)


def down() -> RoundResult:
    network = NetworkLog(fetched=(SILENT,))
    return replace(judged(), network=network, runs=(FAILED,), coverage=Coverage(), findings=())


def test_it_names_what_did_not_answer_and_what_to_do() -> None:
    error = registry_down(down())
    assert isinstance(error, UnreachableError)
    assert error.exit_code == 69
    assert "registry.example did not answer" in error.message
    assert error.advice


@pytest.mark.parametrize(
    "change",
    [
        {"coverage": Coverage(packages_installed=1)},
        {"network": NetworkLog()},
        {"network": NetworkLog(fetched=(replace(SILENT, status=403),))},
        {"runs": (replace(FAILED, exit_code=0),)},
        {"runs": (replace(FAILED, command=replace(FETCH, essential=False)),)},
        {
            "findings": judge(
                samples.OBSERVATION, samples.NETWORK, (samples.CANARY,), coverage=samples.COVERAGE
            )
        },
    ],
)
def test_where_something_came_or_was_noticed_there_is_a_report(change: dict[str, object]) -> None:
    assert registry_down(replace(down(), **change)) is None  # type: ignore[arg-type]


def test_of_a_project_of_two_kinds_the_one_that_was_scanned_is_reported() -> None:
    journey._unless_down([down(), judged()])
    journey._unless_down([])
    with pytest.raises(UnreachableError):
        journey._unless_down([down(), down()])
