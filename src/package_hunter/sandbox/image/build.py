"""Building the image: debootstrap from the host's mirror, Node.js out of a pinned wheel, packed as erofs."""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import HostError, UsageError
from package_hunter.model.interpreters import python_home
from package_hunter.sandbox.clock.build import library_path
from package_hunter.sandbox.image import apt, dress, further_node, runtimes, suite_python, tools

RECIPE = 7  # raise it when what the steps below make changes

# A developer's machine: what people have, what installs need, what attacks call.
PACKAGES = (
    "python3 python3-pip python3-venv python3-dev python3-setuptools python3-wheel "
    "ruby ruby-dev bundler git build-essential pkg-config cmake "
    "curl wget openssl xxd ca-certificates procps iproute2 net-tools less vim nano openssh-client rsync "
    "unzip zip xz-utils bzip2 file jq gnupg sudo locales tzdata netcat-openbsd iputils-ping dnsutils "
    "libssl-dev zlib1g-dev libffi-dev cron tree htop tmux bash-completion lsof strace gdb sqlite3 "
    "socat perl psmisc man-db dbus kmod udev systemd libfaketime"
)

SECOND_PYTHON = "3.13"  # beside the release's own, where that is older

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Variant:
    """Other versions than the default image's: a Node.js major (of npm's registry) and a Python minor such as
    ``3.14`` (from the host's Debian or Ubuntu release, or a newer suite of its Debian archive)."""

    node: int | None = None
    python: str | None = None

    def __post_init__(self) -> None:
        if self.python is not None and not re.fullmatch(r"3\.\d{1,2}", self.python):
            raise UsageError(f"“{self.python}” is no Python minor version.", "Write it as 3.11.")
        if self.node is not None and not 12 <= self.node <= 99:
            raise UsageError(f"{self.node} is no Node.js major version.", "Write it as 22.")

    @property
    def suffix(self) -> str:
        """What its file's name has behind the recipe's hash."""
        node = f"-node{self.node}" if self.node else ""
        return node + (f"-python{self.python}" if self.python else "")


DEFAULT = Variant()


def say(sentence: str) -> None:
    """Progress for a person, on stderr."""
    print(sentence, file=sys.stderr, flush=True)


def image_dir() -> Path:
    """Where images lie."""
    return settings().data_dir / "image"


def recipe_hash() -> str:
    """Names the image by what goes into it: the same recipe on the same release is built once."""
    digest = hashlib.sha256()
    for part in (
        str(RECIPE),
        PACKAGES,
        platform.machine(),
        Path("/etc/os-release").read_text(encoding="utf-8"),
        *(_packaged(name) for name in ("pins.txt", "uv.txt")),
        tools.YARN,
        tools.YARN_SHA512,
        SECOND_PYTHON,
        *further_node.pins(),
        *runtimes.pins(),
        *(f"{name}\0{content.hex()}" for name, content in sorted(dress.stand_ins().items())),
    ):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _packaged(name: str) -> str:
    return resources.files("package_hunter.sandbox.image").joinpath(name).read_text(encoding="utf-8")


def find_image() -> Path:
    """The image that boxes start from: the one that the settings name, else what this version of the recipe
    makes. Raises HostError where it is not there."""
    chosen = settings().image
    if chosen:
        path = Path(chosen) if "/" in chosen else image_dir() / f"{chosen.removesuffix('.erofs')}.erofs"
        if not path.is_file():
            raise HostError(
                f"The image that PACKAGE_HUNTER_IMAGE names is missing ({path}).",
                "Build it (package-hunter image build --help), or unset the variable.",
            )
        return path
    path = image_dir() / f"{recipe_hash()}.erofs"
    if not path.exists():
        raise HostError(
            f"The box's image is missing ({path}).",
            "Build it once (about a minute): package-hunter image build",
        )
    return path


Fill = Callable[[Path, Path, Say], None]


def build_image(force: bool = False, progress: Say = say, variant: Variant = DEFAULT) -> Path:
    """Build the image unless it is there, and give its path. Needs root and the host's mirrors; takes one to
    three minutes and about 3 GB of disk meanwhile. Raises HostError."""
    path = image_dir() / f"{recipe_hash()}{variant.suffix}.erofs"
    if variant.python is not None and not _in_release(variant.python):
        suite_python.check_suites(variant.python, apt.base_source(apt.host_sources()))
    library_path()  # no part of the image: it is planted where time is hurried

    def fill(root: Path, work: Path, progress: Say) -> None:
        _fill(root, work, progress, variant)

    return pack(path, fill, ("debootstrap", "mkfs.erofs", "apt-get"), force, progress)


def pack(path: Path, fill: Fill, programs: tuple[str, ...], force: bool, progress: Say) -> Path:
    """Make the image at ``path``, unless it is there, out of the folder that ``fill`` fills."""
    if path.exists() and not force:
        return path
    _check_host(programs)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _lock(path.parent / ".lock", progress):
        if path.exists() and not force:
            return path
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix=".build-", dir=path.parent) as work:
            root = Path(work) / "root"
            fill(root, Path(work), progress)
            progress("Packing the image.")
            packed = Path(work) / "image.erofs"
            _run(["mkfs.erofs", "-zlz4", "--quiet", str(packed), str(root)], "pack the image")
            packed.replace(path)
        seconds = time.monotonic() - started
        _remove_older(path, progress)
        progress(f"The image is ready: {path} ({path.stat().st_size >> 20} MB, {seconds:.0f} s).")
    return path


