"""What a result is known by: everything that a scan is made of."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from package_hunter.config import Settings
from package_hunter.decoy.spec import Upstream
from package_hunter.ecosystems.base import stage
from package_hunter.ecosystems.planner import Planner
from package_hunter.model.depth import DepthName
from package_hunter.model.observation import NetworkLog, OutsideFetch, Request
from package_hunter.model.report import Report
from package_hunter.model.report_form import from_json, to_json
from package_hunter.model.scan import Package, Verdict
from package_hunter.model.withheld import CredentialKind, WithheldFile
from package_hunter.pipeline.options import Scan, ScanOptions
from package_hunter.policy import parse_policy
from package_hunter.queue import reuse
from package_hunter.queue.local import LocalQueue
from package_hunter.queue.runner import heeds_own_file
from package_hunter.rules import Matcher
from package_hunter.store import scans
from package_hunter.store.database import Store
from package_hunter.store.scans import NewScan
from tests.support import judge_samples as samples

LOCK = {
    "name": "app",
    "lockfileVersion": 3,
    "packages": {
        "": {"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}},
        "node_modules/left-pad": {"version": "1.3.0", "integrity": "sha512-AAAA"},
    },
}
MANIFEST = {"name": "app", "version": "1.0.0", "dependencies": {"left-pad": "1.3.0"}}


@pytest.fixture(autouse=True)
def an_image(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    image = tmp_path / "0123456789abcdef.erofs"
    image.write_bytes(b"image")
    monkeypatch.setattr(reuse, "find_image", lambda: image)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    put(folder, "package.json", MANIFEST)
    put(folder, "package-lock.json", LOCK)
    (folder / "index.js").write_text("1")
    return folder


def put(folder: Path, name: str, data: object) -> None:
    (folder / name).write_text(json.dumps(data))


HERE = (Upstream("npm", "https://npm.example/"),)


def scan_of(folder: Path, options: ScanOptions | None = None, **settings: object) -> Scan:
    """One under way."""
    made = Settings(**settings)  # type: ignore[arg-type]
    matcher = cast(Matcher, None)
    return Scan("id", 0, 0.0, folder, options or ScanOptions(), matcher, made, lambda _: None, Planner())


def key(
    folder: Path,
    options: ScanOptions | None = None,
    upstreams: tuple[Upstream, ...] = HERE,
    withheld: tuple[WithheldFile, ...] = (),
    **settings: object,
) -> str | None:
    scan = replace(scan_of(folder, options, **settings), withheld=withheld)
    found = reuse.known_by(scan, stage("app", folder), upstreams)
    return None if found is None else found.key


def change(part: str, **more: object) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        data = json.loads((folder / part).read_text())
        put(folder, part, {**data, **more})

    return do


def other_bytes(folder: Path) -> None:
    lock = json.loads(json.dumps(LOCK))
    lock["packages"]["node_modules/left-pad"]["integrity"] = "sha512-BBBB"
    put(folder, "package-lock.json", lock)


def own_code(folder: Path) -> None:
    (folder / "index.js").write_text("2")


def released(folder: Path) -> None:
    change("package.json", version="2.0.0")(folder)
    lock = json.loads(json.dumps(LOCK))
    lock["packages"][""]["version"] = "2.0.0"
    put(folder, "package-lock.json", lock)


@pytest.mark.parametrize(
    ("what", "same"),
    [
        (lambda f: os.utime(f / "index.js", (1, 1)), True),
        (own_code, False),
        (released, False),
        (lambda f: (f / "config").mkdir(), False),
        (lambda f: (f / "index.js").chmod(0o755), False),
        (lambda f: (f / "link.js").symlink_to("index.js"), False),
        (other_bytes, False),
        (change("package.json", scripts={"test": "jest"}), False),
        (change("package.json", scripts={"postinstall": "node ."}), False),
        (change("package.json", overrides={"left-pad": "1.2.0"}), False),
        (lambda f: (f / ".npmrc").write_text("ignore-scripts=true"), False),
        (lambda f: (f / ".pnpmfile.cjs").write_text("evil"), False),
        (lambda f: (f / "node_modules").mkdir(), False),
        (lambda f: (f / "hardhat.config.js").write_text(""), False),
    ],
)
def test_what_makes_another_key(project: Path, what: Callable[[Path], None], same: bool) -> None:
    before = key(project)
    assert before is not None
    what(project)
    assert (key(project) == before) is same


def test_settings_options_image_rules_and_registries_are_part_of_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [
        key(project),
        key(project, scan_timeout=5.0),
        key(project, ScanOptions(worlds=("ci",))),
        key(project, ScanOptions(phases=("install",))),
        key(project, ScanOptions(depth=DepthName.DEEP)),
        key(project, ScanOptions(ecosystem="yarn")),
        key(project, upstreams=(Upstream("npm", "https://mirror.example/"),)),
        key(
            project,
            withheld=(WithheldFile(".npmrc", CredentialKind.NPMRC, b"registry=https://npm.example/"),),
        ),
    ]
    monkeypatch.setattr(reuse, "_program", lambda: "other rules")
    keys.append(key(project))
    reuse.find_image().write_bytes(b"another image")
    keys.append(key(project))
    assert None not in keys
    assert len(set(keys)) == len(keys)


def test_credentials_are_no_part_of_it(project: Path) -> None:
    with_auth = (replace(HERE[0], auth="Bearer x", proxy="http://u:p@proxy.example"),)
    assert key(project, upstreams=with_auth) == key(project)
    assert key(project, database_url="postgresql://u:p@db.example/x") == key(project)


def test_other_rules_are_another_key(project: Path, tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    keys = [key(project)]
    for text in ("- list: a\n  items: [x]\n", "- list: a\n  items: [y]\n"):
        rules.write_text(text)
        keys.append(key(project, ScanOptions(rule_files=(rules,))))
    assert None not in keys
    assert len(set(keys)) == 3


def test_what_is_not_settled_has_no_key(project: Path) -> None:
    assert reuse.known_by(scan_of(project), stage("left-pad", purl="pkg:npm/left-pad@1.3.0"), HERE) is None
    assert key(project, engine="falco") is None
    (project / "package-lock.json").unlink()
    assert key(project) is None
    (project / "requirements.txt").write_text("idna==3.7\n")
    assert key(project) is None, "a version without a digest"


LEFT_PAD = Package("pkg:npm/left-pad@1.3.0", "left-pad", "1.3.0", "/p/node_modules/left-pad", "sha512-AAAA")
OWN = Package("pkg:npm/member@1.0.0", "member", "1.0.0", "/p/packages/member")
FETCHED = OutsideFetch(0, "https://code.example/x.tgz", 200, 9, "https", "", 1)
OPEN = Package("pkg:pypi/idna@3.7", "idna", "3.7", "/p/.venv/lib/python3.11/site-packages/idna")


def request(url: str, registry: bool = True) -> Request:
    return Request(0, "GET", url, (), b"", 0, 200, 1, registry)


def report(
    packages: tuple[Package, ...], *requests: Request, fetched: tuple[OutsideFetch, ...] = ()
) -> Report:
    return samples.report(packages=packages, network=NetworkLog(requests=requests, fetched=fetched))


@pytest.mark.parametrize(
    ("seen", "settled"),
    [
        (report((LEFT_PAD,), request("https://npm.example/left-pad/-/left-pad-1.3.0.tgz")), True),
        (report((LEFT_PAD, OWN), request("https://npm.example/left-pad")), True),
        (report((LEFT_PAD,), request("https://evil.example/x.tgz", registry=False)), True),
        (report((replace(LEFT_PAD, integrity="sha512-BBBB"),)), False),
        (report((replace(LEFT_PAD, purl="pkg:npm/left-pad@1.3.1"),)), False),
        (report((LEFT_PAD, OPEN)), False),
        (report((LEFT_PAD,), request("https://npm.example/pnpm/-/pnpm-9.15.9.tgz")), False),
        (report((LEFT_PAD,), request("https://py.example/s/setuptools-84.2-py3-none-any.whl")), False),
        (report((LEFT_PAD,), fetched=(FETCHED,)), False),
        (report((LEFT_PAD,), fetched=(replace(FETCHED, refused="no host"),)), True),
    ],
)
def test_only_what_lock_files_pin_by_digest_settles_a_result(
    project: Path, seen: Report, settled: bool
) -> None:
    found = reuse.known_by(scan_of(project), stage("app", project), HERE)
    assert found is not None
    assert found.settles(seen) is settled


def test_every_ecosystem_s_lock_file_counts(project: Path) -> None:
    (project / "requirements.txt").write_text("idna==3.7 --hash=sha256:82fee1fc --hash=sha256:028ff3aa\n")
    found = reuse.known_by(scan_of(project), stage("app", project), HERE)
    assert found is not None
    assert found.pins["pkg:pypi/idna@3.7"] == {"sha256:82fee1fc", "sha256:028ff3aa"}
    wheel = request("https://files.example/p/idna-3.7-py3-none-any.whl")
    assert found.settles(report((LEFT_PAD, OPEN), wheel))


def finished(store: Store, settings: Settings, verdict: Verdict) -> uuid.UUID:
    """A scan of ana's that ended, noted under the key ``k``."""
    queue = LocalQueue(store, settings)
    with store.write() as session:
        scan = scans.add(session, NewScan("app", "ana", sha256="ab" * 32, size=1))
        queue.enqueue(session, scan.id)
    job = queue.claim("w")
    assert job is not None
    assert (job.submitter, job.fresh) == ("ana", False)
    reuse.note(store, "k", job.scan_id)
    assert reuse.known(store, "k", "ana", settings) is None, "a scan that runs is no result"
    queue.finish(job, samples.report(id=str(job.scan_id), verdict=verdict))
    return job.scan_id


