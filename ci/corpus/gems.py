"""Ruby's side: a gem server on loopback with gems made on the spot, which host and box are set up for.

The public source of gems cannot be had everywhere, and its gems are not ours to keep; what is compared is bundler.
"""

from __future__ import annotations

import functools
from pathlib import Path

from tests.support.gem_server import GemServer

MARK = "@GEMS@"


@functools.cache
def _server() -> GemServer:
    return GemServer()


def publish(gems: tuple[str, ...], folder: Path) -> None:
    """Have the server offer them ("NAME VERSION [NEEDED,...]"), and put its address into the project's files."""
    for line in gems:
        name, version, *needed = line.split()
        _server().add(name, version, tuple(needed[0].split(",")) if needed else ())
    for file in (p for p in folder.rglob("*") if p.is_file()):
        file.write_text(file.read_text(encoding="utf-8").replace(MARK, _server().source), encoding="utf-8")


def environment(home: Path) -> dict[str, str]:
    """Of a user whose gem is set up for that server, which is reached as a proxy."""
    home.mkdir(parents=True, exist_ok=True)
    (home / ".gemrc").write_text(f"---\n:sources:\n- {_server().source}\n", encoding="utf-8")
    return {"HOME": str(home), "http_proxy": _server().proxy}
