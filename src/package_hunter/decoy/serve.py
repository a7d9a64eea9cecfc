"""The gateway process: its program (``ecosystems.gateway``) names the registries' fronts, and calls ``main``.

It gets its specification and its sockets over that socket, gives up its rights, and answers what the box
sends until it is told to stop or the worker is gone.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import contextlib
import gc
import os
import socket
import sys
from collections.abc import Callable
from typing import Any

import anyio._backends._asyncio
import brotli
import httpcore._async.http11
import httpcore._async.http_proxy
import httpcore._backends.auto

from package_hunter.confine import ProcessLimits, confine
from package_hunter.decoy import control
from package_hunter.decoy.asking import Worker
from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.dns import DnsServer
from package_hunter.decoy.existence import Existence
from package_hunter.decoy.held import hold
from package_hunter.decoy.icmp import IcmpServer
from package_hunter.decoy.lawful import Registries
from package_hunter.decoy.markers import Markers
from package_hunter.decoy.names import Names
from package_hunter.decoy.places import LOG, NAMES
from package_hunter.decoy.record import NetworkRecorder
from package_hunter.decoy.registry.cache import RegistryCache
from package_hunter.decoy.registry.fetcher import Fetcher
from package_hunter.decoy.registry.front import Front, Registry
from package_hunter.decoy.router import Router
from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.secrets.withheld import EVERY
from package_hunter.decoy.services import MODULES
from package_hunter.decoy.services.runtimes import Handed, Packed, Runtimes
from package_hunter.decoy.sockets import SOCKETS, GatewaySockets
from package_hunter.decoy.spec import GatewaySpec, from_wire
from package_hunter.decoy.talks.host import Host
from package_hunter.decoy.tcp import TcpServer
from package_hunter.decoy.tls import Certificates
from package_hunter.decoy.udp import UdpServer
from package_hunter.decoy.watch import Watch
from package_hunter.model.box import DOCKER_SOCKET
from package_hunter.model.ecosystem import from_data, known, use
from package_hunter.model.observation import Canary
from package_hunter.model.registry import RegistryAllow

_MEMORY = 2 << 30
_ANSWER_SECONDS = 5.0  # for the worker to look into the box
_PACK_SECONDS = 60.0  # for the worker to pack a runtime, which it does once for each image
# Imported by others on first use, when it is too late: a confined process may not be able to read modules.
_NEEDED_LATER = (
    concurrent.futures.thread, anyio._backends._asyncio, brotli, httpcore._backends.auto,
    httpcore._async.http11, httpcore._async.http_proxy,
)  # fmt: skip


MakeFronts = Callable[[Registry], tuple[Front, ...]]


class Process:
    """Everything that one gateway process owns."""

    def __init__(
        self,
        spec: GatewaySpec,
        ca: tuple[bytes, bytes],
        make_fronts: MakeFronts,
        questions: socket.socket,
        runtimes: Packed,
    ) -> None:
        """``ca`` is the scan's authority (certificate, key), ``questions`` the line on which the worker is asked,
        ``runtimes`` what it packs."""
        self.spec, self.ca = spec, ca
        self.record = NetworkRecorder(spec.run_dir / LOG, spec.limits)
        hosts = _registry_hosts(spec)
        names = Names(spec.run_dir / NAMES, hosts, spec.limits.names)
        references = [c for _ in range(2) for c in _references(spec)]
        self.watch = watch = Watch(spec.canaries, references, self.record, Registries.of(spec.upstreams))
        # what registries pass on goes the shortest way, by HTTP/1.1
        certificates = Certificates(*ca, spec.run_dir, lambda name: not names.is_registry(name))
        markers = Markers(names, self.record)
        self.world = DecoyContext(spec, names, self.record, certificates, watch, markers)
        self.cache = RegistryCache(spec.cache_dir, spec.cache_bytes)
        self.registry = Registry(spec, self.cache, self.record)
        self.registry.on_file_host = names.registry
        self.fetcher = Fetcher(self.registry, self.watch)
        self.worker = Worker(questions)
        existence = Existence(self.worker.stands, self.world.brought)
        self.dns = DnsServer(names, self.record, self._heard, existence)
        fronts, given = make_fronts(self.registry), Runtimes(self.world, runtimes)
        self.router = Router(self.world, fronts, self.fetcher, self.dns, given)

    def _heard(self, name: str, peer_port: int) -> None:
        self.world.leads.seen(name, peer_port)
        if self.world.markers.is_marker(name.rstrip(".").lower()):
            self.world.markers.seen(name, peer_port)
        else:
            self.watch.dns(name, peer_port)

    async def serve(
        self, line: socket.socket, sockets: GatewaySockets, engine: socket.socket | None = None
    ) -> None:
        """Until the worker says stop, or is gone. ``engine`` is the container engine's socket in the box."""
        talks = Host(self.world, self.ca, self.worker.talker, self.router.answer)
        tcp = TcpServer(self.world, self.router.answer, self.dns, talks)
        udp = UdpServer(self.world, self.dns)
        tcp.listen(sockets.tcp4)
        tcp.listen(sockets.tcp6)
        if engine is not None:
            tcp.listen(engine, DOCKER_SOCKET)
        udp.listen(sockets.udp4, sockets.raw4)
        udp.listen(sockets.udp6, sockets.raw6)
        icmp = IcmpServer(self.world)
        icmp.listen(sockets.icmp4)
        icmp.listen(sockets.icmp6)
        asyncio.get_running_loop().run_in_executor(None, self.watch.warm_up)
        await self._obey(line)
        await tcp.close()
        talks.close()
        udp.close()
        icmp.close()
        self.record.close()
        await self.registry.close()
        await self.fetcher.close()

    async def _obey(self, line: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        stop = loop.create_future()

        def command() -> None:
            try:
                message, _ = control.receive(line)  # whole messages of a trusted peer: blocking is brief
                if "allow" in message:
                    self._allow(message["allow"])
                if "freeze" in message:
                    for allowed in self.registry.allowed.values():
                        allowed.freeze()
                control.send(line, {"ok": True})
                if "stop" in message:
                    raise EOFError
            except (EOFError, OSError):
                loop.remove_reader(line)
                if not stop.done():
                    stop.set_result(None)

        loop.add_reader(line, command)
        control.send(line, {"ok": True})
        await stop

    def _allow(self, data: dict[str, Any]) -> None:
        names, urls = frozenset(data["names"]), frozenset(data["urls"])
        locked = data["integrity"], urls, data["proven"]
        facts = data["ecosystem"], names, data["closed"], *locked, data["manager_decides"], data["builds_ask"]
        self.registry.allow(RegistryAllow(*facts, scripts_ask=frozenset(data["scripts_ask"])))


def _references(spec: GatewaySpec) -> tuple[Canary, ...]:
    """Fakes of every kind that are in no box."""
    return make_canaries("reference", upstreams=spec.upstreams, withheld=EVERY)[0]


def _registry_hosts(spec: GatewaySpec) -> tuple[str, ...]:
    """Names that get a registry's address; gem and bundler also ask a source's index by a name of its own."""
    found = {(u.ecosystem, host) for u in spec.upstreams for url in u.addresses if (host := host_of(url))}
    before = {one.name: one.index_hosts for one in known()}
    index = {f"{name}{host}" for kind, host in found for name in before.get(kind, ())}
    return tuple({host for _, host in found} | index)


async def _run(
    line: socket.socket, questions: socket.socket, runtimes: socket.socket, make_fronts: MakeFronts
) -> None:
    message, _ = control.receive(line)
    use(from_data(message["ecosystems"]))
    spec, *ca = from_wire(message)
    process = Process(spec, (ca[0], ca[1]), make_fronts, questions, Handed(runtimes))
    _, fds = control.receive(line, 16)
    made = [socket.socket(fileno=fd) for fd in fds]
    for sock in made:
        sock.setblocking(False)
    engine = made.pop() if len(made) > SOCKETS else None
    sockets = GatewaySockets(*made)
    uid = process.spec.uid
    if uid is not None:
        confine("gateway", uid, limits=ProcessLimits(_MEMORY, files=8192))
    gc.freeze()
    await process.serve(line, sockets, engine)
    with contextlib.suppress(OSError):
        process.cache.trim()


def main(make_fronts: MakeFronts) -> None:
    """Serve one scan; the command line has the numbers of the control socket, of the one for questions and of the
    one for runtimes."""
    line, questions, runtimes = (socket.socket(fileno=int(number)) for number in sys.argv[1:4])
    hold(MODULES)
    questions.settimeout(_ANSWER_SECONDS)
    runtimes.settimeout(_PACK_SECONDS)
    with contextlib.suppress(EOFError):  # the worker is gone
        asyncio.run(_run(line, questions, runtimes, make_fronts))
    os._exit(0)
