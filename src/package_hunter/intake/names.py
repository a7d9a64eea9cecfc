"""Names of archive entries: made safe or refused."""

from __future__ import annotations

import unicodedata

from package_hunter.errors import BadArchiveError
from package_hunter.intake.limits import Limits

_REPACK = "Pack the project again without it, for example with `tar -C PROJECT -czf project.tgz .`."


def shown(name: str) -> str:
    """A hostile name, safe to print and not too long."""
    text = name.encode("unicode_escape", "backslashreplace").decode("ascii")
    return text if len(text) <= 120 else f"{text[:100]}…{text[-16:]}"


def refuse(what: str, advice: str = _REPACK) -> BadArchiveError:
    """The error that an unacceptable entry ends in."""
    return BadArchiveError(f"The archive was refused: {what}.", advice)


def components(name: str, limits: Limits) -> tuple[str, ...]:
    """Split an entry's name into its path components, without ``.``; the root itself is ``()``.

    Raises BadArchiveError for names that are absolute, climb with ``..``, are not UTF-8, or break a limit.
    """
    try:
        raw = name.encode("utf-8")
    except UnicodeEncodeError:
        raise refuse(f"the name “{shown(name)}” is not UTF-8") from None
    if "\0" in name:
        raise refuse(f"the name “{shown(name)}” holds a NUL byte")
    if len(raw) > limits.path_bytes:
        raise refuse(
            f"the path “{shown(name)}” is longer than {limits.path_bytes} bytes", _limit("MAX_PATH_BYTES")
        )
    if name.startswith("/"):
        raise refuse(f"“{shown(name)}” is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    if ".." in parts:
        raise refuse(f"“{shown(name)}” climbs out of the archive with “..”")
    if len(parts) > limits.depth:
        raise refuse(f"“{shown(name)}” lies deeper than {limits.depth} folders", _limit("MAX_DEPTH"))
    for part in parts:
        if len(part.encode()) > limits.name_bytes:
            raise refuse(
                f"the name “{shown(part)}” is longer than {limits.name_bytes} bytes", _limit("MAX_NAME_BYTES")
            )
    return parts


def fold(path: str) -> str:
    """Two names with the same fold are one file on a file system that ignores case or normalises."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", path).casefold())


def _limit(setting: str) -> str:
    return f"If that is right for this project, raise PACKAGE_HUNTER_{setting}."
