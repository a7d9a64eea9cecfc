"""Sign-in with a real server: confined, as its own user, over HTTP; real providers on loopback."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from package_hunter.access.actor import Actor
from package_hunter.cli.serve import open_store
from package_hunter.config import Settings
from package_hunter.store import ci, history, providers
from package_hunter.store.providers import Mapping, NewProvider
from package_hunter.store.secret_box import SecretBox
from tests.support.oidc_provider import AUDIENCE, Crooked, crooked_provider, mock_provider
from tests.support.service_harness import PASSWORD, USER, free_port, open_folder, running, wait_for

BY = Actor("test", "test")


@pytest.fixture
def folder() -> Iterator[Path]:
    with open_folder() as made:
        yield made


class Browser(httpx.Client):
    """Sends what our pages send."""

    def __init__(self, base: str) -> None:
        super().__init__(base_url=base, trust_env=False, timeout=30)
        self.csrf = ""

    def change(self, method: str, url: str, **more: Any) -> httpx.Response:
        """A request that changes something."""
        headers = {"X-CSRF-Token": self.csrf, "Origin": str(self.base_url).rstrip("/")}
        return self.request(method, url, headers=headers, **more)


def test_from_the_first_link_to_codes_and_out(folder: Path) -> None:
    """Nobody can log in; the link in the log makes the first administrator, who sets one-time codes up."""
    with running(folder, accounts_too=False) as server:
        said = wait_for(lambda: re.search(r"/welcome#(phinv_[\w-]+)", server.log()))
        base = f"http://127.0.0.1:{server.port}"
        with Browser(base) as browser:
            body = {"token": said[1], "name": "ana", "password": "a long password"}
            taken = browser.post("/api/v1/invitation", json=body)
            assert taken.status_code == 201, taken.text
            browser.csrf = taken.json()["session"]["csrf"]
            assert browser.get("/api/v1/me").json()["roles"][0]["role"] == "administrator"
            made = browser.change("POST", "/api/v1/me/totp")
            assert made.status_code == 201, made.text
            app = pyotp.TOTP(made.json()["secret"])
            codes = browser.change("POST", "/api/v1/me/totp/confirm", json={"code": app.now()}).json()[
                "codes"
            ]
            assert browser.get("/api/v1/me").status_code == 401, "sessions ended"
            refused = httpx.get(f"{base}/api/v1/me", auth=("ana", "a long password"), trust_env=False)
            assert refused.status_code == 401
            who = {"name": "ana", "password": "a long password", "code": codes[0]}
            signed = browser.post("/api/v1/session", json=who)
            assert signed.status_code == 201, signed.text
            browser.csrf = signed.json()["csrf"]
            token = browser.change("POST", "/api/v1/me/tokens", json={"name": "hers"}).json()["value"]
            me = httpx.get(f"{base}/api/v1/me", auth=("ana", token), trust_env=False).json()
            assert me["account"] == "token:hers", "the original's clients speak HTTP Basic"
            assert browser.change("DELETE", "/api/v1/session").status_code == 204
            assert browser.get("/api/v1/me").status_code == 401
    key = folder / "store/secret.key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.stat().st_uid == (folder / "store").stat().st_uid


def test_people_and_jobs_by_the_word_of_others(folder: Path) -> None:
    """The confined server asks real providers: their endpoints, their keys, for a code."""
    with mock_provider() as mock, crooked_provider() as forge:
        port = free_port()
        base = f"http://127.0.0.1:{port}"
        config = Settings(data_dir=folder)
        store = open_store(config)
        with store.write() as session:
            box = SecretBox(config)
            providers.add(session, box, NewProvider("company", "oidc", mock, "hunter", "s3cret"), BY)
            providers.put_mappings(session, [Mapping("company", "hunters", "developer", "legacy")], BY)
            row = providers.add(session, box, NewProvider("forge", "gitlab", forge.issuer, AUDIENCE), BY)
            rule = ci.Rule("web", "forge", {"namespace_path": ["web"]}, "forge/{project_path}", creates=True)
            ci.add_rule(session, row, rule, BY)
        store.close()
        with running(folder, port=port, public_url=base, identity_allow="127.0.0.0/8") as server:
            _a_person(base, mock)
            _a_job(base, forge)
            admin = httpx.BasicAuth(USER, PASSWORD)
            assert httpx.get(f"{base}/api/v1/me", auth=admin, trust_env=False).status_code == 200
            assert "Traceback" not in server.log(), server.log()
        with open_store(config).read() as session:
            told = {(e.who, e.action) for e in history.entries(session, 999)}
        assert {("oidc:company", "user.add"), ("ci:web", "project.add"), ("ana.b", "session.add")} <= told


def _a_person(base: str, mock: str) -> None:
    with Browser(base) as browser:
        there = browser.get("/api/v1/oidc/company/login?next=/api/v1/me")
        assert there.status_code == 303, there.text
        with httpx.Client(trust_env=False) as at_mock:
            claims = {"preferred_username": "ana.b", "groups": ["hunters"]}
            at_mock.put(f"{mock}/users/s-1", json=claims).raise_for_status()
            location = at_mock.post(there.headers["location"], data={"sub": "s-1"}).headers["location"]
        back = browser.get(location)
        assert (back.status_code, back.headers["location"]) == (303, "/api/v1/me"), back.text
        me = browser.get("/api/v1/me").json()
        assert (me["account"], me["roles"]) == ("ana.b", [{"role": "developer", "place": "legacy"}])


def _a_job(base: str, forge: Crooked) -> None:
    token = forge.token(jti="1", project_id="7", project_path="web/shop", namespace_path="web", sha="7" * 40)
    made = httpx.post(f"{base}/api/v1/job-token", json={"token": token}, trust_env=False)
    assert made.status_code == 201, made.text
    headers = {"Authorization": f"Bearer {made.json()['token']}"}
    body = {"purl": "pkg:npm/left-pad@1.3.0"}
    sent = httpx.post(f"{base}/api/v1/scans", json=body, headers=headers, trust_env=False)
    assert sent.is_success, sent.text
