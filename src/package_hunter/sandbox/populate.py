"""Putting files into a box's upper layer before it exists: the project, what is planted, its own settings.

Everything is done relative to directory descriptors, no link is ever followed: neither in the (hostile)
project that is copied, nor in what was copied when further files are planted.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from package_hunter.errors import SandboxError
from package_hunter.model.box import GATEWAY_V4, HOME, HOST_ID_BASE, PATH, UID, BoxSpec

CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"
CA_FILE = "/usr/local/share/ca-certificates/acme-internal-root.crt"
_DIR_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNER = HOST_ID_BASE + UID


class Upper:
    """The upper layer as a place to write to. Paths are the box's; parents are made as in the image."""

    def __init__(self, upper: Path, image: Path) -> None:
        self._root = os.open(upper, _DIR_FLAGS)
        self._image = image

    def close(self) -> None:
        """Let go of it."""
        os.close(self._root)

    def write(
        self, path: str, content: bytes, mode: int = 0o644, owner: int = _OWNER, mtime: float = 0.0
    ) -> None:
        """Write a file over whatever is there (a link is replaced); ``mtime`` 0 leaves the present."""
        parts = _parts(path)
        with self._directory(parts[:-1]) as parent:
            _remove(parent, parts[-1])
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            fd = os.open(parts[-1], flags, 0o600, dir_fd=parent)
            try:
                with os.fdopen(os.dup(fd), "wb") as file:
                    file.write(content)
                os.fchown(fd, owner, owner)
                os.fchmod(fd, mode & 0o7777)
                if mtime:
                    os.utime(fd, (mtime, mtime))
            finally:
                os.close(fd)

    def folder(self, path: str) -> None:
        """Make a directory, as the image has it or owned by the box's root."""
        with self._directory(_parts(path)):
            pass

    def link(self, path: str, target: str) -> None:
        """Make a symbolic link, owned by the box's root."""
        parts = _parts(path)
        with self._directory(parts[:-1]) as parent:
            _remove(parent, parts[-1])
            os.symlink(target, parts[-1], dir_fd=parent)
            os.chown(parts[-1], HOST_ID_BASE, HOST_ID_BASE, dir_fd=parent, follow_symlinks=False)

    def copy_tree(self, source: Path, path: str) -> int:
        """Copy a directory; returns how many objects were left out (sockets, pipes, devices)."""
        with self._directory(_parts(path)) as target:
            fd = os.open(source, _DIR_FLAGS)
            try:
                return _copy(fd, target, 0)
            finally:
                os.close(fd)

    @contextmanager
    def _directory(self, parts: tuple[str, ...]) -> Iterator[int]:
        fd = os.dup(self._root)
        try:
            for depth, part in enumerate(parts):
                inner = self._enter(fd, part, parts[: depth + 1])
                os.close(fd)
                fd = inner
            yield fd
        finally:
            os.close(fd)

    def _enter(self, parent: int, name: str, parts: tuple[str, ...]) -> int:
        try:
            return os.open(name, _DIR_FLAGS, dir_fd=parent)
        except FileNotFoundError:
            pass
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            os.unlink(name, dir_fd=parent)  # the project put a file or link where ours belongs
        os.mkdir(name, 0o755, dir_fd=parent)
        fd = os.open(name, _DIR_FLAGS, dir_fd=parent)
        owner, mode, mtime = self._model(parts)
        os.fchown(fd, HOST_ID_BASE + owner, HOST_ID_BASE + owner)
        os.fchmod(fd, mode)
        if mtime:
            os.utime(fd, (mtime, mtime))
        return fd

    def _model(self, parts: tuple[str, ...]) -> tuple[int, int, float]:
        """Owner, mode and time that a directory gets: the image's own, or what fits the place."""
        path = self._image
        for part in parts:
            path = path / part
            if path.is_symlink():
                raise SandboxError(
                    f"/{'/'.join(parts)} leads through a link of the image; name its target instead."
                )
        if path.is_dir():
            info = path.stat()
            return info.st_uid, stat.S_IMODE(info.st_mode), info.st_mtime
        in_home = PurePosixPath("/", *parts).is_relative_to(HOME)
        private = in_home and parts[-1] in (".ssh", ".gnupg", ".aws", ".kube", ".docker")
        return (UID if in_home else 0), 0o700 if private else 0o755, 0.0


def populate(spec: BoxSpec, upper: Path, image: Path) -> int:
    """All that this box has beyond the image; returns how many of the project's objects were left out."""
    place = Upper(upper, image)
    try:
        left_out = place.copy_tree(spec.project_dir, spec.project) if spec.project_dir else 0
        _system(place, spec, image)
        for file in spec.files:
            owner = HOST_ID_BASE if file.owner == "root" else _OWNER
            place.write(file.path, file.content, file.mode, owner, file.mtime or 0.0)
        return left_out
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SandboxError(
                f"The project does not fit into the box ({spec.limits.upper_bytes >> 20} MB, "
                f"{spec.limits.upper_inodes} files).",
                "Raise PACKAGE_HUNTER_BOX_UPPER_BYTES or PACKAGE_HUNTER_BOX_UPPER_INODES.",
            ) from error
        raise SandboxError(f"The box's files could not be laid out: {error}.") from error
    finally:
        place.close()


