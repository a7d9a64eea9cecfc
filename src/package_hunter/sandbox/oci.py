"""The OCI runtime configuration of a box (opencontainers/runtime-spec, config.md and config-linux.md)."""

from __future__ import annotations

import resource
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from package_hunter.model.box import HOST_ID_BASE, BoxLimits, BoxSpec
from package_hunter.sandbox import cgroups, seccomp

ID_COUNT = 65_536
INIT_PATH = "/usr/bin/python3"
# The program itself comes over the socket (standard input), so that no file in the box tells of it; the rest
# of the line is room for the name that pid 1 then shows.
_BOOT = (
    "import _socket;s=_socket.socket(fileno=0);"
    "exec(compile(s.recv(1<<17),'init','exec'),{'__name__':'init','s':s})"
)
INIT_CAPABILITIES = ["CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP", "CAP_KILL"]

# What the kernel tells of the host, and what no program of a user needs.
_MASKED_TEXT = """
/proc/acpi /proc/asound /proc/bus /proc/cmdline /proc/config.gz /proc/fs /proc/kallsyms /proc/kcore
/proc/keys /proc/key-users /proc/kmsg /proc/latency_stats /proc/modules /proc/sched_debug /proc/scsi
/proc/sysrq-trigger /proc/sysvipc /proc/timer_list /proc/timer_stats /proc/vmallocinfo /proc/mtrr
/proc/iomem /proc/ioports /proc/partitions /proc/diskstats /proc/swaps /proc/pagetypeinfo /proc/slabinfo
/proc/zoneinfo /sys/firmware /sys/kernel /sys/fs /sys/block /sys/bus /sys/hypervisor /sys/module /sys/power
/sys/dev /sys/class/dmi /sys/devices/virtual/dmi /sys/devices/virtual/powercap /sys/class/powercap
"""
_MASKED = _MASKED_TEXT.split()
_READ_ONLY = ["/proc/irq", "/proc/sys", "/proc/tty", "/proc/driver"]


def configuration(
    spec: BoxSpec, rootfs: Path, cgroup: str, env: list[str], namespaces: Mapping[str, str], cpuinfo: Path
) -> dict[str, Any]:
    """What runc is told; ``namespaces`` are paths of those that exist already (user, network)."""
    return {
        "ociVersion": "1.0.2",
        "root": {"path": str(rootfs), "readonly": False},  # its only writable layer is the size-limited upper
        "hostname": spec.hostname,
        "annotations": {"package-hunter.scan": spec.scan_id, **spec.labels},
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": [INIT_PATH, "-I", "-S", "-B", "-c", _BOOT],
            "env": env,
            "cwd": "/",
            "capabilities": {"bounding": INIT_CAPABILITIES, **_sets(INIT_CAPABILITIES)},
            "noNewPrivileges": True,
            "rlimits": _rlimits(spec.limits),
            "oomScoreAdj": 100,
        },
        "mounts": [*_mounts(spec.limits), _cpuinfo(cpuinfo)],
        "linux": {
            "uidMappings": [{"containerID": 0, "hostID": HOST_ID_BASE, "size": ID_COUNT}],
            "gidMappings": [{"containerID": 0, "hostID": HOST_ID_BASE, "size": ID_COUNT}],
            "namespaces": _namespaces(namespaces),
            "cgroupsPath": cgroup,
            "resources": _resources(spec.limits),
            "maskedPaths": [*_MASKED, *_hardware()],
            "readonlyPaths": _READ_ONLY,
            "seccomp": seccomp.profile(),
            "sysctl": {"net.ipv4.ping_group_range": f"0 {ID_COUNT - 1}"},  # ping works, as on any desktop
        },
    }


def _hardware() -> list[str]:
    """Device trees of the host: virtio and ACPI devices name a virtual machine."""
    telling = ("pci", "platform", "pnp", "LNXSYSTM", "soc", "vbus", "vmbus", "xen")
    return [str(path) for path in Path("/sys/devices").iterdir() if path.name.startswith(telling)]


def _namespaces(existing: Mapping[str, str]) -> list[dict[str, str]]:
    new = [{"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")]
    return [*({"type": kind, "path": path} for kind, path in existing.items()), *new]


def _sets(capabilities: list[str]) -> dict[str, list[str]]:
    return {"effective": capabilities, "permitted": capabilities, "inheritable": [], "ambient": []}


def _rlimits(limits: BoxLimits) -> list[dict[str, Any]]:
    wanted = {
        "RLIMIT_NOFILE": limits.files,
        "RLIMIT_NPROC": limits.pids * 2,
        "RLIMIT_FSIZE": limits.upper_bytes,
        "RLIMIT_CORE": 1,  # 0 would still start the host's core_pattern program, 1 does not: core(5)
        "RLIMIT_MEMLOCK": 8 << 20,
        "RLIMIT_MSGQUEUE": 819_200,
        "RLIMIT_SIGPENDING": 8192,
    }
    return [{"type": name, "hard": value, "soft": value} for name, value in _clamped(wanted)]


def _clamped(wanted: dict[str, int]) -> list[tuple[str, int]]:
    # Without CAP_SYS_RESOURCE (containers, some VMs) runc fails on a limit above our own.
    result = []
    for name, value in wanted.items():
        hard = resource.getrlimit(getattr(resource, name))[1]
        result.append((name, value if hard == resource.RLIM_INFINITY else min(value, hard)))
    return result


def _resources(limits: BoxLimits) -> dict[str, Any]:
    period = 100_000
    return {
        "devices": [{"allow": False, "access": "rwm"}],
        "memory": _memory(limits.memory_bytes),
        "pids": {"limit": limits.pids},
        "cpu": {"quota": int(limits.cpus * period), "period": period, "shares": 512},
    }


def _memory(limit: int) -> dict[str, int]:
    """No swap beside the memory, where the kernel counts swap (runc fails where it does not)."""
    return {"limit": limit, "swap": limit} if cgroups.counts_swap() else {"limit": limit}


def _mounts(limits: BoxLimits) -> list[dict[str, Any]]:
    shm = min(limits.upper_bytes // 4, 256 << 20)
    tight = ["nosuid", "noexec", "nodev"]
    shared = ["nosuid", "nodev", "mode=1777", f"size={shm}", "nr_inodes=4096"]
    pts = ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]
    return [
        _mount("/proc", "proc", tight),
        _mount("/dev", "tmpfs", ["nosuid", "noexec", "strictatime", "mode=755", "size=1m", "nr_inodes=512"]),
        _mount("/dev/pts", "devpts", pts),
        _mount("/dev/shm", "tmpfs", shared, "shm"),  # noqa: S108
        _mount("/dev/mqueue", "mqueue", tight),
        _mount("/sys", "sysfs", [*tight, "ro"]),
    ]


def _cpuinfo(source: Path) -> dict[str, Any]:
    return {
        "destination": "/proc/cpuinfo",
        "type": "bind",
        "source": str(source),
        "options": ["bind", "ro", "nosuid", "nodev", "noexec"],
    }


def _mount(target: str, kind: str, options: list[str], source: str | None = None) -> dict[str, Any]:
    return {"destination": target, "type": kind, "source": source or kind, "options": options}


def without_hypervisor(cpuinfo: str) -> str:
    """/proc/cpuinfo without the flag that tells a virtual machine."""
    return cpuinfo.replace(" hypervisor", "")
