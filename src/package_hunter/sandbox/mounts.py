"""The box's root: the image shared read-only below, a size-limited memory file system above."""

from __future__ import annotations

import fcntl
import os
import socket
import subprocess
from pathlib import Path

from package_hunter.errors import SandboxError
from package_hunter.model.box import HOST_ID_BASE, BoxLimits
from package_hunter.sandbox import kernel

RUN_DIR = Path("/run/package-hunter")


def ensure_run_dir() -> Path:
    """/run/package-hunter: others may pass (the box's first process must reach its root), not look."""
    for path in (RUN_DIR, RUN_DIR / "boxes", RUN_DIR / "image"):
        path.mkdir(mode=0o711, exist_ok=True)
        path.chmod(0o711)
    return RUN_DIR


def mount_points() -> list[str]:
    """Every mount below RUN_DIR, innermost last."""
    found = []
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        point = line.split()[4].encode("ascii", "replace").decode("unicode_escape")
        if point.startswith(f"{RUN_DIR}/"):
            found.append(point)
    return found


def mount_image(image: Path) -> Path:
    """Mount the image, once a boot for all processes: its pages stay in memory between scans."""
    target = ensure_run_dir() / "image" / image.stem
    with (RUN_DIR / "image.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if str(target) not in mount_points():
            target.mkdir(mode=0o700, exist_ok=True)
            command = ["mount", "-t", "erofs", "-o", "ro,loop,nodev,nosuid", str(image), str(target)]
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode != 0:
                raise SandboxError(
                    f"The image {image} could not be mounted ({done.stderr.strip()}).",
                    "The kernel needs CONFIG_EROFS_FS with lz4, and loop devices; "
                    "a damaged image is built anew by: package-hunter image build --force",
                )
    return target


def build_root(box: Path, image: Path, limits: BoxLimits, userns: int) -> None:
    """Mount ``box/t`` (holding u, the upper layer) and ``box/root``. ``userns`` is the box's user
    namespace, a descriptor: the owners of the image's files are shifted as it maps them.

    The overlay is given relative names, since the box can read them in /proc/self/mountinfo, and inode numbers that
    tell its layers apart (xino): the sensor knows a fake secret by its number, which a file of the image may have too.
    """
    for name in ("t", "l", "root"):
        (box / name).mkdir(mode=0o700)
    options = f"size={limits.upper_bytes},nr_inodes={limits.upper_inodes},mode=0700"
    kernel.mount("tmpfs", box / "t", "tmpfs", kernel.MS_NODEV | kernel.MS_NOSUID, options)
    (box / "t/u").mkdir(mode=0o755)
    os.chown(box / "t/u", HOST_ID_BASE, HOST_ID_BASE)
    (box / "t/w").mkdir(mode=0o700)
    lower = mount_image(image)
    kernel.mount_idmapped(lower, box / "l", userns)

    def overlay() -> None:
        kernel.own_directory(box)
        layers = "lowerdir=l,upperdir=t/u,workdir=t/w,xino=on"
        kernel.mount("overlay", "root", "overlay", kernel.MS_NODEV | kernel.MS_NOSUID, layers)

    try:
        kernel.in_thread(overlay)
    finally:
        kernel.unmount(box / "l")  # the overlay holds it from now on


def listen_in(root: Path, path: str, group: int) -> socket.socket:
    """A listening socket at ``path`` of the box, for its root and ``group``. It is made through the overlay (a
    socket belongs to the file system that it was bound through) and before anything untrusted ran there."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
    place = root / path.lstrip("/")
    folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{place.name}")  # the whole path may be longer than 108 bytes
        os.chmod(place.name, 0o660, dir_fd=folder)
        os.chown(place.name, HOST_ID_BASE, HOST_ID_BASE + group, dir_fd=folder, follow_symlinks=False)
        listener.listen(64)
    except OSError:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def tear_down_root(box: Path) -> None:
    """Unmount what build_root mounted, as far as it came; idempotent."""
    for name in ("root", "l", "t"):
        while kernel.unmount(box / name):
            pass
