"""The sandbox on runc: one container a scan, in namespaces of its own (docs/sandbox.md)."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import math
import os
import re
import select
import shutil
import socket
import subprocess
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import BoxKilledError, HostError, SandboxError
from package_hunter.model.box import CLOCK_FILE, DOCKER_GID, DOCKER_SOCKET, HOST_ID_BASE, BoxSpec
from package_hunter.model.scan import Command, CommandRun, Leftovers, LeftRunning
from package_hunter.sandbox import cgroups, kernel, leftover, mounts, network, oci, settling
from package_hunter.sandbox.base import CgroupPaths, OnOutput
from package_hunter.sandbox.boxtime import BoxTime
from package_hunter.sandbox.channel import BoxEndedError, Channel, Deadline, Outcome
from package_hunter.sandbox.clock.pacer import Pacer
from package_hunter.sandbox.clock.page import Page
from package_hunter.sandbox.handed_out import HandedOut
from package_hunter.sandbox.image import find_image
from package_hunter.sandbox.populate import environment, populate
from package_hunter.sandbox.program import RUNC_ROOT, runc

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_START_SECONDS = 20.0
_KILL_SECONDS = 0.5  # for killed processes to be gone, before they are killed again
_REMOVE_SECONDS = 10.0  # for what is in a box's cgroups to be gone
_MAX_LEFT = 2_000  # processes, noted as left running

pool = network.NetPool()


class RuncSandbox:
    """A box: ``create``, then look at it, ``start``, ``run`` ..., ``destroy``; all raise SandboxError.

    ``init_pid`` is its first process (host pid), ``upper_dir`` what was written in it (untrusted),
    ``gateway_netns`` its gateway's network namespace, ``cgroup_paths`` where to freeze it.
    """

    init_pid: int
    cgroup_paths: CgroupPaths

    def __init__(self, spec: BoxSpec, image: Path | None = None) -> None:
        for name in (spec.scan_id, spec.project_name, spec.hostname):
            if not _NAME.match(name):
                raise SandboxError(
                    f"{name!r} cannot name a scan, project or host: letters, digits, '.', '_', '-' only."
                )
        self.spec = spec
        self.directory = mounts.RUN_DIR / "boxes" / spec.scan_id
        self.left_out = 0  # objects of the project that cannot be copied: sockets, pipes, devices
        self._net: network.Net | None = None
        self._image = image
        self._env = environment(spec)
        self._channel: Channel | None = None
        self._lock = -1
        self._left: list[LeftRunning] = []
        self._own: dict[int, int] = {}  # pid -> pidfd
        self._init = -1  # the first process, as a pidfd
        self._page: Page | None = None
        self.docker_socket: socket.socket | None = (
            None  # a container engine's, in the box; the gateway answers
        )

    @property
    def gateway_netns(self) -> int:
        """The gateway's network namespace, a descriptor (closed by ``destroy``)."""
        if self._net is None:
            raise SandboxError("The box has no network: it was not created, or was destroyed.")
        return self._net.gateway

    @property
    def upper_dir(self) -> Path:
        """The files that were written, as on a disk: overlay whiteouts are 0/0 character devices."""
        return self.directory / "t/u"

    def create(self) -> None:
        """Build mounts, network and container: the first process exists, but nothing untrusted has run."""
        check_host()
        image = self._image or find_image()
        try:
            self._make_directory()
            with _host_errors():
                self._net = pool.take()
                mounts.build_root(self.directory, image, self.spec.limits, self._net.user)
                self.left_out = populate(self.spec, self.upper_dir, mounts.mount_image(image))
                self.docker_socket = mounts.listen_in(self.directory / "root", DOCKER_SOCKET, DOCKER_GID)
                mounts.listen_in(self.directory / "root", "/run/systemd/private", 0).close()
                self._create_container(self._net)
                if self.spec.clock:
                    offset = BoxTime.of(self.init_pid).monotonic
                    self._page = Page(self.directory / f"root{CLOCK_FILE}", offset)
                kernel.set_last_pid(self.init_pid, _first_pid(self.spec.scan_id))
        except BaseException:
            self.destroy()
            raise

    def start(self) -> None:
        """Let the box's first process go on; returns when it takes commands."""
        self._runc("start", self.spec.container_name)
        assert self._channel is not None
        self._channel.wait_ready(_START_SECONDS)

    def need(self, pidfd: int, name: str, only_killed: bool = False) -> None:
        """A process that the box's commands need, as a pidfd that stays open: where it ends (``only_killed``: by
        somebody's signal), ``run`` ends them at once and raises SandboxError with its name."""
        if self._channel is not None:
            self._channel.need(pidfd, name, only_killed)

    def run(
        self,
        command: Command,
        phase: str,
        world: str = "default",
        on_output: OnOutput | None = None,
        until: float = math.inf,
    ) -> CommandRun:
        """Run a command as the box's user, to its end or its deadline (then all but pid 1 are killed); ``until``, of
        ``time.monotonic()``, is the end of all commands. BoxKilledError where the box was ended from outside."""
        if self._channel is None:
            raise SandboxError("The box was not started.")
        env = {**self._env, "PWD": command.cwd, **command.env}
        end = Deadline(command.timeout, until, self._note_left)
        with self._telling_who():
            outcome = self._channel.run(command.argv, command.cwd, env, end, on_output)
            if outcome.timed_out:
                self.kill_commands()  # its first process is gone: wait for the others
        return CommandRun(
            phase=phase,
            world=world,
            command=command,
            pid=outcome.pid,
            started_ns=outcome.started_ns,
            ended_ns=outcome.ended_ns,
            exit_code=_exit_code(outcome),
            output_tail=bytes(outcome.tail).decode("utf-8", "replace"),
            ran_seconds=outcome.ran_seconds,
            starved_seconds=outcome.starved_seconds,
        )

    def handed_out(self) -> HandedOut:
        """Packs the runtimes of this box's image, for who fetches one."""
        root = mounts.mount_image(self._image or find_image())
        return HandedOut(root, settings().data_dir / "cache" / "runtimes")

    def attend(self, command: Command) -> None:
        """Run a command that starts what the machine itself has running (a CI runner); what it leaves is not
        waited for, nor told as left running. To be called before anything foreign runs."""
        run = self.run(command, "")
        if run.exit_code != 0:
            raise SandboxError(f"{command.argv[0]} did not start ({run.exit_code}): {run.output_tail[-300:]}")
        for pid, _ in self.alive():
            with contextlib.suppress(ProcessLookupError):
                self._own[pid] = os.pidfd_open(pid)

    def _standing(self) -> frozenset[int]:
        """The machine's own processes that still run: a pid that was theirs may be another's now."""
        return frozenset(pid for pid, fd in self._own.items() if not select.select([fd], [], [], 0)[0])

    def alive(self) -> list[tuple[int, str]]:
        """Host pid and (untrusted) name of each process in the box but its first. One that ends while it is
        looked at is among them without a name: it may have started another."""
        return [(pid, leftover.name_of(pid)) for pid in self._living()]

    def _living(self) -> list[int]:
        return leftover.living(self.cgroup_paths, self.init_pid, self._standing())

    def settle(self, seconds: float) -> list[tuple[int, str]]:
        """Give what was left running time to end; returns what still runs then."""
        settling.ended(lambda: bool(self.alive()), seconds)
        return self.alive()

    def end(self, seconds: float) -> Leftovers:
        """Watch what still runs, for so many seconds at most (docs/sandbox.md, What is left running); then what of all
        commands lived on, also those that were killed with another at its deadline. To be followed by ``kill``."""
        gone = settling.watch(self.cgroup_paths, self.init_pid, seconds, self._standing())
        with self._telling_who():
            if select.select([self._init], [], [], 0)[0]:  # and all that was to be watched with it
                raise BoxEndedError("The box ended while it was watched.")
        if gone:
            return Leftovers(tuple(self._left))
        since = time.time_ns()
        self._note_left()
        return Leftovers(tuple(self._left), since)

    @contextlib.contextmanager
    def _telling_who(self) -> Iterator[None]:
        """Whose fault it is where the box ended by itself. In it nobody can harm its first process; what it does can
        take it the memory, which its cgroup counts. All else comes from outside."""
        try:
            yield
        except BoxEndedError as error:
            if cgroups.counters(self.spec.scan_id)["oom_kills"]:
                raise SandboxError(
                    error.message, "It used up its memory: see PACKAGE_HUNTER_BOX_MEMORY_BYTES."
                ) from error
            raise BoxKilledError(f"{error.message} Its first process was killed from outside.") from error

    def hurried(self) -> contextlib.AbstractContextManager[object]:
        """A context in which time passes faster in the box; its spec must have asked for a ``clock``."""
        if self._page is None:
            raise SandboxError("This box has no clock that could be hurried.")
        return Pacer(
            self._page,
            self.init_pid,
            lambda: leftover.at_work(self.cgroup_paths, self.init_pid, self._standing()),
        )

    def _note_left(self) -> None:
        self._left += leftover.look(self.cgroup_paths, self.init_pid, self._standing())[
            : _MAX_LEFT - len(self._left)
        ]

    def kill_commands(self) -> None:
        """End every process but the first, and wait until they are gone."""
        if self._channel is None:
            return
        for _ in range(10):
            self._channel.kill_commands()
            if not self.settle(_KILL_SECONDS):
                return
        raise SandboxError("The box did not end its processes when told to.")

    def limits_hit(self) -> list[str]:
        """A sentence for each limit that the box ran into."""
        found = []
        count = cgroups.counters(self.spec.scan_id)
        if count["oom_kills"]:
            found.append(f"The box used up its memory; {count['oom_kills']} processes were killed for it.")
        if count["pids_refused"]:
            found.append(f"The box reached its limit of {self.spec.limits.pids} processes.")
        with contextlib.suppress(OSError):
            disk = os.statvfs(self.upper_dir)
            if disk.f_bavail * disk.f_frsize < 1 << 20 or disk.f_favail < 16:
                found.append("The box filled its disk.")
        return found

    def kill(self) -> None:
        """End every process, the first too. The files stay readable until ``destroy``."""
        if hasattr(self, "cgroup_paths") and not cgroups.kill_all(self.cgroup_paths):
            raise SandboxError(f"Processes of the box {self.spec.scan_id} could not be killed.")

    def destroy(self) -> None:
        """End every process and remove every trace; may be called at any time, and twice."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        for fd in (*self._own.values(), *([self._init] if self._init >= 0 else ())):
            os.close(fd)
        self._own.clear()
        self._init = -1
        if self._page is not None:
            self._page.close()
            self._page = None
        if self._lock >= 0:  # without it the directory was never ours
            remove_box(self.spec.scan_id)
            os.close(self._lock)
            self._lock = -1
        if self._net is not None:
            self._net.close()
            self._net = None
        if self.docker_socket is not None:
            self.docker_socket.close()
            self.docker_socket = None

    def __enter__(self) -> RuncSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def _make_directory(self) -> None:
        mounts.ensure_run_dir()
        self._lock = _make_held(self.directory)
        # The box's root (a group of the host that nobody else has) must reach its own files; nobody else may.
        os.chown(self._lock, 0, HOST_ID_BASE)
        os.fchmod(self._lock, 0o710)

    def _create_container(self, net: network.Net) -> None:
        self._channel = Channel()
        cgroup = cgroups.name_of(self.spec.scan_id)
        env = [f"{k}={self._env[k]}" for k in ("PATH", "LANG")]
        existing = {
            "user": f"/proc/{os.getpid()}/fd/{net.user}",
            "network": f"/proc/{os.getpid()}/fd/{net.box}",
        }
        config = oci.configuration(self.spec, self.directory / "root", cgroup, env, existing, self._cpuinfo())
        (self.directory / "config.json").write_text(json.dumps(config), encoding="utf-8")
        pid_file = self.directory / "pid"
        command = ["create", "--bundle", str(self.directory), "--pid-file", str(pid_file)]
        stdin = self._channel.box_end.fileno()
        self._runc(*command, self.spec.container_name, stdin=stdin)
        self.init_pid = int(pid_file.read_text(encoding="ascii"))
        self._init = os.pidfd_open(self.init_pid)
        self.cgroup_paths = cgroups.paths_of(self.spec.scan_id)

    def _cpuinfo(self) -> Path:
        path = self.directory / "t/cpuinfo"  # in a mount of its own: the box sees where it lies in it
        path.write_text(
            oci.without_hypervisor(Path("/proc/cpuinfo").read_text(encoding="utf-8")), encoding="utf-8"
        )
        os.chown(path, HOST_ID_BASE, HOST_ID_BASE)
        return path

    def _runc(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> None:
        runc(self.spec.scan_id, self.directory / "runc.log", *arguments, stdin=stdin)


def check_host() -> None:
    """Raise HostError where no box can be built here: not root, no runc."""
    if os.geteuid() != 0:
        raise HostError("Building a sandbox needs root.", "Run it as root, with sudo, or through the server.")
    if shutil.which("runc", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None:
        raise HostError("The program runc is missing.", "Install it: apt install runc")


def remove_box(scan_id: str) -> None:
    """Remove every trace of a box, whatever state it is in."""
    paths = cgroups.paths_of(scan_id)
    gone = cgroups.kill_all(paths)
    directory = mounts.RUN_DIR / "boxes" / scan_id
    mounts.tear_down_root(directory)
    shutil.rmtree(
        RUNC_ROOT / f"package-hunter-{scan_id}", ignore_errors=True
    )  # its state, all that runc keeps
    gone &= cgroups.remove(scan_id, _REMOVE_SECONDS)
    if not gone:  # the folder stays: it says that what lives there is ours
        raise SandboxError(
            f"Processes of the box {scan_id} cannot be ended.",
            "They hang in the kernel; the next start tries again.",
        )
    shutil.rmtree(directory, ignore_errors=True)


def _make_held(directory: Path) -> int:
    """Make the directory and hold its lock; another scan's `reap` may remove it before it is held."""
    while True:
        try:
            directory.mkdir(mode=0o700)
        except FileExistsError as error:
            raise SandboxError(f"A box for the scan {directory.name} exists already.") from error
        with contextlib.suppress(FileNotFoundError):
            lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(lock, fcntl.LOCK_EX)
            if os.fstat(lock).st_nlink:
                return lock
            os.close(lock)


@contextlib.contextmanager
def _host_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise SandboxError(
                f"No space is left for the box ({error.strerror}).", "Free memory or disk, and try again."
            ) from error
        raise SandboxError(
            f"The box could not be built: {error}.", "package-hunter doctor tells what this host lacks."
        ) from error


def _first_pid(scan_id: str) -> int:
    """Where the box's process ids begin: a machine that has run for days does not count from 1."""
    return 2_400 + zlib.crc32(scan_id.encode()) % 16_000


def _exit_code(outcome: Outcome) -> int | None:
    if outcome.status is None:
        return None
    return os.waitstatus_to_exitcode(outcome.status)
