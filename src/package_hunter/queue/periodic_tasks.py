"""Chores on PostgreSQL: periodic tasks of procrastinate, each once over all machines.

procrastinate defers a task once for each moment of its cron expression, wherever how many servers run, and its lock
lets one process do it at a time. Whether a chore is due by its own interval is asked when its task is begun
(`periodic.perform`), so any interval can be had, and one that ended in an outage is made up for. A server that died
within a chore leaves its job running: each server that starts, and each minute, lets such jobs wait again.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable, Sequence

import structlog
from procrastinate import App, JobContext, PsycopgConnector

from package_hunter.queue.periodic import Periodic, perform
from package_hunter.store.database import Store, StoreError

log = structlog.get_logger(__name__)

QUEUE = "chores"
_AT_ONCE = 2  # a long one must not keep all others waiting
_SILENT_SECONDS = 60.0  # a server without a heartbeat for so long is dead


def run(store: Store, chores: Sequence[Periodic]) -> int:
    """Do the chores until told to stop; the exit code."""
    logging.getLogger("procrastinate").setLevel(logging.WARNING)  # it tells of each job
    stop = threading.Event()
    asyncio.run(_work(store, chores, stop))
    return 0


async def _work(store: Store, chores: Sequence[Periodic], stop: threading.Event) -> None:
    app = app_of(store, chores, stop)
    loop, working = asyncio.get_running_loop(), asyncio.current_task()
    assert working is not None, "this is one"

    def end() -> None:
        stop.set()
        working.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    async with app.open_async():
        await retry_stalled(app)
        try:
            await app.run_worker_async(
                queues=[QUEUE],
                name=QUEUE,
                concurrency=_AT_ONCE,
                delete_jobs="always",
                install_signal_handlers=False,
                stalled_worker_timeout=_SILENT_SECONDS,
            )
        except asyncio.CancelledError:
            if not stop.is_set():
                raise
    if not stop.is_set():
        raise StoreError("The chores stopped: the database was lost.", "They are begun again by themselves.")


def app_of(store: Store, chores: Sequence[Periodic], stop: threading.Event) -> App:
    """procrastinate's application: a periodic task for each chore."""
    url = store.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    app = App(connector=PsycopgConnector(conninfo=url, min_size=1, max_size=_AT_ONCE + 3))
    for chore in chores:
        name = f"chore {chore.name}"
        task = app.task(name=name, queue=QUEUE, lock=name, queueing_lock=name)(_task(store, chore, stop))
        app.periodic(cron=cron(chore.every))(task)

    @app.periodic(cron=cron(_SILENT_SECONDS))
    @app.task(name="stalled chores", queue=QUEUE, queueing_lock="stalled chores", pass_context=True)
    async def stalled(context: JobContext, timestamp: int) -> None:
        await retry_stalled(context.app)

    return app


def _task(store: Store, chore: Periodic, stop: threading.Event) -> Callable[[int], None]:
    def task(timestamp: int) -> None:
        perform(store, chore, stop)

    return task


async def retry_stalled(app: App) -> None:
    """Let the chores of dead servers wait again."""
    manager = app.job_manager
    for job in await manager.get_stalled_jobs(queue=QUEUE, seconds_since_heartbeat=_SILENT_SECONDS):
        log.warning("chore of a dead server", chore=job.task_name)
        await manager.retry_job(job)


def cron(seconds: float) -> str:
    """When to look whether a chore with this interval is due: as often as that, to the second, each minute at most
    seldom."""
    if seconds >= 60:
        return "* * * * *"
    fitting = max(n for n in (1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30) if n <= max(seconds, 1))
    return f"* * * * * */{fitting}"
