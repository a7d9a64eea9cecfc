"""Encoded stages: where something was fetched and not executed, a further box answers in the encodings that the asker's
source names, each in a round of its own. A marker that runs proves a loader that decodes.

Such a round only adds, like a hurried one, and only where a marker ran.
"""

from __future__ import annotations

import time
from collections.abc import Container, Mapping
from dataclasses import dataclass

from package_hunter.ecosystems.base import SourceTree
from package_hunter.errors import HunterError
from package_hunter.findings.context import host_asked
from package_hunter.model.observation import Request
from package_hunter.pipeline.encoding_hints import MOST, encodings_of, members_of
from package_hunter.pipeline.hurried import Run, added_to, noted
from package_hunter.pipeline.options import Scan
from package_hunter.pipeline.round_result import RoundResult
from package_hunter.pipeline.rounds import Encoding, encoded

PHASE = "encoded"
_LEAST_SECONDS = 30.0  # of the scan's time, for a further box and its install
_KIND = "remote_code_execution"


@dataclass(frozen=True)
class Asked:
    """What was fetched and not executed: address -> the package that asked for it."""

    by_url: Mapping[str, str]


def try_encodings(scan: Scan, source_tree: SourceTree, item: RoundResult, run: Run) -> RoundResult:
    """The same round, with the loaders that answers in other encodings show; no box where nothing was fetched in
    vain. ``run`` makes a round."""
    if not scan.depth.encoded or not item.round.first_world:
        return item
    asked = fetched_in_vain(item)
    left = dict(asked.by_url)
    for number in range(MOST):
        encoding = encoding_for(item, left, number)
        if not encoding.answers:
            break
        if scan.deadline - time.monotonic() < _LEAST_SECONDS:
            return noted(item, "What was fetched was not tried in every encoding: the scan's time is over.")
        scan.say(f"Answering in another encoding: {_names(encoding, left)}")
        began = time.monotonic()
        last = max((process.key for process in item.observation.processes), default=0)
        try:
            shown = run(encoded(scan, source_tree, item.round, encoding, number + 1), after=last)
        except HunterError as error:
            return noted(item, f"Another encoding was to be tried in a further box: {error.message}")
        ran = set(left) & {mark.evidence.get("url") for mark in shown.network.marks if mark.kind == _KIND}
        if ran:
            named = _names(encoding, ran)
            how = f"It was seen in a further box, in which what it fetched was answered as {named}."
            said = f"What was fetched and not executed was answered as {named} in a further box, and ran."
            item = added_to(item, shown, PHASE, how, time.monotonic() - began, said)
            left = {url: purl for url, purl in left.items() if url not in ran}
    if not left:
        return item
    rest = "nothing of it ran" if len(left) == len(asked.by_url) else "the rest of it did not run"
    said = f"What was fetched and not executed was tried in other encodings too, in further boxes: {rest}."
    return noted(item, said)


def fetched_in_vain(item: RoundResult) -> Asked:
    """Downloads of packages that no marker of ours came out of."""
    ran = {mark.evidence.get("url") for mark in item.network.marks if mark.kind == _KIND}
    found = [request for request in item.network.requests if _downloads(request) and request.url not in ran]
    return Asked(
        {r.url: r.blame.package for r in found if r.blame is not None and r.blame.package is not None}
    )


def _downloads(request: Request) -> bool:
    plain = request.method == "GET" and request.status == 200 and not request.registry
    if not plain or request.blame is None or request.blame.package is None:
        return False
    # brings all services, which no scan at depth quick needs here
    from package_hunter.decoy.services.asked import HOSTS

    return host_asked(request) not in HOSTS and not host_asked(request).startswith("169.254.")


def encoding_for(item: RoundResult, left: Mapping[str, str], number: int) -> Encoding:
    """How each address is answered in one of the further boxes (``number``: from 0): each as its own asker's source
    names it."""
    answers = []
    for url, purl in sorted(left.items()):
        source = item.sources.get(purl, b"")
        for name in encodings_of(source)[:MOST][number : number + 1]:
            answers += [(url, name, members_of(source))]
    return Encoding(tuple(answers))


def _names(encoding: Encoding, urls: Container[str]) -> str:
    return " or ".join(dict.fromkeys(name for url, name, _ in encoding.answers if url in urls))
