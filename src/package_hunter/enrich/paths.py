"""Paths made absolute and plain by their text alone, as Falco does it."""

from __future__ import annotations

MAX_PATH = 1024
TOO_LONG = "/DIR_TOO_LONG/FILENAME_TOO_LONG"


def join(base: str, path: str) -> str:
    """``path`` taken relative to ``base`` (which ends with a slash), ``.``, ``..``, ``//`` resolved.

    The result has no slash at its end. Longer than 1024 characters together: Falco's fixed text.
    """
    if len(base) + len(path) + 1 > MAX_PATH:
        return TOO_LONG
    if path and path[0] != "/":
        return _normalise(base, path)
    if "/." not in path and "//" not in path:
        return path[:-1] if len(path) > 1 and path[-1] == "/" else path
    return _normalise("", path)


def _normalise(base: str, path: str) -> str:
    """Walks ``path`` over ``base`` as is; the base itself is trusted to be plain."""
    if "./" not in path and "//" not in path and not path.endswith("."):
        whole = base + path if not base.endswith("/") or not path.startswith("/") else base + path[1:]
        return whole[:-1] if len(whole) > 1 and whole[-1] == "/" else whole
    target = base
    empty_base = not base
    pos, end = 0, len(path)
    while pos < end:
        at_start = not target or target[-1] == "/"
        nxt = path.find("/", pos)
        part = path[pos:] if nxt < 0 else path[pos:nxt]
        if part == ".." and at_start:
            target = _parent(target)
            pos = end if nxt < 0 else nxt + 1
        elif part == "." and at_start:
            pos = end if nxt < 0 else nxt + 1
        else:
            target += part
            pos += len(part)
            if pos < end and (not target or target[-1] != "/") and (target or empty_base):
                target += "/"
            if pos < end:
                pos += 1
    return target[:-1] if len(target) > 1 and target[-1] == "/" else target


def _parent(target: str) -> str:
    if len(target) <= 1:
        return target
    cut = target[:-1].rfind("/")
    return target[: cut + 1]
