"""`make corpus`: its lists are whole, its readers of trees read, and what is off is taken apart."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from ci.corpus import __main__ as runner
from ci.corpus import bare, items, registries, rows, table, trees
from ci.corpus.bare import MANAGERS, Outcome
from ci.corpus.box import Scanned
from ci.corpus.items import CI, Item

from tests.support.requires import needs_root

PROJECTS = list(items.projects())


def test_the_corpus_has_many_projects_of_every_kind() -> None:
    assert len(PROJECTS) >= 60
    used = {item.manager for item in PROJECTS}
    assert used == set(MANAGERS) | {"npm", "pip"} & used, "a manager that no project uses"
    assert all(item.kind for item in PROJECTS)
    sources = [item.source for item in PROJECTS if item.source]  # the others were written here
    assert len(sources) >= 60 and all(source.count("/") == 1 for source in sources)
    assert {p.name for p in items.PROJECTS.iterdir()} == {item.name for item in PROJECTS}


@pytest.mark.parametrize("group", ["script", "sdist"])
def test_each_list_names_200_packages_once(group: str) -> None:
    names = [name for batch in items.packages(group) for name in batch.packages]
    assert len(names) == len(set(names)) == 200
    form = r"(@[\w.-]+/)?[\w.-]+@[\w.-]+" if group == "script" else r"[\w.-]+==[\w.]+"
    assert [name for name in names if not re.fullmatch(form, name)] == []


def test_no_file_names_a_registry() -> None:
    known = [value() for value in registries.MARKS.values()]
    for file in (p for p in CI.rglob("*") if p.is_file() and "__pycache__" not in p.parts):
        text = file.read_bytes().decode()
        assert [value for value in known if value in text] == [], file


def test_marks_become_addresses_and_marks_again() -> None:
    text = '"resolved": "@NPM@/ms/-/ms-2.1.3.tgz" "@YARN@/x" @PYPI@/simple @PYPI_FILES@/packages/a @OTHER@'
    assert "@NPM@" not in registries.expanded(text)
    assert "@OTHER@" in registries.expanded(text)
    assert registries.collapsed(registries.expanded(text)) == text


def test_what_is_no_text_is_copied_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/utf16.txt").write_bytes("@NPM@ six".encode("utf-16"))
    (tmp_path / "a/link").symlink_to("b/utf16.txt")
    (tmp_path / "to").mkdir()
    registries.copied(tmp_path / "a", tmp_path / "to")
    assert (tmp_path / "to/b/utf16.txt").read_bytes() == (tmp_path / "a/b/utf16.txt").read_bytes()
    assert (tmp_path / "to/link").readlink() == Path("b/utf16.txt")


def _manifest(place: Path, name: str, version: str) -> None:
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": name, "version": version}))


def test_node_trees_are_read_from_every_layout(tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    _manifest(modules / "a", "a", "1.0.0")
    _manifest(modules / "@s/b", "@s/b", "2.0.0")
    _manifest(modules / "a/node_modules/deep", "deep", "3.0.0")
    _manifest(modules / "alias", "real", "v4.0.0")
    _manifest(modules / ".pnpm/p@5.0.0/node_modules/p", "p", "5.0.0")
    _manifest(tmp_path / "packages/m", "m", "0.0.1")
    _manifest(tmp_path / "packages/m/node_modules/own", "own", "6.0.0")
    (modules / "m").symlink_to("../packages/m")
    (modules / "p").symlink_to(".pnpm/p@5.0.0/node_modules/p")
    found = dict(trees.members_tree(tmp_path))
    assert found == {
        "a": "1.0.0",
        "@s/b": "2.0.0",
        "deep": "3.0.0",
        "real": "4.0.0",
        "p": "5.0.0",
        "own": "6.0.0",
    }


def test_plug_and_play_is_read(tmp_path: Path) -> None:
    data = [
        [None, [[None, {}]]],
        ["a", [["npm:1.0.0", {}], ["virtual:9f#npm:2.0.0-rc.1", {}]]],
        ["root", [["workspace:.", {}]]],
    ]
    (tmp_path / ".pnp.data.json").write_text(json.dumps({"packageRegistryData": data}))
    assert trees.node_tree(tmp_path) == {("a", "1.0.0"), ("a", "2.0.0-rc.1")}


def test_python_trees_are_read_without_what_they_begin_with(tmp_path: Path) -> None:
    for name, version in (("Typing_Extensions", "4.1"), ("zope.event", "5.0"), ("pip", "23.0")):
        info = tmp_path / f"lib/python3.11/site-packages/{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText: no\n"
        )
    assert trees.python_tree(tmp_path) == {("typing-extensions", "4.1"), ("zope-event", "5.0")}


def test_a_report_is_compared_with_what_is_outside() -> None:
    purls = (
        "pkg:npm/%40s/b@2.0.0",
        "pkg:npm/own@1.0.0",
        "pkg:pypi/typing_extensions@4.1",
        "pkg:pypi/pip@25.0",
    )
    box = trees.box_tree({"packages": [{"purl": purl} for purl in purls]})
    bare = frozenset({("@s/b", "2.0.1"), ("typing-extensions", "4.1")})
    assert trees.differences(bare, box, {"own"}) == (["@s/b@2.0.1"], ["@s/b@2.0.0"])


def test_what_a_project_calls_itself_is_found(tmp_path: Path) -> None:
    _manifest(tmp_path / "packages/m", "@s/m", "1.0.0")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "My_App"\n')
    (tmp_path / "setup.py").write_text('setup(\n    name="other",\n)\n')
    (tmp_path / "one").mkdir()
    (tmp_path / "one/setup.py").write_text('setup(version="1", name="a.line")\n')
    assert {"@s/m", "my-app", "other", "a-line"} <= trees.own_names(tmp_path)


def test_a_tree_that_is_kept_is_the_same_again(tmp_path: Path) -> None:
    tree = frozenset({("@s/b", "2.0.0"), ("a", "1.0.0+local")})
    trees.keep(tmp_path / "t/x.txt", tree)
    assert trees.kept(tmp_path / "t/x.txt") == tree


def _row(**changed: object) -> rows.Row:
    values: dict[str, object] = dict.fromkeys(
        ("packages", "missing", "extra", "findings", "reasons", "notes"), ()
    )
    values |= {
        "name": "x",
        "group": "script",
        "manager": "npm",
        "kind": "",
        "scripts": True,
        "expect": "same",
    }
    values |= {"commit": "c", "bare": 0, "bare_seconds": 1.0, "bare_words": "", "count": 1}
    values |= {"verdict": "no_findings", "box_seconds": 2.0, "inside_seconds": 1.0, "box_count": 1}
    return rows.Row(**{**values, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changed", "miss"),
    [
        ({}, ""),
        ({"missing": ("a@1",)}, "another tree"),
        ({"extra": ("a@1",)}, "another tree"),
        ({"verdict": "inconclusive"}, "inconclusive"),
        ({"verdict": "inconclusive", "bare": 1, "missing": ("a@1",)}, ""),
        ({"verdict": "suspicious", "bare": 1}, "suspicious"),
        ({"verdict": "malicious"}, "malicious"),
        ({"verdict": "error", "bare": 1}, "error"),
        ({"expect": "partly", "verdict": "inconclusive", "missing": ("a@1",)}, ""),
        ({"expect": "partly"}, "nothing is said of what was left out"),
    ],
)
def test_what_counts_as_a_miss(changed: dict[str, object], miss: str) -> None:
    assert _row(**changed).miss == miss


def test_results_are_read_again_the_last_one_counts(tmp_path: Path) -> None:
    rows.add(tmp_path / "r.jsonl", _row(missing=("a@1",)))
    rows.add(tmp_path / "r.jsonl", _row())
    assert rows.read(tmp_path / "r.jsonl") == {"x": _row()}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    needs_root()
    (tmp_path / "project").mkdir()
    for place in (tmp_path, *tmp_path.parents):  # as the throw-away folder is: others may pass
        if place.stat().st_mode & 0o005 != 0o005 and place != Path("/"):
            place.chmod(0o755)
    return tmp_path / "project"


def test_what_is_installed_bare_has_no_rights_and_sees_neither_home_nor_repository(project: Path) -> None:
    look = f'id -u; ls -A "{Path.home()}" "{CI}" 2>&1; grep -E "^(CapEff|NoNewPrivs)" /proc/self/status; ls /proc'
    said = bare._run(("sh", "-c", look), project, {"PATH": "/usr/bin:/bin"}).stdout.decode()
    assert said.startswith("65123\n")
    assert "README" not in said and ".bashrc" not in said and "projects.toml" not in said
    assert "NoNewPrivs:\t1" in said and "CapEff:\t0000000000000000" in said
    assert len([line for line in said.splitlines() if line.isdigit()]) < 6, "it sees its own processes only"


def test_what_comes_to_no_end_is_ended_with_all_it_started(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bare, "SECONDS", 1)
    done = bare._run(("sh", "-c", "(sleep 98761 &) ; sleep 98762"), project, {"PATH": "/usr/bin:/bin"})
    assert done.returncode == 124 and b"no end within 1 s" in done.stdout
    running = [p.read_bytes() for p in Path("/proc").glob("[0-9]*/cmdline") if p.exists()]
    assert not [line for line in running if b"9876" in line and b"sleep" in line.split(b"\0")[0]]


def test_packages_are_taken_apart_until_the_one_that_is_off(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    scanned: list[str] = []

    def installed(item: Item, tools: Path) -> Outcome:
        return Outcome(int("broken@1" in item.packages), 1.0, frozenset({("a", "1")}))

    def scan(item: Item, kept: Path) -> Scanned:
        scanned.append(item.name)
        accused = "loud@1" in item.packages
        return Scanned(0, 1.0, 1.0, frozenset({("a", "1")}), "suspicious" if accused else "no_findings")

    monkeypatch.setattr(runner.bare, "install", installed)
    monkeypatch.setattr(runner.box, "scan", scan)
    names = ("a@1", "b@1", "broken@1", "loud@1")
    batch = Item(items.name_of("script", names), "script", "npm", packages=names, scripts=True)
    found = runner.wholly(batch, tmp_path, {})
    assert [(row.packages, row.bare, row.miss) for row in found] == [
        (("a@1", "b@1"), 0, ""),
        (("broken@1",), 1, ""),
        (("loud@1",), 0, "suspicious"),
    ]
    assert "script:" + "+".join(names) not in scanned, (
        "a batch that fails outside is not scanned before its halves"
    )
    scanned.clear()
    known = rows.read(tmp_path / "results.jsonl")
    again = runner.wholly(batch, tmp_path, known)
    assert (again, scanned) == (found, []), "a second run goes on from what is known"
    assert runner.what_is_known(batch, known) == found
    assert runner.what_is_known(batch, {}) == []


def test_the_table_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Evaluation\n\nBefore.\n")
    told = f"It asked {registries.expanded('@NPM@')} | for a < b"
    table.write(page, [_row(verdict="suspicious", findings=(told,))], {})
    table.write(page, [_row(verdict="suspicious", findings=(told,))], {"x": {"true": "no", "why": ""}})
    text = page.read_text()
    assert text.count(table.BEGIN) == text.count("### npm packages") == 1
    assert "| suspicious | 2 | yes (1) | no | It asked the registry / for a &lt; b |" in text
    table.beside(page, "# Evaluation\n\nAnew.\n")
    assert page.read_text().startswith("# Evaluation\n\nAnew.\n\n" + table.BEGIN)


def test_the_page_without_a_corpus_is_written_as_it_is(tmp_path: Path) -> None:
    table.beside(tmp_path / "page.md", "# A\n")
    assert (tmp_path / "page.md").read_text() == "# A\n"
