"""What a lock file proves of the addresses that it names."""

from __future__ import annotations

from typing import Any

from package_hunter.ecosystems.npm.managers import Npm, YarnClassic

URL = "https://stranger.example/a/-/a-1.0.0.tgz"
SRI = "sha512-" + "A" * 86 + "=="


def npm(*entries: dict[str, Any], manifest: dict[str, Any] | None = None) -> dict[str, str]:
    places = {f"node_modules/a{number}": entry for number, entry in enumerate(entries)}
    root = manifest or {}
    return dict(Npm(root, {"packages": {"": root, **places}}, ()).registry().proven)


def yarn(*entries: str, manifest: dict[str, Any] | None = None) -> dict[str, str]:
    text = "".join(f'a@{number}:\n  version "1.0.0"\n{entry}\n' for number, entry in enumerate(entries))
    return dict(YarnClassic(manifest or {}, text).registry().proven)


def test_an_address_with_its_digest_is_proven() -> None:
    entry = {"version": "1.0.0", "resolved": URL, "integrity": SRI}
    assert npm(entry) == npm(entry, entry) == {URL: SRI}
    assert yarn(f'  resolved "{URL}#{"0" * 40}"\n  integrity {SRI}') == {URL: SRI}
    assert yarn(f'  resolved "{URL}#{"0" * 40}"') == {URL: "sha1-" + "A" * 27 + "="}


def test_one_without_it_anywhere_is_not() -> None:
    bare, whole = {"version": "1.0.0", "resolved": URL}, {"resolved": URL, "integrity": SRI}
    assert not npm(bare) and not npm(bare, whole) and not npm(whole, bare)
    assert not npm(whole, {**whole, "integrity": SRI.replace("AA", "BB")})
    assert not yarn(f'  resolved "{URL}"')
    assert not yarn(f'  resolved "{URL}#short"')


def test_one_that_the_manifest_names_itself_is_not() -> None:
    manifest = {"dependencies": {"a": URL}}
    assert not npm({"resolved": URL, "integrity": SRI}, manifest=manifest)
