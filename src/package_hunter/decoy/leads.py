"""Leads: addresses that a decoy hands out for the asker to follow. No file and no person knows their names, so who
looks one up asked that decoy where to go, and went there."""

from __future__ import annotations

from dataclasses import dataclass, field

from package_hunter.decoy.record import NetworkRecorder, now
from package_hunter.decoy.steady import Steady
from package_hunter.model.observation import DecoyMark

_MAX = 200  # names in a scan; who asks for more gets the last one
_FOLLOWERS = 20  # marks of one name: another package may be behind each
# Words that people name hosts with: a name out of them says nothing of scans.
_WORDS = (
    "amber", "anchor", "aspen", "atlas", "aurora", "basin", "beacon", "birch", "bridge", "canyon", "cedar", "cinder",
    "cobalt", "copper", "coral", "delta", "ember", "falcon", "fern", "fjord", "garnet", "glacier", "granite", "harbor",
    "hazel", "heron", "indigo", "island", "ivory", "jasper", "juniper", "lagoon", "lantern", "laurel", "linden",
    "magnet", "maple", "marble", "meadow", "mercury", "mirror", "monsoon", "nectar", "nimbus", "ocean", "onyx", "opal",
    "orchid", "osprey", "pepper", "pioneer", "prairie", "quartz", "raven", "river", "saffron", "sierra", "silver",
    "summit", "thistle", "timber", "tundra", "velvet", "willow",
)  # fmt: skip


@dataclass(slots=True)
class Lead:
    """An address that was handed out: by whom (``source``, a sentence's part), in which answer (``url``)."""

    name: str
    source: str
    url: str
    followers: set[int] = field(default_factory=set)

    @property
    def address(self) -> str:
        """The whole URL. It has a path, since a plain site is what a server's root would be."""
        return f"https://{self.name}/update"


class Leads:
    """All of one scan."""

    def __init__(self, record: NetworkRecorder, steady: Steady) -> None:
        self._record, self._steady = record, steady
        self._by_name: dict[str, Lead] = {}
        self._by_question: dict[str, Lead] = {}

    def give(self, question: str, source: str, url: str) -> Lead:
        """The lead for a question: the same again for the same one. ``source`` says who was asked ("the block chain
        Ethereum")."""
        known = self._by_question.get(question)
        if known is None and len(self._by_name) >= _MAX:
            known = next(reversed(self._by_name.values()))
        if known is None:
            known = Lead(self._name(question), source, url[:2000])
            self._by_question[question] = self._by_name[known.name] = known
        return known

    def is_lead(self, name: str) -> bool:
        """Whether it is a name that was handed out (or one below such a name)."""
        return self._of(name) is not None

    def seen(self, name: str, peer_port: int, destination: str = "") -> None:
        """The name was looked up or asked for."""
        lead = self._of(name)
        if lead is None or peer_port in lead.followers or len(lead.followers) >= _FOLLOWERS:
            return
        lead.followers.add(peer_port)
        detail = f"asked {lead.source} where to go, and went there ({lead.name})"
        evidence = {"url": lead.url, "lead": lead.name, "source": lead.source}
        where = destination or lead.name
        self._record("mark", DecoyMark(now(), "dead_drop", detail, where, peer_port, None, evidence))

    def _of(self, name: str) -> Lead | None:
        labels = name.lower().rstrip(".").split(".")
        return self._by_name.get(".".join(labels[-2:]))

    def _name(self, question: str) -> str:
        for turn in range(100):
            picks = [self._steady.number(f"lead {turn} {i} {question}", 0, len(_WORDS) - 1) for i in range(3)]
            name = "-".join(_WORDS[pick] for pick in picks) + ".example"
            if name not in self._by_name:
                return name
        return f"{self._steady.hex(question, 8)}.example"
