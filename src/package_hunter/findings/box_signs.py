"""Signals of a package that asks whether it is in a box: facts of several families, read by the same package.

One fact says nothing: runtimes and tools read some of them by themselves. What an empty program of Node.js, Python,
Ruby or a shell reads when it starts (measured: docs/sandbox.md) is in no family. Namespaces are nobody's business but
of programs that make containers: these two families are enough by themselves. What a monitor of the system (psutil,
systeminformation) reads counts as two families at most: it takes one more, that monitors do not read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from package_hunter.findings.catalog import Class
from package_hunter.findings.context import Context
from package_hunter.findings.signals import Signal
from package_hunter.model.box import HOME
from package_hunter.model.machine_names import machine_made
from package_hunter.model.observation import Alert, Blame

TECHNIQUE = "T1497.001"  # rules that tell of such facts bear it as a tag
ENOUGH = 3
OF_MONITORS = ENOUGH - 1  # that count, of the families that a monitor reads too


@dataclass(frozen=True, slots=True)
class Family:
    """Facts by which the same is found out. ``files`` is a pattern of whole paths, ``programs`` one of command
    lines; ``monitored``: monitors of the system read it as well."""

    name: str
    files: str = "(?!)"
    programs: str = "(?!)"
    weight: int = 1
    monitored: bool = False


_PROC = r"/proc/(?:self|thread-self|\d+)(?:/task/\d+)?"
_ANY = r"(?:\s.*)?"
FAMILIES = (
    Family("the user namespace", rf"{_PROC}/(?:uid_map|gid_map|setgroups|projid_map)", weight=ENOUGH),
    Family("shifted clocks", rf"{_PROC}/timens_offsets", weight=ENOUGH),
    Family("the first process", r"/proc/1/(?:environ|sched|status|comm|cmdline|exe|root|maps|stat)"),
    Family("marks of containers", r"/\.dockerenv|/run/\.containerenv|/proc/1/(?:cgroup|cpuset)"),
    Family(
        "mounts",
        rf"{_PROC}/(?:mountinfo|mounts|mountstats)|/proc/mounts|/etc/mtab",
        rf"(?:mount|findmnt){_ANY}",
        monitored=True,
    ),
    Family("privileges", rf"{_PROC}/status", programs=rf"(?:capsh|getpcaps){_ANY}", monitored=True),
    Family(
        "virtual hardware",
        r"/sys/(?:class/dmi|devices/virtual/dmi|hypervisor|firmware)/?.*|/proc/(?:scsi|ide)(?:/.*)?|/proc/device-tree.*",
        rf"(?:systemd-detect-virt|virt-what|dmidecode|imvirt|lspci|lshw|hostnamectl){_ANY}",
    ),
    Family(
        "the network card",
        r"/sys/class/net/[^/]+/address",
        rf"(?:ifconfig|ip\s+(?:-\S+\s+)*l(?:ink)?){_ANY}",
        monitored=True,
    ),
    Family(
        "neighbours",
        r"/proc/(?:self/|\d+/)?net/(?:arp|route)",
        rf"(?:arp|ip\s+(?:-\S+\s+)*n(?:eigh\w*)?){_ANY}",
    ),
    Family("the time since the start", r"/proc/uptime", rf"(?:uptime|who\s+-b){_ANY}", monitored=True),
    Family("other processes", r"/proc", rf"(?:ps|pgrep|pstree|top|htop){_ANY}", monitored=True),
    Family("the history of commands", rf"{HOME}/\.(?:bash|zsh|python|node_repl)_history"),
    Family(
        "disks",
        r"/proc/(?:partitions|diskstats|swaps)|/sys/block(?:/.*)?",
        rf"(?:lsblk|fdisk){_ANY}",
        monitored=True,
    ),
    Family(
        "the kernel's modules, log and command line",
        r"/proc/(?:modules|kallsyms|kmsg|cmdline)|/dev/kmsg",
        rf"(?:lsmod|dmesg){_ANY}",
    ),
    Family("names that nobody has"),
)
_BY_NAME = {family.name: family for family in FAMILIES}
_NAMES, _FIRST, _OTHERS = FAMILIES[-1], _BY_NAME["the first process"], _BY_NAME["other processes"]
# what is read of every process, the first one too, by whoever lists them all
_OF_EACH = re.compile(r"/proc/1/(?:status|stat|comm|cmdline|exe)")


@dataclass(slots=True)
class _Asked:
    """What one package asked for: family -> the first fact of it."""

    time_ns: int
    blame: Blame | None
    process: int | None
    facts: dict[Family, str] = field(default_factory=dict)

    def add(self, family: Family, fact: str) -> None:
        """The first fact of a family counts; of the first process the one that is not read of each."""
        if family not in self.facts or (family is _FIRST and _OF_EACH.fullmatch(self.facts[family])):
            self.facts[family] = fact

    def families(self) -> list[Family]:
        """Those that were asked for; the first process is one of the others where all were listed."""
        listed = _OTHERS in self.facts and _OF_EACH.fullmatch(self.facts.get(_FIRST, "")) is not None
        return [family for family in self.facts if not (listed and family is _FIRST)]

    def is_enough(self) -> bool:
        """Whether nobody but one who looks for a box asks for all that."""
        asked = self.families()
        monitored = sum(family.weight for family in asked if family.monitored)
        return sum(f.weight for f in asked if not f.monitored) + min(monitored, OF_MONITORS) >= ENOUGH


def family_of(path: str) -> Family | None:
    """The family of a file, by its absolute path."""
    plain = re.sub(r"/+", "/", path)
    return next((one for one in FAMILIES if re.fullmatch(one.files, plain.rstrip("/") or "/")), None)


def family_of_command(line: str) -> Family | None:
    """The family of a command, by its line; the program's folder does not count."""
    program, _, words = line.strip().partition(" ")
    plain = f"{program.rpartition('/')[2]} {words}".strip()
    return next((one for one in FAMILIES if re.fullmatch(one.programs, plain)), None)


