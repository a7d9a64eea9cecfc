"""`user invite|totp|unlock|link`, limits of `token add`, `identity` and `database` on the command line."""

from __future__ import annotations

import io
from pathlib import Path
from unittest import mock

import pyotp
import pytest

from package_hunter.access.token_form import is_token
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store import accounts, history, invitations, members, persons, providers, tokens, totp
from package_hunter.store.secret_box import SecretBox
from tests.acceptance.service.test_accounts_cli import Done, hunt


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(data_dir=tmp_path / "data", public_url="https://hunter.example/")
    monkeypatch.setenv("COLUMNS", "160")
    for module in ("accounts", "places", "identity", "database", "proposing"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: made)
    return made


Capture = pytest.CaptureFixture[str]


def test_an_invited_user_chooses_a_password(config: Settings, capsys: Capture) -> None:
    assert hunt(capsys, "group", "add", "web").returncode == 0
    made = hunt(capsys, "user", "invite", "ana", "--role", "analyst@web", "--hours", "1", "--why", "joins")
    assert made.returncode == 0, made.stderr
    address, _, secret = made.stdout.strip().partition("#")
    assert address == "https://hunter.example/welcome"
    with open_store(config).write() as session:
        assert invitations.take(session, secret, None, "correct horse", "192.0.2.1").name == "ana"
        assert members.roles_of(session, "ana") == [("analyst", "web")]
    again = hunt(capsys, "user", "invite", "ana").stdout.strip().partition("#")[2]
    with open_store(config).write() as session:
        invitations.take(session, again, None, "battery staple", "192.0.2.1")
        assert history.entries(session, 99, action="user.password")[0].why == "by a one-time link"


def _enrol(capsys: Capture, name: str) -> Done:
    """As a person: the code is made of what was printed."""

    class Person(io.StringIO):
        def readline(self, _size: int | None = -1, /) -> str:
            uri = capsys.readouterr().out.strip()
            app = pyotp.parse_uri(uri)
            assert isinstance(app, pyotp.TOTP)
            return f"{app.now()}\n"

    from package_hunter.cli.main import main

    with mock.patch("sys.stdin", Person()), pytest.raises(SystemExit) as end:
        main(["user", "totp", name])
    said = capsys.readouterr()
    return Done(int(end.value.code or 0), said.out, said.err)


def test_codes_from_set_up_to_reset(config: Settings, capsys: Capture) -> None:
    assert hunt(capsys, "user", "add", "ana", stdin="correct horse\n").returncode == 0
    wrong = hunt(capsys, "user", "totp", "ana", stdin="123\n")
    assert (wrong.returncode, "code is wrong" in wrong.stderr) == (2, True)
    done = _enrol(capsys, "ana")
    assert done.returncode == 0, done.stderr
    codes = done.stdout.split()
    assert len(codes) == 10
    assert "yes" in hunt(capsys, "user", "list").stdout
    assert hunt(capsys, "user", "unlock", "ana").returncode == 2, "it is not locked"
    store, box = open_store(config), SecretBox(config)
    with store.write() as session:
        for _ in range(totp.MAX_FAILURES):
            assert not totp.accept(session, box, accounts.user(session, "ana"), "1", _by())
    assert hunt(capsys, "user", "unlock", "ana", "--why", "it was she").returncode == 0
    with store.write() as session:
        assert totp.accept(session, box, accounts.user(session, "ana"), codes[0], _by())
    assert hunt(capsys, "user", "totp", "ana", "--reset", "--why", "lost").returncode == 0
    assert hunt(capsys, "user", "totp", "ana", "--reset").returncode == 2
    assert "yes" not in hunt(capsys, "user", "list").stdout
    store.close()


def _by() -> accounts.Actor:
    return accounts.Actor("test", "test")


def test_persons(config: Settings, capsys: Capture) -> None:
    for name in ("ana", "ana-admin"):
        hunt(capsys, "user", "add", name, stdin="correct horse\n")
    said = hunt(capsys, "user", "link", "ana", "ana-admin", "--why", "one human being")
    assert (said.returncode, said.stderr.strip()) == (0, "One person: ana, ana-admin.")
    assert hunt(capsys, "user", "link", "ana", "nobody").returncode == 2
    with open_store(config).read() as session:
        assert persons.person_of(session, "ana") == persons.person_of(session, "ana-admin")


def test_tokens_with_limits(config: Settings, capsys: Capture) -> None:
    hunt(capsys, "user", "add", "ana", stdin="correct horse\n")
    limits = (
        "--permission",
        "project:scan:submit",
        "--project",
        "legacy",
        "--expires",
        "30",
        "--owner",
        "ana",
    )
    made = hunt(capsys, "token", "add", "ci", *limits)
    assert made.returncode == 0, made.stderr
    assert is_token(made.stdout.strip())
    assert "until 20" in made.stderr
    assert hunt(capsys, "token", "add", "endless", "--expires", "never").returncode == 0
    listed = hunt(capsys, "token", "list").stdout
    assert "EXPIRES" in listed
    assert "never" in listed
    with open_store(config).read() as session:
        access = members.access_of(session, "token:ci")
        assert {p.value for p in access.projects[access.home]} == {"project:scan:submit"}
        row = session.get_one(tokens.Token, "ci")
        assert row.delegated
        assert row.expires is not None
        assert row.expires - row.created == pytest.approx(30 * tokens.DAY_MS, abs=60_000)
    for wrong in (
        ("--permission", "project:scan:burn"),
        ("--project", "gone"),
        ("--expires", "soon"),
        ("--expires", "0"),
        ("--owner", "nobody"),
    ):
        assert hunt(capsys, "token", "add", "other", *wrong).returncode == 2, wrong


