"""The RubyGems index's protocol: paths, names, lessons."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.registries import box_environment
from package_hunter.ecosystems.ruby.host import gem_upstreams
from package_hunter.ecosystems.ruby.registry import GemPath, info_lesson, names_of, read_path

_INFO = (
    b"---\n1.0.0 rack:>= 2.0&< 4,zeitwerk:~> 2.6|checksum:" + b"ab" * 32 + b",ruby:>= 2.7\n"
    b"1.0.1-x86_64-linux |checksum:" + b"cd" * 32 + b"\nbroken line\n"
)


def test_paths() -> None:
    assert read_path("/info/rack-test") == GemPath("info", "rack-test")
    assert read_path("/gems/nokogiri-1.16.0-x86_64-linux.gem") == GemPath(
        "gem", "nokogiri-1.16.0-x86_64-linux"
    )
    assert read_path("/quick/Marshal.4.8/a-1.gemspec.rz") == GemPath("quick", "a-1")
    assert read_path("/versions").kind == "whole" and read_path("/").kind == "root"
    for path in ("/info/a/b", "/gems/../../etc/passwd", "/gems/a b.gem", "/api/v1/gems"):
        assert read_path(path).kind == "unknown"


def test_a_files_name_may_be_cut_at_any_version_like_part() -> None:
    assert list(names_of("nokogiri-1.16.0-x86_64-linux")) == ["nokogiri"]
    assert list(names_of("base-64-kit-2.0")) == ["base-64-kit", "base"]


def test_an_info_page_teaches_dependencies_and_digests() -> None:
    lesson = info_lesson("thing", _INFO)
    assert lesson["names"] == ["rack", "zeitwerk"]
    assert set(lesson["files"]) == {"thing-1.0.0", "thing-1.0.1-x86_64-linux"}
    assert lesson["files"]["thing-1.0.0"][1].startswith("sha256-q6ur")


@given(st.binary(max_size=400))
def test_no_page_breaks_the_lesson(page: bytes) -> None:
    lesson = info_lesson("x", page)
    assert all(isinstance(name, str) for name in lesson["names"])


def test_where_gem_is_not_installed_its_files_are_read(monkeypatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.delenv("GEMRC", raising=False)
    tmp_path.joinpath(".gemrc").write_text(
        "---\n:sources:\n- https://u:p@gems.example/x\n- ftp://no.example/\n"
    )
    (one,) = gem_upstreams("https://public.example")
    assert (one.url, one.auth) == ("https://gems.example/x/", "Basic dTpw")
    assert box_environment((one,)) == {"BUNDLE_MIRROR__HTTPS://PUBLIC__EXAMPLE/": "https://gems.example/x/"}
    tmp_path.joinpath(".gemrc").write_text(":sources: [")
    (default,) = gem_upstreams("https://public.example")
    assert default.url == "https://public.example/" and box_environment((default,)) == {}
    assert Upstream("gem", "x").replaces == ""
