"""`proposals`, `policy propose`, `findings waive` and `break-glass` on the command line: each asks who one is."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher

from package_hunter.access.roles import Role
from package_hunter.access.view import EVERYTHING
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.governance.policies import current
from package_hunter.store import accounts, history, members, passwords, places, totp
from package_hunter.store.finding_tables import FindingRow
from package_hunter.store.members import Place
from package_hunter.store.proposal_tables import Approval, Proposal
from package_hunter.store.secret_box import SecretBox
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support.duty_store import PROOF, scanned
from tests.support.proposals_world import TEST

PASSWORD = "correct horse"
HOOKS = '[[rule]]\nkind = "git_hook"\ndecision = "block"\n'


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(data_dir=tmp_path / "data")
    monkeypatch.setenv("COLUMNS", "160")
    for module in ("asking", "proposals", "proposing", "waiving", "scopes", "findings"):
        if hasattr(__import__(f"package_hunter.cli.{module}", fromlist=["x"]), "settings"):
            monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: made)
    cheap = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(passwords, "_ARGON2", cheap)
    with open_store(made).write() as session:
        places.add_group(session, "web", TEST)
        shop = places.add_project(session, "web/shop", TEST)
        for name, role in (
            ("ann", Role.SECURITY_ADMIN),
            ("bea", Role.SECURITY_ADMIN),
            ("dev", Role.DEVELOPER),
        ):
            accounts.add_user(session, name, PASSWORD, accounts.Start((), shop.id), TEST)
            members.give(session, name, role, Place(), TEST)
        scanned(session, [PROOF], shop.id, name="shop")
    return made


def run(capsys: pytest.CaptureFixture[str], *arguments: str, password: str = PASSWORD) -> Any:
    return hunt(capsys, *arguments, stdin=f"{password}\n")


def proposal(config: Settings, number: int) -> Proposal:
    with open_store(config).read() as session:
        return session.get_one(Proposal, number)


def policy_file(tmp_path: Path) -> str:
    path = tmp_path / "policy.toml"
    path.write_text(HOOKS)
    return str(path)


def test_a_policy_is_proposed_shown_and_approved(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = ("policy", "propose", policy_file(tmp_path), "--as", "ann", "--why", "no hooks")
    assert "open" in run(capsys, *asked).stderr
    shown = hunt(capsys, "proposals", "show", "1").stdout
    assert "by ann" in shown
    assert "no hooks" in shown
    assert "1 of 1 scans tried" in shown
    assert '+rule[1].decision: "block"' in shown
    assert "ann" in hunt(capsys, "proposals", "list", "--state", "open").stdout
    own = run(capsys, "proposals", "approve", "1", "--as", "ann")
    assert (own.returncode, "do not approve their own" in own.stderr) == (2, True)
    yes = run(capsys, "proposals", "approve", "1", "--as", "bea")
    assert yes.returncode == 0
    assert "applied" in yes.stderr
    with open_store(config).read() as session:
        assert current(session, Place()).reviewed
        entries = history.entries(session, 999)
    approved = next(e for e in entries if e.action == "proposal.approve")
    assert approved.who == "bea"
    assert approved.origin.startswith("command line, uid:")


def test_a_wrong_password_is_nobody(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy_file(tmp_path)
    for who, password in (("ann", "wrong horse"), ("nobody", PASSWORD), ("token:ci", PASSWORD)):
        said = run(capsys, "policy", "propose", file, "--as", who, "--why", "x", password=password)
        assert (said.returncode, "wrong" in said.stderr) == (2, True), who
    assert hunt(capsys, "proposals", "show", "1").returncode == 2


def test_one_time_codes_are_asked_for(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    box = SecretBox(config)
    with open_store(config).write() as session:
        bea = members.account(session, "bea")
        assert bea is not None
        secret = totp.begin(session, box, bea).secret
        totp.confirm(session, box, bea, pyotp.TOTP(secret).now(), TEST)
    run(capsys, "policy", "propose", policy_file(tmp_path), "--as", "ann", "--why", "no hooks")
    assert run(capsys, "proposals", "approve", "1", "--as", "bea").returncode == 2
    import time

    later = pyotp.TOTP(secret).at(int(time.time()) + 30)
    assert (
        run(capsys, "proposals", "approve", "1", "--as", "bea", password=f"{PASSWORD}\n{later}").returncode
        == 0
    )
    with open_store(config).read() as session:
        assert session.query(Approval).one().proof == "password, code"


def test_a_finding_is_waived_by_two(config: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    with open_store(config).read() as session:
        finding = str(session.query(FindingRow).one().id)
    asked = (
        "findings",
        "waive",
        finding,
        "--reason",
        "used_in_tests",
        "--as",
        "dev",
        "--why",
        "a decoy of ours",
    )
    said = run(capsys, *asked)
    assert "1 of 1 scans would be decided otherwise" in said.stderr
    assert "block -> pass" in hunt(capsys, "proposals", "show", "1").stdout
    found = json.loads(hunt(capsys, "proposals", "show", "1", "--json").stdout)
    assert found["document"]["state"] == "false_positive"
    asks = ("proposals", "approve", "1", "--as", "ann")
    for content, version in (("0" * 64, "1"), (found["content_hash"], "2")):
        stale = run(capsys, *asks, "--content", content, "--version", version)
        assert (stale.returncode, "not what you saw" in stale.stderr) == (2, True)
    for half in (("--content", found["content_hash"]), ("--version", "1")):
        said = run(capsys, *asks, *half)
        assert (said.returncode, "a content and a version" in said.stderr) == (2, True)
    assert run(capsys, *asks, "--content", found["content_hash"], "--version", "1").returncode == 0
    assert proposal(config, 1).state == "applied"
    assert hunt(capsys, "findings", "waive", "nonsense", *asked[3:], stdin="").returncode == 2


def test_an_edit_a_rejection_a_withdrawal(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy_file(tmp_path)
    for _ in range(2):
        run(capsys, "proposals", "make", "policy", file, "--as", "dev", "--why", "one", "--at", "web/shop")
    Path(file).write_text(HOOKS + 'name = "hooks"\n')
    assert run(capsys, "proposals", "edit", "1", file, "--as", "ann", "--why", "a name").returncode == 0
    assert "edited by ann (version 2)" in hunt(capsys, "proposals", "show", "1").stdout
    assert run(capsys, "proposals", "reject", "1", "--as", "bea", "--why", "not now").returncode == 0
    assert run(capsys, "proposals", "withdraw", "2", "--as", "dev", "--why", "wrong").returncode == 0
    assert "rejected" in hunt(capsys, "proposals", "list").stdout
    late = run(capsys, "proposals", "make", "policy", file, "--as", "dev", "--why", "x", "--apply-at", "soon")
    assert late.returncode == 2


def test_the_glass_is_broken_and_somebody_reviews(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        capsys,
        "policy",
        "propose",
        policy_file(tmp_path),
        "--as",
        "dev",
        "--why",
        "all is down",
        "--at",
        "web",
    )
    broke = ("break-glass", "1", "--as", "ann", "--reason", "production-emergency", "--why", "nobody is here")
    assert "waits for a review" in run(capsys, *broke).stderr
    listed = hunt(capsys, "proposals", "list", "--unreviewed").stdout
    assert "unreviewed" in listed
    assert run(capsys, "proposals", "review", "1", "--as", "ann", "--why", "fine").returncode == 2
    assert run(capsys, "proposals", "review", "1", "--as", "bea", "--why", "fine").returncode == 0
    assert not re.search(r"^1 ", hunt(capsys, "proposals", "list", "--unreviewed").stdout, re.M)


def test_policies_go_past_proposals_only_where_one_is_alone(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy_file(tmp_path)
    said = hunt(capsys, "policy", "put", "all", file)
    assert (said.returncode, "2 people may approve" in said.stderr) == (2, True)
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "all.toml").write_text(HOOKS)
    assert hunt(capsys, "policy", "sync", str(folder)).returncode == 2
    assert "Proposal 1 is open" in run(capsys, "policy", "sync", str(folder), "--as", "dev").stderr
    assert "waits already" in run(capsys, "policy", "sync", str(folder), "--as", "dev").stderr
    with open_store(config).write() as session:
        accounts.remove_user(session, "bea")
    assert hunt(capsys, "policy", "put", "all", file).returncode == 0
    assert proposal(config, 1).state == "open"


def test_nothing_in_a_proposal_passes_for_what_the_command_says(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(HOOKS + 'name = "no\u202e hooks\u200b"\n')
    forged = "fine\n  approved by bea, 2026-01-01 00:00 UTC\ncontent 0000"
    asked = ("policy", "propose", str(path), "--as", "ann", "--why", forged)
    assert run(capsys, *asked).returncode == 0
    shown = hunt(capsys, "proposals", "show", "1").stdout
    assert "\u202e" not in shown
    assert "\u200b" not in shown
    assert '+rule[1].name: "no\\u202e hooks\\u200b"' in shown
    lines = shown.splitlines()
    assert not any(line.startswith("  approved by") for line in lines)
    assert len([line for line in lines if line.startswith(("content ", "version "))]) == 1
    assert "      approved by bea, 2026-01-01 00:00 UTC" in lines


def test_whom_nobody_could_approve_is_told_when_he_proposes(
    config: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = policy_file(tmp_path)
    with open_store(config).write() as session:
        web = Place(group=places.group_at(session, EVERYTHING, "web"))
        members.give(session, "bea", Role.SECURITY_ADMIN, web, TEST)
        for name in ("ann", "bea"):
            members.take(session, name, Role.SECURITY_ADMIN, Place(), TEST)
    told = "Nobody can approve this at everywhere: "
    made = run(capsys, "proposals", "make", "policy", file, "--as", "dev", "--why", "no hooks")
    assert (made.returncode, told in made.stderr) == (0, True)
    assert told in hunt(capsys, "proposals", "show", "1").stdout
    said = hunt(capsys, "policy", "put", "web", file)
    assert said.returncode == 0, "bea alone may approve there"
    with open_store(config).write() as session:
        members.give(session, "ann", Role.SECURITY_ADMIN, web, TEST)
    said = hunt(capsys, "policy", "put", "web/shop", file)
    assert (said.returncode, "2 people may approve changes here (web/shop)" in said.stderr) == (2, True)
