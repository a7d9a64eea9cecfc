"""Begun before anything else, since it takes long and depends on nothing: the child that plans is forked (while there
is no thread beside), the host is asked for its registries, and the first gateway's process is started."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from types import TracebackType

from package_hunter.config import Settings
from package_hunter.decoy.gateway import GatewayProcess
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.known import GATEWAY
from package_hunter.ecosystems.planner import Planner
from package_hunter.ecosystems.registries import discover
from package_hunter.model.interpreters import Interpreter
from package_hunter.sandbox.image import built_in_file_hosts, built_in_registries, find_image, interpreters
from package_hunter.sandbox.mounts import mount_image
from package_hunter.stopping import breakable

_FRESH_SECONDS = 60.0  # a worker asks again after so long: a changed configuration is soon heard of
_known: dict[Path, tuple[float, tuple[Upstream, ...]]] = {}


def _registries(config: Settings) -> tuple[Upstream, ...]:
    image = mount_image(find_image())
    asked, found = _known.get(image, (0.0, ()))
    if not asked or time.monotonic() - asked > _FRESH_SECONDS:
        found = discover(config.data_dir / "cache" / "config", built_in=built_in_registries(image))
        _known[image] = (time.monotonic(), found)
    return found


class EarlyStart:
    """What a scan needs later, begun at once. A context: at its end, what was begun and never used is ended too."""

    def __init__(self, config: Settings) -> None:
        self._config = config
        self._found: tuple[Upstream, ...] = ()
        self._failed: BaseException | None = None
        self.planner = Planner()
        self.planner.begin()
        self._gateway: GatewayProcess | None = GatewayProcess(GATEWAY)
        self._asking = threading.Thread(target=self._ask, name="registries", daemon=True)
        self._asking.start()

    def upstreams(self) -> tuple[Upstream, ...]:
        """The host's registries; raises HostError where they cannot be told or there is no image."""
        with breakable():
            self._asking.join()
        if self._failed is not None:
            raise self._failed
        return self._found

    def indexes(self) -> frozenset[str]:
        """Hosts of the Python indexes that this host is set up for, of their files, and their other names."""
        urls = [url for one in self.upstreams() if one.ecosystem == "pypi" for url in one.addresses]
        return frozenset({host_of(url) for url in urls} | built_in_file_hosts(mount_image(find_image()))) - {
            ""
        }

    def registry_hosts(self) -> frozenset[str]:
        """Hosts of all registries that this host is set up for, by each of their names."""
        return frozenset(host_of(url) for one in self.upstreams() for url in one.addresses) - {""}

    def interpreters(self) -> tuple[Interpreter, ...]:
        """Those that the box's image has."""
        return interpreters(mount_image(find_image()))

    def gateway(self) -> GatewayProcess | None:
        """The process that was started, once."""
        process, self._gateway = self._gateway, None
        return process

    def _ask(self) -> None:
        try:
            self._found = _registries(self._config)
        except BaseException as error:
            self._failed = error

    def __enter__(self) -> EarlyStart:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process = self.gateway()
        if process is not None:
            process.end()
        self.planner.close()
        self._asking.join()  # what forks later must not do so beside a thread
