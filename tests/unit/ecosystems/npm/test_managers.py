"""What a lock file proves of the addresses that it names, and what is said where it does not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.npm.listed import Pnpm, YarnBerry, YarnClassic
from package_hunter.ecosystems.npm.managers import Npm
from package_hunter.ecosystems.tree import BoxTree

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


BERRY = '__metadata:\n  version: 8\n\n"ms@npm:{0}":\n  version: {0}\n  resolution: "ms@npm:{0}"\n'
CLASSIC = 'ms@^2:\n  version "{0}"\n'
PNPM = "lockfileVersion: '9.0'\npackages:\n  ms@{0}:\n    resolution: {{integrity: sha512-x}}\n"


@pytest.mark.parametrize(
    ("kind", "name", "form"),
    [
        (YarnBerry, "yarn.lock", BERRY),
        (YarnClassic, "yarn.lock", CLASSIC),
        (Pnpm, "pnpm-lock.yaml", PNPM),
    ],
)
def test_other_versions_than_the_lock_files_are_told(
    tmp_path: Path, kind: type[YarnBerry | YarnClassic | Pnpm], name: str, form: str
) -> None:
    tree = BoxTree(tmp_path, "/p")
    (tmp_path / name).write_text(form.format("2.1.3"))
    assert kind({}, form.format("2.1.3")).anew(tree, "/p") == ()
    (note,) = kind({}, form.format("2.1.2")).anew(tree, "/p")
    assert note.startswith(f"{name} does not fit package.json") and "ms@2.1.3" in note
    (note,) = kind({}, "nonsense").anew(tree, "/p")
    assert note.startswith(f"{name} lists no package that could be read")
    assert kind({}, None).anew(tree, "/p") == ()
    assert "no lock file" in kind({}, None).notes[-1]


def test_npm_tells_what_it_resolves_anew() -> None:
    lock = {"packages": {"": {"dependencies": {"ms": "1"}}}}
    assert "may be others than yours" in Npm({"dependencies": {"ms": "2"}}, lock, ()).notes[0]


def test_what_pnpm_is_told_that_packages_need_may_be_asked_for() -> None:
    told = {"is-even": {"dependencies": {"ini": "1.3.8"}, "peerDependencies": {"react": "*"}}, "x": 7}
    made = Pnpm({"pnpm": {"packageExtensions": told}}, None)
    assert made.registry().names >= {"ini", "react"}
    assert Pnpm({"pnpm": []}, None).registry().names == {"pnpm"}
