"""`package-hunter bundle` and `verify`: a verdict that anybody can check."""

from __future__ import annotations

import contextlib
import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from package_hunter.audit import keys
from package_hunter.bundle import Trust, Verified, of_files, of_scan
from package_hunter.bundle import verify as check
from package_hunter.bundle.checked import How, by_how
from package_hunter.bundle.findings import Source as From
from package_hunter.bundle.make import Source, to_file
from package_hunter.cli.console import complain, harmless
from package_hunter.cli.diff import read_report
from package_hunter.config import settings
from package_hunter.errors import HunterError, UsageError
from package_hunter.model.text import shortened

_NAME = re.compile(r"[0-9a-f]{32}")
_SOURCES = {
    From.RECORDING: "from the recording and the rules",
    From.GATEWAY: "from them and what the gateway wrote down, which is attested",
    From.ATTESTED: "attested by the report alone",
}
_MAX_SHOWN = 50


def bundle(
    scan: Annotated[str | None, typer.Argument(help="The id of a scan of this server.")] = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="Write it to this file.")
    ] = Path("bundle.zip"),
    report: Annotated[
        Path | None, typer.Option(help="In place of SCAN: the JSON report of `scan --record`.")
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(help="With --report: its recording; those of further boxes are found beside it."),
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="With --report: the policy file that it was judged by.")
    ] = None,
    own_policy: Annotated[
        Path | None, typer.Option(help="With --report: the scanned folder's own, where it had a say.")
    ] = None,
) -> None:
    """Put a verdict, signed, into one file with all that it came from, for `verify`.

    Exit codes: 0 made, 1 the recording does not come to the report's verdict, 2 usage, 3 no recording, 4 there is
    nothing to make one of, 70 our own failure.
    """
    files = _of_files(report, recording, policy, own_policy)
    if (scan is None) == (files is None):
        raise UsageError("Of what?", "Give the id of a scan, or --report and --recording.")
    config = settings()
    key = keys.signing_key(config)
    with contextlib.nullcontext(files) if files else _of_scan(scan or "") as source:
        digest = to_file(source, output, key)
    found = check(output, Trust(keys=(key.public_key(),)))
    for line in found.differences:
        complain(line)
    if found.differences and not found.notes:  # of another version of ours, that version can check it
        output.unlink()
        raise typer.Exit(1)
    typer.echo(f"{harmless(str(output))}: {found.verdict}, {found.decision}; signed by {found.key}")
    typer.echo(f"sha256 of what is signed: {digest}")


def _of_files(
    report: Path | None, recording: Path | None, policy: Path | None, own_policy: Path | None
) -> Source | None:
    if report is None and recording is None:
        if policy is not None or own_policy is not None:
            raise UsageError("--policy and --own-policy go with --report.", "A server knows its policies.")
        return None
    if report is None or recording is None:
        raise UsageError("--report and --recording go together.", "Give both.")
    if not recording.is_file():
        raise UsageError(f"There is no recording {recording}.", "Give the file of scan --record.")
    from package_hunter.policy.load import read_text
    from package_hunter.queue.recordings import beside

    texts = [None if path is None else read_text(path) for path in (policy, own_policy)]
    return of_files(read_report(report), beside(recording), *texts)


@contextlib.contextmanager
def _of_scan(text: str) -> Iterator[Source]:
    from package_hunter.access.view import EVERYTHING
    from package_hunter.cli.serve import open_store
    from package_hunter.governance import policy_file

    config = settings()
    try:
        scan_id = uuid.UUID(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no scan's id.", "It looks like 0f8fad5b-d9cb-469f-a165-70867728950e."
        ) from None
    policy_file.use(config.policy_file)
    with of_scan(open_store(config), EVERYTHING, scan_id, config) as found:
        if found is None:
            raise UsageError(f"There is no scan {scan_id}.", "Its id is in the answer to its upload.")
        yield found


