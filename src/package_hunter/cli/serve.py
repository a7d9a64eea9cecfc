"""`package-hunter serve` and `worker`: the server, the workers beside it, or one worker alone."""

from __future__ import annotations

import contextlib
import os
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, TextIO, cast

import structlog
import typer

from package_hunter import (
    duties,  # noqa: F401 (says what follows a result)
    queue,
)
from package_hunter.access.actor import command_line
from package_hunter.api import server
from package_hunter.api.app import create_app
from package_hunter.api.service import Renderer
from package_hunter.audit import sealer
from package_hunter.chores import chores
from package_hunter.cli.console import complain
from package_hunter.config import Settings, settings
from package_hunter.errors import HostError
from package_hunter.governance import policy_file
from package_hunter.governance.gate import forges
from package_hunter.governance.gate import process as gate_process
from package_hunter.governance.gate.fetches import Fetcher
from package_hunter.governance.gate.watches import Watcher
from package_hunter.inventory.intake import take_locks
from package_hunter.model.report_form import from_json
from package_hunter.notices import deliver, secrecy
from package_hunter.queue import capabilities, periodic
from package_hunter.queue.base import Runner
from package_hunter.queue.fleet import Membership
from package_hunter.queue.identity import identity
from package_hunter.queue.ready import lacking, unfit
from package_hunter.queue.runner import pipeline_runner
from package_hunter.queue.supervisor import Child, Supervisor, die_with_parent
from package_hunter.queue.worker import Host, Worker
from package_hunter.report import FORMATS
from package_hunter.report.text import render as render_text
from package_hunter.storage import private
from package_hunter.store import accounts, grants, invitations, received
from package_hunter.store.database import Store, StoreError
from package_hunter.triage.judge import ServerJudge
from package_hunter.watching import endpoint
from package_hunter.web import Web

_MEDIA_TYPES = {
    "falco": "application/x-ndjson",
    "html": "text/html; charset=utf-8",
    "markdown": "text/markdown; charset=utf-8",
    "gitlab": "application/json",
    "sarif": "application/sarif+json",
    "osv": "application/x-ndjson",
    "cyclonedx": "application/vnd.cyclonedx+json",
    "dependency-track": "application/vnd.cyclonedx+json",
    "defectdojo": "application/json",
}
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parts:
    """What the server and its workers are made with; tests put another runner in."""

    run: Runner
    reap: Callable[[], None] | None = None
    renderers: Mapping[str, Renderer] = field(default_factory=dict)
    lacks: Callable[[], str | None] = lambda: None
    unfit: Callable[[], str | None] = lambda: None


def serve(
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = 3000,
    host: Annotated[
        str, typer.Option(help="Name or address to listen on; 0.0.0.0 or :: for all.")
    ] = "localhost",
    worker: Annotated[bool, typer.Option("--worker/--no-worker", help="Run scans here too.")] = True,
) -> None:
    """Take projects over HTTP and scan them: the API as an ordinary user, a worker as root beside it.

    Both are started again when they die; no accepted scan is lost. SIGTERM stops them in order.
    """
    if worker:
        _require_root("serve --no-worker")
    raise typer.Exit(run_server(settings(), real_parts(settings()), host, port, worker))


def worker() -> None:
    """Run scans that a server took; it shares the data directory with it, or database and object store.

    PACKAGE_HUNTER_WORKERS says how many run at the same time.
    """
    _require_root("")
    raise typer.Exit(run_workers(settings(), real_parts(settings())))


def real_parts(config: Settings) -> Parts:
    """The pipeline, and the report's forms."""
    runner = pipeline_runner(config, ServerJudge(), take_locks)
    return Parts(runner, lambda: _reap(config), renderers(), lambda: lacking(config), lambda: unfit(config))


