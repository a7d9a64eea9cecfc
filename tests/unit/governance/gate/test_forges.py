"""The host's file of forges, and which addresses lead to one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.config import Settings
from package_hunter.errors import UsageError
from package_hunter.governance.gate.forges import Forge, Forges, check_url, load

KNOWN = Forges(
    (
        Forge("lab", "gitlab", "https://gitlab.example/"),
        Forge("web", "gitlab", "https://gitlab.example/web/", token="t"),
        Forge("disk", "git", "file:///srv/git/"),
    )
)


def test_the_longest_that_fits_counts() -> None:
    assert KNOWN.of("https://gitlab.example/ops/pay.git").name == "lab"
    assert KNOWN.of("https://gitlab.example/web/shop.git").name == "web"
    assert KNOWN.of("file:///srv/git/a.git").name == "disk"


@pytest.mark.parametrize(
    "url",
    [
        "https://gitlab.example.evil.example/web/shop.git",
        "https://gitlab.example@evil.example/web/shop.git",
        "https://user:pass@gitlab.example/web/shop.git",
        "https://169.254.169.254/latest/meta-data",
        "http://gitlab.example/web/shop.git",
        "http://127.0.0.1/a",
        "https://[::1]/a",
        "https://gitlab.example/web/../ops/pay.git",
        "https://gitlab.example/web/%2e%2e/ops.git",
        "https://gitlab.example/web//ops.git",
        "https://gitlab.example/a?x=1",
        "https://gitlab.example/a#x",
        "https://gitlab.example/a b",
        "https://gitlab.example\\@evil.example/",
        "https://gitlab.example/\u202egnp",
        "https://gitlab.example/" + "a" * 2_000,
        "ssh://gitlab.example/a",
        "ext::sh -c id",
        "file:///etc/passwd",
        "file:///srv/git/../../etc",
        "file://host/srv/git/a",
        "--upload-pack=id",
        "gitlab.example/a",
        "https://gitlab.example:99999/a",
        "",
    ],
)
def test_an_address_that_leads_elsewhere_leads_nowhere(url: str) -> None:
    with pytest.raises(UsageError):
        KNOWN.of(url)


def settings(tmp_path: Path, text: str) -> Settings:
    path = tmp_path / "forges.toml"
    path.write_text(text)
    return Settings(forges_file=path)


def test_a_file_is_read_with_its_secrets_or_without(tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text("glpat-x\n")
    token.chmod(0o600)
    lines = [
        *("[[forge]]", 'name = "lab"', 'kind = "gitlab"', 'url = "https://g.example/"'),
        *('api = "https://g.example/api/v4/"', f'token_file = "{token}"'),
    ]
    text = "\n".join(lines)
    (forge,) = load(settings(tmp_path, text)).known
    assert (forge.token, forge.api, forge.git_user) == ("glpat-x", "https://g.example/api/v4", "oauth2")
    assert "glpat" not in repr(forge)
    assert load(settings(tmp_path, text), secrets=False).known[0].token == ""
    token.chmod(0o644)
    with pytest.raises(UsageError, match="read by everybody"):
        load(settings(tmp_path, text))
    assert load(Settings(forges_file=None)).known == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[forge", "not TOML"),
        ("forge = 7", "tables"),
        ('[other]\na = "b"', "tables"),
        ('[[forge]]\nurl = "https://g.example/"\nmore = "x"', "unknown key"),
        ('[[forge]]\nurl = "https://g.example"', "end with /"),
        ('[[forge]]\nurl = "http://g.example/"', "https"),
        ('[[forge]]\nkind = "bitbucket"\nurl = "https://g.example/"', "kind"),
        ("[[forge]]\nurl = 7", "text"),
        ('[[forge]]\nurl = "https://g.example/"\ntoken_file = "/nonexistent"', "cannot be read"),
        ('[[forge]]\nurl = "https://g.example/"\napi = "https://evil.example@g.example/"', "no address"),
        ('[[forge]]\nurl = "https://g.example/"\nnetworks = "10.0.0.0/8"', "list"),
    ],
)
def test_what_is_wrong_in_it_is_told(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        load(settings(tmp_path, text))


@pytest.mark.parametrize(
    "url", ["https://g.example/a.git", "http://localhost:8080/a", "http://127.0.0.1/a", "file:///a"]
)
def test_addresses_that_can_be_one(url: str) -> None:
    check_url(url)


def test_settings_of_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: Any = settings(tmp_path, "")
    monkeypatch.setenv("PACKAGE_HUNTER_FORGES_FILE", str(made.forges_file))
    assert load(Settings()).known == ()
