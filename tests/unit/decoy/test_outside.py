"""What is said of dependencies that did not come from a registry."""

from __future__ import annotations

import pytest

from package_hunter.decoy.outside import of_refusals
from package_hunter.ecosystems.reasons import kinds
from package_hunter.model.observation import DecoyMark, NetworkLog

ADVICE = (
    "(or not in a version that is asked for). Check the name and version; where it is a private package, set this "
    "host's package manager up for its registry."
)


def refused(*names: str, kind: str = "registry_channel") -> NetworkLog:
    details = [f"asked for {name}, which no dependency of this project names" for name in names]
    return NetworkLog(marks=tuple(DecoyMark(1, kind, detail, "x", 1) for detail in details))


@pytest.mark.parametrize("what", ["toolz", "toolz==0.12.0", "Toolz[a]>=1"])
def test_what_was_refused_is_not_said_to_be_missing(what: str) -> None:
    said = f"`build` failed: the registry has no “{what}” {ADVICE} It said: “no”"
    (told,) = of_refusals([said], refused("toolz"))
    assert "the registry has no" not in told
    assert "was not scanned: nothing that was known before the builds ran names it" in told
    assert told.endswith("It said: “no”")


@pytest.mark.parametrize("network", [refused(), refused("tool"), refused("toolz", kind="mining")])
def test_what_was_asked_and_is_not_there_stays_so(network: NetworkLog) -> None:
    said = f"The registry has no “toolz==1” {ADVICE}"
    assert of_refusals([said], network) == (said,)


def test_the_sentence_is_the_one_that_reasons_have() -> None:
    assert any(kind.says == "The registry has no “{what}” " + ADVICE for kind in kinds.KINDS)
