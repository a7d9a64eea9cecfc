"""What happens on a developer's machine the next morning, for one start-up file that was changed.

Runs in the box as its user: ``session.py OCCASION FILE``. The file is hostile: it is only read here, where nothing is
to be lost, and what it asks for is started. Python's standard library alone; exits with 0 whatever was started.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

SECONDS = 6
LIMIT = 1 << 20
MOST = 10  # programs of one file
# what a changed PATH or history would add is another file's doing, or our own
PLAIN = {**os.environ, "PATH": "/usr/local/bin:/usr/bin:/bin", "HISTFILE": "/dev/null"}


def read(path: str) -> str:
    with open(path, "rb") as stream:  # noqa: PTH123 (pathlib takes long to import)
        return stream.read(LIMIT).decode("utf-8", "replace")


def run(argv: list[str], **more: Any) -> None:
    more.setdefault("env", PLAIN)
    try:
        subprocess.run(argv, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False, **more)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        print(error, file=sys.stderr)


def shell(lines: Iterable[str], **more: Any) -> None:
    for line in list(dict.fromkeys(lines))[:MOST]:
        run(["/bin/sh", "-c", line], **more)


def login(path: str) -> None:
    # a terminal's shell and a login's, and the end of the session
    run(["bash", "-l", "-i", "-c", "exit 0"])
    run(["bash", "-i", "-c", "exit 0"])
    if path.endswith("logout"):
        run(["bash", "-c", ". " + shlex.quote(path)])


def source(path: str) -> None:
    run(
        ["bash", "-c", ". " + shlex.quote(path)],
        env={**PLAIN, "ZSH_VERSION": "5.9", "ZDOTDIR": os.environ["HOME"]},
    )


def command(path: str) -> None:
    run([path, "--version"])


def commit(path: str) -> None:
    found = re.match(r"(.*/projects/[^/]+)/", path)
    folder = found[1] if found else "."
    for words in (
        ["status", "--short"],
        ["commit", "--allow-empty", "-q", "-m", "Tidy up"],
        ["checkout", "-q", "-B", "topic"],
    ):
        run(["git", *words], cwd=folder)
    if "/hooks/" in path and os.access(path, os.X_OK):  # one that none of these calls
        run([path], cwd=folder)


def cron(path: str) -> None:
    lines = []
    for line in read(path).splitlines():
        found = re.match(r"\s*(?:@\w+|(?:[^\s#=]+\s+){5})\s*(\S.*)", line)
        if found and not line.lstrip().startswith("#"):
            lines.append(re.split(r"(?<!\\)%", found[1])[0])
    shell(lines, cwd=os.environ["HOME"])


def unit(path: str) -> None:
    home = os.environ["HOME"]
    shell(
        re.sub(r"%h", home, line)
        for line in re.findall(r"^ExecStart(?:Pre|Post)?[ \t]*=[ \t]*[-@:+!]*(\S.*)$", read(path), re.M)
    )


def ssh(path: str) -> None:
    # what a connection would start; none is made, as that would be ours
    asked = re.findall(
        r"^[ \t]*(?:(?:ProxyCommand|LocalCommand|KnownHostsCommand)[ \t=]+|Match[ \t].*?\bexec[ \t=]+)(\S.*)$",
        read(path), re.M | re.I,
    )  # fmt: skip
    shell(re.sub(r"%[A-Za-z]", "host", line.strip().strip('"')) for line in asked)


def autostart(path: str) -> None:
    shell(
        re.sub(r"%[a-zA-Z]", "", line) for line in re.findall(r"^Exec[ \t]*=[ \t]*(\S.*)$", read(path), re.M)
    )


def python(path: str) -> None:
    interpreter = re.sub(r"/lib/python3[^/]*/.*", "/bin/python3", path)
    run([interpreter if os.access(interpreter, os.X_OK) else "/usr/bin/python3", "-c", "pass"])


def npm(path: str) -> None:
    # a program of Node's inside a script: script-shell acts there, and node-options in what the script starts
    run(["npm", "exec", "--offline", "-c", "npm --version"], cwd=os.environ["HOME"])


def pip(path: str) -> None:
    run(["/usr/bin/python3", "-I", "-m", "pip", "config", "list"])


def loaded(path: str) -> Any:
    text = re.sub(r"^\s*//[^\n]*$|/\*.*?\*/", "", read(path), flags=re.M | re.S)
    return json.loads(re.sub(r",(\s*[\]}])", r"\1", text))


def commands(value: Any, depth: int = 0) -> Iterator[str]:
    """Whatever an editor's or an assistant's settings would start: each `command` with its `args`."""
    if depth > 20:
        return
    if isinstance(value, dict):
        line = value.get("command")
        if isinstance(line, str) and line.strip():
            words = value.get("args")
            words = [word for word in words if isinstance(word, str)] if isinstance(words, list) else []
            yield " ".join([line, *map(shlex.quote, words)])
        for inner in value.values():
            yield from commands(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            yield from commands(inner, depth + 1)


def editor(path: str) -> None:
    shell(commands(loaded(path)))


def vim(path: str) -> None:
    run(["vim", "-es", "-u", os.environ["HOME"] + "/.vimrc", "-c", "qall!"])


def assistant(path: str) -> None:
    shell(commands(loaded(path)))


_OCCASIONS: dict[str, Callable[[str], None]] = {
    one.__name__: one
    for one in (
        *(
            login,
            source,
            command,
            commit,
            cron,
            unit,
            ssh,
            autostart,
            python,
            npm,
            pip,
            editor,
            vim,
            assistant,
        ),
    )
}


def main() -> None:
    occasion, path = sys.argv[1], sys.argv[2]
    try:
        _OCCASIONS[occasion](path)
    except (OSError, ValueError, RecursionError) as error:
        print(error, file=sys.stderr)


if __name__ == "__main__":
    main()