def renderers() -> dict[str, Renderer]:
    """The report's forms as the server sends them: text without colours, 100 columns wide."""

    def text(data: dict[str, Any]) -> str:
        return render_text(from_json(data), color=False, width=100)

    def other(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda data: FORMATS[name](from_json(data))

    others = {name: Renderer(kind, other(name)) for name, kind in _MEDIA_TYPES.items()}
    return {"text": Renderer("text/plain; charset=utf-8", text), **others}


def _reap(config: Settings) -> None:
    """What killed workers of this host left: their boxes, and their files, which may be evidence of strangers."""
    from package_hunter.pipeline.folders import remove_dead
    from package_hunter.sandbox.reap import reap  # only a worker needs, or can load, the sandbox

    removed, failed = reap()
    for folder in (*remove_dead(config), *private.remove_dead(config)):
        log.info("leftover folder removed", folder=folder)
    for scan_id in removed:
        log.info("leftover box removed", scan=scan_id)
    for error in failed:
        log.warning("leftover box stays", error=str(error))


def run_server(config: Settings, parts: Parts, host: str, port: int, with_worker: bool) -> int:
    """Serve until told to stop; the exit code."""
    policy_file.use(config.policy_file)  # a mistake in it is told now, and it is read while it can be
    set_up_logging()
    # Opened and closed again before any fork: connections must not be shared between processes.
    store = open_store(config)
    link = None if config.development else _first_link(store)
    _tell_owner(store)
    secrecy.prepare(config)
    store.close()
    sockets = server.listen(host, port, config.development)
    url = f"http://{_in_url(host)}:{sockets[0].getsockname()[1]}"
    if link is not None:
        _greet_first(config, url, link)
    with contextlib.suppress(OSError):  # a log on a full disk: the server serves all the same
        print(f"Package Hunter listens on {url} (Ctrl-C stops it)", file=sys.stderr, flush=True)
    children = [Child("server", lambda: _serve_child(config, parts, sockets))]
    children.append(Child("sealer", lambda: _sealer_child(config, sockets)))
    children.append(Child("deliverer", lambda: _deliverer_child(config, sockets)))
    children.append(Child("clock", lambda: _clock_child(config, sockets)))
    if endpoint.of(config) is not None:
        children.append(Child("tracer", lambda: _tracer_child(config, sockets)))
    if config.forges_file is not None:
        forges.load(config)  # a mistake in it is told now
        children.append(Child("fetcher", lambda: _fetcher_child(config, sockets)))
        children.append(Child("teller", lambda: _teller_child(config, sockets)))
    if with_worker:
        names = (f"worker-{n + 1}" for n in range(config.workers))
        children += [Child(name, lambda: _worker_child(config, parts, sockets)) for name in names]
    return Supervisor(children, lambda: _close(sockets), config.drain_seconds).run()


def _first_link(store: Store) -> str | None:
    """The secret of a one-time link for the first administrator, where nobody can log in."""
    with store.read() as session:
        if accounts.any_account(session):
            return None
    try:
        with store.write() as session:
            return invitations.invite_first(session, command_line())
    except StoreError as error:
        log.warning("no link for the first administrator", error=str(error))
        return None


def _tell_owner(store: Store) -> None:
    """Say where the server could change the history, since its database role owns it."""
    if store.is_sqlite:
        return
    with store.peek() as connection:
        role = grants.current_role(connection)
    if role.superuser or role.owns:
        log.warning(
            "the server's database role could change the history", role=role.name, see="database grant"
        )


def _greet_first(config: Settings, url: str, secret: str) -> None:
    body = f'{{"token": "{secret}", "name": "YOU", "password": "..."}}'
    complain(
        "Nobody can log in yet.",
        f"Within an hour, open {invitations.link(config.public_url or url, secret)} (or POST {body} to "
        f"{url}/api/v1/invitation), once, and choose a name and a password; or make an account: "
        "package-hunter user add NAME --role administrator (or token add NAME).",
    )


def run_workers(config: Settings, parts: Parts) -> int:
    """Work, in as many processes as the settings say, until told to stop; the exit code."""
    policy_file.use(config.policy_file)
    if config.workers == 1:
        return run_worker(config, parts)
    set_up_logging()
    names = (f"worker-{n + 1}" for n in range(config.workers))
    children = [Child(name, lambda: run_worker(config, parts)) for name in names]
    return Supervisor(children, drain_seconds=config.drain_seconds).run()


def run_worker(config: Settings, parts: Parts) -> int:
    """Work until told to stop; the exit code."""
    set_up_logging()
    store = open_store(config)
    received.adopt(store, config)  # before the first scan is taken that wants one of them
    with identity(config) as who:
        jobs = queue.make(config, store)
        member = Membership(store, who.name, capabilities.of(config))
        host = Host(parts.reap, parts.lacks, parts.unfit, member)
        try:
            return Worker(config, store, jobs, parts.run, who, host).main()
        finally:
            store.close()


def open_store(config: Settings) -> Store:
    """The store, made or brought up to date, its files in the hands of the API's user."""
    server.prepare_folders(config)
    store = Store(config)
    store.migrate()
    server.prepare_folders(config)  # again: what root made must belong to the API's user
    return store


def set_up_logging() -> None:
    """One line an event on stderr: for people on a terminal, JSON else."""
    terminal = sys.stderr.isatty()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if terminal else [structlog.processors.format_exc_info]),
            _for_people() if terminal else structlog.processors.JSONRenderer(),
        ],
        logger_factory=structlog.WriteLoggerFactory(cast("TextIO", _Log(sys.stderr))),
    )


