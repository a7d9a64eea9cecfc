"""Signals from the rules' alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from package_hunter.findings.catalog import Class, Kind, kinds
from package_hunter.findings.context import Context
from package_hunter.findings.from_host import manager_reads, owner_reads
from package_hunter.findings.meaning import command_words, of_read, of_start, only_asks
from package_hunter.findings.own_acts import OWN_HOOKS, is_own_hook
from package_hunter.findings.own_starts import is_ours
from package_hunter.findings.signals import Signal, is_hidden
from package_hunter.findings.traces import inside, lost_scripts, made_by_itself, script_manifests
from package_hunter.model.markers import is_marker
from package_hunter.model.observation import Alert, FileChange, Process
from package_hunter.model.scan import Package

TECHNIQUE = re.compile(r"T\d{4}(?:\.\d{3})?")
_PRIORITIES = {"Informational": Class.INFO, "Debug": Class.INFO}
_PATH_FIELDS = (
    "fs.path.target",
    "fs.path.name",
    "fd.name",
    "evt.arg.path",
    "evt.arg.name",
    "evt.arg.filename",
    "evt.arg.target",
)
_LINKS = frozenset(["link", "linkat", "symlink", "symlinkat"])
_KEPT_FIELDS = 40
ASKED = "In its favour: the program was only asked something, and told to do nothing."
ASKABLE = frozenset(["assistant_abuse"])  # kinds about programs that may be asked something, too
ASKED_KEEPER = "T1555"  # the technique that rules name where a program that keeps secrets is asked for one
_STARTED = frozenset(["shell_spawned", "repository_change"])  # told of programs that we start ourselves, too
_READS = frozenset(["credential_access", "evasion", "reconnaissance"])
_LINKERS = re.compile(r"/usr/(?:bin|lib/llvm-\d+/bin)/(?:[\w-]+-)?(?:ld(?:\.\w+)?|l?ld\.lld|lld|mold)")
_READ_OR_WROTE = ("wrote to", "opened")
_DID = {
    "unlink": "deleted",
    "unlinkat": "deleted",
    "rmdir": "deleted",
    "rename": "moved",
    "renameat": "moved",
    "renameat2": "moved",
    "truncate": "emptied",
    "ftruncate": "emptied",
}


def kind_of(alert: Alert) -> Kind:
    """The kind that the rule's tags name; ``rule_match`` for rules that know nothing of our kinds."""
    for tag in alert.tags:
        if tag.startswith("kind:") and tag[5:] in kinds():
            return kinds()[tag[5:]]
    return kinds()["rule_match"]


def weight_of(alert: Alert, kind: Kind) -> Class:
    """The rule's class tag; without one, the kind's class, or for foreign rules what the priority says.

    A foreign rule is never proof: its author did not write it to be one.
    """
    for weight in Class:
        if weight.name.lower() in alert.tags:
            return weight
    if kind.name == "rule_match":
        return _PRIORITIES.get(alert.priority, Class.SUSPICIOUS)
    return kind.weight


def destination(alert: Alert, context: Context) -> tuple[str, bool] | None:
    """Name (or bare address) that a network alert is about, and whether it is a bare address."""
    fields = alert.output_fields
    address, _ = _address_and_port(fields)
    if not address:
        return None
    name = context.names.get(address)
    return (name, False) if name else (address, True)


def _script(alert: Alert) -> str | None:
    """Of an interpreter that was started, the file that it runs: that is the program, not the interpreter."""
    if not str(alert.output_fields.get("proc.exepath") or "").startswith(("/usr/", "/bin/")):
        return None
    return next((word for word in _words(alert)[1:3] if word.startswith("/")), None)


def _named(alert: Alert) -> Mapping[str, Any]:
    """An alert's fields, where a link is about its own place: Falco calls that the source of the call. What it points
    at may be given relative to that place, so its field names another file."""
    fields = alert.output_fields
    if alert.event_type in _LINKS and fields.get("fs.path.source"):
        return {**fields, "fs.path.target": fields["fs.path.source"]}
    return fields


def _subject(alert: Alert, kind: Kind, context: Context) -> str:
    fields = _named(alert)
    if "proc.exepath" in kind.group and (script := _script(alert)):
        return script
    where = destination(alert, context)
    for source in kind.group:
        if source == "name" and where:
            return where[0]
        if source == "rule":
            return alert.rule
        if source == "package":
            return where[0] if where and kind.name == "cloud_metadata" else _object(alert)
        if isinstance(fields.get(source), str) and fields[source]:
            return str(fields[source])
    return where[0] if where else _object(alert)


