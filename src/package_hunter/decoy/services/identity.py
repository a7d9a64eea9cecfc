"""Who a CI job is: the endpoints that mint a token for it, and the registries' exchange of such a token for one that
may publish. What is minted was forged when the scan began, so that it is found where it leaves.

Forms: GitHub's "OpenID Connect reference" (``ACTIONS_ID_TOKEN_REQUEST_URL``), Google's ``generateIdToken`` and security
token service, Microsoft's token endpoint; npm's and PyPI's trusted publishing.
"""

from __future__ import annotations

import json
import re

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_NPM = re.compile(r"/-/npm/v1/oidc/token/exchange/package/.{1,300}")
_PYPI = re.compile(r"/_/oidc/(?:[\w-]{1,40}/)?(mint-token|audience)")
_GCP_ID = re.compile(
    r"/v1/projects/[^/]{1,40}/serviceAccounts/[^/]{1,200}:(generateIdToken|generateAccessToken)"
)
_AZURE = re.compile(r"/[\w.-]{1,80}/oauth2/(?:v2\.0/)?token")
_GITLAB = re.compile(r"/api/v4/job/?|/oauth/token|/-/jwks/id_token.*")


class Identity:
    """Mints for everybody, as the job's own token would let it."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return self._make(ask) is not None

    def answer(self, ask: Ask) -> Answer | None:
        make = self._make(ask)
        return _MAKERS[make](self, ask) if make is not None else None

    def _make(self, ask: Ask) -> str | None:
        path = ask.raw_path
        if ask.host.endswith(".actions.githubusercontent.com") and "/idtoken" in path.lower():
            return "github"
        if ask.method == "POST" and (_NPM.fullmatch(path) or _PYPI.fullmatch(path)):
            return "exchange"
        if _PYPI.fullmatch(path):
            return "audience"
        if ask.host == "iamcredentials.googleapis.com" and _GCP_ID.fullmatch(path):
            return "gcp"
        if ask.host == "sts.googleapis.com" and path == "/v1/token":
            return "gcp"
        if ask.host == "login.microsoftonline.com" and ask.method == "POST" and _AZURE.fullmatch(path):
            return "azure"
        if ask.host == "gitlab.com" and _GITLAB.fullmatch(path):
            return "gitlab"
        return None

    def _minted(self, ask: Ask, who: str, kind: str) -> str:
        self._world.mark("credential_use", ask.peer, f"had {who} mint a token", url=ask.url[:2000])
        return self._world.secret(kind)

    def _github(self, ask: Ask) -> Answer:
        if not ask.headers.get("authorization", "").lower().startswith("bearer "):
            return json_answer('{"message":"Unauthorized"}', 401)
        return json_answer(
            json.dumps({"count": 1, "value": self._minted(ask, "the CI system", "identity-github")})
        )

    def _gitlab(self, ask: Ask) -> Answer:
        if ask.raw_path == "/oauth/token":
            token = self._minted(ask, "the CI system", "identity-gitlab")
            return json_answer(
                json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 7200})
            )
        return json_answer('{"id":8123456789,"name":"build","stage":"build","ref":"main","status":"running"}')

    def _gcp(self, ask: Ask) -> Answer:
        token = self._minted(ask, "Google's cloud", "identity-gcp")
        issued = {"issued_token_type": "urn:ietf:params:oauth:token-type:jwt", "token_type": "Bearer"}
        said = {"token": token, "accessToken": token, "access_token": token, "expires_in": 3599, **issued}
        return json_answer(json.dumps(said))

    def _azure(self, ask: Ask) -> Answer:
        token = self._minted(ask, "Microsoft's cloud", "identity-azure")
        return json_answer(json.dumps({"access_token": token, "token_type": "Bearer", "expires_in": 3599}))

    def _audience(self, ask: Ask) -> Answer:
        return json_answer('{"audience":"pypi"}')

    def _exchange(self, ask: Ask) -> Answer:
        self._world.mark("registry_account", ask.peer, "exchanged a job's identity for a token that may publish",
                         url=ask.url[:2000])  # fmt: skip
        if _NPM.fullmatch(ask.raw_path):
            said = {"token_type": "oidc", "token": self._world.secret("minted-npm-token")}
            return json_answer(json.dumps(said), 201)
        return json_answer(json.dumps({"success": True, "token": self._world.secret("minted-pypi-token")}))


_MAKERS = {
    "github": Identity._github, "gitlab": Identity._gitlab, "gcp": Identity._gcp, "azure": Identity._azure,
    "audience": Identity._audience, "exchange": Identity._exchange,
}  # fmt: skip
