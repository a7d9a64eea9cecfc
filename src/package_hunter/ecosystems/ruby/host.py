"""gem's sources of this host."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import yaml

from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.asking import Question, asked, home, read, slash
from package_hunter.ecosystems.interface import HostSide


class RubyHost(HostSide):
    """See ``ecosystems.interface``."""

    def upstreams(self, cache_dir: Path | None, built_in: Sequence[str]) -> list[Upstream]:
        """As gem says; where it is not installed, as its files do, or else the default of gem in the box."""
        return gem_upstreams(next(iter(built_in), None))

    def box_environment(self, upstreams: Sequence[Upstream]) -> Mapping[str, str]:
        """gem itself reads ~/.gemrc (decoy/secrets/gem.py). A Gemfile names its sources in full: the public one
        becomes the host's default; others stay, so that a private gem is never asked for elsewhere."""
        env: dict[str, str] = {}
        for upstream in upstreams:
            if upstream.replaces not in ("", upstream.url):
                env[f"BUNDLE_MIRROR__{_bundle_key(upstream.replaces)}"] = upstream.url
        return env


def _bundle_key(url: str) -> str:
    """A URL as bundler writes it into the name of an environment variable (``Bundler::Settings#key_for``)."""
    return url.replace("-", "___").replace(".", "__").upper()


def gem_upstreams(default: str | None = None) -> list[Upstream]:
    """gem's sources: as gem itself says; where it is not installed, as its files do; else ``default``,
    which is what gem in the box has."""
    program = shutil.which("gem")
    if program is None:
        urls = _gemrc_sources() or ([default] if default else [])
    else:
        text = asked(Question([program, "sources", "--list"], {"HOME": str(Path.home())}), None)
        urls = [line.strip() for line in text.splitlines()]
    urls = [url for url in urls if url.startswith(("http://", "https://"))]
    found: list[Upstream] = []
    for url in urls:
        parts = urlsplit(slash(url))
        auth = None
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            auth = "Basic " + base64.b64encode(pair.encode()).decode()
        bare = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        replaces = slash(default) if default and not found else ""
        found.append(Upstream("gem", bare, default=not found, auth=auth, replaces=replaces))
    return found


def _gemrc_sources() -> list[str]:
    """``:sources:`` of the first of gem's files that has some, in its order of precedence (gem help
    environment)."""
    named = [Path(path) for path in os.environ.get("GEMRC", "").split(":") if path]
    for path in (*named, home(".gemrc"), Path("/etc/gemrc")):
        with suppress(yaml.YAMLError):
            data = yaml.safe_load(read(path))
            sources = data.get(":sources") or data.get("sources") if isinstance(data, dict) else None
            if isinstance(sources, list) and sources:
                return [str(source) for source in sources]
    return []
