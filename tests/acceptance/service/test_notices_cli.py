"""`notices` on the command line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.notices.outbox import Event
from package_hunter.store import history
from tests.acceptance.service.test_accounts_cli import hunt
from tests.support.receivers import Told, receiver
from tests.support.requires import ROOT


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    made = Settings(data_dir=tmp_path / "data", notices_allow="127.0.0.0/8")
    monkeypatch.setenv("COLUMNS", "160")
    for module in ("places", "notices"):
        monkeypatch.setattr(f"package_hunter.cli.{module}.settings", lambda: made)
    return made


def test_from_nothing_to_a_place_that_is_told(config: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    assert hunt(capsys, "group", "add", "web").returncode == 0
    with receiver() as there:
        added = hunt(
            capsys, "notices", "add", "soc", "webhook", "--at", "web", "--url", f"{there.url}/s3cret"
        )
        assert added.returncode == 0, added.stderr
        assert added.stdout.startswith("whsec_")
        assert "s3cret" not in added.stderr
        tested = hunt(capsys, "notices", "test", "soc", "--at", "web")
        assert (tested.returncode, len(there.got)) == (0, 1)
        there.answer = lambda _: Told(500)
        failed = hunt(capsys, "notices", "test", "soc", "--at", "web", "--why", "again")
        assert failed.returncode == 69
        assert "It answered 500." in failed.stderr
    told = hunt(capsys, "notices", "deliveries", "--at", "web").stdout
    assert re.search(r"soc\s+test\s.*waiting\s+1\s+It answered 500", told)
    shown = hunt(capsys, "notices", "list", "--at", "web").stdout
    assert "soc" in shown
    assert "s3cret" not in shown
    assert hunt(capsys, "notices", "list").stdout.strip().startswith("NAME")
    assert "0 deliveries" in hunt(capsys, "notices", "retry", "--at", "web").stderr
    assert hunt(capsys, "notices", "remove", "soc", "--at", "web", "--why", "moved").returncode == 0
    with open_store(config).read() as session:
        said = [(e.action, e.why) for e in history.entries(session, 99) if e.action.startswith("destination")]
    assert said == [
        ("destination.add", None),
        ("destination.test", None),
        ("destination.test", "again"),
        ("destination.remove", "moved"),
    ]


def test_secrets_come_from_a_file_or_from_standard_input(
    config: Settings, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("glpat-s3cret\n")
    url = ("--url", "https://gitlab.example", "--project", "web/shop", "--option", "labels=a,b c")
    made = hunt(capsys, "notices", "add", "issues", "gitlab", *url, "--secret-file", str(token))
    assert made.returncode == 0, made.stderr
    chat = hunt(
        capsys, "notices", "add", "chat", "slack", "--url", "-", stdin="https://chat.example/T/B/s3cret\n"
    )
    assert chat.returncode == 0, chat.stderr
    assert "https://chat.example/…" in hunt(capsys, "notices", "list").stdout
    assert "s3cret" not in made.stdout + made.stderr + chat.stdout + chat.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("add", "x", "carrier-pigeon", "--url", "https://x.example"), "kind"),
        (("add", "x", "webhook"), "url"),
        (("add", "x", "webhook", "--url", "ftp://x.example"), "url"),
        (("add", "x", "gitlab", "--url", "https://x.example", "--project", "a"), "token"),
        (("add", "x", "mail", "--to", "nobody"), "to"),
        (("add", "x", "slack", "--url", "https://x.example", "--event", "moon.rises"), "moon.rises"),
        (("add", "x", "slack", "--url", "https://x.example", "--at", "no/where"), "no/where"),
        (("add", "x", "slack", "--url", "https://x.example", "--option", "colour"), "NAME=VALUE"),
        (("add", "x", "slack", "--url", "https://x.example", "--option", "colour=red"), "colour"),
        (("add", "x", "gitlab", "--url", "https://x.example", "--secret-file", "/no/such"), "cannot be read"),
        (("add", "x:y", "slack", "--url", "https://x.example"), "name"),
        (("remove", "x"), "no destination"),
        (("test", "x"), "no destination"),
        (("deliveries", "--state", "lost"), "lost"),
        (("retry", "--delivery", "7"), "no id"),
        (("retry", "--delivery", "3f0c9c52-27a7-4c6b-9b0c-5d3d4ac4a1de"), "given up"),
    ],
)
def test_what_is_wrong_is_said(
    config: Settings, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], says: str
) -> None:
    found = hunt(capsys, "notices", *arguments)
    assert found.returncode == 2, found.stderr
    assert says in found.stderr


def test_the_documents_name_every_event_and_kind() -> None:
    text = (ROOT / "docs/notices.md").read_text()
    for event in Event:
        assert (f"| `{event.value}` |" in text) is (event is not Event.TEST)


@pytest.mark.parametrize(
    ("kind", "url", "more"),
    [
        ("webhook", "https://169.254.169.254/latest", ()),
        ("slack", "https://10.0.0.1/services/x", ()),
        ("gitlab", "https://[fd00::1]/", ("--project", "web/shop", "--secret-file", "token")),
    ],
)
def test_an_inner_address_is_not_taken(
    config: Settings,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    url: str,
    more: tuple[str, ...],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("secret\n")
    said = hunt(capsys, "notices", "add", "soc", kind, "--url", url, *more)
    assert (said.returncode, "not public" in said.stderr) == (2, True), said.stderr
    assert "PACKAGE_HUNTER_NOTICES_ALLOW" in said.stderr
    assert "soc" not in hunt(capsys, "notices", "list").stdout