def environment(spec: BoxSpec) -> dict[str, str]:
    """What every command in the box finds in its environment, before its own."""
    return {
        "HOME": HOME,
        "USER": "dev",
        "LOGNAME": "dev",
        "SHELL": "/bin/bash",
        "LANG": "en_US.UTF-8",
        "TERM": "xterm-256color",
        "PATH": PATH,
        **(_ca_environment() if spec.ca_pem else {}),
        **spec.env,
    }


def _ca_environment() -> dict[str, str]:
    bundle = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO")
    # Node reads this beside its own list at every start: one certificate, not the whole bundle.
    return {**dict.fromkeys(bundle, CA_BUNDLE), "NODE_EXTRA_CA_CERTS": CA_FILE}


def _system(place: Upper, spec: BoxSpec, image: Path) -> None:
    root = {"owner": HOST_ID_BASE}
    hosts = f"127.0.0.1\tlocalhost\n127.0.1.1\t{spec.hostname}\n::1\tlocalhost ip6-localhost ip6-loopback\n"
    place.write("/etc/hostname", f"{spec.hostname}\n".encode(), **root)
    place.write("/etc/hosts", hosts.encode(), **root)
    place.write("/etc/machine-id", f"{secrets.token_hex(16)}\n".encode(), 0o444, **root)
    place.write("/etc/resolv.conf", f"nameserver {GATEWAY_V4}\noptions edns0\n".encode(), **root)
    place.folder("/run/systemd/system")  # by this programs tell who is pid 1: sd_booted(3)
    if spec.ca_pem:
        bundle = (image / CA_BUNDLE.lstrip("/")).read_bytes()
        place.write(CA_BUNDLE, bundle + spec.ca_pem, **root)
        place.write(CA_FILE, spec.ca_pem, **root)


def _parts(path: str) -> tuple[str, ...]:
    parts = PurePosixPath(path).parts
    if len(parts) < 2 or parts[0] != "/" or ".." in parts or "\0" in path:
        raise SandboxError(f"{path!r} is not an absolute path of a file in the box.")
    return parts[1:]


def _remove(parent: int, name: str) -> None:
    try:
        os.unlink(name, dir_fd=parent)
    except FileNotFoundError:
        pass
    except IsADirectoryError:
        shutil.rmtree(name, dir_fd=parent)


def _copy(source: int, target: int, depth: int) -> int:
    if depth > 256:
        raise SandboxError("The project's directories are nested more than 256 deep.")
    left_out = 0
    info = os.fstat(source)
    with os.scandir(source) as entries:
        for entry in entries:
            left_out += _copy_entry(entry, source, target, depth)
    _dress(target, info)
    return left_out


def _copy_entry(entry: os.DirEntry[str], source: int, target: int, depth: int) -> int:
    name = entry.name
    if entry.is_symlink():
        os.symlink(os.readlink(name, dir_fd=source), name, dir_fd=target)
        os.chown(name, _OWNER, _OWNER, dir_fd=target, follow_symlinks=False)
        return 0
    if entry.is_dir(follow_symlinks=False):
        inner = os.open(name, _DIR_FLAGS, dir_fd=source)
        try:
            os.mkdir(name, 0o755, dir_fd=target)
            made = os.open(name, _DIR_FLAGS, dir_fd=target)
            try:
                return _copy(inner, made, depth + 1)
            finally:
                os.close(made)
        finally:
            os.close(inner)
    if not entry.is_file(follow_symlinks=False):
        return 1
    _copy_file(name, source, target)
    return 0


def _copy_file(name: str, source: int, target: int) -> None:
    # O_NONBLOCK: should it have become a named pipe since it was listed, nobody waits for its other end.
    reading = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=source)
    try:
        info = os.fstat(reading)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        writing = os.open(name, flags, 0o600, dir_fd=target)
        try:
            while os.sendfile(writing, reading, None, 1 << 30):
                pass
            _dress(writing, info)
        finally:
            os.close(writing)
    finally:
        os.close(reading)


def _dress(fd: int, info: os.stat_result) -> None:
    os.fchown(fd, _OWNER, _OWNER)
    os.fchmod(fd, stat.S_IMODE(info.st_mode) & 0o777 | (0o700 if stat.S_ISDIR(info.st_mode) else 0o600))
    os.utime(fd, ns=(info.st_mtime_ns, info.st_mtime_ns))
