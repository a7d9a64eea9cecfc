"""What the gateway asks the worker, which sees the box and may start processes."""

from __future__ import annotations

import socket

from package_hunter.decoy import control


class Worker:
    """The line on which the worker answers. Once it failed to, it is not asked again: a late answer would be taken
    for the next one's."""

    def __init__(self, line: socket.socket) -> None:
        self._line: socket.socket | None = line

    def stands(self, labels: tuple[str, ...]) -> bool:
        """Whether one of some labels of a name stands in a file of the box; yes where it does not answer."""
        answer, _ = self._ask({"labels": labels}, 0)
        return bool(answer.get("stands", True))

    def talker(self) -> socket.socket | None:
        """The control socket of a new talker, which takes the former one's place; None where there is none."""
        _, fds = self._ask({"talker": True}, 1)
        return socket.socket(fileno=fds[0]) if fds else None

    def _ask(self, question: dict[str, object], max_fds: int) -> tuple[dict[str, object], list[int]]:
        if self._line is None:
            return {}, []
        try:
            control.send(self._line, question)
            return control.receive(self._line, max_fds)
        except (OSError, EOFError):
            self._line = None
            return {}, []
