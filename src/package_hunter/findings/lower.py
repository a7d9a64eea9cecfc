"""What speaks in favour of a package: other facts make signals milder, each with the sentence that says so.

The other way round, nothing here ever raises a signal."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from package_hunter.findings.catalog import Class
from package_hunter.findings.signals import Signal, manager_files
from package_hunter.model.box import HOME

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
_WORSE_ANYWHERE = frozenset(["exfiltration", "credential_access", "reverse_shell"])
_MILD = frozenset(
    ["credential_access", "outbound_connection", "write_outside", "hang", "remote_code_execution"]
)
_LOGIN_FILES = (f"{HOME}/.netrc",)
_DOWNLOADS = frozenset(["outbound_connection", "download"])
_SENDS = frozenset(
    [
        "data_sent",
        "dns_channel",
        "exfiltration",
        "host_facts_sent",
        "registry_account",
        "registry_channel",
        "registry_publish",
        "repository_change",
        "reverse_shell",
    ]
)

PLAIN_DOWNLOAD = (
    "In its favour: it was a plain download by name, by the package's own code; nothing of it was executed "
    "and no data went out."
)
MANAGER_SETTINGS = (
    "In its favour: it is the package manager's settings file, in which many tools look for the registry and the "
    "proxy, and this package sent no data to anybody."
)
LOGINS = (
    "In its favour: it is the file in which whatever fetches (curl, Python's HTTP libraries, build systems) looks for "
    "a host's login, and this package sent no data to anybody."
)
REFUSED = (
    "In its favour: what it downloaded was a decoy of ours; it did not execute it, and its script ended with an "
    "error, as one does that checks a hash."
)
TRIED = (
    "In its favour: the system's own linker made it and it ended by itself, as a program does by which a build tries "
    "what the compiler can; this package read no secrets and sent nothing."
)
OWN_FOLDER = (
    "In its favour: the folder is named after the package that wrote it, so it holds what is its own."
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


def _looked_up(signal: Signal, files: Collection[str], senders: set[str | None]) -> bool:
    return (
        signal.kind == "credential_access"
        and signal.subject in files
        and _package(signal) is not None
        and not senders & {None, _package(signal)}
    )


def _own_folder(signal: Signal) -> bool:
    """Whether what was written outside lies in a folder of the home that bears the package's name."""
    folder = re.match(rf"{HOME}/[.]?([^/]+)/", signal.subject)
    if signal.kind != "write_outside" or folder is None or (package := _package(signal)) is None:
        return False
    words = re.split(r"[/@]|%40", package.partition(":")[2].rpartition("@")[0] or package)
    return folder[1].lower() in {word.lower() for word in words[1:] if word}


def _tried(signal: Signal, accused: set[str | None]) -> bool:
    """Whether it is a program that was compiled and run to see whether it runs."""
    return (
        signal.kind == "dropped_executable"
        and signal.facts.get("linked") is True
        and signal.facts.get("left_running") is False
        and _package(signal) not in accused
    )


def _is_more(signal: Signal) -> bool:
    """Whether a package of which this was seen does more than to look into settings and to download. That it ran what
    it downloaded is a finding of its own, and no more a reason to look into its reading: image tools' installers look
    for the proxy and try the program that they fetched."""
    mild = signal.weight is Class.INFO or signal.kind in _MILD
    return signal.kind in _SENDS or not mild


def soften(
    signals: Sequence[Signal], asked: frozenset[str], failed: frozenset[str] = frozenset()
) -> Iterator[Signal]:
    """The signals, some of them milder. ``asked`` are hosts that got plain HTTP(S) requests, ``failed`` packages
    of which a script ended with an error."""
    senders = {_package(s) for s in signals if _is_more(s)}
    milder = [
        _lowered(s, MANAGER_SETTINGS)
        if _looked_up(s, manager_files(), senders)
        else _lowered(s, LOGINS)
        if _looked_up(s, _LOGIN_FILES, senders)
        else _lowered(s, OWN_FOLDER)
        if _own_folder(s)
        else s
        for s in signals
    ]
    there = {(s.subject, s.kind) for s in milder} | {(host, "fetched_or_asked") for host in asked}
    worse = {_package(s) for s in milder if s.kind in _WORSE_ANYWHERE and s.weight > Class.INFO}
    refused = failed - {_package(s) for s in signals if s.kind == "remote_code_execution"}
    accused = worse | {_package(s) for s in signals if s.kind in _SENDS}
    for signal in milder:
        if _tried(signal, accused):
            signal = _lowered(signal, TRIED)
        if signal.kind in _DOWNLOADS and _package(signal) in refused and signal.weight > Class.INFO:
            signal = replace(signal, explain=(*signal.explain, REFUSED))
        yield _lowered(signal, PLAIN_DOWNLOAD) if _plain_download(signal, there, worse) else signal


def _lowered(signal: Signal, why: str) -> Signal:
    return replace(signal, weight=Class.INFO, explain=(*signal.explain, why))
