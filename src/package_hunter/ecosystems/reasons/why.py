"""Which kind of failure an output tells of, and the line that tells it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from package_hunter.ecosystems.reasons.kinds import KINDS, Failure
from package_hunter.ecosystems.reasons.libraries import library_of
from package_hunter.ecosystems.reasons.words import lines
from package_hunter.model.ecosystem import Facts, derived

_MAX_NAME = 120
# the last line that has the form of an error, whatever language the program is written in
_ERROR_LINE = re.compile(
    r"^\s*(?:[\w.:]*(?:Error|Exception|Failure)\b(?: \[\w+\])?:? ?\S.*|(?:fatal|FATAL|error|ERROR|"
    r"Error)\b.{0,40}?: ?\S.*|ERROR {2}\S.*|(?:ERROR|ERR_PNPM|\[?ERR_)[A-Z_]*\]? {1,2}\S.*)"  # the last: pnpm's
)
# lines that managers print around the cause, and that tell nothing
_FRAME = re.compile(
    r"^\s*(?:npm (?:ERR!|error)\s*(?:code|path|command|errno|syscall|A complete log|$)|gyp (?:ERR!|"
    r"info)|note: |hint: "
    r"|\[end of output\]|\[notice\]|info Visit |╰─>|╭─|[│|]?\s*\[end of output\]|at .+[:(]\d+|"
    r"at .+\)$|Node\.js v\d|[×╰│]\s*$"
    r"|A complete log of this run|Traceback |File \"|\^+\s*$|throw (?:err|new)|[{}\[\]]\s*$|Results logged to"
    r"|Bundler cannot continue|Make sure that `gem install|In Gemfile:|error: subprocess-exited-with-error"
    r"|ERROR: Failed (?:to build|building)|error: metadata-generation-failed|Encountered error while generating"
    r"|See above for|This (?:error|is) |exit code: \d|[×╰─> ]*(?:Getting requirements to build|"
    r"Preparing metadata|Building wheel"
    r"|python setup.py|Encountered error).*$|ELIFECYCLE|.*Command failed (?:with exit code|in)|"
    r"error Command failed|Exit code: \d"
    r"|Command: |Arguments: |Directory: |Output:|npm (?:ERR!|error) command |.*did not run successfully)"
)
_WARNING = re.compile(
    r"^\s*(?:WARN\b|warning\b|npm (?:warn|WARN)\b|WARNING:|DEPRECATION:|Looking in |info Visit )"
)
_CODE = re.compile(r"code E?\w+")
_GUTTER = re.compile(r"^(?:\s*(?:npm (?:ERR!|error)|[×╰│├]|─▶|╰─▶|╰─>|>)\s?)+")


@dataclass(frozen=True, slots=True)
class Why:
    """``says``: what it means and what to do, a sentence or two of ours, empty where the kind is not known. ``line``:
    the output's own line that tells it, empty where it printed nothing. ``kind`` as in ``kinds``; ``about``: what it
    is about (a package, a program), as far as the line names it."""

    kind: str
    says: str
    line: str
    about: str = ""


def why(output: str) -> Why:
    """Of the end of a command's output (untrusted)."""
    printed = [line for line in lines(output) if not _WARNING.match(line)]
    for kind in KINDS:
        if (hit := kind.finds(printed)) is not None:
            line = _bare(hit.string)
            shown = _telling(printed) if _CODE.fullmatch(line) else line
            return Why(kind.name, _sentence(kind, hit), shown, _name(hit.groupdict().get("what") or ""))
    return Why("", "", _telling(printed))


def _sentence(kind: Failure, hit: re.Match[str]) -> str:
    named = {key: _name(value) for key, value in hit.groupdict().items() if value}
    if kind.library:
        named["library"] = library_of(named.get("what", ""))
    says = kind.says if all(f"{{{key}}}" not in kind.says or key in named for key in _KEYS) else kind.unnamed
    for key, value in named.items():
        says = says.replace(f"{{{key}}}", value)
    return says


_KEYS = ("what", "need", "library")


def _name(text: str) -> str:
    text = text.strip().rstrip(".,;:")
    return text if len(text) <= _MAX_NAME else f"{text[:_MAX_NAME]}…"


@derived
def _errors(known: tuple[Facts, ...]) -> re.Pattern[str]:
    return re.compile("|".join(line for one in known for line in one.says_error), re.M)


def _telling(printed: list[str]) -> str:
    """The line to show where no kind is known: the last error of the program itself, else the manager's, else the
    last one that is no frame."""
    own = [line for line in printed if not _FRAME.match(_bare(line)) and not _FRAME.match(line)]
    for line in reversed(own):
        if _ERROR_LINE.match(_bare(line)):
            return _bare(line)
    said = [hit[hit.lastindex or 0] for hit in _errors().finditer("\n".join(own))]
    if said:
        return _bare(said[0])
    return _bare((own or printed or [""])[-1])


def _bare(line: str) -> str:
    """Without the manager's own gutter."""
    return _GUTTER.sub("", line).strip()
