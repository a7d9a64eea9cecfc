"""One more record of facts, and every stage knows the ecosystem: nobody has a list of package managers of its own."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from package_hunter.blame.blamer import Blamer
from package_hunter.blame.manager import without_manager
from package_hunter.client import pack as packing
from package_hunter.decoy.lawful import Registries, is_lawful
from package_hunter.decoy.registry.allow import normal_name
from package_hunter.decoy.spec import Upstream
from package_hunter.decoy.web import Ask, Peer
from package_hunter.findings.from_host import owner_reads
from package_hunter.findings.signals import manager_files, reads_settings
from package_hunter.findings.traces import script_manifests
from package_hunter.intake import directory, secrets
from package_hunter.intake.limits import Limits
from package_hunter.model import ecosystem
from package_hunter.model.ecosystem import Builds, BuiltIn, Facts, known, names, use
from package_hunter.model.observation import Alert, Blame, Observation, Process
from package_hunter.model.scan import Command, CommandRun, Package
from package_hunter.report.gitlab import _manager
from package_hunter.report.location import files_of
from package_hunter.sandbox.image import built_in_registries

MADE = Facts(
    name="made",
    managers=("maker", "brick"),
    purl_type="brick",
    manifests=("made.json",),
    pins=("made.lock", "made.json"),
    addressed=(r"made\.(?:json|lock)",),
    credential_files={"made.auth": "netrc", ".maker/key": "kube"},
    settings=(".makerc",),
    project_settings=("maker.ini",),
    made_beside={"bricks": "made.json"},
    made_with={".wall": "wall.cfg"},
    script_manifest="brick.json",
    installed=("/bricks/",),
    separators="[~]+",
    archives=(r"\.brick",),
    interpreters=("kiln",),
    reads={"maker": ("/.maker/",)},
    runs_as={"maker": r"/usr/lib/maker/main\.k"},
    fetch_programs=("/usr/bin/kiln",),
    builds=Builds("maker", "maker install", r"/maker-(build|given)/([a-z~A-Z]+)", "given", "kiln-hook"),
    built_in=(BuiltIn(("usr/lib/maker/*.k",), r"home = (https?://\S+)", "bricks/"),),
    index_hosts=("list.",),
    agents=(r"maker/\d",),
    read_use="brick-read",
    read_posts=("/ask/",),
    gitlab={"made": "maker"},
)
PEER = Peer("198.18.0.1", 443, 40_000, "bricks.example", "bricks.example", True)
HOST = Registries.of([Upstream("made", "https://bricks.example/")])


@pytest.fixture(autouse=True)
def _made() -> Iterator[None]:
    before = known()
    use((*before, MADE))
    yield
    use(before)


def ask(method: str, target: str, **headers: str) -> Ask:
    return Ask(method, target, "bricks.example", headers, PEER)


def test_users_say_its_names() -> None:
    assert {"made", "maker", "brick"} <= set(names())


def test_intake_keeps_its_credentials_outside_and_reads_its_manifests() -> None:
    assert secrets.kind_of("a/made.auth") == "netrc"
    assert secrets.kind_of("a/.maker/key") == "kube" and secrets.kind_of("a/key") is None
    assert secrets.is_manifest("a/MADE.lock") and not secrets.is_manifest("a/made.txt")


def test_what_its_installs_make_is_left_out(tmp_path: Path) -> None:
    for path in ("bricks/one", "made.json", ".wall/wall.cfg", "own/bricks/two", "own/.wall/three"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x")
    sink = io.BytesIO()
    fd = directory.open_directory(str(tmp_path))
    directory.send(fd, sink, Limits())
    with tarfile.open(fileobj=io.BytesIO(sink.getvalue())) as archive:
        files = {name for name in archive.getnames() if archive.getmember(name).isfile()}
    assert files == {"made.json", "own/bricks/two", "own/.wall/three"}
    assert {"bricks", ".wall", "node_modules", "venv"} <= packing._left_out()


def test_the_decoy_knows_its_registry_and_its_clients() -> None:
    assert normal_name("made", "A~~b") == "a-b"
    assert ask("GET", "/a", **{"user-agent": "maker/2"}).by_manager
    for method, target, lawful in (("GET", "/a", True), ("POST", "/ask/x", True), ("POST", "/put", False)):
        assert is_lawful(("brick-read",), ask(method, target), "authorization", HOST) is lawful


def test_the_image_says_where_its_registry_is(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/maker").mkdir(parents=True)
    (tmp_path / "usr/lib/maker/main.k").write_text("home = https://bricks.example\n")
    assert built_in_registries(tmp_path) == {"made": ("https://bricks.example/bricks/",)}


@pytest.mark.parametrize(
    "exe, line, owner",
    [
        ("/usr/bin/kiln", "kiln /usr/lib/maker/main.k", True),
        ("/usr/bin/kiln", "kiln -m maker add", True),
        ("/usr/bin/kiln", "kiln /home/dev/x.k", False),
        ("/home/dev/kiln", "kiln -m maker add", False),
    ],
)
def test_who_reads_its_credentials_lawfully(exe: str, line: str, owner: bool) -> None:
    process = Process(1, None, 1, 1, "kiln", exe, line, "/", 0, 0, None, None)
    assert owner_reads(process, "/home/dev/.maker/key") is owner


def test_findings_know_its_settings() -> None:
    assert "/home/dev/.makerc" in manager_files()
    assert reads_settings("/home/dev/projects/app/deep/maker.ini")
    assert "brick.json" in script_manifests()


@pytest.mark.parametrize(
    "cwd, line, package, confidence",
    [
        ("/tmp/maker-build/One~Two", "sh", "pkg:brick/one-two@3", "likely"),
        ("/tmp", "sh /tmp/maker-build/Other/x.sh", "pkg:brick/other", "likely"),
        ("/tmp/maker-given/x", "sh", None, "certain"),
        ("/tmp", "kiln-hook", None, "certain"),
        ("/tmp", "sh", None, "tree"),
    ],
)
def test_blame_knows_its_builds(cwd: str, line: str, package: str | None, confidence: str) -> None:
    run = CommandRun("install", "default", Command(("maker",), "/", script="maker install"), 10, 100, 900, 0)
    root = Process(1, None, 10, 10, "maker", "/usr/bin/maker", "maker install", "/", 0, 100, None, None)
    child = replace(root, key=2, parent=1, pid=11, cmdline=line, cwd=cwd, started_ns=200)
    one = Package("pkg:brick/one-two@3", "one-two", "3")
    found = Blamer([run], [root, child], [one]).blame(2, 300)
    assert found is not None and (found.package, found.confidence) == (package, confidence)
    assert "maker" in found.basis


def test_the_manager_alone_is_nobodys_doing() -> None:
    process = Process(1, None, 10, 10, "kiln", "/usr/bin/kiln", "kiln", "/", 0, 0, None, None)
    blame = Blame("fetch", None, (), None, 10, "kiln", "", "tree")
    alert = Alert(5, "rule", "Notice", "", {}, (), "syscall", 1, "open", 10, 10, blame)
    seen = Observation(alerts=(alert,), processes=(process,))
    assert without_manager(seen).alerts == ()
    use(one for one in known() if one is not MADE)
    assert without_manager(seen).alerts == (alert,)


def test_reports_call_it_as_others_do() -> None:
    assert files_of("maker") == files_of("made") == files_of("brick") == ("made.lock", "made.json")
    assert _manager("brick") == _manager("made") == "maker"


def test_no_stage_lists_managers() -> None:
    """The ecosystems' names stand together in no other file than their facts."""
    home = Path(ecosystem.__file__).parent.parent
    rooms = (
        "api",
        "queue",
        "blame",
        "pipeline",
        "report",
        "findings",
        "decoy/registry",
        "cli",
        "sandbox/image",
    )
    for room in rooms:
        for path in (home / room).rglob("*.py"):
            text = path.read_text()
            assert not ('"npm"' in text and ('"pypi"' in text or '"gem"' in text)), path
