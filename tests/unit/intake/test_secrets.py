"""Real credentials stay outside the box, by name and by content."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.intake import secrets
from package_hunter.intake.secrets import filter_npmrc, kind_of, kind_of_content

from .conftest import Unpack, entry, tar

KEY = b"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (".npmrc", "npmrc"),
        ("packages/a/.npmrc", "npmrc"),
        (".env", "env"),
        ("config/.env.production", "env"),
        ("prod.env", "env"),
        (".ENV", "env"),
        ("id_ed25519", "private-key"),
        ("deploy/.aws/credentials", "aws"),
        (".docker/config.json", "docker"),
        ("certs/server.p12", "private-key"),
        (".env.example", None),
        ("environment.js", None),
        ("src/env.ts", None),
        ("id_rsa.pub", None),
        ("credentials.js", None),
        ("docs/npmrc.md", None),
    ],
)
def test_names_that_say_it(path: str, kind: str | None) -> None:
    assert kind_of(path) == kind


@pytest.mark.parametrize(
    ("path", "content", "kind"),
    [
        ("a.pem", KEY, "private-key"),
        ("deploy_key", KEY, "private-key"),
        ("ca.pem", b"-----BEGIN CERTIFICATE-----\n", None),
        ("lib/pem.js", KEY, None),
        ("sa.json", b'{"type": "service_account", "private_key": "x"}', "gcloud"),
        ("package.json", b'{"private": true}', None),
    ],
)
def test_content_that_says_it(path: str, content: bytes, kind: str | None) -> None:
    assert kind_of_content(path, content) == kind


def test_an_npmrc_keeps_behaviour_and_loses_who_answers() -> None:
    text = b"""# comment
legacy-peer-deps=true
script-shell = ./sh
registry=https://user:secret-5@npm.corp.example/secret-6/?secret-7
@acme:registry=https://npm.corp.example:8443/
"@other:registry" = "https://${SECRET}.corp.example/"
//npm.corp.example/:_authToken=secret-1
_auth = secret-2
//npm.corp.example/:_password=secret-3
email=me@corp.example
https-proxy=http://user:secret-4@proxy.corp.example
cafile=/etc/ca.pem
tag=${TOKEN}
save-exact=true
"""
    kept, dropped = filter_npmrc(text)
    assert kept == (
        b"legacy-peer-deps=true\nscript-shell = ./sh\n; registry=https://npm.corp.example/\n"
        b"; @acme:registry=https://npm.corp.example:8443/\n; @other:registry=?\nsave-exact=true\n"
    ), "of who answers only a comment stays, that says no more than the host"
    assert dropped == 10


def test_what_is_withheld_is_listed_and_not_written(do: Unpack, dest: Path) -> None:
    result = do(
        tar(
            entry("package.json", b"{}"),
            entry(".npmrc", b"save-exact=true\n//r.example/:_authToken=secret-1\n"),
            entry(".env", b"TOKEN=secret-2"),
            entry("k.pem", KEY),
            entry("big.key", KEY + b"\0" * 100_000),
            entry("sub/.npmrc", b"save-exact=true\n"),
        )
    )
    assert [(item.path, item.kind) for item in result.withheld] == [
        (".npmrc", "npmrc"),
        (".env", "env"),
        ("k.pem", "private-key"),
    ]
    assert (dest / ".npmrc").read_bytes() == b"save-exact=true\n"
    assert (dest / "sub/.npmrc").read_bytes() == b"save-exact=true\n"
    assert not (dest / ".env").exists() and not (dest / "k.pem").exists()
    assert not any(b"secret" in path.read_bytes() for path in dest.rglob("*") if path.is_file())


def test_a_huge_npmrc_is_withheld_whole(do: Unpack, dest: Path) -> None:
    result = do(tar(entry("package.json", b"{}"), entry(".npmrc", b"#" * 300_000 + b"\n_auth=x\n")))
    assert result.withheld[0].kind == "npmrc"
    assert not (dest / ".npmrc").exists()


def test_a_second_name_of_a_secret_is_withheld_too(do: Unpack, dest: Path) -> None:
    import tarfile

    result = do(
        tar(
            entry("package.json", b"{}"),
            entry(".env", b"TOKEN=secret"),
            entry("plain.txt", kind=tarfile.LNKTYPE, linkname=".env"),
        )
    )
    assert [item.path for item in result.withheld] == [".env", "plain.txt"]
    assert not (dest / "plain.txt").exists()


@pytest.mark.parametrize(
    ("text", "kept", "count"),
    [
        (b'"https://me:pw@host.example/x.tgz"', b'"https://host.example/x.tgz"', 1),
        (b"git+https://ghp_token@git.example/a.git", b"git+https://git.example/a.git", 1),
        (b"https://host.example/@scope/name https://a.example", None, 0),
        (b"git+ssh://git@git.example/a.git, me@mail.example", None, 0),
    ],
)
def test_users_in_addresses_stay_outside(text: bytes, kept: bytes | None, count: int) -> None:
    assert secrets.without_users(text) == (kept or text, count)


def test_manifests_are_known_by_name() -> None:
    assert secrets.is_manifest("a/package.json") and secrets.is_manifest("requirements-dev.txt")
    assert not secrets.is_manifest("src/index.js") and not secrets.is_manifest("notes.txt")
