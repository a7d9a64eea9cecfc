"""Whether this host can run scans: each thing that a scan needs, and what to do where it is missing."""

from __future__ import annotations

import ctypes
import importlib.util
import os
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import HunterError
from package_hunter.sandbox import cgroups, network
from package_hunter.sandbox.image import find_image

_MINIMUM_KERNEL = (6, 1)
_FREE_BYTES = 4 << 30


@dataclass(frozen=True, slots=True)
class Check:
    """One requirement: ``detail`` says what was found, ``advice`` what to do where it is not ``ok``."""

    name: str
    ok: bool
    detail: str
    advice: str = ""


def checks() -> list[Check]:
    """Every check, in the order in which their remedies make sense. Changes nothing; needs no root itself."""
    tests = (
        _root,
        _kernel,
        _btf,
        _process_ids,
        _runc,
        _seccomp,
        _file_systems,
        _cgroups,
        _namespaces,
        _nft,
        _memory,
        _disk,
    )
    return [_guarded(test) for test in (*tests, _image, _probe)]


def _guarded(test: Callable[[], Check]) -> Check:
    try:
        check = test()
        return replace(check, advice="") if check.ok else check
    except HunterError as error:
        return Check(test.__name__.strip("_"), False, error.message, error.advice)
    except OSError as error:
        return Check(test.__name__.strip("_"), False, str(error), "Run doctor as root.")


def _path() -> str:
    return f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


def _root() -> Check:
    return Check(
        "root", os.geteuid() == 0, f"uid {os.geteuid()}", "Scans need root: use sudo, or the server."
    )


def _kernel() -> Check:
    release = platform.release()
    numbers = tuple(int(part) for part in release.split("-")[0].split(".")[:2])
    supported = platform.machine() in ("x86_64", "aarch64")
    detail = f"Linux {release} on {platform.machine()}"
    return Check(
        "kernel", numbers >= _MINIMUM_KERNEL and supported, detail, "Linux 6.1 or later on x86_64 is needed."
    )


def _btf() -> Check:
    present = Path("/sys/kernel/btf/vmlinux").exists()
    detail = "/sys/kernel/btf/vmlinux" if present else "no /sys/kernel/btf/vmlinux"
    return Check("kernel types (BTF)", present, detail, "Use a kernel built with CONFIG_DEBUG_INFO_BTF.")


def _process_ids() -> Check:
    first = Path("/proc/self/ns/pid").stat().st_ino == 0xEFFF_FFFC  # linux/proc_ns.h, PROC_PID_INIT_INO
    detail = "the kernel's own" if first else "those of a container, which the probe's events do not have"
    return Check("process ids", first, detail, "Start the container with --pid=host, or use the host itself.")


def _runc() -> Check:
    path = shutil.which("runc", path=_path())
    return Check("runc", path is not None, path or "not found", "apt install runc")


def _seccomp() -> Check:
    try:
        ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return Check("libseccomp", False, "libseccomp.so.2 not found", "apt install libseccomp2")
    actions = Path("/proc/sys/kernel/seccomp/actions_avail")
    return Check("libseccomp", actions.exists(), "present", "Use a kernel built with CONFIG_SECCOMP_FILTER.")


def _file_systems() -> Check:
    known = Path("/proc/filesystems").read_text(encoding="ascii").split()
    modules = Path("/lib/modules") / platform.release() / "kernel/fs"
    missing = [n for n in ("erofs", "overlay") if n not in known and not (modules / f"{n}fs").exists()]
    missing = [n for n in missing if not (modules / n).exists()]
    loop = Path("/dev/loop-control").exists()
    found = "no " + ", ".join(missing) if missing else "erofs, overlay"
    found += "" if loop else "; no /dev/loop-control"
    advice = f"modprobe -a {' '.join(missing) or 'loop'}"
    return Check("file systems", not missing and loop, found, advice)


def _cgroups() -> Check:
    if cgroups.is_unified():
        have = Path("/sys/fs/cgroup/cgroup.controllers").read_text(encoding="ascii").split()
        layout = "v2"
    else:
        have = [
            line.split()[0] for line in Path("/proc/cgroups").read_text(encoding="ascii").splitlines()[1:]
        ]
        layout = "v1 and hybrid"
    missing = [name for name in ("memory", "pids", "cpu") if name not in have]
    detail = f"{layout}{', without ' + ', '.join(missing) if missing else ''}"
    return Check("cgroups", not missing, detail, "Boot with the memory, pids and cpu controllers enabled.")


def _namespaces() -> Check:
    short = []
    for kind in ("user", "net", "pid", "mnt", "ipc", "uts", "cgroup"):
        limit = Path(f"/proc/sys/user/max_{kind}_namespaces")
        if not limit.exists() or int(limit.read_text(encoding="ascii")) < 16:
            short.append(kind)
    advice = f"sysctl -w {' '.join(f'user.max_{kind}_namespaces=1024' for kind in short)}"
    return Check("namespaces", not short, f"too few: {', '.join(short)}" if short else "enough", advice)


def _nft() -> Check:
    missing = [
        p
        for p in ("nft", "ip")
        if shutil.which(p, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is None
    ]
    if missing:
        return Check(
            "network tools", False, f"{', '.join(missing)} not found", "apt install nftables iproute2"
        )
    if os.geteuid() != 0:
        return Check("network tools", True, "present (only root can try them)")
    network.build().close()
    return Check("network tools", True, "a gateway was built and removed")


def _memory() -> Check:
    text = Path("/proc/meminfo").read_text(encoding="ascii")
    available = (
        next(int(line.split()[1]) for line in text.splitlines() if line.startswith("MemAvailable")) << 10
    )
    need = settings().box_memory_bytes
    return Check(
        "memory",
        available >= need,
        f"{available >> 20} MB available, a box may take {need >> 20}",
        "Lower PACKAGE_HUNTER_BOX_MEMORY_BYTES and PACKAGE_HUNTER_BOX_UPPER_BYTES.",
    )


def _disk() -> Check:
    place = settings().data_dir
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    detail = f"{free >> 20} MB free at {place}"
    return Check("disk", free >= _FREE_BYTES, detail, "Free 4 GB, or set PACKAGE_HUNTER_DATA_DIR.")


def _image() -> Check:
    return Check("image", True, str(find_image()))


def _probe() -> Check:
    place = settings().data_dir / "probe"
    found = sorted(place.glob("*.o")) if place.is_dir() else []
    detail = str(found[-1]) if found else f"none at {place}"
    can_build = shutil.which("clang") is not None or importlib.util.find_spec("ziglang") is not None
    if not found and can_build:
        return Check("probe", True, f"{detail}; a compiler is there, the first scan builds it")
    return Check("probe", bool(found), detail, "make setup (it needs clang or the Python package ziglang)")
