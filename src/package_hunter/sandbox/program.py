"""Calling the program runc, so that nothing of a call outlives who made it."""

from __future__ import annotations

import subprocess
import zlib
from pathlib import Path

from package_hunter.errors import HelperDiedError, SandboxError
from package_hunter.sandbox.mounts import RUN_DIR

RUNC_ROOT = RUN_DIR / "runc"
_ADVICE = "package-hunter doctor tells what this host lacks."
_LOG_BYTES = 64 << 10


def runc(scan_id: str, log: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> None:
    """Run it to its end, for the box of ``scan_id``; what it says goes to ``log``. SandboxError."""
    # Every call with the same shift: runc compares the start time of its process with what it once saw.
    command = [*_dying_with_us(), *_uptime(scan_id), "runc", "--root", str(RUNC_ROOT), "--log", str(log)]
    done = subprocess.run(
        [*command, *arguments],
        stdin=stdin,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
    )
    if done.returncode == 0:
        return
    if done.returncode < 0:
        raise HelperDiedError(
            f"runc was killed (signal {-done.returncode}) while it was to {arguments[0]} the box.",
            "Try again; the kernel log may say more.",
        )
    said = _last_line(log) or f"exit code {done.returncode}"
    raise SandboxError(f"runc could not {arguments[0]} the box: {said}", _ADVICE)


def _dying_with_us() -> tuple[str, ...]:
    """A worker that is killed leaves no runc behind, which would go on to make a box that nobody knows."""
    return ("setpriv", "--pdeathsig", "KILL")


def _uptime(scan_id: str) -> tuple[str, ...]:
    """Run a program so that its children believe in an uptime of days: machines that have just been started
    are what malware looks for. A time namespace (Linux 5.6) shifts /proc/uptime and the clocks since boot."""
    if not Path("/proc/self/ns/time").exists():
        return ()
    seconds = 3 * 86_400 + zlib.crc32(scan_id.encode()) % (14 * 86_400)
    return ("unshare", "--time", f"--boottime={seconds}", f"--monotonic={seconds}", "--fork", "--kill-child")


def _last_line(log: Path) -> str:
    try:
        with log.open("rb") as file:
            said = file.read(_LOG_BYTES).decode(errors="replace")
    except OSError:
        return ""
    return (said.strip().splitlines()[-1:] or [""])[0]
