"""What was seen in the box: who did it, processes, files, secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import Field

from package_hunter.model.forms.kinds import As, Hidden, Many, Number, Text, Time, Via, form, one_of
from package_hunter.model.observation import Blame, Canary, CanaryHit, CanaryRead, FileChange, Process
from package_hunter.model.report import Canaries


@form
class BlameForm:
    """Who did it."""

    phase: Text
    package: Annotated[
        Text | None, Field(description="purl, null for the project itself or where nobody is known.")
    ]
    path: Annotated[Many[Text], Field(description="From the root of the dependency tree to the package.")]
    script: Annotated[Text | None, Field(description="Lifecycle script or step.")]
    pid: Number
    cmdline: Text
    basis: Annotated[Text, Field(description="How we know.")]
    confidence: Annotated[Text, one_of("certain", "likely", "tree")]


Blamed = Annotated[Blame, As(BlameForm)]


@form
class ProcessForm:
    """A program's run."""

    key: Number
    parent: Number | None
    pid: Number
    vpid: Number = 0
    name: Text
    exepath: Text
    cmdline: Text
    cwd: Text
    uid: Number
    started_ns: Annotated[Time, Field(alias="started")]
    ended_ns: Annotated[Time | None, Field(alias="ended")]
    exit_code: Number | None
    execs: Many[Text] = ()


@form
class FileForm:
    """A file that was written or deleted."""

    path: Text
    action: Annotated[Text, one_of("created", "written", "deleted", "renamed", "mode")]
    process: Number
    time_ns: Annotated[Time, Field(alias="time")]
    other_path: Text | None = None


@form
class CanaryForm:
    """A fake secret; its value stays out."""

    id: Annotated[Text, Field(alias="canary")]
    kind: Text
    place: Text
    value: Hidden[str] = ""
    lawful: Hidden[tuple[str, ...]] = ()


Processes = Many[Annotated[Process, As(ProcessForm)]]
Files = Many[Annotated[FileChange, As(FileForm)]]
Placed = Many[Annotated[Canary, As(CanaryForm)]]
_UNKNOWN = Canary("", "unknown", "unknown", "")


@dataclass(slots=True, kw_only=True)
class ReadForm:
    """A fake secret's file was opened for reading."""

    canary: Text
    kind: Text
    place: Text
    time: Time
    path: Text
    process: Number
    blame: Blamed | None

    @classmethod
    def of(cls, r: CanaryRead, placed: Canary) -> ReadForm:
        """The form of a read of what was ``placed``."""
        return cls(
            canary=r.canary,
            kind=placed.kind,
            place=placed.place,
            time=r.time_ns,
            path=r.path,
            process=r.process,
            blame=r.blame,
        )

    def value(self) -> CanaryRead:
        """The read."""
        return CanaryRead(self.time, self.canary, self.path, self.process, self.blame)


@dataclass(slots=True, kw_only=True)
class SentForm:
    """A fake secret left the box."""

    canary: Text
    kind: Text
    place: Text
    time: Time
    encoding: Many[Text]
    channel: Text
    destination: Text
    lawful: bool
    blame: Blamed | None

    @classmethod
    def of(cls, h: CanaryHit, placed: Canary) -> SentForm:
        """The form of a hit on what was ``placed``."""
        return cls(
            canary=h.canary,
            kind=placed.kind,
            place=placed.place,
            time=h.time_ns,
            encoding=h.encoding,
            channel=h.channel,
            destination=h.destination,
            lawful=h.lawful,
            blame=h.blame,
        )

    def value(self) -> CanaryHit:
        """The hit; the socket's local port is not known any more."""
        return CanaryHit(
            self.time, self.canary, self.encoding, self.channel, self.destination, 0, self.lawful, self.blame
        )


@dataclass(slots=True, kw_only=True)
class CanariesForm:
    """The fakes of this scan's box and what became of them."""

    placed: Placed = ()
    read: Many[ReadForm]
    sent: Many[SentForm]
    replaced: Many[Text] = ()

    @classmethod
    def of(cls, c: Canaries) -> CanariesForm:
        """The form; each read and hit tells what kind of secret it was, and where it lay."""
        known = {p.id: p for p in c.placed}
        return cls(
            placed=c.placed,
            read=tuple(ReadForm.of(r, known.get(r.canary, _UNKNOWN)) for r in c.read),
            sent=tuple(SentForm.of(h, known.get(h.canary, _UNKNOWN)) for h in c.sent),
            replaced=c.replaced,
        )

    def value(self) -> Canaries:
        """The canaries."""
        read, sent = (r.value() for r in self.read), (h.value() for h in self.sent)
        return Canaries(self.placed, tuple(read), tuple(sent), self.replaced)


CanariesSeen = Annotated[Canaries, Via(CanariesForm)]
