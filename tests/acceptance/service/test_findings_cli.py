"""`findings` and `policy show|put|sync` on the command line: a finding from first sight to an acceptance."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.governance import policy_file
from package_hunter.store import history
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support.duty_store import LOOK, PROOF, id_of, scanned, shops

Out = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(data_dir=tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "220")
    monkeypatch.setattr(policy_file, "_current", policy_file.PolicyFile(None))
    for module in ("findings", "scopes"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: made)
    store = open_store(made)
    at = shops(store)
    with store.write() as session:
        scanned(session, [LOOK, PROOF], id_of(at["web/shop"]))
        scanned(session, [LOOK], id_of(at["ops/pay"]))
    store.close()
    return made


def _ids(capsys: Out, *only: str) -> list[str]:
    asked = [part for one in only for part in ("--only", one)]
    return [line.split()[0] for line in hunt(capsys, "findings", "list", *asked).stdout.splitlines()[1:]]


def test_a_finding_is_looked_at_claimed_and_accepted(config: Settings, capsys: Out) -> None:
    assert len(_ids(capsys)) == 3
    [proof] = _ids(capsys, "verdict=malicious")
    [look] = [i for i in _ids(capsys, "kind=git_hook", "text=maldep") if "web" in _shown(capsys, i)]
    assert "nobody silences it alone: it is proof of malice" in _shown(capsys, proof)
    assert hunt(capsys, "findings", "claim", look, "--hours", "2").returncode == 0
    assert hunt(capsys, "findings", "note", look, "looks like telemetry").returncode == 0
    reason = ("--reason", "acceptable_risk", "--remark", "agreed", "--until", "2027-01-31")
    assert hunt(capsys, "findings", "set", look, "accepted", *reason).returncode == 0
    shown = _shown(capsys, look)
    for said in (
        "state: accepted",
        "policy: accepted: agreed",
        "looks like telemetry",
        "for project:web/shop",
    ):
        assert said in shown
    refused = hunt(capsys, "findings", "set", proof, "false_positive", "--reason", "not_applicable")
    assert refused.returncode == 2
    assert "Propose a waiver" in refused.stderr
    with open_store(config).read() as session:
        told = [e.action for e in history.entries(session, 99)][-3:]
    assert told == ["finding.claim", "finding.note", "finding.state"]


def _shown(capsys: Out, finding: str) -> str:
    return hunt(capsys, "findings", "show", finding).stdout


def test_many_are_shown_before_they_are_set(config: Settings, capsys: Out) -> None:
    ask = ("findings", "bulk", "false_positive", "--reason", "stated_purpose", "--in", "ops")
    seen = hunt(capsys, *ask)
    assert "1 findings in 1 projects would be false positive" in seen.stdout
    assert "1 scans would be decided milder, 0 stricter" in seen.stdout
    digest = seen.stderr.split()[-1]
    assert hunt(capsys, *ask, "--apply", "0" * 64).returncode == 2
    assert "1 findings are false positive now" in hunt(capsys, *ask, "--apply", digest).stderr
    assert len(_ids(capsys, "state=false_positive")) == 1


def test_a_git_folder_is_the_source_of_policies(config: Settings, capsys: Out, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    (folder / "groups").mkdir(parents=True)
    (folder / "projects/web").mkdir(parents=True)
    (folder / "all.toml").write_text('[verdicts]\nsuspicious = "pass"\n')
    (folder / "groups/web.toml").write_text(
        '[[rule]]\ndecision = "block"\nkind = "git_hook"\nname = "no hooks"\n'
    )
    (folder / "README.md").write_text("ours")
    git = ["git", "-C", str(folder), "-c", "user.name=a", "-c", "user.email=a@b.example"]
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run(
        [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()
    assert hunt(capsys, "policy", "sync", str(folder)).returncode == 0
    subprocess.run([*git, "pack-refs", "--all"], check=True)
    shown = hunt(capsys, "policy", "show", "web").stdout
    assert "group:web, no hooks: block (enforce); fits 1, decides 1" in shown
    (folder / "groups/web.toml").unlink()
    (folder / "projects/web/shop.toml").write_text('[[rule]]\ndecision = "review"\nkind = "mining"\n')
    kept = hunt(capsys, "policy", "sync", str(folder))
    assert "group:web: has no file, and keeps its policy" in kept.stderr
    assert "group:web: has no policy now" in hunt(capsys, "policy", "sync", str(folder), "--prune").stderr
    assert "what holds: all, project:web/shop" in hunt(capsys, "policy", "show", "web/shop").stdout
    with open_store(config).read() as session:
        told = [(e.object, e.why) for e in history.entries(session, 99, action="policy.put")]
    assert told == [
        (name, f"commit {head}") for name in ("all", "group:web", "project:web/shop", "group:web")
    ]


@pytest.mark.parametrize("kind", ["link", "wrong", "nowhere", "empty", "narrow"])
def test_a_folder_that_is_wrong_changes_nothing(
    config: Settings, capsys: Out, tmp_path: Path, kind: str
) -> None:
    folder = tmp_path / "policies"
    (folder / "groups").mkdir(parents=True)
    if kind != "empty":
        (folder / "all.toml").write_text('[verdicts]\nsuspicious = "pass"\n')
    if kind == "link":
        (tmp_path / "elsewhere").write_text("[verdicts]\n")
        (folder / "groups/web.toml").symlink_to(tmp_path / "elsewhere")
    texts = {"wrong": "nonsense = 1\n", "narrow": "[project]\nown_file = true\n"}
    if kind in texts:
        (folder / "groups/web.toml").write_text(texts[kind])
    if kind == "nowhere":
        (folder / "groups/gone.toml").write_text("[verdicts]\n")
    assert hunt(capsys, "policy", "sync", str(folder)).returncode == 2
    with open_store(config).read() as session:
        assert history.entries(session, 9, action="policy.put") == []


def test_a_policy_is_tried_before_it_holds(config: Settings, capsys: Out, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[[rule]]\ndecision = "block"\nkind = "git_hook"\n')
    tried = hunt(capsys, "policy", "put", "ops", str(file), "--try")
    assert "0 scans would be decided milder, 1 stricter (1 tried)." in tried.stdout
    assert "has no policy" in hunt(capsys, "policy", "show", "ops").stdout
    assert hunt(capsys, "policy", "put", "ops", str(file), "--why", "hooks").returncode == 0
    assert "block (enforce)" in hunt(capsys, "policy", "show", "ops").stdout


@pytest.mark.parametrize(
    "only",
    ["state", "state=x", "nothing=1", "severity=worst", "detected=1", "older_than=-1", "older_than=²"],
)
def test_a_filter_that_is_none_is_said(config: Settings, capsys: Out, only: str) -> None:
    assert hunt(capsys, "findings", "list", "--only", only).returncode == 2
    assert hunt(capsys, "findings", "list", "--only", "kind=a", "--only", "kind=b").returncode == 2


@pytest.mark.parametrize("end", ["\n", "\r\n", "\u2028"])
def test_a_note_cannot_pass_for_somebody_elses(config: Settings, capsys: Out, end: str) -> None:
    one = _ids(capsys)[0]
    forged = "note by ana, 2026-01-01 00:00 UTC: harmless"
    assert hunt(capsys, "findings", "note", one, f"ok{end}{forged}").returncode == 0
    lines = _shown(capsys, one).splitlines()
    assert forged not in "".join(line for line in lines if line.startswith("note by ana"))
    assert len([line for line in lines if line.startswith("note by ")]) == 1
    assert forged in "".join(lines)


def test_ids_stay_whole_in_a_pipe(config: Settings, capsys: Out, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = _ids(capsys)
    monkeypatch.setenv("COLUMNS", "40")
    assert _ids(capsys) == wide
    assert all(len(one) == 36 for one in wide)


def test_a_policy_that_asks_for_nothing_says_so(config: Settings, capsys: Out, tmp_path: Path) -> None:
    file = tmp_path / "p.toml"
    file.write_text('[verdicts]\nsuspicious = "block"\n')
    assert hunt(capsys, "policy", "put", "ops", str(file)).returncode == 0
    shown = hunt(capsys, "policy", "show", "ops").stdout
    assert "malicious: asks for nothing" in shown
    assert "suspicious: block" in shown
    assert ": pass" not in shown
