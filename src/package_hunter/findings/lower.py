"""What speaks in favour of a package: other facts make signals milder, each with the sentence that says so.

The other way round, nothing here ever raises a signal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.signals import Signal

_TOOLS = frozenset(
    [
        "wget",
        "curl",
        "nc",
        "ncat",
        "socat",
        "sh",
        "bash",
        "dash",
        "busybox",
        "perl",
        "ssh",
        "scp",
        "telnet",
        "ftp",
    ]
)
# signals about the same destination or package that make a connection more than a download
_WORSE_THERE = frozenset(
    [
        "exfiltration",
        "host_facts_sent",
        "dns_channel",
        "data_sent",
        "mining",
        "reverse_shell",
        "remote_code_execution",
        "registry_publish",
        "repository_change",
        "credential_use",
    ]
)
_WORSE_ANYWHERE = frozenset(
    ["exfiltration", "credential_access", "reverse_shell", "staged_theft", "staged_payload"]
)

PLAIN_DOWNLOAD = (
    "In its favour: it was a plain download by name, by the package's own code; nothing of it was executed "
    "and no data went out."
)


def _package(signal: Signal) -> str | None:
    return signal.blame.package if signal.blame else None


def _plain_download(signal: Signal, there: set[tuple[str, str]], worse: set[str | None]) -> bool:
    return (
        signal.kind == "outbound_connection"
        and signal.weight is Class.SUSPICIOUS
        and not signal.facts.get("bare_address", True)
        and signal.facts.get("program") not in _TOOLS
        and (signal.subject, "fetched_or_asked") in there
        and not any((signal.subject, kind) in there for kind in _WORSE_THERE)
        and _package(signal) not in worse
    )


def soften(signals: Sequence[Signal], asked: frozenset[str]) -> Iterator[Signal]:
    """The signals, some of them milder. ``asked`` are hosts that got plain HTTP(S) requests."""
    there = {(s.subject, s.kind) for s in signals} | {(host, "fetched_or_asked") for host in asked}
    worse = {_package(s) for s in signals if s.kind in _WORSE_ANYWHERE}
    for signal in signals:
        if _plain_download(signal, there, worse):
            yield replace(signal, weight=Class.INFO, explain=(*signal.explain, PLAIN_DOWNLOAD))
        else:
            yield signal
