"""In a container with its own process ids the probe's would be taken for others: it is said, not done."""

from __future__ import annotations

import subprocess
import sys

from package_hunter.sensor.objects import in_first_pid_namespace
from tests.support import requires

_TRY = """
from package_hunter.errors import SensorError
from package_hunter.sensor.objects import check_host
try:
    check_host()
except SensorError as error:
    print(error)
"""


def test_a_pid_namespace_is_refused_with_what_to_do() -> None:
    requires.needs_root()
    requires.needs_btf()
    assert in_first_pid_namespace()
    command = ["unshare", "--pid", "--fork", "--mount-proc", sys.executable, "-c", _TRY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "PID namespace" in done.stdout
    assert "--pid=host" in done.stdout
