"""Builds the container images: ``sudo .venv/bin/python deploy/images/make.py [TARGET ...]``.

No image tells where it was built, and no build step reaches a network: root file systems come from the host's own
Debian or Ubuntu mirror (debootstrap, by the host's apt settings), wheels from the host's own package index (pip, by
hash). `docker build` only copies them together.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from package_hunter.config import settings
from package_hunter.sandbox.clock.build import library_path
from package_hunter.sandbox.image import apt, build_image
from package_hunter.sandbox.runner import program_path
from package_hunter.sensor.build import object_path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUILD = ROOT / "build/images"  # kept between runs, ignored by git
DOCKER = os.environ.get("DOCKER", "docker")
NAME = "package-hunter"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")

# What each root file system holds beyond the smallest one; each begins with what stands before it.
SERVER = "python3 ca-certificates git libseccomp2 tzdata"
WORKER = "runc iproute2 nftables libbpf1 kmod mount procps"
TRIAL = "postgresql"
BASES: dict[str, Sequence[str]] = {
    "server": (SERVER,),
    "worker": (SERVER, WORKER),
    "trial": (SERVER, TRIAL),
}
# Which root file system and which wheels an image is made of.
TARGETS = {
    "server": ("server", "server.txt"),
    "worker": ("worker", "server.txt"),
    "postgres": ("trial", "trial.txt"),
    "objects": ("trial", "trial.txt"),
}


def main(arguments: Sequence[str]) -> int:
    """Build what is asked for (everything, by default) and say the names."""
    parser = argparse.ArgumentParser(description="Build Package Hunter's container images.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"one of {', '.join(TARGETS)}")
    wanted = parser.parse_args(arguments).targets or list(TARGETS)
    if unknown := sorted(set(wanted) - set(TARGETS)):
        parser.error(f"no target {', '.join(unknown)}")
    for base in sorted({TARGETS[target][0] for target in wanted}):
        make_base(base)
    for target in wanted:
        build(target, fill_context(target))
    return 0


def make_base(name: str) -> None:
    """A root file system as the image ``package-hunter-base:NAME``, unless it was made of the same list."""
    packages = " ".join(BASES[name]).split()
    recipe = hashlib.sha256("\n".join([apt.base_source(apt.host_sources()).suite, *packages]).encode())
    label = f"recipe={recipe.hexdigest()[:16]}"
    if _output(DOCKER, "images", "-q", "--filter", f"label={label}", f"{NAME}-base:{name}"):
        return
    say(f"Making the root file system of the image {name} (a minute or two).")
    with tempfile.TemporaryDirectory(prefix="package-hunter-base-", dir=_build()) as folder:
        root = Path(folder) / "root"
        install_root(root, packages)
        archive = Path(folder) / "root.tar"
        run("tar", "-C", str(root), "--one-file-system", "--numeric-owner", "-cf", str(archive), ".")
        run(DOCKER, "import", "--change", f"LABEL {label}", str(archive), f"{NAME}-base:{name}")


def install_root(root: Path, packages: Sequence[str]) -> None:
    sources = apt.host_sources()
    base = apt.base_source(sources)
    keyring = [f"--keyring={base.signed_by}"] if base.signed_by else []
    run("debootstrap", "--variant=minbase", "--merged-usr", *keyring, base.suite, str(root), base.uri)
    apt.configure_root(root, sources)
    with mounted(root):
        # no initial RAM disk where a kernel is among the packages: containers boot nothing, machine/ without one
        plain = ("PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "INITRD=No")
        inside = ("chroot", str(root), "env", "-i", *plain)
        hasty = "Dpkg::Options::=--force-unsafe-io"  # nothing here must survive a power cut
        quiet = (*inside, "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "-y", "-o", hasty)
        run(*quiet, "update")
        run(*quiet, "upgrade", "--no-install-recommends")
        run(*quiet, "install", "--no-install-recommends", *packages)
    apt.forget_host(root)
    # whose machine this was is nobody's business, and no image needs a source to install from
    for name in ("etc/apt/sources.list", "etc/hostname", "etc/machine-id", "usr/sbin/policy-rc.d"):
        (root / name).unlink(missing_ok=True)
    for path in (root / "usr/share/doc", root / "usr/share/man", root / "var/lib/debconf"):
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def mounted(root: Path) -> Iterator[None]:
    """No service is started inside; /proc is there while packages are configured."""
    (root / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n", encoding="utf-8")
    (root / "usr/sbin/policy-rc.d").chmod(0o755)
    run("mount", "-t", "proc", "proc", str(root / "proc"))
    try:
        yield
    finally:
        run("umount", str(root / "proc"))


def fill_context(target: str) -> Path:
    """The folder that `docker build` sees: Dockerfiles, wheels, and for the worker what boxes need."""
    context = _build() / target
    shutil.rmtree(context, ignore_errors=True)
    shutil.copytree(HERE, context, ignore=shutil.ignore_patterns("make.py", "__pycache__"))
    name = TARGETS[target][1]
    _wheels(name, context / "wheels" / name.removesuffix(".txt"))
    if target == "worker":
        download(ROOT / "src/package_hunter/sandbox/image/pins.txt", context / "wheels/node")
        for path in (build_image(), object_path(), library_path(), program_path()):
            copy = context / "box" / path.relative_to(settings().data_dir)
            copy.parent.mkdir(parents=True, exist_ok=True)
            link(path, copy)
    return context


def _wheels(name: str, folder: Path) -> None:
    """The wheels of requirements/NAME, and our own."""
    pinned = ROOT / "requirements" / name
    say(f"Fetching the wheels of requirements/{name}.")
    download(pinned, folder)
    shutil.copy(pinned, folder / "requirements.txt")
    if name == "server.txt":
        run(*PIP, "wheel", "--no-deps", "--no-build-isolation", "-w", str(folder.parent / "own"), str(ROOT))


def download(pinned: Path, folder: Path) -> None:
    """Wheels of a list, checked by hash; those of an earlier run are not fetched anew."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = _build() / "wheels"
    listed = ("--require-hashes", "--only-binary=:all:", "-r", str(pinned))
    chosen = (*PIP, "download", "--no-index", "--find-links", str(kept), *listed, "-d", str(folder))
    kept.mkdir(exist_ok=True)
    if subprocess.run(chosen, stdin=subprocess.DEVNULL, capture_output=True).returncode != 0:
        run(*PIP, "download", *listed, "-d", str(kept))
        run(*chosen)