def _for_people() -> structlog.dev.ConsoleRenderer:
    """Without the values of variables beside a failure: credentials are among them."""
    return structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)


class _Log:
    """A log that stops nobody: where its file's disk is full, lines are lost, and the next one that fits says so."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lost = 0

    def write(self, text: str) -> None:
        """Write, if it can be; past the file's buffer, in which a line that failed would stay and fail again."""
        note = f"({self._lost} lines of this log were lost)\n" if self._lost else ""
        data = memoryview((note + text).encode("utf-8", "backslashreplace"))
        try:
            while data:
                data = data[os.write(self._file.fileno(), data) :]
        except OSError:
            self._lost += 1
        else:
            self._lost = 0

    def flush(self) -> None:
        """`write` did it."""


def _serve_child(config: Settings, parts: Parts, sockets: list[socket.socket]) -> int:
    supervisor = os.getppid()
    store = Store(config)
    _ = store.artefacts  # its key is read while it can be
    app = create_app(config, store, queue.make(config, store), parts.renderers, Web())
    return server.run(app, sockets, config, lambda: die_with_parent(supervisor))


def _worker_child(config: Settings, parts: Parts, sockets: list[socket.socket]) -> int:
    _close(sockets)
    return run_worker(config, parts)


def _sealer_child(config: Settings, sockets: list[socket.socket]) -> int:
    supervisor = os.getppid()
    _close(sockets)
    die_with_parent(supervisor)
    store = Store(config)
    try:
        return sealer.run(store, config)
    finally:
        store.close()


def _deliverer_child(config: Settings, sockets: list[socket.socket]) -> int:
    """Reads its key as whoever started it, and speaks to strangers as the server's user."""
    supervisor = os.getppid()
    _close(sockets)
    store = Store(config)
    deliverer = deliver.Deliverer(store, config)
    if os.geteuid() == 0:
        server.load_what_is_out_of_reach(config)
    server.drop_rights(config)
    die_with_parent(supervisor)
    try:
        return deliver.run(deliverer)
    finally:
        store.close()


def _fetcher_child(config: Settings, sockets: list[socket.socket]) -> int:
    """Lets git fetch, as a user without rights where root started this; parses what git prints."""
    supervisor = os.getppid()
    _close(sockets)
    die_with_parent(supervisor)
    store = Store(config)
    try:
        fetcher = Fetcher(config, store, queue.make(config, store), forges.load(config))
        return gate_process.run(fetcher.step)
    finally:
        store.close()


def _teller_child(config: Settings, sockets: list[socket.socket]) -> int:
    """Reads the forges' tokens as whoever started it, and speaks to forges as the server's user."""
    supervisor = os.getppid()
    _close(sockets)
    store = Store(config)
    watcher = Watcher(config, store, forges.load(config))
    if os.geteuid() == 0:
        server.load_what_is_out_of_reach(config)
    server.drop_rights(config)
    die_with_parent(supervisor)
    try:
        return gate_process.run(watcher.step, watcher.prune)
    finally:
        store.close()


def _tracer_child(config: Settings, sockets: list[socket.socket]) -> int:
    """Sends traces as the server's user; the workers, which are root, speak to nobody."""
    from package_hunter.watching.otlp import OtlpExporter  # an extra, which takes a second to load
    from package_hunter.watching.tracer import Tracer

    supervisor, url = os.getppid(), endpoint.of(config)
    assert url is not None, "there is no tracer where nobody is told"
    _close(sockets)
    store = Store(config)
    exporter = OtlpExporter(url)
    tracer = Tracer(store, exporter)
    if os.geteuid() == 0:
        server.load_what_is_out_of_reach(config, *server.TRACING)
    server.drop_rights(config)
    die_with_parent(supervisor)
    try:
        return gate_process.run(tracer.step, tracer.prune)
    finally:
        exporter.close()
        store.close()


def _clock_child(config: Settings, sockets: list[socket.socket]) -> int:
    supervisor = os.getppid()
    _close(sockets)
    die_with_parent(supervisor)
    store = Store(config)
    try:
        received.adopt(store, config)
        return periodic.run(store, chores(config, store, queue.make(config, store)))
    finally:
        store.close()


def _close(sockets: list[socket.socket]) -> None:
    for listening in sockets:
        listening.close()


def _require_root(instead: str) -> None:
    if os.geteuid() != 0:
        here = f"run `package-hunter {instead}` here and `package-hunter worker` as root" if instead else ""
        advice = f"Use sudo{', or ' if here else ''}{here} (same PACKAGE_HUNTER_DATA_DIR)."
        raise HostError("Scans need root: they make sandboxes.", advice)


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host
