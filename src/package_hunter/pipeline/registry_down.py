"""A registry that is down: then nothing was scanned, and a report about nothing would be one too many.

It is the gateway's word that counts, which asked the registry; never what programs in the box print. A registry on
this host's own loopback is asked here: in a box that address is the box.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from package_hunter.decoy.second_names import host_of
from package_hunter.decoy.spec import Upstream
from package_hunter.errors import UnreachableError
from package_hunter.model.observation import OutsideFetch
from package_hunter.pipeline.round_result import RoundResult

_ADVICE = "Check the registry that this host's package manager is set up for, and the network to it; then scan again."
_LOOPBACK_SECONDS = 5.0


def registry_down(item: RoundResult, upstreams: Sequence[Upstream] = ()) -> UnreachableError | None:
    """The error for a round in which no package came, since the registry (one of ``upstreams``) did not answer; None
    where there is something to report: a package, or anything that was noticed."""
    failed = any(run.command.essential and run.exit_code != 0 for run in item.runs)
    if not failed or item.coverage.packages_installed or _noticed(item):
        return None
    fetched = item.network.fetched
    why = next((one.refused for one in fetched if one.status == OutsideFetch.DOWN and one.refused), None)
    why = why or _silent_on_loopback(item.round.plan.target.ecosystem, upstreams)
    if why is None:
        return None
    target = item.round.plan.target
    return UnreachableError(
        f"The registry did not answer when {target.purl or target.name} was fetched: {why}.", _ADVICE
    )


def _noticed(item: RoundResult) -> bool:
    return any(finding.severity != "info" for finding in item.findings)


def _silent_on_loopback(ecosystem: str, upstreams: Sequence[Upstream]) -> str | None:
    for one in upstreams:
        if one.ecosystem == ecosystem and one.default and _is_loopback(host_of(one.url)):
            return _silence(one)
    return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _silence(upstream: Upstream) -> str | None:
    """What is wrong with it; None where it answers."""
    import httpx  # it brings the libraries of its command line, which every scan would else load

    host = host_of(upstream.url)
    try:
        # only whether it answers: neither credentials nor proxies
        with httpx.Client(verify=False, trust_env=False, timeout=_LOOPBACK_SECONDS) as client:  # noqa: S501
            answer = client.get(upstream.url)
    except httpx.HTTPError as error:
        return f"{host} did not answer: {type(error).__name__}"
    return f"{host} answered with status {answer.status_code}" if answer.status_code >= 500 else None
