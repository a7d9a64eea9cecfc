"""Comparisons in English, for somebody who never saw Falco: ``the name of the parent (proc.pname) is “npm”``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from package_hunter.model.fields import FieldSpec, FieldType, field_catalogue
from package_hunter.rules.operators import NUMBERS

MOST_VALUES = 12
# What the table of fields says first of a field, where that is not how one would say it in a sentence
_SHORT = {
    "evt.type": "the system call",
    "evt.dir": "the direction of the event",
    "evt.rawres": "the call's result",
    "evt.res": "the call's result",
    "proc.name": "the name of the process",
    "proc.exe": "the first word of the command line",
    "proc.exepath": "the path of the program",
    "proc.args": "the text of the arguments",
    "proc.cmdline": "the command line",
    "proc.exeline": "the command line with its first word",
    "proc.env": "the environment",
    "proc.tty": "the number of its terminal",
    "fd.name": "the path of the file",
    "fd.sockfamily": "the family of the socket",
    "fd.containername": "the container's id and the path",
    "fd.containerdirectory": "the container's id and the directory",
    "fd.cproto": "the service of the client's port",
    "fd.sproto": "the service of the server's port",
    "fd.lproto": "the service of the local port",
    "fd.rproto": "the service of the remote port",
    "evt.io_dir": "the direction of the data",
    "proc.vpid": "the process id in its own namespace",
    "proc.loginshellid": "the process id of the oldest shell above",
    "proc.stdin.type": "the kind of the standard input",
    "proc.stdout.type": "the kind of the standard output",
    "proc.stderr.type": "the kind of the standard error",
    "proc.stdin.name": "the path of the standard input",
    "proc.stdout.name": "the path of the standard output",
    "proc.stderr.name": "the path of the standard error",
    "container.mount.rdwr": "whether one mount is writable",
    "fs.path.nameraw": "the path as the call gave it",
    "fs.path.sourceraw": "the source path as the call gave it",
    "fs.path.targetraw": "the target path as the call gave it",
    "fd.num": "the number of the descriptor",
    "fd.nameraw": "the path as it was given",
    "fd.typechar": "the kind of descriptor",
    "fd.type": "the kind of descriptor",
    "fd.snet": "the server's address",
    "fd.cnet": "the client's address",
    "fd.net": "either address of the connection",
    "container.id": "the container's id",
    "container.image.repository": "the container's image",
    "user.loginuid": "the id of the user who logged in",
    "fs.path.name": "the path that the call works on",
    "fs.path.source": "the source path",
    "fs.path.target": "the target path",
}
_FACTS = {
    "evt.is_io": "the call reads or writes",
    "evt.is_syslog": "the call writes to /dev/log",
    "evt.is_async": "the event is asynchronous (none is)",
    "proc.is_container_healthcheck": "it is a container's health check (a box has none)",
    "proc.is_container_liveness_probe": "it is a container's probe (a box has none)",
    "proc.is_container_readiness_probe": "it is a container's probe (a box has none)",
}
_OF_OTHERS = re.compile(r"(proc\.[a-z]+|Process id|Environment)(?: as [^.;]*?)? of (?:the |any )?([^.;:,(]+)")
_LEVELS = {"0": "the process itself", "1": "the parent", "2": "the grandparent"}
_WORDS = {
    "=": "is", "!=": "is not", "contains": "contains", "icontains": "contains (in any case)",
    "startswith": "starts with", "endswith": "ends with", "glob": "matches the pattern",
    "iglob": "matches the pattern (in any case)", "regex": "as a whole matches the regular expression",
    "in": "is one of", "intersects": "has something in common with", "pmatch": "is, or lies below, one of",
    "<": "is less than", "<=": "is at most", ">": "is more than", ">=": "is at least",
    "bcontains": "contains the bytes", "bstartswith": "starts with the bytes",
}  # fmt: skip
_AMONG = {"oneof": "exactly one of ", "anyof": "any of ", "allof": "each of "}


def say(left: str, op: str, values: Sequence[str], right: str, modifier: str) -> str:
    """A comparison as a sentence, with the field in brackets."""
    spec = field_catalogue().get(left.partition("[")[0])
    if (
        spec is not None
        and spec.type is FieldType.BOOL
        and op == "="
        and list(values) in (["true"], ["false"])
    ):
        return f"{'' if values[0] == 'true' else 'it is not so that '}{_fact(spec)} ({left})"
    if left == "evt.num" and op == "=" and list(values) == ["0"]:
        return "never (events are counted from 1)"
    subject = phrase(left)
    if op == "exists":
        return f"{subject} is known"
    if not values and not right:
        return f"{subject} is one of an empty list: never"
    word = _WORDS[op]
    if op in ("in", "pmatch") and len(values) == 1:
        word = "is" if op == "in" else "is, or lies below,"
    shown = phrase(right) if right else _list(values, spec is not None and spec.type in NUMBERS)
    return f"{subject} {word} {_AMONG.get(modifier, '')}{shown}"


def phrase(left: str) -> str:
    """A field by what it means: ``the name of the process (proc.name)``."""
    name, _, arg = left.partition("[")
    if name.startswith(("evt.arg.", "evt.rawarg.")):
        return f"the call's argument {name.split('.', 2)[2]!r} ({left})"
    if arg and name in ("evt.arg", "evt.rawarg"):
        return f"the call's argument {arg[:-1]!r} ({left})"
    spec = field_catalogue().get(name)
    if spec is None:
        return left
    if name == "proc.env" and arg:
        return f"the environment variable {arg[:-1]} ({left})"
    return f"{meaning(spec, arg[:-1])} ({left})"


def meaning(spec: FieldSpec, arg: str = "") -> str:
    """What a field is, as words that a sentence can begin with."""
    if spec.name in _SHORT:
        return _SHORT[spec.name]
    if spec.type is FieldType.BOOL:
        return f"whether {_fact(spec)}"
    of = _OF_OTHERS.match(spec.doc)
    if of is not None:
        what, whose = of.groups()
        known = _SHORT.get(what, f"the {what[0].lower()}{what[1:]}")
        known = known.removesuffix(" of the process")
        return f"{known} of {_whose(whose.strip(), arg)}"
    first = re.split(r"[.:;,](?: |$)| \(| as | which ", spec.doc)[0]
    article = (
        ""
        if first.startswith(("The ", "Either ", "All ", "Always ", "One ", "That ", "An ", "1 "))
        else "the "
    )
    return article + (first if first[:2].isupper() else first[0].lower() + first[1:])


def _whose(words: str, arg: str) -> str:
    if "ancestor" in words:
        return _LEVELS.get(arg, f"the ancestor {arg} levels up") if arg else "any ancestor"
    return f"the {words}"


def _fact(spec: FieldSpec) -> str:
    """``true for an open for reading`` as a sentence."""
    if spec.name in _FACTS:
        return _FACTS[spec.name]
    first = re.split(r"[.:;](?: |$)", spec.doc)[0]
    for start, words in (
        ("true where ", ""),
        ("true for calls that ", "the call "),
        ("true for ", "this is "),
    ):
        if first.startswith(start):
            rest = first.removeprefix(start)
            return words + (
                re.sub(r"^(\w+?)(\W|$)", r"\1s\2", rest, count=1) if words == "the call " else rest
            )
    return first[0].lower() + first[1:]


def _list(values: Sequence[str], plain: bool) -> str:
    shown = ", ".join(v if plain else f"“{v}”" for v in values[:MOST_VALUES])
    return shown if len(values) <= MOST_VALUES else f"{shown}, … ({len(values)} in all)"
