"""pip's indexes of this host."""

from __future__ import annotations

import base64
import os
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.asking import Question, asked, config_home, home, read, slash
from package_hunter.ecosystems.interface import HostSide


class PythonHost(HostSide):
    """See ``ecosystems.interface``."""

    def upstreams(self, cache_dir: Path | None, built_in: Sequence[str]) -> list[Upstream]:
        """As the pip of this program's Python says."""
        return pip_upstreams(cache_dir)

    def box_environment(self, upstreams: Sequence[Upstream]) -> Mapping[str, str]:
        """pip's names for the indexes."""
        env: dict[str, str] = {}
        for upstream in upstreams:
            key = "PIP_INDEX_URL" if upstream.default else "PIP_EXTRA_INDEX_URL"
            env[key] = f"{env[key]} {upstream.url}" if key in env else upstream.url
            if not upstream.verify or upstream.url.startswith("http://"):
                trusted = [env.get("PIP_TRUSTED_HOST", ""), urlsplit(upstream.url).hostname or ""]
                env["PIP_TRUSTED_HOST"] = " ".join(trusted).strip()
        return env


def pip_upstreams(cache_dir: Path | None = None) -> list[Upstream]:
    """pip's index and extra indexes that are reached over HTTP (local directories cannot be a channel)."""
    env = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
    files = [Path("/etc/pip.conf"), home(".pip/pip.conf"), config_home() / "pip/pip.conf"]
    text = b"\n".join(read(path) for path in files)
    pip = [sys.executable, "-m", "pip"]
    config = _pip_config(
        asked(Question([*pip, "config", "list"], {**env, "HOME": str(Path.home())}, text), cache_dir)
    )
    index = config.get("index-url") or _pip_default(
        asked(Question([*pip, "help", "install"], env), cache_dir)
    )
    urls = (
        [index, *config.get("extra-index-url", "").split()]
        if config.get("no-index") not in ("1", "true")
        else []
    )
    cert, proxy = config.get("cert"), config.get("proxy")
    found: list[Upstream] = []
    for url in dict.fromkeys(slash(url) for url in urls if url):
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
