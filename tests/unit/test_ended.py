"""Who ended a process of ours: itself, or somebody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from package_hunter import ended


@pytest.mark.parametrize(
    ("code", "outside"),
    [
        (None, False),
        (0, False),
        (1, False),
        (-signal.SIGKILL, True),
        (-signal.SIGTERM, True),
        (-signal.SIGHUP, True),
        (-signal.SIGSEGV, False),
        (-signal.SIGXCPU, False),
        (-signal.SIGVTALRM, False),
    ],
)
def test_by_its_exit_code(code: int | None, outside: bool) -> None:
    assert ended.from_outside(code) is outside


@pytest.mark.parametrize(
    ("does", "outside"),
    [
        ("import time; time.sleep(60)", False),
        ("raise SystemExit(3)", False),
        ("import os; os.abort()", False),
        ("import os; os.kill(os.getpid(), 9)", True),
    ],
)
def test_of_a_child_that_is_still_to_be_waited_for(does: str, outside: bool) -> None:
    with subprocess.Popen([sys.executable, "-c", does], stderr=subprocess.DEVNULL) as child:
        pidfd = os.pidfd_open(child.pid)
        if "sleep" not in does:
            os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOWAIT)
        assert ended.killed(pidfd) is outside
        child.kill()
        child.wait()
        assert ended.killed(pidfd) is False, "it is no child of ours any more"
        os.close(pidfd)
