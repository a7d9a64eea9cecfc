"""A helper process keeps no right that its role does not need."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from package_hunter.confine import ROLES, UIDS
from tests.support.requires import needs_root

_ZERO = "0" * 16


def _confined(role: str, code: str, arguments: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python code in a process that was confined first."""
    program = (
        "import os, sys, socket, threading, signal, ctypes\n"
        "from package_hunter.confine import ProcessLimits, confine\n"
        "status = open('/proc/self/status')\n"  # a planner may open nothing afterwards
    )
    program += f"confine({role!r}, {arguments})\n" + textwrap.dedent(code)
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("role", list(ROLES))
def test_status_shows_nothing_left(role: str) -> None:
    needs_root()
    done = _confined(role, "print(status.read())", "keep_fds=[status.fileno()]")
    assert done.returncode == 0, done.stderr
    status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", done.stdout, re.M))
    assert status["Uid"].split() == [str(UIDS[role])] * 4
    assert status["Gid"].split() == [str(UIDS[role])] * 4
    assert status["Groups"].strip() == ""
    assert {status[k] for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {_ZERO}
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


@pytest.mark.parametrize("role", list(ROLES))
@pytest.mark.parametrize(
    "attempt",
    [
        "os.execv('/bin/true', ['true'])",
        "ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0)",
        "ctypes.CDLL(None).unshare(0x10000000)",
        "ctypes.CDLL(None).syscall(321, 0, 0, 0)  # bpf",
        "ctypes.CDLL(None).syscall(425, 8, 0)  # io_uring_setup",
    ],
)
def test_hostile_calls_kill(role: str, attempt: str) -> None:
    needs_root()
    assert _confined(role, attempt).returncode == -signal.SIGSYS


@pytest.mark.parametrize("role", list(ROLES))
def test_threads_but_no_processes(role: str) -> None:
    needs_root()
    code = """
        seen = []
        thread = threading.Thread(target=seen.append, args=(1,)); thread.start(); thread.join()
        try:
            if os.fork() == 0:
                os._exit(0)
        except OSError as error:
            seen.append(error.errno)
        print(seen)
    """
    assert _confined(role, code).stdout.strip() == "[1, 38]"


def test_files_and_sockets_by_role(tmp_path: Path) -> None:
    needs_root()
    tmp_path.chmod(0o777)
    for parent in tmp_path.parents:
        if parent.stat().st_mode & 0o001 == 0:
            parent.chmod(parent.stat().st_mode | 0o001)
    code = f"""
        done = []
        for name, attempt in {{
            "write": lambda: open({str(tmp_path)!r} + "/new" + str(os.getuid()), "w").close(),
            "socket": lambda: socket.socket().close(),
            "packet": lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close(),
            "shadow": lambda: open("/etc/shadow").close(),
            "signal": lambda: os.kill(os.getppid(), 0),
        }}.items():
            try:
                attempt()
                done.append(name)
            except OSError:
                pass
        print(*done)
    """
    may = {role: _confined(role, code).stdout.split() for role in ROLES}
    both = ["write", "socket"]
    nothing: dict[str, list[str]] = {"reader": [], "planner": [], "test": [], "talker": []}
    assert may == {"gateway": both, "unpacker": ["write"], "server": both, **nothing}


def test_a_planner_reads_no_file() -> None:
    needs_root()
    code = """
        seen = []
        for name in ("/etc/hostname", "/proc/self/status", "/"):
            try:
                seen.append(os.open(name, os.O_RDONLY))
            except OSError as error:
                seen.append(-error.errno)
        print(seen)
    """
    assert _confined("planner", code).stdout.strip() == "[-38, -38, -38]"
    assert "-" not in _confined("reader", code).stdout


def test_limits_and_descriptors() -> None:
    needs_root()
    code = """
        import resource
        print(len(os.listdir("/proc/self/fd")) - 1, resource.getrlimit(resource.RLIMIT_NOFILE))
        try:
            b"x" * (1 << 30)
        except MemoryError:
            print("bounded")
    """
    code = "\n".join(line for line in code.splitlines() if "import" not in line)
    code = code.replace("resource.", "sys.modules['resource'].")
    done = _confined("test", code, "keep_fds=[], limits=ProcessLimits(256 << 20, files=64)")
    assert done.stdout.splitlines() == ["3 (64, 64)", "bounded"], done.stderr


def test_dies_with_its_parent() -> None:
    needs_root()
    program = """
import os, signal, time
from package_hunter.confine import confine
reader, writer = os.pipe()
if os.fork() == 0:
    confine("test")
    os.write(writer, b"x")
    time.sleep(60)
os.read(reader, 1)
"""
    # The child holds this pipe: reading to its end returns only when the child is gone.
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=30)
    assert done.returncode == 0


def test_without_root_the_rest_still_holds() -> None:
    needs_root()
    program = (
        "import os\nfrom package_hunter.confine import confine\n"
        "os.setresgid(65534, 65534, 65534); os.setresuid(65534, 65534, 65534)\n"
        "confine('test')\nprint(open('/proc/self/status').read())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    status = dict(re.findall(r"^(\w+):[ \t]*(.*)$", done.stdout, re.M))
    assert status["Uid"].split()[0] == "65534"
    assert status["CapEff"] == _ZERO and status["NoNewPrivs"] == "1" and status["Seccomp"] == "2"
