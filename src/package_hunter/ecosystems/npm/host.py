"""npm's registries of this host: the default one and those of its scopes."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.asking import Question, asked, home, read, slash
from package_hunter.ecosystems.interface import HostSide
from package_hunter.errors import HostError

_VARIABLE = re.compile(r"(?<!\\)\$\{([^}?]+)(\?)?\}")
_NPM_KEYS = (
    *("registry", "cafile", "proxy", "https-proxy", "strict-ssl", "globalconfig", "replace-registry-host"),
)
_NPM_REPLACES = ("npmjs", "always", "never")  # words of replace-registry-host; anything else is a host


class NpmHost(HostSide):
    """See ``ecosystems.interface``."""

    def upstreams(self, cache_dir: Path | None, built_in: Sequence[str]) -> list[Upstream]:
        """As npm says; none where it is not installed."""
        program = shutil.which("npm")
        return npm_upstreams(program, cache_dir) if program else []

    def box_environment(self, upstreams: Sequence[Upstream]) -> Mapping[str, str]:
        """npm's, yarn's and yarn classic's names for the default registry."""
        env: dict[str, str] = {}
        for upstream in upstreams:
            if upstream.default:
                env["npm_config_registry"] = env["YARN_NPM_REGISTRY_SERVER"] = upstream.url
                env["YARN_REGISTRY"] = upstream.url  # yarn classic, whose default is another name of npm's
        return env


def npm_upstreams(program: str, cache_dir: Path | None = None) -> list[Upstream]:
    """npm's default registry and those of its scopes."""
    user = Path(
        os.environ.get("NPM_CONFIG_USERCONFIG")
        or os.environ.get("npm_config_userconfig")  # noqa: SIM112
        or home(".npmrc")
    )
    text = read(user)
    env = {
        k: v for k, v in os.environ.items() if k.lower().startswith("npm_config_") and "auth" not in k.lower()
    }
    env.update(npm_config_update_notifier="false", npm_config_logs_max="0", npm_config_cache="/nonexistent")
    argv = [program, "config", "ls", "-l", "--json"]
    try:
        config = json.loads(
            asked(Question(argv, env, text, "npm_config_userconfig"), cache_dir, _npm_needed, _NPM_KEYS)
        )
        default = config["registry"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"npm ({program}) does not say which registry it uses.", "Try: npm config ls -l"
        ) from error
    keys = {**_ini(read(Path(str(config.get("globalconfig") or "/nonexistent")))), **_ini(text)}
    cafile = config.get("cafile") or None
    proxies = {"https": config.get("https-proxy") or config.get("proxy"), "http": config.get("proxy")}
    host = str(config.get("replace-registry-host") or "npmjs")
    replaced = (f"https://{host}/",) if host not in _NPM_REPLACES else ()
    by_url: dict[str, list[str]] = {slash(default): []}
    for key, value in config.items():
        if key.startswith("@") and key.endswith(":registry") and isinstance(value, str):
            by_url.setdefault(slash(value), []).append(key.removesuffix(":registry"))
    return [
        Upstream(
            "npm",
            url,
            default=url == slash(default),
            scopes=tuple(sorted(scopes)),
            auth=_npm_auth(url, keys),
            cafile=cafile,
            proxy=proxies.get(urlsplit(url).scheme) or None,
            verify=bool(config.get("strict-ssl", True)),
            stands_for=replaced if url == slash(default) else (),
        )
        for url, scopes in by_url.items()
    ]


def _npm_needed(said: str) -> str:
    config = json.loads(said)
    return json.dumps({k: v for k, v in config.items() if k in _NPM_KEYS or k.endswith(":registry")})


def _npm_auth(url: str, keys: Mapping[str, str]) -> str | None:
    """The credentials that npm would send to ``url``: those of the longest ``//host/path/`` that fits."""
    parts = urlsplit(url)
    path = parts.path
    while True:
        base = f"//{parts.netloc.rpartition('@')[2]}{path if path.endswith('/') else path + '/'}"
        if token := keys.get(f"{base}:_authToken"):
            return f"Bearer {token}"
        if basic := keys.get(f"{base}:_auth"):
            return f"Basic {basic}"
        user, password = keys.get(f"{base}:username"), keys.get(f"{base}:_password")
        if user and password:
            with suppress(ValueError):
                plain = base64.b64decode(password).decode("utf-8", "replace")
                return "Basic " + base64.b64encode(f"{user}:{plain}".encode()).decode()
        if path in ("", "/"):
            return None
        path = path.rstrip("/").rpartition("/")[0] + "/"


def _ini(text: bytes) -> dict[str, str]:
    """npm's ini files (``key = value``, ``;`` and ``#`` comments, ``${VAR}`` from the environment)."""
    found: dict[str, str] = {}
    for line in text.decode("utf-8", "replace").splitlines():
        line = line.strip()
        if not line or line[0] in ";#[":
            continue
        key, _, value = line.partition("=")
        value = value.strip().strip("\"'")
        found[_expand(key.strip())] = _expand(value)
    return found


def _expand(text: str) -> str:
    return _VARIABLE.sub(lambda m: os.environ.get(m[1], "" if m[2] else m[0]), text)
