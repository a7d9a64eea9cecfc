"""What the box and its gateway agree on (docs/architecture.md, The box)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from package_hunter.model.scan import BoxFile

HOME = "/home/dev"
USER = "dev"
PATH = f"{HOME}/.local/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
UID = 1000  # and gid, in the box
DOCKER_GID = 998  # a group of the user, as on a developer's machine
DOCKER_SOCKET = "/run/docker.sock"
HOST_ID_BASE = 100_000  # host uid of the box's uid 0; 65,536 ids follow

# where the library that hurries time lies in the box of a hurried round, and what it reads: names that say nothing
CLOCK_LIBRARY = "/usr/lib/libjemalloc.so.2"
CLOCK_FILE = "/usr/lib/locale/locale-archive.idx"

# a CI runner's own folder, its worker, and the file out of which that takes its job; in the world ``ci`` alone
RUNNER_HOME = f"{HOME}/actions-runner"
RUNNER_WORKER = f"{RUNNER_HOME}/bin/Runner.Worker"
RUNNER_JOB = f"{RUNNER_HOME}/bin/.job"

BOX_V4 = "10.88.0.2"
BOX_V6 = "fd88::2"
GATEWAY_V4 = "10.88.0.1"
GATEWAY_V6 = "fd88::1"

TCP_PORT = 8001  # where nft TPROXY brings every TCP connection of the box
UDP_PORT = 8002  # and every datagram, DNS too


def full_container_id(scan_id: str) -> str:
    """The box's container id, 64 hexadecimal digits: those of a scan's UUID, filled up; of anything else (a
    later round's) a hash. ``container.id`` is the first twelve."""
    digits = scan_id.replace("-", "").lower()
    filler = hashlib.sha256(scan_id.encode()).hexdigest()
    own = digits if re.fullmatch("[0-9a-f]{32}", digits) else ""
    return (own + filler)[:64]


@dataclass(frozen=True, slots=True)
class BoxLimits:
    """What a box may use: bytes, inodes, processes (threads count), CPUs, descriptors a process."""

    memory_bytes: int = 3 << 30
    upper_bytes: int = 2 << 30
    upper_inodes: int = 400_000
    pids: int = 1024
    cpus: float = 2.0
    files: int = 65_536


@dataclass(frozen=True, slots=True)
class BoxSpec:
    """What a box is to be. ``project_dir`` is a directory of the host that is copied in as the user's project
    (links are copied as links, never followed); ``files`` are planted after it, over it where they collide.
    ``ca_pem`` is the certificate authority that everything in the box trusts."""

    scan_id: str
    project_name: str = "app"
    project_dir: Path | None = None
    files: tuple[BoxFile, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    ca_pem: bytes = b""
    hostname: str = "devbox"
    limits: BoxLimits = field(default_factory=BoxLimits)
    labels: Mapping[str, str] = field(default_factory=dict)  # become annotations of the container
    clock: bool = False  # its time can be hurried: ``files`` hold what that takes (sandbox.clock.files)

    @property
    def project(self) -> str:
        """The project's directory in the box."""
        return f"{HOME}/projects/{self.project_name}"

    @property
    def container_name(self) -> str:
        """The name that container fields and ``runc list`` show."""
        return f"package-hunter-{self.scan_id}"
