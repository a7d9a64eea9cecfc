"""Unpacking in a process of its own: the caller's side."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

from package_hunter import ended
from package_hunter.confine import UIDS
from package_hunter.errors import BadArchiveError, HelperDiedError, HostError, HunterError
from package_hunter.intake import directory
from package_hunter.intake.limits import Limits
from package_hunter.intake.names import refuse
from package_hunter.intake.secrets import Withheld
from package_hunter.intake.unpack import UnpackResult
from package_hunter.model import wire
from package_hunter.model.ecosystem import known, to_data
from package_hunter.model.withheld import CredentialKind
from package_hunter.stopping import breakable

_ANSWER_BYTES = 8 << 20
_WALL_SECONDS = 300.0


def run_unpacker(
    source: Path | IO[bytes], dest: Path, limits: Limits, seconds: float = _WALL_SECONDS
) -> UnpackResult:
    """Unpack ``source`` (a directory, or an archive as path or open seekable file) into the new directory
    ``dest``.

    The work is done by an unprivileged, seccomp-confined process that holds nothing but the two descriptors.
    ``dest`` is made here (its parent must exist) and its files belong to the unpacker's uid; on any failure
    it is gone again. ``seconds`` is wall time. Raises BadArchiveError, NothingToScanError, HostError
    (disk full), HelperDiedError (somebody killed the process).
    """
    try:
        dest.mkdir(mode=0o755)
    except OSError as error:
        raise HostError(
            f"The working directory {dest} cannot be made: {error.strerror}.", _DISK_ADVICE
        ) from None
    try:
        if os.geteuid() == 0:
            os.chown(dest, UIDS["unpacker"], UIDS["unpacker"])
        target = os.open(dest, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            return _from_source(source, target, limits, seconds)
        finally:
            os.close(target)
    except BaseException:
        shutil.rmtree(dest, ignore_errors=True)
        raise


_DISK_ADVICE = "Free some space in the data directory, or set PACKAGE_HUNTER_DATA_DIR to another one."


def _from_source(source: Path | IO[bytes], target: int, limits: Limits, seconds: float) -> UnpackResult:
    if not isinstance(source, Path):
        return _judge(_run(source.fileno(), target, "file", limits, seconds))
    if source.is_dir():
        return _from_directory(source, target, limits, seconds)
    try:
        with source.open("rb") as archive:
            return _judge(_run(archive.fileno(), target, "file", limits, seconds))
    except OSError as error:
        raise BadArchiveError(
            f"The archive {source} cannot be read: {error.strerror}.", "Check its path and its permissions."
        ) from None


def _from_directory(source: Path, target: int, limits: Limits, seconds: float) -> UnpackResult:
    trusted = replace(limits, trusted_names=True)
    origin = directory.open_directory(str(source))
    read_end, write_end = os.pipe()
    feeding = _Feeding(origin, write_end, trusted)
    try:
        feeding.start()
        answer = _run(read_end, target, "stream", trusted, seconds)
    finally:
        os.close(read_end)
        feeding.join()
        os.close(origin)
    result = _judge(answer)
    if feeding.error is not None:
        raise BadArchiveError(
            f"The directory {source} could not be read: {feeding.error}.", "Check its permissions."
        )
    result.top = ""
    result.notes[:0] = feeding.notes
    return result


class _Feeding(threading.Thread):
    def __init__(self, origin: int, sink: int, limits: Limits) -> None:
        super().__init__(name="directory-reader", daemon=True)
        self._origin, self._sink, self._limits = origin, sink, limits
        self.notes: list[str] = []
        self.error: OSError | None = None

    def run(self) -> None:
        try:
            with os.fdopen(self._sink, "wb", buffering=1 << 18) as sink:
                self.notes = directory.send(self._origin, sink, self._limits)
        except BrokenPipeError:
            pass  # the unpacker refused; it says why
        except OSError as error:
            self.error = error


def _run(archive: int, target: int, form: str, limits: Limits, seconds: float) -> dict[str, Any]:
    """Start the process, wait, read its one line. Its environment is empty: nothing of ours leaks into it."""
    command = [sys.executable, "-I", "-m", "package_hunter.intake.worker"]
    told = json.dumps(wire.plain(Limits, limits)), str(os.getpid()), json.dumps(to_data(known()))
    process = subprocess.Popen(
        [*command, str(archive), str(target), form, *told],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        pass_fds=(archive, target),
        env={"LANG": "C.UTF-8", "PATH": os.environ.get("PATH", os.defpath)},
        cwd="/",
    )
    try:
        with breakable():
            out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise refuse(f"unpacking took longer than {seconds:.0f} s", _TRY_AGAIN) from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()
        for pipe in (process.stdout, process.stderr):
            if pipe:
                pipe.close()
    if process.returncode < 0:
        raise _stopped(-process.returncode, limits)
    if process.returncode or len(out) > _ANSWER_BYTES:
        raise HunterError(f"The unpacker failed: {err.decode('utf-8', 'replace')[-600:]}")
    answer = json.loads(out)
    if not isinstance(answer, dict):
        raise HunterError("The unpacker gave no answer.")
    return answer


def _stopped(number: int, limits: Limits) -> HunterError:
    """What a signal says: its own limits stop an unpacker in ways that only an archive can bring about."""
    if number == signal.SIGXCPU:
        return refuse(f"unpacking took more than {limits.cpu_seconds} s of CPU time", _TRY_AGAIN)
    if number == signal.SIGSYS:
        return refuse("its unpacker made a system call that none needs, and was stopped", _TRY_AGAIN)
    if not ended.from_outside(-number):  # nobody sends these: it had no memory left
        return refuse(f"its unpacker was stopped by signal {number}, as where memory ends", _TRY_AGAIN)
    return HelperDiedError(
        f"The unpacker was killed (signal {number}).", "Try again; the kernel log may say more."
    )


_TRY_AGAIN = "Pack the project again as a plain .tar.gz, without what the install makes itself."


def _judge(answer: dict[str, Any]) -> UnpackResult:
    if "refused" in answer:
        raise BadArchiveError(str(answer["refused"]), str(answer.get("advice", "")))
    if "failed" in answer:
        raise HostError(f"The archive could not be unpacked: {answer['failed']}.", _DISK_ADVICE)
    try:
        return UnpackResult(
            files=int(answer["files"]),
            bytes=int(answer["bytes"]),
            top=str(answer["top"]),
            withheld=[_withheld(*item) for item in answer["withheld"]],
            notes=[str(note) for note in answer["notes"]],
        )
    except (
        KeyError,
        TypeError,
        ValueError,
        OverflowError,
    ) as error:  # it was taken over, or is of another version
        raise HunterError(f"The unpacker's answer makes no sense ({type(error).__name__}).") from error


def _withheld(path: Any, kind: Any, why: Any) -> Withheld:
    return Withheld(str(path), CredentialKind(kind), str(why))
