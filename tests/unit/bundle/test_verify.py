"""What `verify` finds: the same again, or where not; and what it refuses."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.audit.keys import key_name, public_text
from package_hunter.bundle import Trust, of_files, verify
from package_hunter.bundle.errors import BadBundleError
from package_hunter.bundle.findings import Source
from package_hunter.bundle.signing import sign
from package_hunter.cli.verified import as_text, harmless_lines
from package_hunter.errors import BadArchiveError, UsageError
from package_hunter.model.report_form import to_json
from package_hunter.model.scan import Coverage, Decision, Verdict
from package_hunter.policy.rejudge import rejudge
from tests.support import bundle_samples as samples
from tests.support.bundle_samples import KEY, OTHER_KEY, again, bundled, content, written

OURS = Trust(keys=(KEY.public_key(),))
FURTHER = samples.Box(
    "npm", "/home/dev/app", "default", "narrow", False, samples.BEGAN + 10**11, samples.BEGAN + 10**13
)


def signed_again(path: Path, changed: dict[str, bytes]) -> Path:
    """As somebody who has the key would forge it: the digests and the signature are those of the new content."""
    envelope = json.loads(content(path, "attestation.json"))
    said = json.loads(base64.b64decode(envelope["payload"]))
    predicate = said["predicate"]
    for one in (predicate["report"], predicate["policy"], *predicate["rules"], *predicate["recordings"]):
        if one["name"] in changed:
            one["digest"]["sha256"] = hashlib.sha256(changed[one["name"]]).hexdigest()
    return again(path, {**changed, "attestation.json": sign(json.dumps(said).encode(), KEY)})


def test_the_same_verdict_comes_of_it_again(tmp_path: Path) -> None:
    found = verify(bundled(tmp_path), OURS)
    assert (found.exit_code, found.differences, found.unknown) == (0, (), ())
    assert (found.verdict, found.again_verdict) == (Verdict.MALICIOUS, Verdict.MALICIOUS)
    assert (found.decision, found.again_decision) == (Decision.BLOCK, Decision.BLOCK)
    assert found.alerts == 2
    told = {one.finding.kind: one.source for one in found.origins}
    assert told == {"exfiltration": Source.GATEWAY, "rule_match": Source.RECORDING}
    assert found.statement.subject[0].digest == {"sha256": "cd" * 32}
    assert found.statement.predicate.image is not None
    assert found.statement.predicate.image.digest == {"sha256": "ab" * 32}


POLICY = """
[[waiver]]
kind = "exfiltration"
reason = "a drill"
author = "ada"
expires = 2026-12-31

