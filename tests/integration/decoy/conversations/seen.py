"""What a gateway's log says of one row, and where a run tells it to."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from package_hunter.model.observation import NetworkLog
from tests.integration.decoy.conversations.row import Row, Tls

_MASKED = "over websocket"  # is heard without its mask, which is no cipher
_SECOND = (
    "ftp-data"  # is secured as the first connection says, but begins with TLS where that one was upgraded
)
TOLD_TO = "PACKAGE_HUNTER_CONVERSATIONS"  # a file that gets a line of JSON for each row that was proven


def seen_as(log: NetworkLog, canaries: Mapping[str, str]) -> tuple[set[Tls], set[str], tuple[str, ...]]:
    """The ways in which the canaries (name -> id) can have been secured, the kinds of the connections that carried
    them, and the names of those that were found."""
    own = [hit for hit in log.hits if hit.canary in canaries.values()]
    found = tuple(sorted(name for name, id_ in canaries.items() if any(hit.canary == id_ for hit in own)))
    ports = {hit.peer_port for hit in own}
    over = [c for c in log.connections if c.peer_port in ports and c.kind != _SECOND]
    first = {hit.channel for hit in own if hit.peer_port in {c.peer_port for c in over}}
    kinds = {connection.kind for connection in over}
    if "tls" in first or any(connection.sni for connection in over):
        return {"yes"}, kinds, found
    ciphered = first and all(channel.startswith("over ") for channel in first - {_MASKED})
    return ({"by upgrade", "keys of its own"} if ciphered and first != {_MASKED} else {"no"}), kinds, found


def tell(played: tuple[Row, ...]) -> None:
    """Write down what was proven, where somebody asks for it."""
    if where := os.environ.get(TOLD_TO):
        with Path(where).open("a", encoding="utf-8") as file:
            for row in played:
                facts = (row.protocol, row.client, row.tls, row.carries, "yes")
                file.write(json.dumps(facts) + "\n")
