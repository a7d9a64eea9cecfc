"""OpenSSH's clients and git, in this process: each logs in and leaves its canary."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from package_hunter.decoy.talks import ssh
from tests.support.requires import needs_program
from tests.support.tables import playing, run

CANARY = "npm_9f3kQ7wXv2LmR8tYb1"


def _key(folder: Path) -> str:
    """Options of a client that has a key and asks nothing."""
    import subprocess

    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "key")], check=True)
    return (
        f"-F none -i {folder}/key -o IdentitiesOnly=yes -o BatchMode=yes -o StrictHostKeyChecking=accept-new "
        f"-o UserKnownHostsFile={folder}/known"
    )


def test_commands_and_their_input_are_heard_and_the_host_keeps_its_key(tmp_path: Path) -> None:
    needs_program("ssh")
    options = _key(tmp_path).split()

    async def go() -> None:
        async with playing(tmp_path, ssh.play) as (house, port):
            at = ["ssh", *options, "-p", str(port), "me@127.0.0.1"]
            code, out = await run(*at, "cat > /tmp/x", stdin=f"loot {CANARY}\n".encode() * 5_000)
            assert code == 0, out
            assert house.heard.count(f"loot {CANARY}".encode()) == 5_000
            code, out = await run(*at, f"ls -la {CANARY}-ls")
            assert code == 0, out
            assert b"ls -la " + CANARY.encode() in house.heard
            code, out = await run(*at, "whoami")
            assert (code, out.splitlines()[-1]) == (0, "me"), out
            code, out = await run(*at, "-T", stdin=b"echo typed-" + CANARY.encode() + b"\nexit\n")
            assert (code, f"typed-{CANARY}" in out) == (0, True), out
            assert b"typed-" + CANARY.encode() in house.heard

    asyncio.run(go())


@pytest.mark.parametrize("legacy", [False, True])
def test_files_are_copied(tmp_path: Path, legacy: bool) -> None:
    needs_program("scp")
    options = _key(tmp_path).split()
    (tmp_path / "loot").write_text(f"loot {CANARY}\n" * 5_000)

    async def go() -> None:
        async with playing(tmp_path, ssh.play) as (house, port):
            way = ["-O"] if legacy else []
            code, out = await run(
                "scp", *way, *options, "-P", str(port), str(tmp_path / "loot"), "me@127.0.0.1:"
            )
            assert code == 0, out
            assert house.heard.count(f"loot {CANARY}".encode()) == 5_000

    asyncio.run(go())


def test_a_session_of_sftp(tmp_path: Path) -> None:
    needs_program("sftp")
    options = _key(tmp_path).split()
    (tmp_path / "loot").write_text(f"loot {CANARY}\n")

    async def go() -> None:
        async with playing(tmp_path, ssh.play) as (house, port):
            batch = f"mkdir in\ncd in\nls -la\nput {tmp_path}/loot\nrename loot {CANARY}-name\nls\nbye\n"
            code, out = await run(
                "sftp", "-b", "-", *options, "-P", str(port), "me@127.0.0.1", stdin=batch.encode()
            )
            assert code == 0, out
            assert f"loot {CANARY}".encode() in house.heard
            assert f"{CANARY}-name".encode() in house.heard

    asyncio.run(go())


def test_a_push_delivers_what_its_objects_hold(tmp_path: Path) -> None:
    needs_program("git")
    options = _key(tmp_path)
    work = tmp_path / "work"
    work.mkdir()

    async def go() -> None:
        async with playing(tmp_path, ssh.play) as (house, port):

            async def git(*words: str) -> str:
                code, out = await run(
                    "git", "-c", "user.name=a", "-c", "user.email=a@b.example", *words,
                    cwd=work, GIT_SSH_COMMAND="ssh " + options, GIT_CONFIG_NOSYSTEM="1",
                )  # fmt: skip
                assert code == 0, out
                return out

            await git("init", "-q", "-b", "main")
            for number in range(3):
                (work / "loot.txt").write_text(
                    f"{number}\n" + "filler\n" * 4_000 + f"loot {CANARY}-{number}\n"
                )
                await git("add", ".")
                await git("commit", "-qm", f"round {number}")
            url = f"ssh://git@127.0.0.1:{port}/loot.git"
            assert "main -> main" in await git("push", url, "main")
            assert f"loot {CANARY}".encode() in house.heard
            assert await git("ls-remote", url) == ""

    asyncio.run(go())


def test_nothing_is_forwarded_but_it_is_heard(tmp_path: Path) -> None:
    needs_program("ssh")
    options = _key(tmp_path).split()

    async def go() -> None:
        async with playing(tmp_path, ssh.play) as (house, port):
            code, out = await run(
                "ssh", *options, "-p", str(port), "-W", "127.0.0.1:1", "me@127.0.0.1",
                stdin=f"through {CANARY}\n".encode(),
            )  # fmt: skip
            assert f"through {CANARY}".encode() in house.heard, (code, out)

    asyncio.run(go())