def verify(
    file: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A file that `bundle` made.")],
    key: Annotated[
        list[Path] | None, typer.Option("--key", help="Public key (PEM) of who may have signed it; or more.")
    ] = None,
    fingerprint: Annotated[
        list[str] | None, typer.Option("--fingerprint", help="Or its fingerprint, as `audit key` shows it.")
    ] = None,
    any_key: Annotated[
        bool, typer.Option("--any-key", help="Whoever signed it: says nothing of who that was.")
    ] = False,
    format: Annotated[str, typer.Option("--format", help="text or json")] = "text",
) -> None:
    """Check a bundle's signature and digests, and judge its recording again, offline.

    Exit codes: 0 the same verdict again, 1 something differs, 2 usage, 3 no bundle, a damaged one, not what was signed,
    or another key, 4 the same as far as it could be judged again, 70 our own failure.
    """
    if format not in ("text", "json"):
        raise UsageError(f"There is no form {format!r}.", "Forms: text, json.")
    found = check(file, _trust(key or [], fingerprint or [], any_key))
    if format == "json":
        typer.echo(json.dumps(as_json(found), indent=2))
    else:
        typer.echo(harmless_lines(as_text(found, any_key)))
    raise typer.Exit(found.exit_code)


def _trust(files: list[Path], names: list[str], anybody: bool) -> Trust:
    wanted = frozenset(name.lower().replace(":", "").removeprefix("sha256") for name in names)
    for name in wanted:
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no fingerprint.", "It has 32 hex digits: package-hunter audit key."
            )
    pinned = bool(files or names)
    try:
        known = keys.files_keys(files) if pinned else keys.public_keys(settings())
    except HunterError as error:
        raise UsageError(error.message, error.advice) from error
    return Trust(tuple(known.values()), wanted, anybody)


def as_json(found: Verified) -> dict[str, Any]:
    """What came of it, as JSON values."""
    said = found.statement.predicate
    return {
        "holds": found.exit_code == 0,
        "key": found.key,
        "scan": said.scan,
        "subject": [one.model_dump() for one in found.statement.subject],
        "verdict": found.verdict,
        "decision": found.decision,
        "again": {"verdict": found.again_verdict, "decision": found.again_decision},
        "alerts": {"again": found.alerts, "attested": found.attested_alerts},
        "findings": [
            {
                "fingerprint": one.finding.fingerprint,
                "kind": one.finding.kind,
                "title": one.finding.title,
                "from": one.source,
                "why": one.why,
            }
            for one in found.origins
        ],
        "checked": by_how(found.checked),
        "differences": list(found.differences),
        "unknown": list(found.unknown),
        "notes": list(found.notes),
    }


def as_text(found: Verified, any_key: bool) -> list[str]:
    """What came of it, in lines; the answer first."""
    target = found.statement.predicate.scan.get("target", "")
    answers = {
        0: f"The same again: {target} is {found.again_verdict}, decision {found.again_decision}.",
        1: f"Not the same: {found.verdict} and {found.decision} are attested, "
        f"{found.again_verdict} and {found.again_decision} come of it again.",
        4: f"The same as far as it could be judged again: {found.verdict}, decision {found.decision}.",
    }
    lines = [answers[found.exit_code]]
    lines += [f"  differs: {line}" for line in found.differences[:_MAX_SHOWN]]
    if len(found.differences) > _MAX_SHOWN:
        lines.append(f"  and {len(found.differences) - _MAX_SHOWN} more differences")
    lines += [f"  not known: {line}" for line in found.unknown]
    whose = "by whoever has this key" if any_key else "by a key that is trusted here"
    lines.append(f"Signed {whose}: {found.key}")
    lines += [
        f"  {one.name}: " + ", ".join(f"{k} {v}" for k, v in sorted(one.digest.items()))
        for one in found.statement.subject[:5]
    ]
    lines.append(
        f"{found.alerts} alerts came of the recording again; {found.attested_alerts} more are attested alone."
    )
    for source, words in _SOURCES.items():
        those = [one for one in found.origins if one.source is source]
        if those:
            lines.append(f"{len(those)} finding{'s' if len(those) > 1 else ''} {words}:")
        for one in those[:_MAX_SHOWN]:
            why = f" ({one.why})" if one.why else ""
            lines.append(f"  {one.finding.severity:8} {shortened(one.finding.title)}{why}")
        if len(those) > _MAX_SHOWN:
            lines.append(f"  and {len(those) - _MAX_SHOWN} more")
    alone = by_how(found.checked)[How.SIGNED.value]
    if alone:
        lines.append(f"Not checked by the replay, bound by the signature only: {'; '.join(alone)}.")
    return [*lines, *found.notes]


def harmless_lines(lines: list[str]) -> str:
    """Lines for a terminal, whatever a box put into them."""
    return "\n".join(harmless(line) for line in lines)