def _final_name(path: str, alert: Alert, kind: Kind, context: Context) -> str:
    """Of a file in a start-up place that was written under a name drawn by lot, as crontab does, the name that it
    got in the same folder."""
    if kind.name not in ("persistence", "git_hook", "system_change") or not _is_open(alert):
        return path
    moved = context.moved.get(path)
    known = moved is not None and moved.other_path and moved.time_ns >= alert.time_ns
    final = str(moved.other_path) if known and moved else path
    return final if PurePosixPath(final).parent == PurePosixPath(path).parent else path


def _object(alert: Alert) -> str:
    """What the event was about: a path, else the program."""
    fields = _named(alert)
    for name in _PATH_FIELDS if not _is_exec(alert) else ():
        if isinstance(fields.get(name), str) and fields[name] and "->" not in fields[name]:
            return str(fields[name])
    for name in ("proc.name", "proc.exepath", "proc.cmdline"):
        if fields.get(name):
            return str(fields[name])
    return alert.rule


def _is_exec(alert: Alert) -> bool:
    """Whether a program was started: then it is about the program, not about a file."""
    return alert.event_type.startswith(("exec", "spawn"))


def _words(alert: Alert) -> list[str]:
    return str(alert.output_fields.get("proc.cmdline") or "").split()[:50]


def program_of(alert: Alert, process: Process | None) -> str:
    """The name of the program that acted: as the rule gave it, else as the sensor saw it."""
    fields = alert.output_fields
    name = fields.get("proc.name") or (process.name if process else None)
    return str(name or PurePosixPath((_words(alert) or [""])[0]).name)


def _meaning(alert: Alert, kind: Kind, subject: str, context: Context) -> dict[str, Any]:
    """What combinations ask of some kinds."""
    if kind.name == "credential_access":
        if _is_exec(alert) and ASKED_KEEPER in alert.tags:
            return {"content": True, "keeper": True}  # what was asked prints the secret
        return of_read(str(alert.output_fields.get("fd.name") or subject), context)
    if kind.name == "dropped_executable" and subject.startswith("/"):
        return {"written_in_run": subject in context.changed, "linked": _is_linked(subject, context)}
    if kind.name == "persistence":
        words = command_words(_words(alert))
        return of_start(PurePosixPath(words[0]).name if _is_exec(alert) and words else subject, words)
    return (
        {"only_asked": _is_exec(alert) and only_asks(command_words(_words(alert))[1:])}
        if kind.name in ASKABLE
        else {}
    )


def _is_linked(path: str, context: Context) -> bool:
    """Whether the system's own linker made the program: nothing that runs in a box can write where that lies."""
    made = context.created.get(path)
    maker = context.processes.get(made.process) if made is not None else None
    return maker is not None and _LINKERS.fullmatch(maker.exepath) is not None


def _facts(alert: Alert, where: tuple[str, bool] | None, process: Process | None) -> dict[str, Any]:
    fields = alert.output_fields
    program = str(fields.get("proc.exepath") or fields.get("evt.arg.filename") or "")
    places = [program, *(word for word in _words(alert)[:3] if word.startswith("/"))]
    facts: dict[str, Any] = {"hidden": any(map(is_hidden, places)), "program": program_of(alert, process)}
    if where:
        facts["bare_address"] = where[1]
    return facts


def _address_and_port(fields: Mapping[str, Any]) -> tuple[str, str]:
    """The far end, from the fields of its own or from Falco's ``LOCAL->REMOTE``."""
    far = str(fields.get("fd.name") or "").rpartition("->")
    address, _, port = far[2].rpartition(":") if far[1] else ("", "", "")
    return (
        str(fields.get("fd.rip") or fields.get("fd.sip") or address).strip("[]"),
        str(fields.get("fd.rport") or fields.get("fd.sport") or port),
    )


def _sentence(alert: Alert, where: tuple[str, bool] | None, context: Context) -> str:
    fields = alert.output_fields
    who = fields.get("proc.cmdline") or fields.get("proc.name") or f"process {alert.pid}"
    address, port = _address_and_port(fields)
    if where:
        only_pinged = context.only_pinged(address, port)
        place = where[0] + (f", port {port}" if port and not only_pinged else "")
        at = f" (address {address})" if address and not where[1] else ""
        return f"{who} {'pinged' if only_pinged else 'contacted'} {place}{at}"
    about = _object(alert)
    if _is_exec(alert):
        return f"{who} was started"
    verb = _DID.get(alert.event_type) or (
        _READ_OR_WROTE[kind_of(alert).name in _READS] if _is_open(alert) else None
    )
    if verb is None or about in str(who):
        return f"{alert.rule}: {who}" + (f", on {about}" if about not in str(who) else "")
    return f"{who} {verb} {about}"


