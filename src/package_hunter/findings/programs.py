"""Which script files a process ran, by its command lines: the program, and what an interpreter was given to run."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from package_hunter.model.observation import Process

_MAX_WORDS = 200  # of a command line
_MAX_TEXT = 10_000
_MAX_DEEP = 8  # env nice sh -c …
_SEPARATORS = re.compile(r"&&|\|\||[;|&\n]")
_INTERPRETERS = re.compile(r"(node|nodejs|bun|deno|ts-node|tsx|python[\d.]*|ruby|perl|php|sh|bash|dash|zsh)")
_STARTERS = re.compile(r"(env|npx|exec|nice|nohup|setsid|time|timeout|cross-env)")
_SHELLS = re.compile(r"(sh|bash|dash|zsh)")
_LOADS = ("-r", "--require", "--import", "--loader")  # options of node that name a file to run first
_ENDINGS = ("", ".js", ".cjs", ".mjs", "/index.js", "/index.cjs", "/index.mjs")


def files_run(process: Process, shells: bool) -> frozenset[str]:
    """Absolute paths of the files that a process may have run, with the endings that node tries. ``shells``: also what
    the line of the shell that it is (``sh -c``) names, which its children run."""
    found: set[str] = set()
    earlier = () if shells else process.execs  # its parent's line, too, from whom it was forked
    for text in (process.cmdline, *earlier):
        for name in _programs(text[:_MAX_TEXT], shells):
            path = posixpath.normpath(posixpath.join(process.cwd or "/", name))
            found.update(f"{path}{ending}" for ending in _ENDINGS)
    return frozenset(found)


def _programs(text: str, shells: bool) -> Iterator[str]:
    for part in _SEPARATORS.split(text):
        words = [word.strip("'\"") for word in part.split()[:_MAX_WORDS]]
        yield from _program(words, shells)
        if not shells and words and is_shell_line(words):
            return  # the rest is the shell's line, too


def is_shell_line(words: list[str]) -> bool:
    """Whether a command is a shell that was given a line of commands."""
    options = [word for word in words[1:3] if word.startswith("-")]
    return bool(_SHELLS.fullmatch(posixpath.basename(words[0]))) and any("c" in word for word in options)


def _program(words: list[str], shells: bool, deep: int = 0) -> Iterator[str]:
    while words and "=" in words[0]:
        words = words[1:]
    if not words or deep > _MAX_DEEP:
        return
    name = posixpath.basename(words[0])
    if is_shell_line(words):
        at = next(number for number, word in enumerate(words) if number and "c" in word)
        yield from _program(words[at + 1 :], shells, deep + 1) if shells else ()
    elif _STARTERS.fullmatch(name):
        rest = [word for word in words[1:] if not word.startswith("-")]
        yield from _program(rest, shells, deep + 1)
    elif _INTERPRETERS.fullmatch(name):
        yield from _given(words[1:])
    else:
        yield words[0]


def _given(words: list[str]) -> Iterator[str]:
    """What an interpreter is given: files to load first, then its script; what follows are the script's words."""
    loads = False
    for word in words:
        if loads or not word.startswith("-"):
            yield word
            if not loads:
                return
        loads = word in _LOADS and not loads