[[rule]]
kind = "rule_match"
decision = "block"
"""


def test_the_policy_of_that_day_judges(tmp_path: Path) -> None:
    """The scan was in September 2026: the waiver held then, whenever somebody verifies."""
    found = verify(bundled(tmp_path, POLICY), OURS)
    assert found.exit_code == 0
    assert (found.again_verdict, found.again_decision) == (Verdict.SUSPICIOUS, Decision.BLOCK)


def test_a_report_of_another_policy_is_not_signed(tmp_path: Path) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = samples.report(scap)
    with pytest.raises(UsageError, match="By this policy the report is suspicious and block"):
        of_files(report, [scap], POLICY, None)


def test_a_report_beside_a_baseline_is_not_signed(tmp_path: Path) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    with pytest.raises(UsageError, match="baseline"):
        of_files(samples.report(scap, baseline={"id": "x"}), [scap], None, None)


def test_the_recording_of_another_scan_is_not_signed(tmp_path: Path) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    report = samples.report(scap, id="another")
    with pytest.raises(UsageError, match="not the recording of this report's scan"):
        of_files(report, [scap], None, None)


def test_several_boxes_and_what_only_they_show(tmp_path: Path) -> None:
    first = samples.recording(tmp_path / "x.scap", samples.surroundings())
    quiet = samples.surroundings(world="later", network=samples.NetworkLog())
    second = samples.recording(tmp_path / "x.2.scap", quiet)
    path = written(of_files(samples.report(first, second), [first, second], None, None), tmp_path / "b.zip")
    found = verify(path, OURS)
    assert (found.exit_code, found.differences, found.alerts) == (0, (), 4)
    assert [one.annotations["world"] for one in found.statement.predicate.recordings] == ["default", "later"]


class TestWhatIsNotAsSigned:
    @pytest.mark.parametrize("name", ["report.json", "policy.json", "rules/000.yaml", "recordings/0.scap"])
    def test_another_file_in_its_place(self, tmp_path: Path, name: str) -> None:
        path = bundled(tmp_path)
        with pytest.raises(BadBundleError, match=f"{name} is not the one that was signed"):
            verify(again(path, {name: content(path, name) + b" "}), OURS)

    def test_a_swapped_recording(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        other = samples.recording(tmp_path / "other.scap", samples.surroundings(), events=9)
        with pytest.raises(BadBundleError, match=r"recordings/0\.scap is not the one"):
            verify(again(path, {"recordings/0.scap": other.read_bytes()}), OURS)

    def test_an_edited_statement(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        envelope = json.loads(content(path, "attestation.json"))
        envelope["payload"] = envelope["payload"][:-8] + "AAAAAAA="
        with pytest.raises(BadBundleError, match="signature"):
            verify(again(path, {"attestation.json": json.dumps(envelope).encode()}), OURS)

    def test_a_file_that_nobody_signed(self, tmp_path: Path) -> None:
        path = again(bundled(tmp_path), {}, [("rules/001.yaml", b"[]")])
        with pytest.raises(BadBundleError, match="nobody signed"):
            verify(path, OURS)

    def test_a_statement_of_another_kind(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        said = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [],
            "predicateType": "x",
            "predicate": {},
        }
        with pytest.raises(BadBundleError, match="no statement about a scan"):
            verify(again(path, {"attestation.json": sign(json.dumps(said).encode(), KEY)}), OURS)


class TestWhose:
    def test_another_key(self, tmp_path: Path) -> None:
        with pytest.raises(BadBundleError, match="not that of a key that is trusted"):
            verify(bundled(tmp_path), Trust(keys=(OTHER_KEY.public_key(),)))

    def test_its_own_key_counts_where_its_name_is_pinned(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        assert verify(path, Trust(names=frozenset({key_name(KEY.public_key())}))).exit_code == 0
        with pytest.raises(BadBundleError, match="trusted"):
            verify(path, Trust(names=frozenset({key_name(OTHER_KEY.public_key())})))

    def test_its_own_key_alone_says_nothing(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        with pytest.raises(BadBundleError, match="trusted"):
            verify(path, Trust())
        assert verify(path, Trust(anybody=True)).key == key_name(KEY.public_key())

    def test_a_key_that_is_put_beside_a_foreign_signature(self, tmp_path: Path) -> None:
        """The pinned key in the bundle, the signature of another."""
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        path = written(of_files(samples.report(scap), [scap], None, None), tmp_path / "b.zip", OTHER_KEY)
        path = again(path, {"key.pem": public_text(KEY.public_key())})
        with pytest.raises(BadBundleError, match="trusted"):
            verify(path, Trust(names=frozenset({key_name(KEY.public_key())})))


class TestWhatDiffers:
    """Signed anew by whoever has the key: the replay says what is not so."""

    def test_a_report_without_the_proof(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        honest = samples.report(scap)
        report = rejudge(replace(honest, findings=tuple(f for f in honest.findings if not f.proof)))
        found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
        assert found.exit_code == 1
        assert (found.verdict, found.again_verdict) == (Verdict.SUSPICIOUS, Verdict.MALICIOUS)
        assert any("The recording shows the finding “Secrets were sent" in line for line in found.differences)
        assert any("The verdict is malicious when it is judged again" in line for line in found.differences)

    def test_a_report_that_is_milder(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        honest = samples.report(scap)
        mild = tuple(replace(f, proof=False, severity="low") for f in honest.findings)
        found = verify(
            written(
                of_files(rejudge(replace(honest, findings=mild)), [scap], None, None), tmp_path / "b.zip"
            ),
            OURS,
        )
        assert any(
            "the report's severity is low, the replay's critical" in line for line in found.differences
        )
        assert found.exit_code == 1

    def test_a_report_that_accuses_of_more(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        honest = samples.report(scap)
        made_up = replace(honest.findings[0], fingerprint="f" * 32, title="It mined coins")
        report = rejudge(replace(honest, findings=(*honest.findings, made_up)))
        found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
        assert any("The recording does not show the finding “It mined coins”" in s for s in found.differences)

    def test_alerts_that_were_taken_out(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        honest = samples.report(scap)
        found = verify(
            written(
                of_files(replace(honest, alerts=honest.alerts[:1]), [scap], None, None), tmp_path / "b.zip"
            ),
            OURS,
        )
        assert [d for d in found.differences if "alert that the report has not" in d]

    def test_rules_that_see_less(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        blind = samples.RULES.replace("evt.type = close", "evt.type = close and proc.pid = 1")
        found = verify(signed_again(path, {"rules/000.yaml": blind.encode()}), OURS)
        assert found.exit_code == 1
        assert any("other rules than those of the bundle" in line for line in found.differences)
        assert any("does not show: rule “A socket is closed”, 2 times" in line for line in found.differences)

    def test_a_policy_that_is_milder(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        mild = json.dumps({"form": "file", "day": "2026-09-21", "policy": POLICY, "own": None})
        found = verify(signed_again(path, {"policy.json": mild.encode()}), OURS)
        assert any(
            "The verdict is suspicious when it is judged again, not malicious" in d for d in found.differences
        )

    def test_a_recording_of_another_scan(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        other = samples.recording(tmp_path / "o.scap", samples.surroundings(), scan="another")
        found = verify(signed_again(path, {"recordings/0.scap": other.read_bytes()}), OURS)
        assert "The recording is of another scan than the report." in found.differences

    def test_a_recording_with_other_surroundings(self, tmp_path: Path) -> None:
        """What the gateway saw is attested: without it the proof is gone, and that is said."""
        path = bundled(tmp_path)
        other = samples.surroundings(network=samples.NetworkLog())
        scap = samples.recording(tmp_path / "o.scap", other)
        found = verify(signed_again(path, {"recordings/0.scap": scap.read_bytes()}), OURS)
        assert any("does not show the finding “Secrets were sent" in line for line in found.differences)


class TestWhatCannotBeTold:
    def test_an_older_recording_has_alerts_only(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        older = samples.recording(tmp_path / "o.scap")
        found = verify(signed_again(path, {"recordings/0.scap": older.read_bytes()}), OURS)
        assert (found.exit_code, found.differences, found.alerts) == (4, (), 2)
        assert all(one.source is Source.ATTESTED for one in found.origins)
        assert "keeps no surroundings" in found.unknown[0]

    def test_no_recording_at_all(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        source = of_files(samples.report(scap), [scap], None, None)
        path = written(replace(source, recordings=()), tmp_path / "b.zip")
        found = verify(path, OURS)
        assert (found.exit_code, found.attested_alerts) == (4, 2)
        assert "The bundle has no recording: nothing of it could be judged again." in found.unknown

    def test_a_recording_that_ends_in_the_middle(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        cut = content(path, "recordings/0.scap")[:-40]
        found = verify(signed_again(path, {"recordings/0.scap": cut}), OURS)
        assert found.exit_code == 4
        assert "ends in the middle" in found.unknown[0]

    def test_a_recording_that_is_none(self, tmp_path: Path) -> None:
        path = bundled(tmp_path)
        with pytest.raises(BadArchiveError, match="The recording"):
            verify(signed_again(path, {"recordings/0.scap": b"x" * 100}), OURS)

    def test_a_finding_of_a_further_box_is_attested(self, tmp_path: Path) -> None:
        scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
        honest = samples.report(samples.recording(tmp_path / "y.scap", samples.surroundings()))
        late = tuple(replace(e, time_ns=samples.BEGAN + 10**12) for e in honest.findings[0].evidence)
        elsewhere = replace(honest.findings[0], fingerprint="e" * 32, evidence=late)
        report = samples.report(scap, further=[FURTHER], findings=(*honest.findings, elsewhere))
        found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
        assert (found.exit_code, found.differences) == (0, ())
        assert [o.why for o in found.origins if o.source is Source.ATTESTED] == [
            "it was seen in a further box, which is not recorded"
        ]


def test_an_inconclusive_scan_stays_so(tmp_path: Path) -> None:
    coverage = Coverage(events=2, reasons=("The install failed.",))
    quiet = samples.surroundings(network=samples.NetworkLog())
    scap = samples.recording(tmp_path / "x.scap", quiet)
    report = samples.report(scap, coverage=coverage)
    found = verify(written(of_files(report, [scap], None, None), tmp_path / "b.zip"), OURS)
    assert (found.exit_code, found.again_verdict) == (0, Verdict.INCONCLUSIVE)


def test_hostile_text_of_a_report_stays_text(tmp_path: Path) -> None:
    path = bundled(tmp_path, target=samples.Target("\x1b[2Jdemo\u202e", "npm", None, "cd" * 32))
    shown = harmless_lines(as_text(verify(path, OURS), any_key=False))
    assert "\x1b" not in shown
    assert "\u202e" not in shown
    assert "\\x1b[2Jdemo\\u202e" in shown


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    scap = samples.recording(tmp_path / "x.scap", samples.surroundings())
    source = of_files(samples.report(scap), [scap], None, None)
    first, second = (written(source, tmp_path / f"{n}.zip").read_bytes() for n in range(2))
    assert first == second
    assert to_json(samples.report(scap))["verdict"] == "malicious"
