"""Rules over the API: what the command line says of files, of texts that are sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from package_hunter.access.roles import Role
from package_hunter.store import documents, rule_sets
from tests.support.access_server import FOREIGN, OWN, TEST, AccessServer


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AccessServer]:
    made = AccessServer(tmp_path_factory.mktemp("rules"))
    yield made
    made.store.close()


@pytest.fixture(scope="module")
def token(server: AccessServer) -> str:
    return server.token("reads", (Role.VIEWER, OWN))


def test_rules_are_listed_and_explained(server: AccessServer, token: str) -> None:
    items = server.ask(token, "GET", "/api/v1/rules").json()["items"]
    name = "Cloud metadata service contacted"
    assert len(items) > 30 and name in {item["name"] for item in items}
    text = server.ask(token, "GET", "/api/v1/rules/explain", params={"name": name}).json()["text"]
    assert "metadata" in text
    near = server.ask(token, "GET", "/api/v1/rules/explain", params={"name": name[:-1]})
    assert (near.status_code, near.json()["advice"]) == (404, f"Did you mean {name!r}?")


@pytest.mark.parametrize(
    ("rules", "ok", "code"),
    [
        ("- rule: mine\n  desc: d\n  condition: proc.name = npm\n  output: o\n  priority: INFO", True, None),
        ("- rule: mine\n  condition: proc.nme = npm\n  desc: d\n  output: o\n  priority: INFO", False, None),
        ("- rule: [", False, "yaml"),
        ("a: b", False, None),
        ("[" * 5_000, False, None),
    ],
)
def test_rules_are_checked(server: AccessServer, token: str, rules: str, ok: bool, code: str | None) -> None:
    said = server.ask(token, "POST", "/api/v1/rules/check", json={"rules": rules}).json()
    assert said["ok"] is ok
    assert ok or said["problems"]
    assert code is None or code in {problem["code"] for problem in said["problems"]}


def test_a_condition_is_tried_on_events(server: AccessServer, token: str) -> None:
    events: list[dict[str, Any]] = [
        {"evt.type": "execve", "proc.name": "curl"},
        {"evt.type": "execve", "proc.name": "ls"},
        {"evt.type": "open", "proc.name": "curl"},
        {},
    ]
    body = {"condition": "evt.type = execve and proc.name in (curl, wget)", "events": events}
    answer = server.ask(token, "POST", "/api/v1/rules/match", json=body)
    assert answer.json()["matches"] == [True, False, False, False], answer.text


@pytest.mark.parametrize(
    "body",
    [
        {"condition": "proc.nme = x", "events": []},
        {"condition": "((((", "events": []},
        {"condition": "", "events": []},
        {"condition": "proc.name = x", "events": [1]},
        {"condition": "proc.name = x", "events": [{}] * 1_001},
        {"condition": "x" * 8_001, "events": []},
    ],
)
def test_what_is_no_condition_or_event(server: AccessServer, token: str, body: Any) -> None:
    answer = server.ask(token, "POST", "/api/v1/rules/match", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")


MINE = """- rule: Mine
  desc: npm runs
  condition: evt.type = execve and proc.name = npm
  output: npm (%proc.cmdline)
  priority: INFO
"""


def test_rules_of_a_text_are_explained(server: AccessServer, token: str) -> None:
    said = server.ask(token, "POST", "/api/v1/rules/check", json={"rules": MINE, "explain": True}).json()
    assert [one["name"] for one in said["explained"]] == ["Mine"]
    assert "execve" in said["explained"][0]["text"]
    assert server.ask(token, "POST", "/api/v1/rules/check", json={"rules": MINE}).json()["explained"] == []


def test_the_fields_are_told(server: AccessServer, token: str) -> None:
    items = {one["name"]: one for one in server.ask(token, "GET", "/api/v1/rules/fields").json()["items"]}
    assert items["proc.name"]["type"] == "string" and items["proc.name"]["description"]
    assert any(one["unsupported"] for one in items.values())


def test_rule_files_have_versions_and_are_seen_where_policies_are(server: AccessServer) -> None:
    for number, text in enumerate((MINE, MINE.replace("INFO", "WARNING"), ""), 1):
        with server.store.write() as session:
            for path in (OWN, FOREIGN):
                key = server.place(session, path).key
                documents.put(session, rule_sets.KIND, key, "team", {"name": "team", "rules": text}, TEST)
        token = server.token(f"reads-{number}", (Role.VIEWER, OWN))
        items = server.ask(token, "GET", "/api/v1/rule-sets").json()["items"]
        assert items[0]["scope"] == "builtin" and items[0]["size"] > 10_000
        assert [(i["scope"], i["version"], i["size"]) for i in items[1:]] == [
            (f"project:{OWN}", number, len(text))
        ]
        one = server.ask(token, "GET", f"/api/v1/rule-sets/{server.ids[OWN]}/team").json()
        assert (one["rules"], [v["version"] for v in one["versions"]]) == (text, [*range(number, 0, -1)])
        for there in (
            f"{server.ids[FOREIGN]}/team",
            f"{server.ids[OWN]}/other",
            "all/team",
            "builtin/x",
            "x/y",
        ):
            assert server.ask(token, "GET", f"/api/v1/rule-sets/{there}").status_code == 404
        builtin = server.ask(token, "GET", f"/api/v1/rule-sets/builtin/{items[0]['name']}")
        assert "- rule:" in builtin.json()["rules"]
    nobody = server.token("nobody")
    assert server.ask(nobody, "GET", f"/api/v1/rule-sets/builtin/{items[0]['name']}").status_code == 404


def test_a_server_without_recordings_says_so_and_wrong_rules_are_refused(server: AccessServer) -> None:
    token = server.token("tries", (Role.ANALYST, OWN))

    def tried(rules: str, who: str = token) -> httpx.Response:
        body = {"rules": rules}
        return server.ask(who, "POST", "/api/v1/rules/try", params={"project": OWN}, json=body)

    said = tried(MINE).json()
    assert (said["kept"], said["tried"], said["microseconds"]) == (False, 0, None)
    assert said["rules"] == [{"rule": "Mine", "alerts": 0}]
    wrong = tried(MINE.replace("proc.name", "proc.nme"))
    assert (wrong.status_code, "proc.nme" in wrong.json()["detail"]) == (400, True)
    assert tried(MINE, server.token("developer", (Role.DEVELOPER, OWN))).status_code == 403
