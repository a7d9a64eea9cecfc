"""What the probe may leave out: which regular files, opened only for reading, no rule can match.

A prefix that begins with a slash is that of a path, any other that of a file's own name. An open that may
write, that failed, of a directory or device, or that becomes descriptor 0, 1 or 2 is never left out; so rules
that look at descriptors elsewhere (a socket's, a standard one) lose nothing. Those that look at what a plain
file's descriptor was opened as, in calls that do not tell it again, forbid the filter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from package_hunter.model.event import event_table
from package_hunter.rules.ast import All, AnyOf, Check, FieldRef, MacroRef, Node, walk
from package_hunter.rules.evttypes import event_names
from package_hunter.rules.model import Rule
from package_hunter.rules.operands import fields_of
from package_hunter.rules.output import parse_output
from package_hunter.rules.patterns import glob_start, regex_start

OPENS = ("open", "openat", "openat2")
# as the kernel resolved them; what the caller wrote may lead anywhere through a link
_PATHS = ("fd.name", "fs.path.name", "fd.directory")
_NAMES = ("fd.filename",)
_WRITES = ("evt.is_open_write", "evt.is_open_create", "evt.is_open_exec")
# their events say what stands behind the descriptor (enrich/on_files.py), or they work on sockets
_TELL = (
    "dup",
    "dup2",
    "dup3",
    "fcntl",
    "fchdir",
    "fchmod",
    "fchown",
    "close",
    "close_range",
    "bind",
    "listen",
)
# theirs is a folder's descriptor
_OF_FOLDERS = ("newfstatat", "fchownat", "fchmodat", "mkdirat", "unlinkat", "mknodat", "symlinkat", "linkat",
               "renameat", "renameat2", "getdents", "getdents64", "creat", "open_by_handle_at", *OPENS)  # fmt: skip
Prefixes = frozenset[str] | None  # None: any file


def open_prefixes(rules: Iterable[Rule]) -> tuple[str, ...] | None:
    """The prefixes of all files whose opening for reading any rule can match; None where one takes any file."""
    opens = frozenset().union(*(event_names()[n] for n in OPENS))
    others = _of_plain_files()
    found: set[str] = set()
    for rule in rules:
        if rule.types & others and _asks_for_descriptors(rule):
            return None
        if not rule.types & opens:
            continue
        needed = _needed(rule.node, {})
        if needed is None:
            return None
        found |= needed
    return tuple(sorted(p for p in found if not any(p != q and p.startswith(q) for q in found)))


def _of_plain_files() -> frozenset[int]:
    """Event types that work on a plain file's descriptor and do not say which file that is."""
    return frozenset(
        number
        for number, info in event_table().items()
        if info.flags & {"uses_fd"}
        and not info.key.startswith("socket_")
        and info.name not in (*_TELL, *_OF_FOLDERS)
    )


def _asks_for_descriptors(rule: Rule) -> bool:
    refs = [ref for part in walk(rule.node) if isinstance(part, Check) for ref in _refs(part)]
    refs += [
        ref
        for part in parse_output(rule.output)
        if not isinstance(part, str)
        for ref in fields_of(part.operand)
    ]
    return any(ref.name.startswith("fd.") or ref.name == "proc.fdopencount" for ref in refs)


def _refs(check: Check) -> list[FieldRef]:
    return [*fields_of(check.left), *fields_of(check.right)]


def _needed(node: Node, memo: dict[int, Prefixes]) -> Prefixes:
    if id(node) not in memo:
        memo[id(node)] = _work_out(node, memo)
    return memo[id(node)]


def _work_out(node: Node, memo: dict[int, Prefixes]) -> Prefixes:
    if isinstance(node, MacroRef) and node.body is not None:
        return _needed(node.body, memo)
    if isinstance(node, All):
        known = [p for part in node.parts if (p := _needed(part, memo)) is not None]
        return min(known, key=_breadth) if known else None
    if isinstance(node, AnyOf):
        each = [_needed(part, memo) for part in node.parts]
        found = [e for e in each if e is not None]
        return frozenset().union(*found) if len(found) == len(each) else None
    if isinstance(node, Check) and not node.modifier and node.right is None:
        return _of_check(node, str(node.left))
    return None


def _breadth(prefixes: frozenset[str]) -> tuple[int, int]:
    """Which of two sets lets more through is a guess: the fewer names deep, the more."""
    return -min((p.count("/") if p.startswith("/") else 9 for p in prefixes), default=99), len(prefixes)


def _of_check(check: Check, name: str) -> Prefixes:
    texts = [v.text for v in check.values]
    if name in _WRITES and check.op == "=" and texts == ["true"]:
        return frozenset()  # only opens that write, which are reported anyway
    if name == "evt.failed" and check.op == "=" and texts == ["true"]:
        return frozenset()
    if name == "evt.type" and check.op in ("=", "in") and not set(texts) & set(OPENS):
        return frozenset()
    if name in _NAMES and check.op in ("=", "in", "startswith") and all(t and "/" not in t for t in texts):
        return frozenset(texts)
    return _of_path(check.op, texts) if name in _PATHS else None


def _of_path(op: str, texts: list[str]) -> Prefixes:
    starts: dict[str, Callable[[str], str]] = {
        "=": lambda t: t,
        "in": lambda t: t,
        "startswith": lambda t: t,
        "pmatch": lambda t: glob_start("/" + "/".join(p for p in t.split("/") if p)),
        "regex": regex_start,
        "glob": glob_start,
    }
    if op not in starts:
        return None
    found = frozenset(starts[op](t) for t in texts)
    return found if all(len(f) > 1 and f.startswith("/") for f in found) else None