def test_providers_mappings_and_rules(config: Settings, capsys: Capture, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    company = ("--issuer", "https://login.example", "--client-id", "hunter")
    secret = ("--secret-file", str(tmp_path / "secret"))
    assert hunt(capsys, "identity", "add-provider", "company", *company, *secret).returncode == 0
    forge = (
        "--kind",
        "gitlab",
        "--issuer",
        "https://gitlab.example",
        "--client-id",
        "https://hunter.example",
    )
    assert hunt(capsys, "identity", "add-provider", "forge", *forge).returncode == 0
    listed = hunt(capsys, "identity", "list").stdout
    assert "https://gitlab.example" in listed
    assert "s3cret" not in listed
    assert hunt(capsys, "identity", "map-group", "company", "security", "security-admin").returncode == 0
    assert hunt(capsys, "identity", "map-group", "company", "devs", "developer", "legacy").returncode == 0
    assert "security-admin" in hunt(capsys, "identity", "mappings").stdout
    assert hunt(capsys, "identity", "unmap-group", "company", "devs", "developer", "legacy").returncode == 0
    assert hunt(capsys, "identity", "unmap-group", "company", "devs", "developer", "legacy").returncode == 2
    rule = ("--provider", "forge", "--when", "namespace_path=web/**", "--when", "namespace_path=web")
    more = ("--project", "forge/{project_path}", "--create", "--owner-claim", "user_login")
    assert hunt(capsys, "identity", "ci-rule", "web", *rule, *more, "--why", "the web teams").returncode == 0
    assert "web/** or web" in hunt(capsys, "identity", "ci-rules").stdout
    open_rule = ("--provider", "forge", "--when", "ref_protected=true", "--project", "p")
    assert hunt(capsys, "identity", "ci-rule", "open", *open_rule).returncode == 2
    bad = ("--provider", "forge", "--when", "nothing", "--project", "p")
    assert hunt(capsys, "identity", "ci-rule", "bad", *bad).returncode == 2
    assert hunt(capsys, "identity", "rebind", "legacy").returncode == 2, "it is bound to none"
    assert hunt(capsys, "identity", "remove-ci-rule", "web").returncode == 0
    assert hunt(capsys, "identity", "remove-provider", "company", "--why", "gone").returncode == 0
    assert hunt(capsys, "identity", "remove-provider", "company").returncode == 2
    for wrong in (
        ("--secret-file", str(tmp_path / "none")),
        ("--issuer", "login.example"),
        ("--kind", "saml"),
    ):
        asked = dict(zip(company[::2], company[1::2], strict=True)) | {wrong[0]: wrong[1]}
        flat = [part for pair in asked.items() for part in pair]
        assert hunt(capsys, "identity", "add-provider", "other", *flat).returncode == 2, wrong
    with open_store(config).read() as session:
        assert [p.name for p in providers.providers(session)] == ["forge"]
        told = [e.action for e in history.entries(session, 99)]
    assert told.count("mapping.set") == 3
    assert {"provider.add", "provider.remove", "ci-rule.add", "ci-rule.remove"} <= set(told)


def test_who_has_which_role_by_groups_is_for_two_people(config: Settings, capsys: Capture) -> None:
    company = ("--issuer", "https://login.example", "--client-id", "hunter")
    assert hunt(capsys, "identity", "add-provider", "company", *company).returncode == 0
    mapping = ("identity", "map-group", "company", "devs", "developer", "legacy")
    as_ana = ("--as", "ana", "--why", "they work on it")

    def in_force() -> int:
        with open_store(config).read() as session:
            return len(providers.mappings(session))

    assert hunt(capsys, *mapping).returncode == 0, "nobody is there who could approve it"
    assert in_force() == 1
    given = ("--role", "security-admin")
    assert hunt(capsys, "user", "add", "ana", *given, stdin="correct horse\n").returncode == 0
    other = ("identity", "map-group", "company", "ops", "viewer")
    refused = hunt(capsys, *other)
    assert (refused.returncode, "needs two people" in refused.stderr) == (2, True)
    assert hunt(capsys, *other, *as_ana, stdin="a guess\n").returncode == 2
    alone = hunt(capsys, *other, *as_ana, stdin="correct horse\n")
    assert (alone.returncode, "unreviewed" in alone.stderr) == (0, True)
    assert in_force() == 2
    assert hunt(capsys, "user", "add", "bob", *given, stdin="correct horse\n").returncode == 0
    waits = hunt(
        capsys, "identity", "unmap-group", "company", "ops", "viewer", *as_ana, stdin="correct horse\n"
    )
    assert (waits.returncode, "is open" in waits.stderr) == (0, True), waits.stderr
    assert in_force() == 2


def test_sqlite_has_no_roles(config: Settings, capsys: Capture) -> None:
    assert hunt(capsys, "database", "migrate").returncode == 0
    for arguments in (("grant", "server"), ("check",)):
        assert hunt(capsys, "database", *arguments).returncode == 2