def build(target: str, context: Path) -> None:
    """`docker build` of one target, without a network, as ``package-hunter-TARGET:VERSION`` and ``:latest``."""
    say(f"Building the image {NAME}-{target}.")
    dockerfile = context / ("Dockerfile.trial" if target in ("postgres", "objects") else "Dockerfile")
    tags = [f"{NAME}-{target}:{version()}", f"{NAME}-{target}:latest"]
    run(DOCKER, "build", "-q", "--network", "none", "--target", target, "-f", str(dockerfile),
         *(word for tag in tags for word in ("-t", tag)), str(context))  # fmt: skip
    print(tags[0])


def version() -> str:
    """The version of pyproject.toml."""
    found = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    assert found is not None
    return found.group(1)


def _build() -> Path:
    BUILD.mkdir(parents=True, exist_ok=True)
    return BUILD


def link(path: Path, target: Path) -> None:
    try:
        os.link(path, target)  # the box's image is large
    except OSError:
        shutil.copyfile(path, target)


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def run(*command: str) -> None:
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=_environment()
    )
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SystemExit(f"{' '.join(command[:6])} ... ended with {done.returncode}:\n{tail}")


def _output(*command: str) -> str:
    return subprocess.run(
        command, capture_output=True, text=True, check=True, env=_environment()
    ).stdout.strip()


def _environment() -> dict[str, str]:
    # one Dockerfile for the classic builder too: Debian's docker.io has no buildx
    return {**os.environ, "DOCKER_BUILDKIT": os.environ.get("DOCKER_BUILDKIT", "0")}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
