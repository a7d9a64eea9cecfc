"""The probe's maps and programs in the kernel: loaded, or taken from where another scan's load left them.

Loading costs 0.2 s of CPU, most of it the kernel's check of the programs. So the first scan after boot pins what
it loaded in a bpf file system, and every later one opens it there in a millisecond. A pin is a name only: nothing
is hooked into the kernel by it.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import platform
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from package_hunter.errors import SensorError
from package_hunter.sensor import libbpf

MAPS = (
    "members", "entries", "scans", "counters", "dispatch", "programs", "flag_tables", "enums", "rings",
    "prefixes", "scratches",
)  # fmt: skip
HOOKS = ("sys_enter", "sys_exit", "sched_process_fork", "sched_process_exec", "sched_process_exit")
ADVICE = "Run as root on a kernel of 6.1 or later with BTF (CONFIG_DEBUG_INFO_BTF), outside of lockdown."
RUN_DIR = Path("/run/package-hunter/probe")  # locks, and a bpf file system where the host has none
_FIRST_PID_NAMESPACE = 0xEFFF_FFFC
_SYSTEM_FS = Path("/sys/fs/bpf")


@dataclass(frozen=True)
class Objects:
    """Descriptors by name; whoever holds them owns them. ``fresh``: the tables are still empty."""

    maps: dict[str, int]
    programs: dict[str, int]
    fresh: bool

    def close(self) -> None:
        """Gives the descriptors back; what nobody else holds is unloaded."""
        for fd in (*self.maps.values(), *self.programs.values()):
            os.close(fd)
        self.maps.clear()
        self.programs.clear()


def load(path: Path, cpus: int, verbose: bool = False) -> Objects:
    """Loads the compiled probe. SensorError says why the kernel refused it."""
    lib = libbpf.library()
    libbpf.log.clear()
    opened = lib.bpf_object__open_file(os.fsencode(path), None)
    if not opened:
        raise SensorError(
            f"The compiled probe {path} cannot be opened.", "Delete it and build the probe again."
        )
    try:
        scratches = lib.bpf_object__find_map_by_name(opened, b"scratches")
        if scratches:
            lib.bpf_map__set_max_entries(scratches, cpus)
        code = lib.bpf_object__load(opened)
        if code:
            raise load_error(-code, verbose)
        found = {name: lib.bpf_object__find_map_by_name(opened, name.encode()) for name in MAPS}
        if not all(found.values()):
            raise SensorError("The compiled probe does not fit this program.", "Build the probe again.")
        maps = {name: _kept(lib.bpf_map__fd(handle)) for name, handle in found.items()}
        return Objects(maps, _programs(lib, opened), fresh=True)
    finally:
        lib.bpf_object__close(opened)


def _programs(lib: Any, opened: Any) -> dict[str, int]:
    programs: dict[str, int] = {}
    program = None
    while program := lib.bpf_object__next_program(opened, program):
        programs[lib.bpf_program__name(program).decode()] = _kept(lib.bpf_program__fd(program))
    return programs


def _kept(fd: int) -> int:
    """A descriptor of our own, that libbpf does not close."""
    return fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time sets up or hooks in the probe of ``folder``."""
    fd = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def pinned(folder: Path) -> Objects | None:
    """What was pinned in ``folder``; None where it is not all there."""
    maps: dict[str, int] = {}
    programs: dict[str, int] = {}
    for group, names in ((maps, MAPS), (programs, HOOKS)):
        for name in names:
            fd = libbpf.library().bpf_obj_get(os.fsencode(folder / name))
            if fd < 0:
                Objects(maps, programs, fresh=False).close()
                return None
            group[name] = fd
    return Objects(maps, programs, fresh=False)


def pin(objects: Objects, folder: Path) -> bool:
    """Leaves the objects in ``folder`` (of a bpf file system) for others; those of other versions go. False
    where the kernel does not let us: then they live as long as this process."""
    for old in folder.parent.iterdir():
        shutil.rmtree(old, ignore_errors=True)
    folder.mkdir(mode=0o700)
    for name, fd in (*objects.maps.items(), *objects.programs.items()):
        if libbpf.library().bpf_obj_pin(fd, os.fsencode(folder / name)) < 0:
            shutil.rmtree(folder, ignore_errors=True)
            return False
    return True


