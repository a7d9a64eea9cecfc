"""A box's image out of a container image: ``docker save`` or an OCI layout, as one tar."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import json
import os
import re
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from package_hunter.errors import HostError, UsageError
from package_hunter.sandbox.image import dress
from package_hunter.sandbox.image.build import Say, image_dir, pack, say
from package_hunter.sandbox.image.layers import Root

_MAX_JSON = 16 << 20
_MAX_LAYERS = 512
_BLOB = re.compile(
    r"(?:blobs/sha256/([0-9a-f]{64})|[0-9a-f]{64}/layer\.tar|[A-Za-z0-9._-]{1,200}\.tar(?:\.gz)?)"
)
_PYTHON = "usr/bin/python3"  # a box's first process runs under it


def build_from(archive: Path, force: bool = False, progress: Say = say) -> Path:
    """Build an image from ``archive``, unless it is there. Nothing of it is run on this host. It needs a Python
    3.9 or later at /usr/bin/python3, as every Debian with python3 has. Raises HostError."""
    if not archive.is_file():
        raise UsageError(f"There is no file {archive}.", "Make it with: docker save IMAGE -o FILE.tar")
    with archive.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    stands = hashlib.sha256(repr(sorted(dress.stand_ins().items())).encode()).hexdigest()
    path = image_dir() / f"{digest[:16]}-{stands[:4]}-archive.erofs"

    def fill(root: Path, work: Path, progress: Say) -> None:
        progress(f"Unpacking the layers of {archive.name}.")
        with tarfile.open(archive, "r:") as outer:
            _lay(outer, root)
        _check(root)
        progress("Making it a developer's machine.")
        _inside(root, dress.dress)
        dress.age(root, 1e11)  # its own dates are old enough

    return pack(path, fill, ("mkfs.erofs",), force, progress)


def _lay(outer: tarfile.TarFile, root: Path) -> None:
    place = Root(root)
    try:
        for name, digest in _layers(outer):
            member = outer.extractfile(name)
            if member is None:
                raise HostError(f"The archive names a layer that is no file ({name}).")
            with member:
                _verify(member, digest)
                place.lay(member)
    except KeyError as error:
        raise HostError(f"The archive lacks a layer that it names ({error}).") from error
    finally:
        place.close()


def _layers(outer: tarfile.TarFile) -> list[tuple[str, str | None]]:
    """Name in the archive and, where it is known, sha256 of each layer, the lowest first."""
    names = set(outer.getnames())
    if "manifest.json" in names:
        found = _json(outer, "manifest.json")
        if not isinstance(found, list) or len(found) != 1:
            raise HostError("The archive holds several images.", "Save one: docker save IMAGE -o FILE.tar")
        listed = found[0].get("Layers")
    elif "index.json" in names:
        listed = _oci_layers(outer)
    else:
        raise HostError("The archive is no container image: it has neither manifest.json nor index.json.")
    if not isinstance(listed, list) or not 0 < len(listed) <= _MAX_LAYERS:
        raise HostError("The archive's image has no layers, or too many.")
    layers = []
    for name in listed:
        match = _BLOB.fullmatch(name) if isinstance(name, str) else None
        if match is None:
            raise HostError(
                f"The archive names a layer in a form that is not understood ({str(name)[:100]!r})."
            )
        layers.append((name, match[1]))
    return layers


def _oci_layers(outer: tarfile.TarFile) -> list[str]:
    manifest: Any = _json(outer, "index.json")
    for _ in range(3):  # an index may name indexes
        if "layers" in manifest:
            return [_blob(layer) for layer in manifest["layers"]]
        found = [item for item in manifest.get("manifests", ()) if _fits(item)]
        if len(found) != 1:
            raise HostError("The archive holds no single image for linux/amd64.")
        manifest = _json(outer, _blob(found[0]))
    raise HostError("The archive's indexes are nested too deep.")


def _fits(item: Any) -> bool:
    platform = item.get("platform", {}) if isinstance(item, dict) else {}
    return platform.get("os", "linux") == "linux" and platform.get("architecture", "amd64") in (
        "amd64",
        "x86_64",
    )


def _blob(item: Any) -> str:
    digest = item.get("digest", "") if isinstance(item, dict) else ""
    return f"blobs/{str(digest).replace(':', '/', 1)}"


def _json(outer: tarfile.TarFile, name: str) -> Any:
    try:
        member = outer.extractfile(name)
        found = json.loads(member.read(_MAX_JSON)) if member else None
    except (KeyError, ValueError, RecursionError) as error:
        raise HostError(f"The archive's {name} cannot be read: {error}.") from error
    if not isinstance(found, dict | list):
        raise HostError(f"The archive's {name} says nothing.")
    return found


def _verify(member: IO[bytes], digest: str | None) -> None:
    if digest is not None:
        seen = hashlib.file_digest(member, "sha256").hexdigest()  # type: ignore[arg-type]
        plain = digest if seen == digest else _plain_digest(member)
        if digest not in (seen, plain):
            raise HostError("A layer of the archive does not have the digest that names it.")
    member.seek(0)


def _plain_digest(member: IO[bytes]) -> str:
    member.seek(0)
    try:
        with gzip.open(member) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (OSError, EOFError, zlib.error):
        return ""


def _check(root: Path) -> None:
    if not os.path.lexists(root / _PYTHON):
        raise HostError(
            f"The container image has no /{_PYTHON}, which a box's first process runs under.",
            "Take one that has it (the full variants of node, python and ruby do), or add it: "
            "RUN apt-get update && apt-get install -y python3",
        )


def _inside(root: Path, work: Callable[[Path], None]) -> None:
    """Do it in a process that sees nothing but ``root``: links of the image lead nowhere else then."""
    dress.stand_ins()  # read before: the package's own files cannot be seen from there
    codecs.lookup("ascii")
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.chroot(root)
            os.chdir("/")
            work(Path("/"))
            status = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode("utf-8", "replace"))
        finally:
            os._exit(status)
    if os.waitpid(pid, 0)[1] != 0:
        raise HostError("The container image could not be made a box: see the line above.")
