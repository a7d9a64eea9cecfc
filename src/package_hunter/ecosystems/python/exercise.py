"""Runs in the box: imports a module and calls what it exports, as a program that uses it might. A trigger inside
an API function fires only so. Errors end a call, not the exercise; the whole ends after BUDGET milliseconds.

    python exercise.py SITE_PACKAGES MODULE BUDGET
"""

from __future__ import annotations

import importlib
import inspect
import os
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MAX_CALLS = 300


class TimeUp(BaseException):
    pass


def time_up(*_: object) -> None:
    raise TimeUp


def quietly(function: Callable[..., Any], *arguments: Any) -> Any:
    """What the call gives; None where it fails, in whatever way."""
    try:
        return function(*arguments)
    except TimeUp:
        raise
    except BaseException:
        return None


def argument_sets() -> tuple[tuple[Any, ...], ...]:
    # Keys come from the environment, as an application's do. They are never given as what could be an address:
    # an honest client would take them there. What is an address is the box's own.
    secret = os.environ.get("PYPI_TOKEN") or os.environ.get("GITHUB_TOKEN") or "secret"
    return (
        (),
        ("hello world",),
        ("http://127.0.0.1:9/", {"name": "a", "value": 1}),
        ({"private_key": secret, "token": secret, "password": secret},),
        (secret.encode(), b"\x07" * 32),
        ([1, 2, 3],),
        (42, 7),
    )


def use(value: Any, depth: int, seen: set[int], calls: list[int]) -> None:
    if depth > 3 or id(value) in seen or len(calls) > MAX_CALLS:
        return
    seen.add(id(value))
    if callable(value):
        for arguments in argument_sets():
            calls.append(1)
            result = quietly(value, *arguments)
            if inspect.iscoroutine(result):
                result.close()
            elif inspect.isclass(value) and result is not None:
                use_members(result, depth + 1, seen, calls)
                break
    if inspect.isclass(value) or inspect.ismodule(value):
        use_members(value, depth + 1, seen, calls)


def use_members(holder: Any, depth: int, seen: set[int], calls: list[int]) -> None:
    own = str(getattr(holder, "__name__", "")).partition(".")[0]
    for name in [name for name in dir(holder) if not name.startswith("_")][:60]:
        member = quietly(getattr, holder, name)
        where = getattr(member, "__module__", None) or getattr(member, "__name__", "")
        if depth > 1 or str(where).partition(".")[0] == own:  # not what the module itself imported
            use(member, depth, seen, calls)


def main() -> None:
    site, name, budget = sys.argv[1:4]
    if site not in sys.path:
        sys.path.append(site)
    sys.argv = ["python"]
    signal.signal(signal.SIGALRM, time_up)
    signal.setitimer(signal.ITIMER_REAL, int(budget) / 1000)
    code = 0
    try:
        try:
            module = importlib.import_module(name)
        except (Exception, SystemExit):
            code = 1
        else:
            quietly(use_members, module, 1, set(), [])
        time.sleep(0.2)  # what was begun in threads gets a moment
    except TimeUp:
        code = 0
    sys.stdout.flush()
    os._exit(code)


if __name__ == "__main__":
    main()