def pin_dir() -> Path | None:
    """A folder in a bpf file system: the host's, or one of our own; None where there is neither."""
    for root in (_SYSTEM_FS, RUN_DIR / "bpf"):
        with contextlib.suppress(OSError):
            if root is not _SYSTEM_FS:
                root.mkdir(parents=True, exist_ok=True)
            if not _is_bpf(root) and (root is _SYSTEM_FS or not libbpf.mount_bpf(root)):
                continue
            folder = root / "package-hunter"
            folder.mkdir(mode=0o700, exist_ok=True)
            return folder
    return None


def _is_bpf(root: Path) -> bool:
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split()
        if words[4] == str(root) and words[words.index("-") + 1] == "bpf":
            return True
    return False


class _LinkInfo(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("id", ctypes.c_uint32), ("prog_id", ctypes.c_uint32)]


class _ProgInfo(ctypes.Structure):
    _fields_ = [("type", ctypes.c_uint32), ("id", ctypes.c_uint32)]


_Info = TypeVar("_Info", bound=ctypes.Structure)


def _info(fd: int, info: _Info) -> _Info:
    size = ctypes.c_uint32(ctypes.sizeof(info))
    libbpf.library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size))
    return info


def hooked(program: int) -> int | None:
    """The link by which another process has hooked in this program; None where there is none."""
    lib, wanted = libbpf.library(), _info(program, _ProgInfo()).id
    number = ctypes.c_uint32()
    while lib.bpf_link_get_next_id(number.value, ctypes.byref(number)) == 0:
        fd = int(lib.bpf_link_get_fd_by_id(number.value))
        if fd < 0:
            continue  # it has just gone
        if _info(fd, _LinkInfo()).prog_id == wanted:
            return fd
        os.close(fd)
    return None


def hook(program: int, name: str) -> int:
    """Hooks a program into its tracepoint; the link's descriptor."""
    fd = int(libbpf.library().bpf_raw_tracepoint_open(None, program))
    if fd < 0:
        raise SensorError(f"The probe's hook {name} was refused: {os.strerror(-fd)}.", ADVICE)
    return fd


def check_host() -> None:
    """SensorError where this process or kernel cannot carry the probe."""
    if os.geteuid() != 0:
        raise SensorError(
            "The probe can only be loaded by root.", "Run with sudo, or use the server's worker."
        )
    if not Path("/sys/kernel/btf/vmlinux").exists():
        raise SensorError(
            "This kernel carries no type information (BTF).",
            "Use a kernel with CONFIG_DEBUG_INFO_BTF, such as Debian's.",
        )
    if not in_first_pid_namespace():
        raise SensorError(
            "This process runs in a PID namespace of its own (a container), so the kernel's process ids are "
            "not the ones that it sees.",
            "Start that container with --pid=host, or run on the host itself.",
        )
    lockdown = Path("/sys/kernel/security/lockdown")
    if lockdown.exists() and "[confidentiality]" in lockdown.read_text(encoding="ascii"):
        raise SensorError(
            "The kernel is locked down (confidentiality): no program may look into it.",
            "Boot without lockdown=confidentiality.",
        )


def in_first_pid_namespace() -> bool:
    """Whether process ids mean the same here and in the kernel's events; its inode is fixed (linux/proc_ns.h,
    PROC_PID_INIT_INO)."""
    return Path("/proc/self/ns/pid").stat().st_ino == _FIRST_PID_NAMESPACE


def load_error(number: int, verbose: bool) -> SensorError:
    """Why the kernel refused the probe, with what its verifier said."""
    reason = os.strerror(number)
    lines = (
        libbpf.log[-200:]
        if verbose
        else [line for line in libbpf.log if "libbpf:" in line or "failed" in line][-3:]
    )
    detail = " ".join(line.strip() for line in lines) if not verbose else "\n" + "\n".join(lines)
    if number in (1, 13):
        return SensorError(
            f"The kernel does not let us load the probe: {reason}.",
            "Give this process CAP_BPF, CAP_PERFMON and CAP_SYS_ADMIN.",
        )
    release = platform.release()
    return SensorError(f"The kernel {release} refused the probe: {reason}. {detail}"[:20000], ADVICE)
