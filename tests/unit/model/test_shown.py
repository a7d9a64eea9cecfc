"""What people see as one finding: one act, however many hosts; each host is waived for itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.finding import Evidence, Finding, in_words
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.shown import shown
from package_hunter.report import cyclonedx, gitlab, html, markdown, sarif, text, words
from tests.support import judge_samples as samples

BLAME = samples.BLAME


def finding(host: str, kind: str = "outbound_connection", mark: str = "", **more: Any) -> Finding:
    says = {
        "outbound_connection": f"It contacted {host}",
        "host_facts_sent": f"It told {host} about this machine",
    }
    return Finding(
        fingerprint=mark or hashlib.sha256(f"{kind} {host}".encode()).hexdigest()[:32],
        kind=kind,
        severity="medium",
        title=says.get(kind, f"{kind} ({host})"),
        blame=BLAME,
        evidence=(Evidence(1, f"{kind} at {host}"),),
        subjects=(host,),
        **more,
    )


SIXTY = tuple(finding(f"h{n}.n8.example") for n in range(60))


def test_many_hosts_of_one_act_are_one_with_all_of_them_in_it() -> None:
    (one,) = shown(SIXTY)
    assert one.finding.title == "It contacted h0.n8.example, h1.n8.example, h2.n8.example and 57 more"
    assert len(one.finding.subjects) == len(one.members) == len(set(one.fingerprints)) == 60
    assert one.finding.count == 60


def test_other_acts_weights_doers_and_waivers_stay_apart() -> None:
    a, b = finding("a.example"), finding("b.example")
    other = replace(BLAME, package="pkg:npm/other@1.0.0")
    for different in (
        {"blame": other}, {"severity": "high"}, {"proof": True}, {"waived": "agreed"}, {"form": "else"},
        {"blame": replace(BLAME, script="postinstall")}, {"kind": "download"}, {"title": "It told b.example"},
    ):  # fmt: skip
        assert len(shown([a, replace(b, **different)])) == 2, different
    assert len(shown([a, b])) == 1
    assert len(shown([replace(a, subjects=()), replace(b, subjects=())])) == 2


def test_that_a_host_was_contacted_is_part_of_what_else_was_done_there() -> None:
    contact, told = finding("a.example"), finding("a.example", "host_facts_sent")
    (one,) = shown([told, contact])
    assert one.finding.title == told.title and one.parts == (contact,)
    assert contact.fingerprint in one.fingerprints
    assert [e.what for e in one.finding.evidence] == [told.evidence[0].what, contact.evidence[0].what]
    assert len(shown([replace(told, waived="agreed"), contact])) == 2
    assert len(shown([replace(told, severity="info"), contact])) == 2
    assert len(shown([replace(told, blame=None), contact])) == 2
    elsewhere = finding("b.example")
    assert [len(s.members) for s in shown([told, contact, elsewhere])] == [1, 1]


def test_that_a_tool_contacted_a_host_is_part_of_its_being_started() -> None:
    line = "curl -s https://a.example/x"
    ran = replace(finding(line, "download"), title=f"A script used a download tool ({line})")

    def by(*lines: str) -> Finding:
        rule = {"rule": "Out", "priority": "Notice"}
        said = tuple(Evidence(1, c, rule | {"fields": {"proc.cmdline": c}}) for c in lines)
        return replace(finding("a.example"), evidence=said)

    (one,) = shown([ran, by(line)])
    assert len(one.parts) == 1 and words.rules_of(one.finding) == ["Out (NOTICE)"]
    assert len(shown([ran, by(line, "node s.js")])) == 2
    assert len(shown([ran, by("curl -s https://b.example/x")])) == 2
    assert len(shown([ran, finding("a.example")])) == 2


def test_the_steps_of_a_proof_are_part_of_it() -> None:
    steps = ("node fetched it", "it was executed")
    proof = replace(
        finding("a.example", "staged_payload"),
        proof=True,
        evidence=tuple(Evidence(1, s) for s in ("all", *steps)),
    )
    step = replace(finding("b.example", "remote_code_execution"), evidence=(Evidence(1, steps[1]),))
    more = replace(step, evidence=(*step.evidence, Evidence(1, "and more")))
    assert [s.parts for s in shown([proof, step])] == [(step,)]
    assert len(shown([proof, more])) == len(shown([replace(proof, proof=False), step])) == 2
    assert len(shown([proof, replace(step, waived="agreed")])) == 2
    assert len(shown([proof, replace(step, blame=None)])) == 2


def test_reading_what_was_seen_leaving_is_part_of_the_theft() -> None:
    sent = replace(
        finding("a.example", "exfiltration"),
        proof=True,
        evidence=(Evidence(1, "sent", {"place": "/home/dev/.npmrc"}),),
    )
    read = replace(finding("/home/dev/.npmrc", "credential_access"))
    (one,) = shown([sent, read])
    assert one.parts == (read,) and read.title in [e.what for e in one.finding.evidence]
    both = replace(read, subjects=("/home/dev/.npmrc", "/home/dev/.netrc"))
    assert len(shown([sent, both])) == 2, "what was read beside it is told"


def test_whichever_came_first_the_sentence_is_the_same() -> None:
    titles = {shown(order)[0].finding.title for order in (SIXTY, SIXTY[::-1], SIXTY[30:] + SIXTY[:30])}
    assert titles == {"It contacted h0.n8.example, h1.n8.example, h2.n8.example and 57 more"}


def test_one_more_host_is_told_anew() -> None:
    before, after = shown(SIXTY[:2])[0], shown(SIXTY[:3])[0]
    assert before.mark != after.mark
    assert before.mark == shown(reversed(SIXTY[:2]))[0].mark
    assert shown(SIXTY[:1])[0].mark == SIXTY[0].fingerprint


def test_every_form_of_report_shows_the_same() -> None:
    report = samples.report(findings=SIXTY)
    title = shown(SIXTY)[0].finding.title
    told = to_json(report)
    assert len(told["findings"]) == 60
    assert [one["title"] for one in told["shown"]] == [title]
    assert set(told["shown"][0]["fingerprints"]) == {f["fingerprint"] for f in told["findings"]}
    assert len(told["shown"][0]["subjects"]) == 60
    assert from_json(told).findings == report.findings
    (result,) = json.loads(sarif.render(report))["runs"][0]["results"]
    assert title in result["message"]["text"] and len(result["properties"]["fingerprints"]) == 60
    (vulnerability,) = json.loads(gitlab.render(report))["vulnerabilities"]
    assert vulnerability["name"] == title
    assert len(json.loads(cyclonedx.render(report))["vulnerabilities"]) == 1
    for shape in (text.render(report, width=200), html.render(report), markdown.render(report)):
        assert shape.count("57 more") >= 1 and "and 59 more findings" not in shape
    explained = text.render(report, width=300, explain=True)
    assert all(f"fingerprint {f.fingerprint} for {f.subjects[0]}" in explained for f in SIXTY)
    assert words.verdict_sentence(report).endswith(f"it{title[2:]}")


_hosts = st.lists(st.sampled_from(["a.example", "b.example", "c.example", ""]), max_size=4)
_kinds = st.sampled_from(["outbound_connection", "host_facts_sent", "download", "credential_access"])
_evidence = st.lists(st.sampled_from(["one", "two", "three"]), max_size=3)


@given(st.lists(st.tuples(_hosts, _kinds, _evidence, st.booleans()), max_size=12))
def test_nothing_is_lost_and_nothing_is_told_twice(
    drawn: list[tuple[list[str], str, list[str], bool]],
) -> None:
    findings = [
        replace(
            finding(in_words(hosts), kind, f"{at:032x}"),
            subjects=tuple(hosts),
            evidence=tuple(Evidence(1, what, {"place": hosts[0] if hosts else ""}) for what in said),
            proof=proof,
        )
        for at, (hosts, kind, said, proof) in enumerate(drawn)
    ]
    told = [mark for one in shown(findings) for mark in one.fingerprints]
    assert sorted(told) == sorted(f.fingerprint for f in findings)
