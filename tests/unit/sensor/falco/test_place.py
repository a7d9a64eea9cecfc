"""What PACKAGE_HUNTER_FALCO may say, and what Falco is told."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from package_hunter.errors import UsageError
from package_hunter.model.fields import field_catalogue
from package_hunter.observe.events import compile_rules
from package_hunter.rules import load_rules
from package_hunter.sensor.falco.place import Http, Lines, Place, Rpc, place
from package_hunter.sensor.falco.setup import FIELDS, RULE, falco_yaml


def test_places() -> None:
    assert place("http://127.0.0.1:2802/0123456789abcdef") == Http("127.0.0.1", 2802, "0123456789abcdef")
    assert place("http://localhost:2802/0123456789abcdef").url == "http://127.0.0.1:2802/0123456789abcdef"
    assert place("http://[::1]:2802/0123456789abcdef").url == "http://[::1]:2802/0123456789abcdef"
    assert (
        place("/var/log/falco.jsonl")
        == place("file:///var/log/falco.jsonl")
        == Lines(Path("/var/log/falco.jsonl"))
    )


@pytest.mark.parametrize(
    "said",
    [
        *(None, "", "falco.jsonl", "http://127.0.0.1:2802/", "http://127.0.0.1:2802/short"),
        *("http://127.0.0.1/0123456789abcdef", "http://somewhere.example:1/0123456789abcdef"),
        *("https://127.0.0.1:2802/0123456789abcdef", "unix:falco.sock", "grpc://127.0.0.1:5060"),
        *("http://127.0.0.1:99999/0123456789abcdef", "http://127.0.0.1:1/01234567/89abcdef"),
    ],
)
def test_what_means_nothing(said: str | None) -> None:
    with pytest.raises(UsageError) as raised:
        place(said)
    assert "doctor --falco" in raised.value.advice


@pytest.mark.parametrize("where", [Http("127.0.0.1", 2802, "0123456789abcdef"), Lines(Path("/x/y"))])
def test_falco_yaml_is_yaml(where: Http | Lines) -> None:
    config = yaml.safe_load(falco_yaml(where))
    assert config["syscall_event_drops"]["threshold"] == 0
    assert config["append_output"][1]["extra_fields"] == list(FIELDS)
    output = config["http_output"] if isinstance(where, Http) else config["file_output"]
    assert output["enabled"] is True


@pytest.mark.parametrize(
    "where", [Rpc("unix:///run/falco.sock"), Rpc("somewhere.example:5060", Path("/certs"))]
)
def test_falco_yaml_for_grpc(where: Place) -> None:
    config = yaml.safe_load(falco_yaml(where))
    assert config["grpc"]["enabled"] is config["grpc_output"]["enabled"] is True
    assert config["grpc"]["bind_address"] in ("unix:///run/falco.sock", "0.0.0.0:5060")
    assert ("root_certs" in config["grpc"]) == (where.certificates is not None)  # type: ignore[union-attr]


def test_the_fields_are_falcos() -> None:
    assert {name.partition("[")[0] for name in FIELDS} <= set(field_catalogue())


def test_the_rule_loads(tmp_path: Path) -> None:
    (tmp_path / "mark.yaml").write_text(RULE)
    ruleset = load_rules([tmp_path / "mark.yaml"], builtin=False)
    assert [rule.name for rule in ruleset.rules] == ["Package Hunter mark"]
    compile_rules(ruleset)
