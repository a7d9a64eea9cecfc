"""WebSocket (RFC 6455) after its upgrade: frames are unmasked and heard, pings answered, texts echoed."""

from __future__ import annotations

from wsproto.frame_protocol import CloseReason, Frame, FrameProtocol, Opcode, ParseFailed

from package_hunter.decoy.talks.base import Table

_PIECE = 64 << 10
_ECHOED = 64 << 10  # bytes of a message that come back
_HELLO = '{"op":10,"d":{"heartbeat_interval":41250}}'  # the first word of Discord's gateway


class _Session:
    """The server's side after the upgrade."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.frames = FrameProtocol(client=False, extensions=[])
        self._message = b""

    def take(self, frame: Frame) -> bool:
        """Answer one frame; False where it was the last."""
        payload = frame.payload
        if isinstance(payload, tuple):  # of a close: its code and reason
            payload = payload[1] or ""
        said = payload.encode() if isinstance(payload, str) else bytes(payload or b"")
        if frame.opcode is Opcode.CLOSE:
            self._table.heard(said)
            self._table.writer.write(self.frames.close(CloseReason.NORMAL_CLOSURE))
            return False
        self._table.heard(said)
        if frame.opcode is Opcode.PING:
            self._table.writer.write(self.frames.pong(said))
        elif frame.opcode is not Opcode.PONG:
            self._message = (self._message + said)[:_ECHOED]
            if frame.message_finished:
                self._echo(frame.opcode is not Opcode.BINARY)
        return True

    def _echo(self, text: bool) -> None:
        message, self._message = self._message, b""
        back = message.decode("utf-8", "replace") if text else message
        self._table.writer.write(self.frames.send_data(back, fin=True))


async def play(table: Table) -> None:
    """Until the client closes, or breaks the protocol."""
    session = _Session(table)
    if (table.guest.name or "").startswith("gateway.discord"):
        table.writer.write(session.frames.send_data(_HELLO, fin=True))
    while data := await table.reader.read(_PIECE):
        session.frames.receive_bytes(data)
        try:
            if not all(session.take(frame) for frame in session.frames.received_frames()):
                return
        except ParseFailed as error:
            table.writer.write(session.frames.close(error.code))
            return
        await table.writer.drain()
