"""Any request, as every role: no failure of the server's own, and no answer that its description does not know.

`make any-request` sends more of them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from requests.exceptions import InvalidHeader, InvalidURL

from tests.support.access_server import AccessServer
from tests.support.any_request import CHECKS, Asker, cases, prepared
from tests.support.service_postgres import postgres

REQUESTS = int(os.environ.get("ANY_REQUESTS", "3000"))


pytestmark = pytest.mark.timeout(7_200 if REQUESTS != 3000 else 900)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def asker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asker]:
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(postgres()) if request.param == "postgresql" else None
        server = AccessServer(
            tmp_path_factory.mktemp("any"),
            database_url=url,
            credential_cache_seconds=60.0,
            submissions_per_minute=10**9,
            requests_per_minute=10**9,
            changes_per_minute=10**9,
            max_pending_scans=10**9,
            failed_logins_per_minute=10**9,
        )
        made = Asker(server, few=request.param == "postgresql" and REQUESTS == 3000)
        yield made
        made.close()
        server.store.close()


def test_any_request_as_every_role(asker: Asker) -> None:
    operations, wrong = asker.operations(), []
    assert len(operations) > 40
    examples = max(2, REQUESTS // 2 // (len(operations) * len(asker.callers)))
    for operation in operations:
        try:
            _try(asker, operation, examples)
        except AssertionError as error:
            wrong.append(f"{operation.label}: {str(error)[:1500]}")
        except BaseExceptionGroup as group:
            wrong += [f"{operation.label}: {str(error)[:1500]}" for error in group.exceptions]
    assert not wrong, "\n\n".join(wrong)


def _try(asker: Asker, operation: Any, examples: int) -> None:
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        derandomize=REQUESTS == 3000,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.generate],
    )
    @given(made=cases(operation, asker.server))
    def run(made: Any) -> None:
        case, known = made
        try:
            request = prepared(case, known)
        except (InvalidHeader, InvalidURL, UnicodeError):
            return  # no client could send it
        for caller in asker.callers:
            answer = asker.send(request, caller)
            try:
                case.validate_response(answer, checks=CHECKS)
            except BaseException as error:
                text = f"as {caller.name}, {answer.status_code} {answer.text[:300]}\n{error}"
                raise AssertionError(text) from error

    run()
