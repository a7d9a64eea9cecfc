"""The unpacker process: unprivileged, seccomp-confined, one archive in its life.

Started as ``python -m package_hunter.intake.worker ARCHIVE_FD DEST_FD FORM LIMITS PARENT ECOSYSTEMS``: FORM is
``file`` or ``stream``, LIMITS JSON, PARENT the pid that it must not outlive, ECOSYSTEMS what ``model.ecosystem`` has
of them as JSON. It answers with one JSON line on stdout.
Nothing that it says is trusted by its parent.
"""

from __future__ import annotations

import codecs
import errno
import json
import os
import sys
from typing import Any

from package_hunter.confine import ProcessLimits, confine, limit_cpu
from package_hunter.errors import BadArchiveError
from package_hunter.intake import secrets
from package_hunter.intake.limits import Limits
from package_hunter.intake.names import refuse
from package_hunter.intake.unpack import UnpackResult, unpack, unpack_stream
from package_hunter.model.ecosystem import from_data, use

_DISK_FULL = {errno.ENOSPC: "the disk is full", errno.EDQUOT: "the disk quota is used up"}


def main() -> int:
    """Give up every right, unpack, answer."""
    archive, dest, stream = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "stream"
    limits, parent = json.loads(sys.argv[4]), int(sys.argv[5])
    _learn(sys.argv[6:])
    answer: dict[str, Any]
    try:
        codecs.lookup("cp437")  # what zip names are in: importable only before confinement
        codecs.lookup("unicode_escape")
        limit_cpu(int(limits["cpu_seconds"]))
        os.umask(0o022)
        may = ProcessLimits(int(limits["memory_bytes"]), files=256)
        confine("unpacker", keep_fds=(archive, dest), limits=may, parent=parent)
        answer = _answer(_unpack(archive, dest, stream, Limits(**limits)))
    except BadArchiveError as error:
        answer = _refusal(error)
    except MemoryError:
        answer = _refusal(refuse("it takes too much memory to unpack", "Pack it again as a plain .tar.gz."))
    except OSError as error:
        what = _DISK_FULL.get(error.errno or 0)
        answer = {"failed": f"{what or error.strerror} while unpacking", "disk": what is not None}
    os.write(1, json.dumps(answer).encode() + b"\n")
    return 0


def _learn(told: list[str]) -> None:
    """What there is to know of ecosystems, and what is made of it: while there is room for that."""
    if told:
        use(from_data(json.loads(told[0])))
        secrets.prepare()


def _unpack(archive: int, dest: int, stream: bool, limits: Limits) -> UnpackResult:
    with os.fdopen(archive, "rb", buffering=1 << 18) as raw:
        return unpack_stream(raw, dest, limits) if stream else unpack(raw, dest, limits)


def _refusal(error: BadArchiveError) -> dict[str, Any]:
    return {"refused": error.message, "advice": error.advice}


def _answer(result: UnpackResult) -> dict[str, Any]:
    return {
        "files": result.files,
        "bytes": result.bytes,
        "top": result.top,
        "withheld": [list(item) for item in result.withheld],
        "notes": result.notes,
    }


if __name__ == "__main__":
    raise SystemExit(main())