def _is_open(alert: Alert) -> bool:
    return alert.event_type.startswith(("open", "creat"))


def _of_a_decoy(alert: Alert, where: tuple[str, bool] | None, context: Context) -> bool:
    """Whether our own decoy did it, once executed: its marker is all that it asks for. That it ran is a
    finding of its own. A command that names any other host is the package's."""
    if not context.markers:
        return False
    if where is not None:
        return is_marker(where[0], context.markers)
    command = str(alert.output_fields.get("proc.cmdline"))
    hosts = re.findall(r"[a-z]+://[^\s'\"]+", command)
    return bool(hosts) and len(command) < 300 and all(is_marker(h, context.markers) for h in hosts)


def _tidies_up(alert: Alert, kind: Kind, context: Context) -> bool:
    """Whether an alert of self-cleaning is about what is no trace: a manifest that kept its scripts, a file that the
    run itself had made. Changes of other packages are told as such (findings/from_host.py); a project that changes its
    dependencies' files with its own script (patch-package) has no traces there."""
    blame = alert.blame
    if kind.name != "self_cleaning" or blame is None:
        return False
    if blame.phase == "fetch":
        return True  # no package's code has run yet: what puts manifests there is the manager
    if blame.package is None and blame.confidence != "certain":
        return False
    fields = alert.output_fields
    is_open = alert.event_type.startswith(("open", "creat"))
    named = ("fs.path.target", "fs.path.name", "fd.name")
    paths = [str(fields[name]) for name in named if fields.get(name)]
    owned = [(path, owner) for path in paths for owner in context.owners.of(path)]
    action = "written" if is_open else "deleted" if alert.event_type.startswith("unlink") else "renamed"
    return bool(owned) and not any(
        owner.purl == blame.package and _is_trace(path, action, owner, alert, context)
        for path, owner in owned
    )


def _is_trace(path: str, action: str, owner: Package, alert: Alert, context: Context) -> bool:
    change = FileChange(path, action, 0, alert.time_ns)
    if inside(path, owner) in script_manifests():
        return lost_scripts(change, owner, context)
    return not made_by_itself(path, owner, context)


def _is_own_read(process: Process | None, path: str, before: set[tuple[int, str]]) -> bool:
    """Whether a program opens a file of its own for the first time, as it does at every start. Somebody else's code
    was loaded into it, so that it is told; but that is no theft of what it holds until it is opened once more."""
    if process is None or (process.key, path) in before or not owner_reads(process, path):
        return False
    before.add((process.key, path))
    return True


def signals(context: Context) -> Iterator[Signal]:
    """One signal an alert."""
    own_reads: set[tuple[int, str]] = set()
    for alert in context.observation.alerts:
        kind = kind_of(alert)
        process = context.process_at(alert.pid, alert.time_ns)
        where = destination(alert, context)
        if _of_a_decoy(alert, where, context) or _tidies_up(alert, kind, context):
            continue
        if kind.name in _STARTED and is_ours(alert, process, context):
            continue
        phase, path = alert.blame.phase if alert.blame else "", str(alert.output_fields.get("fd.name"))
        if kind.name == "credential_access" and manager_reads(process, path, phase):
            continue
        if kind.name == "outbound_connection" and where and where[0] in context.registry_hosts:
            continue  # a file host of the registry, where nothing but the tree's files was asked for
        own = kind.name == "git_hook" and is_own_hook(alert, process, context)
        fields = dict(list(alert.output_fields.items())[:_KEPT_FIELDS])
        subject = _final_name(_subject(alert, kind, context), alert, kind, context)
        if _is_exec(alert) and ASKED_KEEPER in alert.tags:
            subject = " ".join(command_words(_words(alert)))
        meaning = _meaning(alert, kind, subject, context)
        asked = _is_exec(alert) and (meaning.get("only_asked") or meaning.get("starts") is False)
        if kind.name == "credential_access" and _is_own_read(process, path, own_reads):
            meaning["content"] = False
        yield Signal(
            time_ns=alert.time_ns,
            kind=kind.name,
            weight=Class.INFO if asked or own else weight_of(alert, kind),
            subject=subject,
            what=_sentence(alert, where, context),
            blame=alert.blame,
            process=process.key if process else None,
            data={
                "rule": alert.rule,
                "priority": alert.priority,
                "event": alert.event_type,
                "fields": fields,
            },
            attack=tuple(t for t in alert.tags if TECHNIQUE.fullmatch(t)),
            facts=_facts(alert, where, process) | meaning,
            explain=(*((ASKED,) if asked else ()), *((OWN_HOOKS,) if own else ())),
        )