def _facts(alert: Alert) -> tuple[Family, str] | None:
    """The family that an alert is about, and its fact."""
    fields = alert.output_fields
    line = str(fields.get("proc.cmdline") or "")[:300]
    if alert.event_type.startswith(("exec", "spawn")):
        family, fact = family_of_command(line), line
    else:
        fact = str(fields.get("fd.name") or "")[:300]
        family = family_of(fact)
    return (family, fact) if family else None


def signals(context: Context) -> Iterator[Signal]:
    """One signal a package that asked for enough of them."""
    asked: dict[str | None, _Asked] = {}
    for alert in context.observation.alerts:
        found = _facts(alert) if TECHNIQUE in alert.tags else None
        if found is not None:
            process = context.process_at(alert.pid, alert.time_ns)
            _note(asked, alert.time_ns, alert.blame, process.key if process else None, found)
    for question in context.network.dns:
        if question.answer == "NXDOMAIN" and (
            machine_made(question.name) or question.name.endswith(".invalid")
        ):
            _note(asked, question.time_ns, question.blame, None, (_NAMES, question.name[:100]))
    for one in asked.values():
        if one.is_enough():
            yield _signal(one)


def _note(
    asked: dict[str | None, _Asked],
    time_ns: int,
    blame: Blame | None,
    process: int | None,
    found: tuple[Family, str],
) -> None:
    package = blame.package if blame else None
    asked.setdefault(package, _Asked(time_ns, blame, process)).add(*found)


def _signal(asked: _Asked) -> Signal:
    families = asked.families()
    told = "; ".join(f"{family.name} ({asked.facts[family]})" for family in families)
    return Signal(
        time_ns=asked.time_ns,
        kind="evasion",
        weight=Class.SUSPICIOUS,
        subject=", ".join(family.name for family in families),
        what=f"It asked for signs of a box: {told}",
        blame=asked.blame,
        process=asked.process,
        attack=(TECHNIQUE,),
        data={"families": [family.name for family in families]},
    )
