"""Packages that the project's own scripts have a manager fetch and run: ``npx only-allow npm``, ``pnpm dlx husky``.

Their names stand in package.json, so they are known before anything runs and can carry nothing out. The registry is
asked for them; whatever a script names only while it runs (a variable, a dependency's script) is not among them.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from package_hunter.ecosystems.npm.manifest import ROOT_EVENTS
from package_hunter.ecosystems.tree import as_text_map

MAX_ASKED = 50  # packages that all scripts of a project may ask for
_MAX_SCRIPTS, _MAX_TEXT = 200, 4_000
_NAME = re.compile(r"((?:@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*)(?:@[\w.^~<>=*+-]*)?")
_SEPARATORS = frozenset(["&&", "||", ";", "|", "&", "(", ")", "\n"])
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
# words by which a manager is told to fetch and run a package
_RUNNERS = (
    ("npx",), ("pnpx",), ("bunx",), ("npm", "exec"), ("npm", "x"), ("pnpm", "dlx"), ("yarn", "dlx"), ("bun", "x"),
)  # fmt: skip
_PACKAGE = ("-p", "--package")
_WITH_VALUE = frozenset(
    [
        "-w",
        "--workspace",
        "--registry",
        "--cache",
        "--userconfig",
        "--loglevel",
        "--prefix",
        "--node-options",
        "-n",
    ]
)
_CALL = ("-c", "--call")
_NOT_FETCHED = frozenset(["--no", "--no-install", "--offline"])
_MANAGERS = frozenset(["npm", "pnpm", "yarn", "bun"])


def by_scripts(manifests: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Names of the packages, each once, as the lifecycle scripts of the project and its members ask for them."""
    found: dict[str, None] = {}
    for manifest in manifests:
        for text in _texts(as_text_map(manifest.get("scripts"))):
            for words in _commands(text):
                found.update(dict.fromkeys(_packages(words)))
    return tuple(found)[:MAX_ASKED]


def _texts(scripts: Mapping[str, str]) -> Iterator[str]:
    """The lifecycle scripts, and the scripts that they call by name."""
    queue = [event for event in ROOT_EVENTS if event in scripts]
    seen = set(queue)
    while queue and len(seen) <= _MAX_SCRIPTS:
        text = scripts[queue.pop()][:_MAX_TEXT]
        yield text
        for words in _commands(text):
            called = words[1:3] if words and words[0] in _MANAGERS else []
            for name in called:
                fresh = [
                    one for one in (f"pre{name}", name, f"post{name}") if one in scripts and one not in seen
                ]
                queue += fresh if name in scripts else []
                seen.update(fresh if name in scripts else ())


def _commands(text: str) -> Iterator[list[str]]:
    """The single commands of a shell line, without what is set for them; none where it is no sound line."""
    lexer = shlex.shlex(text.replace("\n", " ; "), posix=True, punctuation_chars="();|&")
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        for word in (*lexer, ";"):
            if word in _SEPARATORS or not word.strip(";&|()"):
                yield words
                words = []
            elif words or not _ASSIGNMENT.match(word):
                words.append(word)
    except ValueError:
        return


def _packages(words: Sequence[str]) -> Iterator[str]:
    """What one command has fetched: its ``--package``, else its first plain word."""
    runner = next((known for known in _RUNNERS if tuple(words[: len(known)]) == known), None)
    if runner is None:
        return
    rest = iter(words[len(runner) :])
    named: list[str] = []
    command = ""
    for word in rest:
        option, equals, value = word.partition("=")
        if word in _NOT_FETCHED:
            return
        if option in _PACKAGE:
            named.append(value if equals else next(rest, ""))
        elif option in _CALL or (word in _WITH_VALUE and not equals):
            value = value if equals else next(rest, "")
        elif not word.startswith("-"):
            command = word
            break
    for spec in named or [command]:
        if hit := _NAME.fullmatch(spec):
            yield hit[1]
