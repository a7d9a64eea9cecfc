"""Which registries this host uses, with which credentials: from the host's user and global configuration.

The package managers themselves are asked, so that their defaults and precedence hold and no registry is
named in this code; in ``/``, since inside a project its own files would answer; by an unprivileged process,
which gets the user's file as a descriptor. What they do not tell (tokens) is read from the same files.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit

import yaml

from package_hunter.confine import UIDS
from package_hunter.decoy.second_names import with_second_names
from package_hunter.decoy.spec import Upstream
from package_hunter.errors import HostError

_SECONDS = 30.0
_MAX_CONFIG = 1 << 20
_VARIABLE = re.compile(r"(?<!\\)\$\{([^}?]+)(\?)?\}")
_NPM_KEYS = (
    *("registry", "cafile", "proxy", "https-proxy", "strict-ssl", "globalconfig", "replace-registry-host"),
)
_NPM_REPLACES = ("npmjs", "always", "never")  # words of replace-registry-host; anything else is a host


def discover(
    cache_dir: Path | None = None,
    npm: str | None = None,
    built_in: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> tuple[Upstream, ...]:
    """This host's registries, npm's and pip's and gem's, as far as those are set up or have a default.

    ``npm`` is the program to ask where none is on PATH, ``built_in`` what the managers in the box have built in
    for each ecosystem's registry (gem's is its default for hosts without Ruby, too). With ``cache_dir`` (the
    worker's own folder, not the gateway's cache) what the programs said is kept there, never with credentials,
    and reused until a configuration file, the environment or the program changes.
    """
    found: list[Upstream] = []
    program = shutil.which("npm") or npm
    if program:
        found += npm_upstreams(program, cache_dir)
    found += pip_upstreams(cache_dir)
    found += gem_upstreams(next(iter(built_in.get("gem", ())), None))
    return with_second_names(found, built_in)


def box_environment(upstreams: tuple[Upstream, ...]) -> dict[str, str]:
    """Where the package managers in the box find the host's registries; no credentials."""
    env: dict[str, str] = {}
    for upstream in upstreams:
        if upstream.ecosystem == "npm" and upstream.default:
            env["npm_config_registry"] = env["YARN_NPM_REGISTRY_SERVER"] = upstream.url
            env["YARN_REGISTRY"] = upstream.url  # yarn classic, whose default is another name of npm's
        if upstream.ecosystem == "pypi":
            key = "PIP_INDEX_URL" if upstream.default else "PIP_EXTRA_INDEX_URL"
            env[key] = f"{env[key]} {upstream.url}" if key in env else upstream.url
            if not upstream.verify or upstream.url.startswith("http://"):
                trusted = [env.get("PIP_TRUSTED_HOST", ""), urlsplit(upstream.url).hostname or ""]
                env["PIP_TRUSTED_HOST"] = " ".join(trusted).strip()
        if upstream.ecosystem == "gem" and upstream.replaces not in ("", upstream.url):
            # gem itself reads ~/.gemrc (decoy/secrets/gem.py). A Gemfile names its sources in full: the public one
            # becomes the host's default; others stay, so that a private gem is never asked for elsewhere.
            env[f"BUNDLE_MIRROR__{_bundle_key(upstream.replaces)}"] = upstream.url
    return env


def _bundle_key(url: str) -> str:
    """A URL as bundler writes it into the name of an environment variable (``Bundler::Settings#key_for``)."""
    return url.replace("-", "___").replace(".", "__").upper()


# --- npm ---------------------------------------------------------------------------------------------------


