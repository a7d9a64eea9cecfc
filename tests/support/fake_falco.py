"""A Falco for tests: the real events of everything that a command does (our probe stands in for Falco's driver),
judged by rule files, and each alert said as Falco says it: JSON with the fields of append_output, container.id
taken from the cgroup's path, container.name unknown since no container runtime knows the box.

Written from the facts in ../shared/reference/falco-interfaces.md; nothing here is the program's.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.event import Ev
from package_hunter.enrich.fields.source import Fields
from package_hunter.model.report_form import falco_json
from package_hunter.model.table import ContainerInfo
from package_hunter.observe.events import compile_rules
from package_hunter.rules import load_rules
from package_hunter.sensor.build import object_path
from package_hunter.sensor.live import Probe, ScanSensor
from package_hunter.sensor.ring import Ring
from package_hunter.sensor.state import start_state

_DOCKER = re.compile(r"/([0-9a-f]{12})[0-9a-f]{52}$")
Send = Callable[[dict[str, Any]], None]


class http_output:
    """One POST an alert on a connection that is kept; an alert that cannot be sent is lost, as with Falco."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self._kept: http.client.HTTPConnection | None = None

    def __call__(self, alert: dict[str, Any]) -> None:
        for _ in range(2):
            if self._kept is None:
                self._kept = http.client.HTTPConnection(
                    self._parts.hostname or "", self._parts.port, timeout=5
                )
            try:
                body = json.dumps(alert).encode()
                self._kept.request("POST", self._parts.path, body, {"Content-Type": "application/json"})
                self._kept.getresponse().read()
                return
            except (OSError, http.client.HTTPException):
                self.close()

    def close(self) -> None:
        if self._kept is not None:
            self._kept.close()
            self._kept = None


def file_output(path: Path) -> Send:
    """One line an alert, the file opened for each (keep_alive: false)."""

    def send(alert: dict[str, Any]) -> None:
        with path.open("a") as file:
            file.write(json.dumps(alert) + "\n")

    return send


class FakeFalco:
    """Watches one command and what descends from it. ``also`` may change or add to what is said;
    without ``ours`` it has not loaded our built-in rules."""

    def __init__(
        self,
        rules: Sequence[Path],
        falco_yaml: str,
        send: Send,
        also: Callable[[dict[str, Any]], Iterator[dict[str, Any]]],
        ours: bool = True,
    ) -> None:
        self._engine = compile_rules(load_rules(rules, builtin=ours))
        config = yaml.safe_load(falco_yaml)
        assert config["json_output"] is True and config["rule_matching"] == "all"
        self._fields = config["append_output"][1]["extra_fields"]
        self._send, self._also = send, also
        self._first = 0
        self._done = threading.Event()

    def run(self, command: Sequence[str | Path], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        """The command, watched from before its first instruction."""
        with Probe(object_path()) as probe:
            probe.attach()
            sensor = probe.open_scan(32 << 20, None)
            held = ["sh", "-c", 'kill -STOP $$; exec "$@"', "sh", *map(str, command)]
            child = subprocess.Popen(held, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED)
            sensor.register(child.pid)
            state = start_state(child.pid, sensor.boot_ns, ContainerInfo("host", "host", "host"))
            reader = threading.Thread(target=self._watch, args=(sensor, Enricher(state)))
            reader.start()
            try:
                os.kill(child.pid, signal.SIGCONT)
                out, err = child.communicate(timeout=120)
            finally:
                child.kill()
                self._done.set()
                reader.join()
            stats = sensor.stats()
            assert stats.lost == 0, "the fake Falco was too slow for this test"
        return subprocess.CompletedProcess([], child.returncode, out, err)

    def _watch(self, sensor: ScanSensor, enricher: Enricher) -> None:
        ring = Ring(sensor.ring_fd, sensor.ring_bytes)
        source = Fields()
        getters = {name: _getter(source, name) for name in self._fields}
        while not self._done.is_set():
            events = ring.drain()
            for cpu, raw in events:
                ev = enricher.feed(raw, cpu)
                if ev is None:
                    continue
                self._first = self._first or ev.ts
                for rule in self._engine.matches(ev):
                    self._say(falco_json(self._engine.alert(rule, ev), "host"), getters, ev)
            if not events:
                ring.wait(0.02)
        ring.close()

    def _say(self, alert: dict[str, Any], getters: dict[str, Callable[[Ev], Any]], ev: Ev) -> None:
        fields = alert["output_fields"]
        fields.update({name: get(ev) for name, get in getters.items()})
        fields["thread.cgroups"] = groups = fields.get("thread.cgroups") or ""
        known = next((m[1] for group in groups.split(" ") if (m := _DOCKER.search(group))), "host")
        fields["container.id"], fields["container.name"] = known, None if known != "host" else "host"
        if "evt.reltime" in fields:
            fields["evt.reltime"] = ev.ts - self._first
        for said in self._also(alert):
            self._send(said)


def _getter(source: Fields, name: str) -> Callable[[Ev], Any]:
    base, bracket, argument = name.partition("[")
    return source.extractor(base, argument.rstrip("]") if bracket else None)


def plainly(alert: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Says it as it is."""
    yield alert
