"""The worker's side of a gateway: starts the process, hands it its sockets, collects what it saw."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from package_hunter import ended
from package_hunter.confine import UIDS
from package_hunter.decoy import control
from package_hunter.decoy.existence import Stands
from package_hunter.decoy.places import LOG, NAMES
from package_hunter.decoy.record import read_log
from package_hunter.decoy.sockets import open_in
from package_hunter.decoy.spec import GatewaySpec, to_wire
from package_hunter.decoy.talks.starts import Talkers
from package_hunter.decoy.tls import make_ca
from package_hunter.errors import HelperDiedError
from package_hunter.model.observation import NetworkLog
from package_hunter.model.registry import RegistryAllow
from package_hunter.stopping import breakable

_START_SECONDS = 30.0
_STOP_SECONDS = 15.0
# What the gateway process keeps of the worker's environment: where trust and proxies are named, no secrets.
_ENVIRONMENT = (
    "PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY",
    "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy",
)  # fmt: skip


class GatewayProcess:
    """The process of a gateway that is still to be told what it is; to start Python takes longer than to tell it.

    ``program`` is the module that it runs (``ecosystems.known.GATEWAY``).

    Make it in a thread that lives as long as the scan: the kernel kills the process when that thread ends.
    """

    def __init__(self, program: str) -> None:
        self.line, theirs = socket.socketpair()
        self.questions, asks = socket.socketpair()
        self.runtimes, wants = socket.socketpair()
        self.line.settimeout(_START_SECONDS)
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        with theirs, asks, wants:
            numbers = (theirs.fileno(), asks.fileno(), wants.fileno())
            self.process = subprocess.Popen(
                [sys.executable, "-m", program, *map(str, numbers)],
                pass_fds=numbers,
                cwd="/",
                env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self.errors,
            )

    def end(self) -> None:
        """Kill it, where no gateway was made of it."""
        self.process.kill()
        self.process.wait()
        self.line.close()
        self.questions.close()
        self.runtimes.close()
        self.errors.close()


class Gateway:
    """One scan's gateway, made of a process that was started ahead of time. ``start`` takes a few milliseconds.

    Files lie in ``spec.run_dir``, which must exist; the worker
    owns the scan's folder.
    """

    def __init__(self, spec: GatewaySpec, process: GatewayProcess) -> None:
        if spec.uid is None and os.geteuid() == 0:
            spec = replace(spec, uid=UIDS["gateway"])
        self._spec = spec
        self._log: NetworkLog | None = None
        self.killed = False  # from outside
        self.crashed = False  # by itself: by what the box sent, or by its own limits
        spec.cache_dir.mkdir(parents=True, exist_ok=True)
        _own(spec.cache_dir, spec.uid)
        self.ca_pem, key = make_ca()
        self.names_path = spec.run_dir / NAMES
        self.names_path.touch()
        _own(self.names_path, spec.uid)
        _own(spec.run_dir, spec.uid)  # last: from now on others put things there
        self._line, self._process, self._errors = process.line, process.process, process.errors
        self._questions, self._runtimes = process.questions, process.runtimes
        self._talkers = Talkers(self._errors)
        self._answering: threading.Thread | None = None
        self.pidfd = os.pidfd_open(
            self._process.pid
        )  # readable once the process has ended; open until ``stop``
        with contextlib.suppress(OSError):  # said by start, with the process's own words
            control.send(self._line, to_wire(spec, self.ca_pem, key))

    @property
    def pid(self) -> int:
        """The gateway process."""
        return self._process.pid

    def start(
        self,
        netns: int | str | os.PathLike[str],
        engine: socket.socket | None = None,
        stands: Stands = lambda labels: None,
        runtime: Callable[[str], BinaryIO | None] = lambda archive: None,
    ) -> None:
        """Open the sockets in ``netns`` and return once the gateway answers there. ``engine`` is a listening
        socket of the box's file system on which the gateway plays a container engine. ``stands`` says whether one
        of some labels of a host name stands in a file of the box (None: it could not be said). ``runtime`` gives the
        archive of a runtime by its (untrusted) name, open, which is handed to the gateway and closed here."""
        threading.Thread(target=_hand_over, args=(self._runtimes, runtime), daemon=True).start()
        given_to = (self._questions, stands, self._talkers)
        self._answering = threading.Thread(target=_answer, args=given_to, daemon=True)
        self._answering.start()
        sockets = open_in(netns)
        given = (*sockets.all(), *([engine] if engine else []))
        try:
            control.send(self._line, {"serve": True}, tuple(s.fileno() for s in given))
            with breakable():
                control.receive(self._line)
        except (OSError, EOFError) as error:
            raise HelperDiedError(f"The gateway did not start: {self._words() or error}.") from error
        finally:
            sockets.close()

    def allow(self, allow: RegistryAllow) -> None:
        """Further packages that may be fetched; in force when this returns."""
        message = {
            "ecosystem": allow.ecosystem,
            "names": sorted(allow.names),
            "closed": allow.closed,
            "integrity": dict(allow.integrity),
            "urls": sorted(allow.urls),
            "proven": dict(allow.proven),
            "manager_decides": allow.manager_decides,
            "builds_ask": allow.builds_ask,
            "scripts_ask": sorted(allow.scripts_ask),
        }
        self._tell({"allow": message})

    def freeze(self) -> None:
        """The fetch is over: what package managers that decide asked for is all that may be fetched from now on; in
        force when this returns."""
        self._tell({"freeze": True})

    def _tell(self, message: dict[str, object]) -> None:
        try:
            control.send(self._line, message)
            control.receive(self._line)
        except (OSError, EOFError) as error:
            raise HelperDiedError(f"The gateway ended unexpectedly: {self._words() or error}.") from error

    def stop(self) -> NetworkLog:
        """End the gateway; all that it recorded. Safe to call twice, and after a failed start."""
        if self._log is None:
            with contextlib.suppress(OSError, EOFError):
                self._line.settimeout(_STOP_SECONDS)
                control.send(self._line, {"stop": True})
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_SECONDS)
            if self._process.poll() is None:
                self._process.send_signal(signal.SIGKILL)
                self._process.wait()
            else:
                code = self._process.returncode
                self.killed = ended.from_outside(code)
                self.crashed = code != 0 and not self.killed
            self._line.close()
            with contextlib.suppress(OSError):  # the gateway is gone: the thread that answers it ends
                self._questions.shutdown(socket.SHUT_RDWR)
            with contextlib.suppress(OSError):
                self._runtimes.shutdown(socket.SHUT_RDWR)
            if self._answering is not None:
                self._answering.join()
            else:  # it never started: nobody else closes them
                self._questions.close()
                self._runtimes.close()
            self._errors.close()
            os.close(self.pidfd)
            path = self._spec.run_dir / LOG
            self._log = read_log(path, self._spec.limits)
            if self._process.returncode != 0:
                cut = {**self._log.cut, "gateway_failed": 1}
                self._log = replace(self._log, cut=cut)
        return self._log

    @property
    def talker_killed(self) -> bool:
        """Whether the process that plays conversations was killed from outside; known after ``stop``."""
        return self._talkers.killed

    def __enter__(self) -> Gateway:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None and not isinstance(error, Exception):  # broken off: nobody asks what it saw
            self._process.kill()
        self.stop()

    def _words(self) -> str:
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read(1 << 20).decode(errors="replace").strip().splitlines()
            return lines[-1][:500] if lines else ""
        return ""


def _answer(questions: socket.socket, stands: Stands, talkers: Talkers) -> None:
    """Answer the gateway's questions until its end; what it asks is untrusted."""
    with questions, talkers, contextlib.suppress(EOFError, OSError, ValueError):
        while True:
            message, _ = control.receive(questions)
            if "talker" in message:
                talkers.give(questions)
                continue
            labels = message.get("labels")
            words = tuple(str(label)[:63] for label in labels[:127]) if isinstance(labels, list) else ()
            control.send(questions, {"stands": stands(words) if words else False})


def _hand_over(line: socket.socket, runtime: Callable[[str], BinaryIO | None]) -> None:
    """Hand over archives until the gateway's end."""
    with line, contextlib.suppress(EOFError, OSError, ValueError):
        while True:
            message, _ = control.receive(line)
            file = runtime(str(message.get("archive"))[:200])
            if file is None:
                control.send(line, {"given": False})
                continue
            with file:
                control.send(line, {"given": True}, (file.fileno(),))


def _own(path: Path, uid: int | None) -> None:
    if uid is not None and os.geteuid() == 0:
        os.chown(path, uid, uid, follow_symlinks=False)


__all__ = ["Gateway", "GatewayProcess", "GatewaySpec"]