def test_a_finished_result_is_found_again(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "store").mkdir()
    store = Store(settings)
    store.migrate()
    assert reuse.known(store, "k", "ana", settings) is None
    first = finished(store, settings, Verdict.MALICIOUS)
    found = reuse.known(store, "k", "ana", settings)
    assert found is not None
    assert found.id == str(first)
    again = reuse.as_new(found, "other")
    assert (again.id, again.known_from) == ("other", str(first))
    assert from_json(to_json(again)).known_from == str(first)
    assert again.coverage.notes[0].startswith(f"Nothing was run: scan {first} of 2026-11-23T09:41:13Z")
    assert reuse.known(store, "k", "ana", Settings(data_dir=tmp_path, result_cache_seconds=-1)) is None
    assert reuse.known(store, "other", "ana", settings) is None
    assert reuse.known(store, "k", "token:ana", settings) is None, "accounts do not share results"
    assert reuse.known(store, "k", "bob", settings) is None
    store.close()


def test_an_inconclusive_result_is_none(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    (tmp_path / "store").mkdir()
    store = Store(settings)
    store.migrate()
    finished(store, settings, Verdict.INCONCLUSIVE)
    assert reuse.known(store, "k", "ana", settings) is None
    store.close()


def test_whose_own_files_a_server_heeds() -> None:
    policy = parse_policy('[project]\nown_file = true\nown_file_from = ["token:protected-*"]\n')
    assert heeds_own_file(policy, "token:protected-main")
    assert not heeds_own_file(policy, "token:fork")
    assert not heeds_own_file(parse_policy(""), "token:protected-main")
