"""`make machine-try`: the systemd units in an emulated machine of Debian's packages, without any network.

Makes a disk by debootstrap with this working copy installed at /opt/package-hunter, boots it under QEMU and prints what
guest.py says in there. Emulated (TCG) it takes ten times as long as a real machine and more: no figure of time from
here means anything. Where the processor can, `ARGS="--accel kvm"` is quick. Needs root, Debian, and the packages
qemu-system-x86, e2fsprogs and debootstrap; not part of CI.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "deploy/images"))
import make  # noqa: E402  (its neighbour, which makes root file systems for containers)
from guest import DONE  # noqa: E402

from package_hunter.config import settings  # noqa: E402
from package_hunter.sandbox.image import apt, build_image  # noqa: E402
from package_hunter.sandbox.image.tools import add_node  # noqa: E402

PLACE = make.BUILD / "machine"
# A machine rather than a container: with an init, a kernel and its modules (erofs, overlay, loop, nf_tables).
MACHINE = "systemd systemd-sysv dbus udev kmod procps make linux-image-cloud-amd64"
DISK_GIGABYTES = 10


def main() -> int:
    """Disk, boot, what was said; 0 where all of it went well."""
    parser = argparse.ArgumentParser(description="Try the systemd units in an emulated machine.")
    parser.add_argument("--accel", default="tcg", help="QEMU's accelerator (default: %(default)s)")
    parser.add_argument("--minutes", type=int, default=180, help="the machine is ended after so many")
    options = parser.parse_args()
    base = make_base()
    disk, kernel = make_disk(base), next((base / "boot").glob("vmlinuz-*"))
    said = boot(disk, kernel, options.accel, options.minutes * 60)
    print(f"In a machine emulated by QEMU ({options.accel}):\n{said}")
    return 0 if went_well(said) else 1


def went_well(said: str) -> bool:
    """Whether the trial came to its last line."""
    return said.rstrip().rpartition("\n")[2] == DONE


def packages() -> list[str]:
    """What the machine has of Debian: an init, a kernel, and what scripts/setup.sh would install."""
    setup = (ROOT / "scripts/setup.sh").read_text(encoding="utf-8")
    asked = re.search(r"^apt_packages=\(([^)]*)\)", setup, re.MULTILINE)
    assert asked is not None
    return [*MACHINE.split(), *asked[1].split()]


def make_base() -> Path:
    """A root file system with those, unless it was made of the same list."""
    wanted = packages()
    recipe = hashlib.sha256("\n".join([apt.base_source(apt.host_sources()).suite, *wanted]).encode())
    base = PLACE / f"base-{recipe.hexdigest()[:16]}"
    if not base.exists():
        make.say("Making the machine's root file system (some minutes).")
        shutil.rmtree(PLACE, ignore_errors=True)
        make.install_root(PLACE / "partial", wanted)
        (PLACE / "partial").rename(base)
    return base


def make_disk(base: Path) -> Path:
    """The base with the program on it, as a file with an ext4 file system."""
    make.say("Installing the program on the machine's disk.")
    disk = PLACE / "disk.ext4"
    with tempfile.TemporaryDirectory(prefix="root-", dir=PLACE) as folder:
        root = Path(folder) / "root"
        make.run("cp", "-a", "--reflink=auto", str(base), str(root))
        install_program(root, Path(folder))
        disk.unlink(missing_ok=True)
        make.run("mkfs.ext4", "-q", "-d", str(root), str(disk), f"{DISK_GIGABYTES}G")
    return disk


def install_program(root: Path, work: Path) -> None:
    """As deploy/README.md has it: the project at /opt/package-hunter, root's own, and scripts/setup.sh. The wheels
    and the box's image come from this machine, since the one to be has no network."""
    program = root / "opt/package-hunter"
    program.mkdir(parents=True)
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    for name in files.decode().rstrip("\0").split("\0"):
        (program / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, program / name, follow_symlinks=False)
    make.run("chown", "-R", "-h", "root:root", str(program))
    make.run("chmod", "-R", "go-w", str(program))
    add_node(root, work)
    image = build_image()
    (root / "var/lib/package-hunter/image").mkdir(parents=True)
    make.link(image, root / "var/lib/package-hunter" / image.relative_to(settings().data_dir))
    for name in ("main.txt", "build.txt"):
        make.download(ROOT / "requirements" / name, root / "wheels")
    with make.mounted(root):
        make.run("chroot", str(root), "env", "-i", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                 "LC_ALL=C.UTF-8", "PIP_NO_INDEX=1", "PIP_FIND_LINKS=/wheels",
                 "/opt/package-hunter/scripts/setup.sh", "run")  # fmt: skip
    shutil.rmtree(root / "wheels")
    make_bootable(root)


def make_bootable(root: Path) -> None:
    """A name, an identity, and the trial's unit in place of a login on the serial port."""
    (root / "etc/hostname").write_text("trial\n", encoding="ascii")
    (root / "etc/hosts").write_text("127.0.0.1 localhost trial\n", encoding="ascii")
    (root / "etc/machine-id").write_text(f"{uuid.uuid4().hex}\n", encoding="ascii")
    units = root / "etc/systemd/system"
    shutil.copy(HERE / "package-hunter-try.service", units)
    wants = units / "multi-user.target.wants"
    wants.mkdir(exist_ok=True)
    (wants / "package-hunter-try.service").symlink_to("../package-hunter-try.service")
    (units / "serial-getty@ttyS0.service").symlink_to("/dev/null")


def machine(disk: Path, kernel: Path, accel: str) -> list[str]:
    """QEMU's command line. No network card at all: loopback is all that the machine has.

    An emulated processor's clock counts its instructions, one a nanosecond, so that no deadline in there passes only
    because this machine is slow or busy.
    """
    clock = ["-icount", "shift=0", "-smp", "1"] if accel == "tcg" else ["-smp", "2"]
    # A kernel without an initial RAM disk: Debian's has NVMe and ext4 built in.
    return [
        "nice", "qemu-system-x86_64", "-accel", accel, "-cpu", "max", *clock,
        "-m", "5120", "-display", "none", "-no-reboot", "-nic", "none",
        "-drive", f"file={disk},format=raw,if=none,id=disk,cache=unsafe", "-device", "nvme,drive=disk,serial=disk",
        "-serial", f"file:{PLACE / 'console.log'}", "-serial", f"file:{PLACE / 'report.log'}",
        "-kernel", str(kernel), "-append", "root=/dev/nvme0n1 rw console=ttyS0 quiet panic=-1",
    ]  # fmt: skip


def boot(disk: Path, kernel: Path, accel: str, seconds: int) -> str:
    """Run the machine until it switches itself off, or for so many seconds; what guest.py said."""
    make.say(f"Booting; the kernel and systemd talk into {PLACE / 'console.log'}, the trial into report.log.")
    report = PLACE / "report.log"
    report.unlink(missing_ok=True)
    try:
        subprocess.run(machine(disk, kernel, accel), stdin=subprocess.DEVNULL, check=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        make.say(f"The machine was ended after {seconds} s.")
    except subprocess.CalledProcessError as error:
        raise SystemExit(f"QEMU ended with {error.returncode}.") from None
    return report.read_text(encoding="utf-8", errors="replace").replace("\r", "") if report.exists() else ""


if __name__ == "__main__":
    sys.exit(main())
