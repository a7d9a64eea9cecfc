"""A project looks like a checkout: a small git repository with one commit, in place of the real one, which
may hold secrets in its history and so stays outside.

Format facts: git's own documentation, gitrepository-layout(5) and gitformat-index.
"""

from __future__ import annotations

import hashlib
import zlib

from package_hunter.model.scan import BoxFile

_CONFIG = b"""[core]
\trepositoryformatversion = 0
\tfilemode = true
\tbare = false
\tlogallrefupdates = true
[user]
\tname = Dev
\temail = dev@northwind.example
[branch "main"]
\tvscode-merge-base = origin/main
"""
_SAMPLE = b"#!/bin/sh\n# To enable this hook, rename this file to pre-commit.\nexit 0\n"
_AUTHOR = "Dev <dev@northwind.example>"


def git_files(project: str, tracked: dict[str, bytes], now: float) -> tuple[BoxFile, ...]:
    """The files of ``project/.git``: on branch main, one commit of some weeks before ``now`` (seconds since
    the epoch) that holds ``tracked`` (names at the top, with their content)."""
    when = int(now) - 23 * 86400
    objects: dict[str, bytes] = {}
    rows = []
    for name, content in sorted(tracked.items()):
        rows.append(f"100644 {name}\0".encode() + bytes.fromhex(_store(objects, b"blob", content)))
    tree = _store(objects, b"tree", b"".join(rows))
    stamp = f"{_AUTHOR} {when} +0000"
    text = f"tree {tree}\nauthor {stamp}\ncommitter {stamp}\n\nInitial commit\n"
    commit = _store(objects, b"commit", text.encode())
    log = f"{'0' * 40} {commit} {stamp}\tcommit (initial): Initial commit\n".encode()
    files = {
        "HEAD": b"ref: refs/heads/main\n",
        "config": _CONFIG,
        "description": b"Unnamed repository; edit this file 'description' to name the repository.\n",
        "COMMIT_EDITMSG": b"Initial commit\n",
        "refs/heads/main": f"{commit}\n".encode(),
        "logs/HEAD": log,
        "logs/refs/heads/main": log,
        "info/exclude": b"# git ls-files --others --exclude-from=.git/info/exclude\n",
        "hooks/pre-commit.sample": _SAMPLE,
        **{f"objects/{digest[:2]}/{digest[2:]}": data for digest, data in objects.items()},
    }
    return tuple(
        BoxFile(f"{project}/.git/{name}", content, 0o755 if name.startswith("hooks/") else 0o644, float(when))
        for name, content in files.items()
    )


def _store(objects: dict[str, bytes], kind: bytes, content: bytes) -> str:
    whole = kind + b" " + str(len(content)).encode() + b"\0" + content
    digest = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
    objects[digest] = zlib.compress(whole)
    return digest