def npm_upstreams(program: str, cache_dir: Path | None = None) -> list[Upstream]:
    """npm's default registry and those of its scopes."""
    user = Path(
        os.environ.get("NPM_CONFIG_USERCONFIG")
        or os.environ.get("npm_config_userconfig")  # noqa: SIM112
        or _home(".npmrc")
    )
    text = _read(user)
    env = {
        k: v for k, v in os.environ.items() if k.lower().startswith("npm_config_") and "auth" not in k.lower()
    }
    env.update(npm_config_update_notifier="false", npm_config_logs_max="0", npm_config_cache="/nonexistent")
    argv = [program, "config", "ls", "-l", "--json"]
    try:
        config = json.loads(_asked(argv, env, text, "npm_config_userconfig", cache_dir, _npm_needed))
        default = config["registry"]
    except (ValueError, KeyError, TypeError) as error:
        raise HostError(
            f"npm ({program}) does not say which registry it uses.", "Try: npm config ls -l"
        ) from error
    keys = {**_ini(_read(Path(str(config.get("globalconfig") or "/nonexistent")))), **_ini(text)}
    cafile = config.get("cafile") or None
    proxies = {"https": config.get("https-proxy") or config.get("proxy"), "http": config.get("proxy")}
    host = str(config.get("replace-registry-host") or "npmjs")
    replaced = (f"https://{host}/",) if host not in _NPM_REPLACES else ()
    by_url: dict[str, list[str]] = {_slash(default): []}
    for key, value in config.items():
        if key.startswith("@") and key.endswith(":registry") and isinstance(value, str):
            by_url.setdefault(_slash(value), []).append(key.removesuffix(":registry"))
    return [
        Upstream(
            "npm",
            url,
            default=url == _slash(default),
            scopes=tuple(sorted(scopes)),
            auth=_npm_auth(url, keys),
            cafile=cafile,
            proxy=proxies.get(urlsplit(url).scheme) or None,
            verify=bool(config.get("strict-ssl", True)),
            stands_for=replaced if url == _slash(default) else (),
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


# --- pip ---------------------------------------------------------------------------------------------------


def pip_upstreams(cache_dir: Path | None = None) -> list[Upstream]:
    """pip's index and extra indexes that are reached over HTTP (local directories cannot be a channel)."""
    env = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
    files = [Path("/etc/pip.conf"), _home(".pip/pip.conf"), _config_home() / "pip/pip.conf"]
    text = b"\n".join(_read(path) for path in files)
    pip = [sys.executable, "-m", "pip"]
    config = _pip_config(
        _asked([*pip, "config", "list"], {**env, "HOME": str(Path.home())}, text, "", cache_dir)
    )
    index = config.get("index-url") or _pip_default(
        _asked([*pip, "help", "install"], env, b"", "", cache_dir)
    )
    urls = (
        [index, *config.get("extra-index-url", "").split()]
        if config.get("no-index") not in ("1", "true")
        else []
    )
    cert, proxy = config.get("cert"), config.get("proxy")
    found: list[Upstream] = []
    for url in dict.fromkeys(_slash(url) for url in urls if url):
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            continue
        auth = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            auth = "Basic " + base64.b64encode(pair.encode()).decode()
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        trusted = (parts.hostname or "") in config.get("trusted-host", "").split()
        found.append(
            Upstream(
                "pypi",
                bare,
                default=not found,
                auth=auth,
                cafile=cert,
                proxy=proxy or None,
                verify=not trusted,
            )
        )
    return found


def _pip_config(text: str) -> dict[str, str]:
    """``global.index-url='...'`` lines; the environment counts over files."""
    order = {"global": 0, "install": 1, ":env:": 2}
    rows = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        section, _, name = key.rpartition(".")
        if section in order:
            rows.append((order[section], name, value.strip().strip("'\"").replace("\\n", " ")))
    return {name: value for _, name, value in sorted(rows, key=lambda row: row[0])}


def _pip_default(text: str) -> str:
    match = re.search(r"Python Package Index\s*\(default\s*([^\s)]+)\)", " ".join(text.split()))
    return match[1] if match else ""


# --- gem ---------------------------------------------------------------------------------------------------


def gem_upstreams(default: str | None = None) -> list[Upstream]:
    """gem's sources: as gem itself says; where it is not installed, as its files do; else ``default``,
    which is what gem in the box has."""
    program = shutil.which("gem")
    if program is None:
        urls = _gemrc_sources() or ([default] if default else [])
    else:
        text = _asked([program, "sources", "--list"], {"HOME": str(Path.home())}, b"", "", None)
        urls = [line.strip() for line in text.splitlines()]
    urls = [url for url in urls if url.startswith(("http://", "https://"))]
    found: list[Upstream] = []
    for url in urls:
        parts = urlsplit(_slash(url))
        auth = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            auth = "Basic " + base64.b64encode(pair.encode()).decode()
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        replaces = _slash(default) if default and not found else ""
        found.append(Upstream("gem", bare, default=not found, auth=auth, replaces=replaces))
    return found


def _gemrc_sources() -> list[str]:
    """``:sources:`` of the first of gem's files that has some, in its order of precedence (gem help
    environment)."""
    named = [Path(path) for path in os.environ.get("GEMRC", "").split(":") if path]
    for path in (*named, _home(".gemrc"), Path("/etc/gemrc")):
        with suppress(yaml.YAMLError):
            data = yaml.safe_load(_read(path))
            sources = data.get(":sources") or data.get("sources") if isinstance(data, dict) else None
            if isinstance(sources, list) and sources:
                return [str(source) for source in sources]
    return []


# --- asking ------------------------------------------------------------------------------------------------


def _asked(
    argv: list[str],
    env: dict[str, str],
    text: bytes,
    variable: str,
    cache_dir: Path | None,
    reduce: Callable[[str], str] = str,
) -> str:
    """What ``argv`` prints, run in ``/``; ``text`` is handed to it as a file named by ``variable``."""
    wanted = (
        argv,
        sorted(env.items()),
        text,
        _stamp(argv[0]),
        _NPM_KEYS,
    )  # what was kept for fewer is no answer
    key = hashlib.sha256(repr(wanted).encode()).hexdigest()
    kept = cache_dir / f"config-{key[:32]}.json" if cache_dir else None
    if kept is not None:
        with suppress(OSError, ValueError):
            return str(json.loads(kept.read_bytes())["said"])
    said = reduce(_run(argv, env, text, variable))
    if kept is not None and not re.search(r"//[^/\s\"']*@", said):  # perhaps user:password@
        with suppress(OSError):
            kept.parent.mkdir(parents=True, exist_ok=True)
            temporary = kept.with_suffix(f".{os.getpid()}")
            temporary.write_text(json.dumps({"said": said}))
            temporary.replace(kept)
    return said


def _run(argv: list[str], env: dict[str, str], text: bytes, variable: str) -> str:
    env = {"PATH": os.environ.get("PATH", os.defpath), "HOME": "/nonexistent", "LANG": "C.UTF-8", **env}
    fd = os.memfd_create("configuration", 0)
    try:
        os.write(fd, text)
        if variable:
            env[variable] = f"/proc/self/fd/{fd}"
        options: dict[str, Any] = {
            "cwd": "/", "env": env, "stdin": subprocess.DEVNULL, "capture_output": True, "timeout": _SECONDS,
            "pass_fds": (fd,), "text": True, "errors": "replace",
        }  # fmt: skip
        if os.geteuid() == 0:
            uid = UIDS["gateway"]
            with suppress(PermissionError):  # installed in root's home: it can only be run as root
                done = subprocess.run(argv, user=uid, group=uid, extra_groups=[], **options)
                if done.returncode == 0:
                    return str(done.stdout)
        return str(subprocess.run(argv, **options).stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostError(f"{argv[0]} does not tell its configuration: {error}.") from error
    finally:
        os.close(fd)


def _stamp(program: str) -> tuple[int, int]:
    try:
        facts = Path(program).stat()
    except OSError:
        return (0, 0)
    return facts.st_mtime_ns, facts.st_size


def _home(name: str) -> Path:
    return Path.home() / name


def _config_home() -> Path:
    return Path(os.environ.get("XDG_CONFIG_HOME") or _home(".config"))


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_CONFIG)
    except OSError:
        return b""


def _slash(url: str) -> str:
    return url if url.endswith("/") else url + "/"
