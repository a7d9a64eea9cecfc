"""What other tools read: their schemas and their unwritten rules."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from package_hunter.model.report import Report
from package_hunter.model.scan import ScanStatus, Verdict
from package_hunter.report import (
    FORMATS,
    cyclonedx,
    defectdojo,
    dependency_track,
    gitlab,
    html,
    markdown,
    osv,
    sarif,
)
from package_hunter.report.location import locate
from tests.support import judge_samples as samples
from tests.support.judge_samples import judge
from tests.support.requires import needs_module

FINDINGS = judge(
    samples.OBSERVATION,
    samples.NETWORK,
    (samples.CANARY,),
    packages=(samples.PACKAGE,),
    coverage=samples.COVERAGE,
)
REPORT = samples.report(findings=FINDINGS)
QUIET = samples.report(findings=(), verdict=Verdict.NO_FINDINGS)
FAILED = replace(QUIET, status=ScanStatus.FAILED, error="Broken.", verdict=Verdict.INCONCLUSIVE)
WAIVED = samples.report(findings=tuple(replace(f, waived="known") for f in FINDINGS))
SCHEMA = json.loads((Path(__file__).parent / "schemas/gitlab-dependency-scanning-15.1.4.json").read_text())
DEFECTDOJO = json.loads((Path(__file__).parent / "schemas/defectdojo-generic-findings.json").read_text())
ALL = [REPORT, QUIET, FAILED, WAIVED]


@pytest.mark.parametrize("report", ALL)
def test_gitlab_satisfies_its_schema(report: Report) -> None:
    data = json.loads(gitlab.render(report))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    assert data["scan"]["status"] == ("failure" if report is FAILED else "success")


def test_gitlab_names_the_package_and_tracks_by_fingerprint() -> None:
    first = json.loads(gitlab.render(REPORT))["vulnerabilities"][0]
    assert first["location"]["dependency"] == {"package": {"name": "maldep"}, "version": "1.0.0"}
    assert first["identifiers"][0]["value"] == FINDINGS[0].fingerprint
    again = json.loads(gitlab.render(replace(REPORT, id="other", started=REPORT.started + 5)))[
        "vulnerabilities"
    ][0]
    assert again["id"] == first["id"], "the same finding keeps its id from scan to scan"


@pytest.mark.parametrize("report", ALL)
def test_sarif_has_what_github_asks_for(report: Report) -> None:
    data = json.loads(sarif.render(report))
    run = data["runs"][0]
    assert data["version"] == "2.1.0"
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["id"]
        assert rule["shortDescription"]["text"]
        assert rule["fullDescription"]["text"]
        assert rule["help"]["text"]
        assert 0 <= float(rule["properties"]["security-severity"]) <= 10
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        region = result["locations"][0]["physicalLocation"]["region"]
        assert set(region) == {"startLine", "startColumn", "endLine", "endColumn"}
        assert result["partialFingerprints"]["primaryLocationLineHash"]
    assert run["automationDetails"]["id"]
    assert run["invocations"][0]["executionSuccessful"] is (report is not FAILED)


def test_sarif_points_at_the_line_that_brings_the_package_in(tmp_path: Path) -> None:
    packages = {"node_modules/other": {}, "node_modules/maldep": {"version": "1.0.0"}}
    lock = json.dumps({"packages": packages}, indent=1)
    (tmp_path / "package-lock.json").write_text(lock)
    result = json.loads(sarif.render(REPORT, tmp_path))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("package-lock.json", 4)


@pytest.mark.parametrize(
    ("ecosystem", "file", "text", "purl", "line"),
    [
        ("npm", "yarn.lock", '# v1\n\n"@a/b@^1":\n  version "1"\n', "pkg:npm/%40a/b@1.0.0", 3),
        ("npm", "package.json", '{\n"dependencies": {\n"left-pad": "1"}}', "pkg:npm/left-pad@1.0.0", 3),
        ("pip", "requirements.txt", "x\nevil==1.0\n", "pkg:pypi/evil@1.0", 2),
        ("gem", "Gemfile.lock", "GEM\n  specs:\n    evil (1.0)\n", "pkg:gem/evil@1.0", 3),
    ],
)
def test_lines_of_lock_files(
    tmp_path: Path, ecosystem: str, file: str, text: str, purl: str, line: int
) -> None:
    (tmp_path / file).write_text(text)
    target = replace(samples.report().target, ecosystem=ecosystem)
    found = locate(samples.report(target=target), purl, tmp_path)
    assert (found.file, found.line) == (file, line)


def test_link_in_place_of_a_lock_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "package-lock.json").symlink_to("/etc/passwd")
    assert locate(REPORT, "pkg:npm/root@1", tmp_path).line == 1


def test_osv_is_as_malicious_packages_takes_it() -> None:
    (line,) = osv.render(REPORT).splitlines()
    record: dict[str, Any] = json.loads(line)
    assert not {"id", "summary"} & set(record)
    assert record["affected"] == [{"package": {"ecosystem": "npm", "name": "maldep"}, "versions": ["1.0.0"]}]
    assert record["database_specific"]["iocs"]["domains"] == ["paste.example", "collect.example"]
    assert "ip_addresses" not in record["database_specific"]["iocs"], (
        "addresses of the box mean nothing outside"
    )
    assert osv.render(QUIET) == osv.render(WAIVED) == ""


def test_osv_speaks_of_proof_only() -> None:
    weak = samples.report(findings=tuple(replace(f, proof=False) for f in FINDINGS))
    assert osv.render(weak) == ""


@pytest.mark.parametrize("report", ALL)
def test_cyclonedx_refers_to_what_it_lists(report: Report) -> None:
    data = json.loads(cyclonedx.render(report))
    refs = {c["bom-ref"] for c in data["components"]} | {"project"}
    assert all(a["ref"] in refs for v in data["vulnerabilities"] for a in v["affects"])
    states = {v["analysis"]["state"] for v in data["vulnerabilities"]}
    assert states <= {"exploitable", "in_triage", "not_affected"}


@pytest.mark.parametrize("report", ALL)
def test_cyclonedx_satisfies_the_official_schema(report: Report) -> None:
    validation = needs_module("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion  # type: ignore[import-not-found]

    assert validation.JsonStrictValidator(SchemaVersion.V1_6).validate_str(cyclonedx.render(report)) is None


@pytest.mark.parametrize("report", ALL)
def test_dependency_track_takes_it_as_bom_and_as_vex(report: Report) -> None:
    validation = needs_module("cyclonedx.validation.json")
    from cyclonedx.schema import SchemaVersion

    text = dependency_track.render(report)
    assert validation.JsonStrictValidator(SchemaVersion.V1_5).validate_str(text) is None
    data = json.loads(text)
    refs = {c["bom-ref"] for c in data["components"]} | {"project"}
    for vulnerability in data["vulnerabilities"]:  # what its importer passes over in silence
        assert vulnerability["id"]
        assert vulnerability["source"] == {"name": "INTERNAL"}, "the one known source that is nobody else's"
        assert vulnerability["analysis"]["state"] in ("exploitable", "in_triage", "not_affected")
        assert {a["ref"] for a in vulnerability["affects"]} <= refs
    same = json.loads(cyclonedx.render(report))["vulnerabilities"]
    assert [v["id"] for v in data["vulnerabilities"]] == [v["id"] for v in same]


@pytest.mark.parametrize("report", ALL)
def test_defectdojo_has_the_keys_that_it_takes(report: Report) -> None:
    data = json.loads(defectdojo.render(report))
    jsonschema.Draft202012Validator(DEFECTDOJO).validate(data)
    ids = [finding["unique_id_from_tool"] for finding in data["findings"]]
    assert len(set(ids)) == len(ids)
    assert bool(ids) is (report in (REPORT, WAIVED))


def test_defectdojo_knows_a_finding_again_and_what_is_waived() -> None:
    first, waived = (json.loads(defectdojo.render(r))["findings"] for r in (REPORT, WAIVED))
    again = json.loads(defectdojo.render(replace(REPORT, id="other", started=REPORT.started + 5)))["findings"]
    assert again == first
    assert (first[0]["component_name"], first[0]["component_version"]) == ("maldep", "1.0.0")
    assert [(f["active"], f["risk_accepted"]) for f in first] == [(True, False)] * len(first)
    assert [(f["active"], f["risk_accepted"]) for f in waived] == [(False, True)] * len(waived)
    assert [f["verified"] for f in first] == [f["severity"] == "Critical" for f in first]


@pytest.mark.parametrize("text", ["\u200b" * 9_000, "x" * 9_000, "\U000e0001" * 9_000])
def test_defectdojo_gets_no_text_that_is_too_long_for_its_columns(text: str) -> None:
    purl = f"pkg:npm/{'p' * 9_000}@{'1' * 9_000}"
    long = replace(FINDINGS[0], title=text, kind=text[:9_000], blame=replace(FINDINGS[0].blame, package=purl))
    data = json.loads(defectdojo.render(samples.report(findings=(long,))))
    jsonschema.Draft202012Validator(DEFECTDOJO).validate(data)


def test_html_runs_nothing_and_loads_nothing() -> None:
    page = html.render(REPORT)
    assert not re.search(r"<(script|iframe|object|embed|link|img|form|base)\b", page)
    assert not re.search(r"\son\w+=", page)
    assert not re.search(r"(?:href|src)=[\"'](?!#)", page), "links lead to places in the page only"
    assert "default-src 'none'" in page
    assert "unsafe-inline" not in page


def test_html_styles_hash_is_that_of_its_style() -> None:
    import base64
    import hashlib

    page = html.render(REPORT)
    style = re.search(r"<style>(.*?)</style>", page, re.S)
    stated = re.search(r"sha256-([^']+)'", page)
    assert style
    assert stated
    assert base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode() == stated[1]


def test_html_names_no_host_that_could_become_a_link() -> None:
    bad = replace(samples.NETWORK.requests[0], url="https://evil.example/<script>alert(1)</script>")
    page = html.render(samples.report(network=replace(samples.NETWORK, requests=(bad,)), findings=()))
    assert "hxxps://evil[.]example/&lt;script&gt;" in page
    assert "https://evil.example" not in page


def test_markdown_escapes_what_is_not_ours() -> None:
    title = "x](https://evil.example) @everyone <img src=x> | `code` :tada:"
    text = markdown.render(samples.report(findings=(replace(FINDINGS[0], title=title),)))
    assert "<img" not in text
    assert "](https" not in text
    assert not re.search(r"(?<!\\)@everyone", text)


def test_every_format_takes_a_failed_scan() -> None:
    for name, render in FORMATS.items():
        assert isinstance(render(FAILED), str), name


def test_places_are_named_from_the_repositorys_root(tmp_path: Path) -> None:
    web = tmp_path / "services" / "web"
    web.mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (web / "package-lock.json").write_text('{"packages": {\n"node_modules/maldep": {}}}')
    place = json.loads(sarif.render(REPORT, web))["runs"][0]["results"][0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "services/web/package-lock.json"
    assert place["physicalLocation"]["region"]["startLine"] == 2
    data = json.loads(gitlab.render(REPORT, web))
    assert data["vulnerabilities"][0]["location"]["file"] == "services/web/package-lock.json"
    assert data["dependency_files"][0]["path"] == "services/web/package-lock.json"


def test_several_ecosystems_have_a_file_each(tmp_path: Path) -> None:
    for name, text in (("package-lock.json", '"node_modules/maldep": {}'), ("requirements.txt", "evil==1\n")):
        (tmp_path / name).write_text(text)
    python = replace(samples.PACKAGE, purl="pkg:pypi/evil@1", name="evil", version="1")
    targets = (REPORT.target, replace(REPORT.target, ecosystem="pypi"))
    both = replace(REPORT, packages=(samples.PACKAGE, python), targets=targets)
    data = json.loads(gitlab.render(both, tmp_path))
    jsonschema.Draft202012Validator(SCHEMA).validate(data)
    told = [(f["path"], f["package_manager"]) for f in data["dependency_files"]]
    assert told == [("package-lock.json", "npm"), ("requirements.txt", "pip")]
    blamed = replace(FINDINGS[0], blame=replace(samples.BLAME, package="pkg:pypi/evil@1"))
    result = json.loads(sarif.render(replace(both, findings=(blamed,)), tmp_path))["runs"][0]["results"][0]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "requirements.txt"
    assert "npm, pypi" in html.render(both)


ODD = "odd name/\u00fcn\u00ef code"


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        (ODD, "odd%20name/%C3%BCn%C3%AF%20code/package-lock.json"),
        ("a:b", "a%3Ab/package-lock.json"),
        ("50%/#1?", "50%25/%231%3F/package-lock.json"),
        ("[x]/\\y", "%5Bx%5D/%5Cy/package-lock.json"),
        ("plain-1.0_~", "plain-1.0_~/package-lock.json"),
    ],
)
def test_sarif_names_files_as_rfc_3986_has_them(folder: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "package-lock.json").write_text("{}")
    result = json.loads(sarif.render(REPORT, tmp_path / folder))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == expected
    seen = json.loads(gitlab.render(REPORT, tmp_path / folder))["vulnerabilities"][0]
    assert seen["location"]["file"] == f"{folder}/package-lock.json", "GitLab's is a path, no URI"


def two_thieves() -> Report:
    """Two packages with proof, each with a host of its own."""
    first = next(f for f in FINDINGS if f.proof and f.blame and f.blame.package)
    assert first.blame
    other = "pkg:npm/second@2.0.0"
    blame = replace(first.blame, package=other)
    request = next(r for r in REPORT.network.requests if r.blame and r.blame.package == first.blame.package)
    more = replace(request, url="https://second.example/x", blame=blame)
    network = replace(REPORT.network, requests=(*REPORT.network.requests, more))
    return replace(REPORT, findings=(first, replace(first, blame=blame)), network=network)


def test_an_osv_record_holds_its_own_packages_indicators_only() -> None:
    records = [json.loads(line) for line in osv.render(two_thieves()).splitlines()]
    iocs = {one["affected"][0]["package"]["name"]: json.dumps(one["database_specific"]) for one in records}
    assert set(iocs) == {"maldep", "second"}
    assert "second.example" in iocs["second"]
    assert "second.example" not in iocs["maldep"]
    own = json.loads(osv.render(REPORT))["database_specific"]["iocs"]
    assert json.loads(iocs["maldep"])["iocs"] == own
    assert set(json.loads(iocs["second"])["iocs"]["urls"]) == {"https://second.example/x"}


def test_gitlabs_indicators_are_of_the_findings_own_package() -> None:
    found = json.loads(gitlab.render(two_thieves()))["vulnerabilities"]
    shown = {
        one["location"]["dependency"]["package"]["name"]: json.dumps(one["details"].get("indicators", {}))
        for one in found
    }
    assert "second" in shown["second"]
    assert "second" not in shown["maldep"]
