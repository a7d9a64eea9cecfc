"""What a command over SSH gets to hear: little, and plausible. Its words and its input are heard."""

from __future__ import annotations

import asyncio
import re
import shlex

import asyncssh

from package_hunter.decoy.talks.base import Table
from package_hunter.decoy.talks.git_push import receive_pack, upload_pack

_PIECE = 64 << 10
_SILENCE_SECONDS = 10.0  # without input, after which a command that may want some ends
_ANSWER_SECONDS = 0.5  # the same for one whose output is known
_LINES = 1_000  # typed into one shell
_LINE_BYTES = 64 << 10
_GIT = re.compile(r"git[- ](receive|upload)-pack\b")
_ANSWERS = {
    "whoami": b"%b\n",
    "id": b"uid=1000(%b) gid=1000(%b) groups=1000(%b)\n",
    "hostname": b"vps\n",
    "uname": b"Linux\n",
    "pwd": b"/home/%b\n",
    "date": b"Sat Apr 12 07:02:33 UTC 2025\n",
}
_QUIET = ("ls", "cd", "mkdir", "rm", "touch", "true", "chmod", "test", "exit", ":")


async def run_command(table: Table, process: asyncssh.SSHServerProcess[bytes]) -> None:
    """One exec, shell or subsystem, until its end."""
    try:
        await _run(table, process)
    except (OSError, EOFError, ValueError, asyncssh.Error, TimeoutError):
        process.exit(1)  # it spoke something else, or went


async def _run(table: Table, process: asyncssh.SSHServerProcess[bytes]) -> None:
    command = process.command
    if command is None:
        await _shell(table, process)
        return
    table.heard(command.encode("utf-8", "replace") + b"\n")
    if git := _GIT.match(command):
        await _git(git[1], table, process)
        return
    user = str(process.get_extra_info("username")).encode("utf-8", "replace")
    answer = answer_to(command, user)
    if answer:
        process.stdout.write(answer)
    await _input(table, process, _SILENCE_SECONDS if answer is None else _ANSWER_SECONDS)
    process.exit(0)


async def _git(which: str, table: Table, process: asyncssh.SSHServerProcess[bytes]) -> None:
    async def say(data: bytes) -> None:
        process.stdout.write(data)
        await process.stdout.drain()

    if which == "receive":
        await receive_pack(process.stdin, say, table.heard)
    else:
        await upload_pack(process.stdin, say)
    process.exit(0)


def answer_to(command: str, user: bytes) -> bytes | None:
    """What a command prints; None where it may be one that reads its input."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    if any(sign in command for sign in "|<>;&$`\n"):
        return None
    if words[:1] == ["echo"]:
        return " ".join(words[1:]).encode("utf-8", "replace") + b"\n"
    first = words[0] if words else ""
    known = _ANSWERS.get(first)
    if known is not None:
        return known.replace(b"%b", user)
    return b"" if first in _QUIET else None


async def _input(table: Table, process: asyncssh.SSHServerProcess[bytes], seconds: float) -> None:
    """Hear the command's input to its end, or until nothing comes."""
    while True:
        try:
            async with asyncio.timeout(seconds):
                data = await process.stdin.read(_PIECE)
        except TimeoutError:
            return
        if not data:
            return
        table.heard(data)


async def _shell(table: Table, process: asyncssh.SSHServerProcess[bytes]) -> None:
    user = str(process.get_extra_info("username")).encode("utf-8", "replace")
    prompt = user + b"@vps:~$ "
    process.stdout.write(prompt)
    pending = b""
    for _ in range(_LINES):
        while b"\n" not in pending and b"\r" not in pending:
            data = await process.stdin.read(_PIECE)
            if not data:
                process.exit(0)
                return
            table.heard(data)
            pending = (pending + data)[-_LINE_BYTES:]
        line, _, pending = pending.replace(b"\r", b"\n").partition(b"\n")
        if line.strip() in (b"exit", b"logout"):
            break
        answer = answer_to(line.decode("utf-8", "replace"), user) or b""
        process.stdout.write(answer + prompt)
    process.exit(0)