def _remove_older(path: Path, progress: Say) -> None:
    """Default images of older recipes; what was built by choice (its name has a suffix) stays."""
    for older in path.parent.glob("[0-9a-f]" * 16 + ".erofs"):
        if "-" not in path.name and older != path and older.stat().st_mtime < time.time() - 86_400:
            older.unlink()  # a box that runs on it keeps it until its end
            older.with_name(f"{older.name}.sha256").unlink(missing_ok=True)
            progress(f"Removed the image of an older version ({older.name}).")


def _in_release(python: str) -> bool:
    """Whether the host's release has that Python itself."""
    done = subprocess.run(
        ["apt-cache", "policy", f"python{python}"], capture_output=True, text=True, check=False
    )
    return "Candidate:" in done.stdout and "Candidate: (none)" not in done.stdout


def _fill(root: Path, work: Path, progress: Say, variant: Variant = DEFAULT) -> None:
    sources = apt.host_sources()
    base = apt.base_source(sources)
    began = time.time()
    progress("Building the box's image, once: the base system (about half a minute).")
    command = ["debootstrap", "--variant=minbase", "--merged-usr"]
    if base.signed_by:
        command.append(f"--keyring={base.signed_by}")
    # Nothing here must survive a power cut; dpkg's fsync calls cost more than its work.
    _run([*command, base.suite, str(root), base.uri], "make the base system")
    apt.configure_root(root, sources)
    progress("Installing a developer's tools (about a minute).")
    with _mounted(root):
        _install(root, variant)
        progress("Adding Node.js, npm, yarn and uv.")
        tools.add_node(root, work, variant.node)
        tools.add_yarn(root, work)
        progress(f"Adding Node.js {', '.join(map(str, further_node.NODES))} and a second Python.")
        further_node.add_nodes(root, work, tools.npm_command(root))
        runtimes.add_runtimes(root, work, tools.npm_command(root))
        _further_python(root, base, variant)
        tools.add_uv(root, work)
        dress.dress(root)
        in_root(root, "locale-gen >/dev/null")
    apt.forget_host(root)
    dress.age(root, began)


def _further_python(root: Path, base: apt.Source, variant: Variant) -> None:
    """The second Python of every image; and the one that was asked for, where the release itself has none such."""
    wanted = {SECOND_PYTHON} if suite_python.has_newer_suites(base) else set()
    asked = variant.python if variant.python and not _in_release(variant.python) else None
    for minor in sorted(wanted | ({asked} if asked else set())):
        suite_python.add_python(root, base, minor, in_root)
    if asked:
        _first_on_path(root, f"{python_home(asked)}/bin/python{asked}")


def _first_on_path(root: Path, program: str) -> None:
    for name in ("python3", "python"):
        (root / "usr/local/bin" / name).symlink_to(program)


def _install(root: Path, variant: Variant) -> None:
    policy = root / "usr/sbin/policy-rc.d"  # no daemon may start while packages are installed
    policy.write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    policy.chmod(0o755)
    unsafe = root / "etc/dpkg/dpkg.cfg.d/99build"
    unsafe.write_text("force-unsafe-io\n", encoding="utf-8")
    in_root(root, "apt-get -q update")
    in_root(root, "apt-get -qy -o Dpkg::Use-Pty=0 dist-upgrade")
    python = variant.python if variant.python and _in_release(variant.python) else None
    more = f" python{python} python{python}-venv python{python}-dev" if python else ""
    in_root(root, f"apt-get -qy -o Dpkg::Use-Pty=0 --no-install-recommends install {PACKAGES}{more}")
    if python:
        _first_on_path(root, f"/usr/bin/python{python}")
    policy.unlink()
    unsafe.unlink()


def in_root(root: Path, command: str) -> None:
    """Run a shell command inside the new root."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
    environment["DEBIAN_FRONTEND"] = "noninteractive"
    _run(
        ["chroot", str(root), "sh", "-ec", command],
        f"run `{command.split(' -')[0]}` in the image",
        environment,
    )


@contextmanager
def _mounted(root: Path) -> Iterator[None]:
    # Not the host's /dev and /proc whole: package scripts see a null, zero and random, and their own
    # processes.
    subprocess.run(
        ["mount", "-t", "proc", "-o", "nosuid,nodev,noexec", "proc", str(root / "proc")], check=True
    )
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(root / "proc")], check=True)


@contextmanager
def _lock(path: Path, progress: Say) -> Iterator[None]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another process is building the image: waiting for it.")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_host(programs: tuple[str, ...]) -> None:
    if os.geteuid() != 0:
        raise HostError("Building the box's image needs root.", "Run it as root or with sudo.")
    packages = {"debootstrap": "debootstrap", "mkfs.erofs": "erofs-utils", "apt-get": "apt"}
    for program in programs:
        package = packages[program]
        if shutil.which(program) is None:
            raise HostError(f"The program {program} is missing.", f"Install it: apt install {package}")
    image_dir().mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(image_dir()).free
    if free < 4 << 30:
        raise HostError(
            f"{image_dir()} has {free >> 20} MB left, and building the image takes 4 GB.",
            "Free some space, or set PACKAGE_HUNTER_DATA_DIR to a larger disk.",
        )


def _run(command: list[str], what: str, environment: dict[str, str] | None = None) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment
    )
    if done.returncode != 0:
        tail = done.stdout.decode("utf-8", "replace").strip().splitlines()[-8:]
        raise HostError(
            f"Could not {what}; {command[0]} ended with {done.returncode}:\n" + "\n".join(tail),
            "Check that the host's own `apt-get update` works and that the disk is not full.",
        )
