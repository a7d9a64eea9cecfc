"""A further Python for the image, out of a newer suite of the host's own Debian archive: apt checks it against the
archive's signatures as it does the base system. It stands in a folder of its own with that suite's C library, so
neither changes what the image's own programs run on."""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

from package_hunter.errors import HostError
from package_hunter.model.interpreters import python_home
from package_hunter.sandbox.image.apt import Source

SUITES = ("trixie", "forky", "sid")  # stable first; what an older one has is taken from there
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_STAGE = "tmp/suite"
_RELEASES = ("bookworm",)  # whose C library is older than that of every suite above
# Kept to names that every program finds: what is loaded by one of these never mixes with the image's own.
_GLIBC = [
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
]

Run = Callable[[Path, str], None]


def has_newer_suites(base: Source) -> bool:
    """Whether the host's release is one that a newer suite's Python can be set beside."""
    return base.suite in _RELEASES


def check_suites(minor: str, base: Source) -> None:
    """Raises HostError, before anything is built, where no newer suite can have that Python."""
    if not has_newer_suites(base):
        raise _nowhere(minor)


def _nowhere(minor: str) -> HostError:
    return HostError(
        f"Neither the host's Debian or Ubuntu release nor a newer suite of its archive has python{minor}.",
        "Take a version that `apt-cache search '^python3[.][0-9]+$'` lists, or build from a container "
        "image that has it: package-hunter image build --from ARCHIVE.tar",
    )


def add_python(root: Path, base: Source, minor: str, run: Run) -> Path:
    """Python ``minor`` (3.13) with venv, pip, setuptools and its headers in its own folder of the image; that folder.

    ``run(root, command)`` runs a shell command in the image. Raises HostError where no suite has it."""
    stage = root / _STAGE
    try:
        for folder in ("archives/partial", "lists/partial", "tree", "tool"):
            (stage / folder).mkdir(parents=True)
        (stage / "status").touch()
        _download(root, stage, base, minor, run)
        home = root / python_home(minor).lstrip("/")
        _lay(stage / "tree", home, minor)
        _bind(root, home, minor, run)
        return home
    finally:
        shutil.rmtree(stage, ignore_errors=True)


def _download(root: Path, stage: Path, base: Source, minor: str, run: Run) -> None:
    keys = base.signed_by if base.signed_by and (root / base.signed_by.lstrip("/")).exists() else _KEYS
    for suite in SUITES:
        line = f"deb [signed-by={keys}] {base.uri} {suite} main\n"
        (stage / "sources.list").write_text(line, encoding="utf-8")
        run(root, f"apt-get -q {_OPTIONS} update")
        offers = f"apt-cache {_OPTIONS} show python{minor}-venv >/dev/null 2>&1"
        run(root, f"if {offers}; then touch /{_STAGE}/offered; fi")
        if (stage / "offered").exists():
            break
    else:
        raise _nowhere(minor)
    get = f"apt-get -qy {_OPTIONS} --no-install-recommends --download-only install python{minor}-venv"
    more = f"cd /{_STAGE}/archives && apt-get -q {_OPTIONS} download libpython{minor}-dev"
    run(root, f"{get} && {more}")
    run(root, f"cd /{_STAGE}/tool && apt-get -q download patchelf && dpkg-deb -x patchelf_*.deb .")
    run(root, f"cd /{_STAGE} && for deb in archives/*.deb; do dpkg-deb -x $deb tree; done")


_OPTIONS = " ".join(
    f"-o {name}"
    for name in (
        f"Dir::Etc::sourcelist=/{_STAGE}/sources.list",
        "Dir::Etc::sourceparts=-",
        f"Dir::State::lists=/{_STAGE}/lists",
        f"Dir::State::status=/{_STAGE}/status",
        f"Dir::Cache::archives=/{_STAGE}/archives",
        "Dir::Cache::pkgcache=",
        "Dir::Cache::srcpkgcache=",
        "APT::Sandbox::User=root",
    )
)


def _lay(tree: Path, home: Path, minor: str) -> None:
    """Program, standard library, headers, C library; pip and setuptools where the packages of a distribution lie."""
    python = f"python{minor}"
    (home / "bin").mkdir(parents=True)
    shutil.copy2(tree / f"usr/bin/{python}", home / f"bin/{python}")
    for name in ("python3", "python"):
        (home / "bin" / name).symlink_to(python)
    (home / "lib").mkdir()
    shutil.move(tree / f"usr/lib/{python}", home / f"lib/{python}")
    (home / f"lib/{python}/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    for archive in (home / f"lib/{python}").glob("config-*/*.a"):
        archive.unlink()  # to embed Python; extensions do not link it
    shutil.move(tree / f"usr/include/{python}", home / f"include/{python}")
    for own in (tree / "usr/include").glob(f"*-linux-gnu*/{python}/pyconfig.h"):
        shutil.copy2(own, home / f"include/{python}/pyconfig.h")  # in place of the one that leads there
    packages = home / "lib/python3/dist-packages"
    packages.mkdir(parents=True)
    wheels = tree / "usr/share/python-wheels"
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as content:
            content.extractall(packages)
    (home / "share").mkdir()
    libraries = home / "lib/runtime"
    libraries.mkdir()
    for folder in tree.glob("usr/lib/*-linux-gnu*"):
        for path in folder.iterdir():
            if re.search(r"\.so(\.|$)", path.name) and path.is_file():
                shutil.copy2(path, libraries / path.name)  # links become files: one folder, no way out of it


def _bind(root: Path, home: Path, minor: str, run: Run) -> None:
    """The program starts under its own C library's loader, and takes its libraries from beside it, whatever it loads
    later (DT_RPATH, which what it loads inherits)."""
    inside = "/" + str(home.relative_to(root))
    loader = next(path.name for path in (home / "lib/runtime").glob("ld-linux-*.so.*"))
    needed = " ".join(f"--add-needed {name}" for name in _GLIBC)
    patch = f"/{_STAGE}/tool/usr/bin/patchelf"
    target = f"{inside}/bin/python{minor}"
    for change in (needed, f"--force-rpath --set-rpath {inside}/lib/runtime"):
        run(root, f"{patch} {change} {target}")  # one by one: together they spoil the name table
    run(root, f"{patch} --set-interpreter {inside}/lib/runtime/{loader} {target}")
    run(root, f"chmod 755 {inside}/lib/runtime/{loader}")
    run(root, f"{target} -m compileall -q -j2 {inside}/lib || true")
    run(root, f"{target} -c 'import ssl, sqlite3, ctypes, lzma, bz2, readline, zlib, pip, setuptools, venv'")
