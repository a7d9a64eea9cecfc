"""A connection that speaks neither HTTP nor TLS: heard out, recorded, answered where that is plausible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.dns import is_plain_question
from package_hunter.decoy.line import Line
from package_hunter.decoy.raw_services import MiningPool, ShellListener
from package_hunter.decoy.web import Peer, Talk

_BANNERS = {
    21: b"220 (vsFTPd 3.0.5)\r\n",
    22: b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n",
    23: b"\xff\xfb\x01\r\nlogin: ",
    25: b"220 mail ESMTP Postfix\r\n",
    110: b"+OK Dovecot ready.\r\n",
    143: b"* OK [CAPABILITY IMAP4rev1 LOGIN-REFERRALS ID ENABLE IDLE AUTH=PLAIN] Dovecot ready.\r\n",
    587: b"220 mail ESMTP Postfix\r\n",
}


_SSH_GREETING = 255  # bytes of the line that a client begins with, at most (RFC 4253 4.2)


class RawTalk:
    """One raw connection; ``talk`` gets its kind and first bytes."""

    def __init__(
        self,
        world: DecoyContext,
        peer: Peer,
        line: Line,
        dns: Any,
        spent: Callable[[int], None],
        talk: Talk,
    ) -> None:
        self._world, self._peer, self._line = world, peer, line
        self._dns, self._spent, self._talk = dns, spent, talk

    async def run(self, silent: bool) -> None:
        """Until the end."""
        self._talk.kind = "tls-raw" if self._peer.tls else "raw"
        if self._peer.port == 53 or (self._peer.port == 853 and self._peer.tls):
            self._talk.kind = "dns"
            await self._dns_over_tcp()
            return
        banner = _BANNERS.get(self._peer.port)
        shell = ShellListener(self._world, self._peer)
        if silent:
            await self._say(banner or shell.command())
        pool = MiningPool(self._world, self._peer)
        sink = self._world.watch.raw(self._peer, "tls" if self._peer.tls else "tcp")
        limit = self._world.spec.limits.head_bytes
        try:
            while data := await self._hear():
                if len(self._talk.head) < limit:
                    self._talk.head += data[: limit - len(self._talk.head)]
                sink.feed(data)
                shell.hear(data)
                if self._talk.head.startswith(b"SSH-"):
                    if len(self._talk.head) > _SSH_GREETING:
                        await self._line.hang_up()  # the exchange of keys has begun, which is not played
                    elif not silent:  # a silent client was greeted already
                        await self._say(_BANNERS[22])
                    continue
                if not banner and not shell.asked and shell.is_prompt(data):
                    await self._say(shell.command())
                elif data[:1] == b"{" and len(data) < 16_384:
                    for line in data.splitlines()[:16]:
                        if answer := pool.reply(line):
                            self._talk.kind = "stratum"
                            await self._say(answer)
        except TimeoutError:
            pass
        finally:
            sink.close()

    async def _hear(self) -> bytes:
        data = await self._line.hear(256 << 10)
        self._peer.sent(len(data))
        self._spent(len(data))
        return data

    async def _say(self, data: bytes) -> None:
        self._peer.bytes_in += await self._line.say(data)

    async def _dns_over_tcp(self) -> None:
        """Questions, each after its length (RFC 1035 4.2.2); what is none is searched as any other data."""
        pending = b""
        sink = self._world.watch.raw(self._peer, "tls" if self._peer.tls else "tcp")
        try:
            while data := await self._hear():
                pending += data
                while len(pending) > 2 and len(pending) >= (end := 2 + int.from_bytes(pending[:2], "big")):
                    query, pending = pending[2:end], pending[end:]
                    answer = self._dns.answer(query, self._peer.peer_port, datagram=False)
                    if not is_plain_question(query):  # it may carry more than a name
                        sink.feed(query)
                    if answer is None:
                        await self._line.hang_up()
                    else:
                        await self._say(len(answer).to_bytes(2, "big") + answer)
        except TimeoutError:
            pass
        finally:
            sink.feed(pending)
            sink.close()
