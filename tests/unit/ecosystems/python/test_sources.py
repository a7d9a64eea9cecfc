"""Python requirements that no registry has: scanned where they lie in the project, named where they do not."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.locked import lock_file
from package_hunter.ecosystems.python import requirements
from package_hunter.ecosystems.python.asked import RequirementSet
from package_hunter.ecosystems.python.sources import marker_applies
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.scan import Command, CommandRun

SETUP = (
    "from setuptools import setup\nsetup(name='lib-x', install_requires=['Needed>=1', \"other [a] ; x\"])\n"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with a package in libs/x, a wheel, and a link into it."""
    (tmp_path / "libs/x").mkdir(parents=True)
    (tmp_path / "libs/x/setup.py").write_text(SETUP)
    with zipfile.ZipFile(tmp_path / "my_wheel-1.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("my_wheel-1.0.dist-info/METADATA", "Name: my.wheel\nRequires-Dist: of-wheel>2\n\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/near").mkdir()
    return tmp_path


def asked(folder: Path, name: str, text: str) -> RequirementSet:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return requirements.wanted(BoxTree(folder, "/p"), "/p")


@pytest.mark.parametrize(
    ("line", "path", "editable", "extras"),
    [
        ("./libs/x", "libs/x", False, ""),
        ("libs/x", "libs/x", False, ""),
        ("-e ./libs/x", "libs/x", True, ""),
        ("-e libs/x", "libs/x", True, ""),
        ("--editable=./libs/x", "libs/x", True, ""),
        ("./libs/x[a, b]", "libs/x", False, "[a,b]"),
        ("file:./libs/x", "libs/x", False, ""),
        ("-e file:libs/x#egg=called", "libs/x", True, ""),
        ("called @ file:libs/x", "libs/x", False, ""),
        ("called @ file:///${PROJECT_ROOT}/libs/x", "libs/x", False, ""),
        ("called[a] @ {root:uri}/libs/x", "libs/x", False, "[a]"),
        ("./libs/../libs/x/.", "libs/x", False, ""),
        ('./libs/x ; sys_platform == "linux"', "libs/x", False, ""),
        ("./my_wheel-1.0-py3-none-any.whl", "my_wheel-1.0-py3-none-any.whl", False, ""),
        ("my_wheel-1.0-py3-none-any.whl --hash=sha256:ab", "my_wheel-1.0-py3-none-any.whl", False, ""),
    ],
)
def test_what_lies_in_the_project_is_scanned_there(
    folder: Path, line: str, path: str, editable: bool, extras: str
) -> None:
    found = asked(folder, "requirements.txt", f"six==1.16.0\n{line}\n")
    (item,) = found.local.values()
    assert (item.path, item.editable, item.extras) == (path, editable, extras)
    assert (found.outside, found.dropped, found.unread) == ([], [], [])
    assert found.lines == ["six==1.16.0"]
    assert {"needed", "other"} <= found.also or "of-wheel" in found.also


@pytest.mark.parametrize(
    ("line", "extras"), [("-e plugin", ""), ("--editable plugin[a]", "[a]"), ("--editable=plugin", "")]
)
def test_what_is_asked_for_in_editable_form_is_a_path_however_it_is_spelled(
    folder: Path, line: str, extras: str
) -> None:
    (folder / "plugin").mkdir()
    (folder / "plugin/setup.py").write_text("from setuptools import setup\nsetup(name='p', version='1')\n")
    found = asked(folder, "requirements.txt", f"six==1.16.0\n{line}\n")
    assert [(item.path, item.editable, item.extras) for item in found.local.values()] == [
        ("plugin", True, extras)
    ]
    assert (found.outside, found.lines) == ([], ["six==1.16.0"])
    found = asked(folder, "requirements.txt", "plugin\n")  # a plain word is a name, as for pip
    assert (found.local, found.lines) == ({}, ["plugin"])


@pytest.mark.parametrize(
    ("line", "name", "why"),
    [
        ("git+https://git.example/pallets/click.git@8.1.7", "click", ""),
        ("-e git+https://git.example/x/thing@feature/y#egg=called", "called", ""),
        ("click @ git+https://git.example/pallets/click", "click", ""),
        ("click[a] @ git+https://git.example/c ; python_version > '3'", "click", ""),
        ("git+ssh://git@git.example/x/private.git@v1", "private", "HTTP"),
        ("git@git.example:x/private.git", "private", "HTTP"),
        ("hg+http://hg.example/x/merc", "merc", ""),
        ("git+file:///srv/repo.git", "repo", "HTTP"),
        ("six @ https://files.example/packages/six-1.16.0-py2.py3-none-any.whl", "six", ""),
        ("https://files.example/dash-name-2.0.tar.gz", "dash-name", ""),
        ("ftp://files.example/old-1.0.zip", "old", "HTTP"),
        ("../outside", "", "outside of the project"),
        ("-e ../../outside[x]", "", "outside of the project"),
        ("file:///etc/thing", "", "outside of the project"),
        ("thing @ file:///etc/thing", "thing", "outside of the project"),
        ("/abs/thing", "", "outside of the project"),
        ("./nowhere", "", "not in the project"),
        ("gone-1.0-py3-none-any.whl", "gone", "not in the project"),
        ("???", "", "not understood"),
        ("\\\\host\\share\\x", "", "not in the project"),
    ],
)
def test_what_lies_elsewhere_is_named(folder: Path, line: str, name: str, why: str) -> None:
    found = asked(folder, "requirements.txt", f"six==1.16.0\n{line}\n")
    (item,) = found.outside
    assert item.name == name
    assert (why in item.why) if why else (not item.why and item.host.endswith(".example"))
    assert (found.lines, found.local) == (["six==1.16.0"], {})


@pytest.mark.parametrize(
    "line", ["x @ git+https://git.example/x", "./libs/x", "../out", "-e git+ssh://git@git.example/x"]
)
def test_what_is_for_another_system_is_not_asked_for(folder: Path, line: str) -> None:
    found = asked(folder, "requirements.txt", f"six==1\n{line} ; sys_platform == 'win32'\n")
    assert (found.local, found.outside) == ({}, [])


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("os_name == 'nt'", False),
        ("sys_platform != 'win32'", True),
        ("python_version < '3'", True),
        ("x (", True),
    ],
)
def test_markers_that_are_not_known_may_hold(text: str, holds: bool) -> None:
    assert marker_applies(text) is holds


GIT, DIR = "https://git.example/a/thing", "libs/x"
UV = """version = 1
[[package]]
name = "thing"
version = "1"
source = {%s}
[[package]]
name = "six"
version = "1.16.0"
source = {registry = "https://index.example/simple"}
"""
POETRY = """[[package]]
name = "thing"
version = "1"
%s
[[package]]
name = "six"
version = "1.16.0"
"""
PYPROJECT = '[project]\nname="p"\ndependencies=["six==1.16.0","thing"]\n'
PYLOCK = '[[packages]]\nname="thing"\nversion="1"\n%s\n[[packages]]\nname="six"\nversion="1.16.0"\n'


def pipfile(**item: object) -> str:
    return json.dumps({"default": {"six": {"version": "==1.16.0"}, "thing": item}})


@pytest.mark.parametrize(
    ("file", "text", "address"),
    [
        ("uv.lock", UV % f'git = "{GIT}?tag=8#874c"', f"git+{GIT}@874c"),
        ("uv.lock", UV % f'url = "{GIT}-1.0.tar.gz"', f"{GIT}-1.0.tar.gz"),
        ("uv.lock", UV % 'path = "../w/thing-1.0-py3-none-any.whl"', "../w/thing-1.0-py3-none-any.whl"),
        ("uv.lock", UV % 'directory = "../thing"', "../thing"),
        ("uv.lock", UV % 'registry = "../wheels"', "../wheels"),
        ("uv.lock", UV % 'invented = "1"', ""),
        (
            "poetry.lock",
            POETRY % f'[package.source]\ntype="git"\nurl="{GIT}"\nresolved_reference="ab"',
            f"git+{GIT}@ab",
        ),
        (
            "poetry.lock",
            POETRY % f'[package.source]\ntype="url"\nurl="{GIT}-1.0.tar.gz"',
            f"{GIT}-1.0.tar.gz",
        ),
        ("poetry.lock", POETRY % '[package.source]\ntype="directory"\nurl="../thing"', "../thing"),
        (
            "poetry.lock",
            POETRY % '[package.source]\ntype="new"\nurl="https://x.example"',
            "https://x.example",
        ),
        ("pdm.lock", POETRY % f'git="{GIT}"\nrevision="ab"', f"git+{GIT}@ab"),
        ("pdm.lock", POETRY % f'url="{GIT}-1.0.tar.gz"', f"{GIT}-1.0.tar.gz"),
        ("pylock.toml", PYLOCK % f'vcs={{type="git",url="{GIT}",commit-id="ab"}}', f"git+{GIT}@ab"),
        ("pylock.toml", PYLOCK % 'directory={path="../thing"}', "../thing"),
        ("pylock.toml", PYLOCK % f'archive={{url="{GIT}-1.0.tar.gz"}}', f"{GIT}-1.0.tar.gz"),
        ("Pipfile.lock", pipfile(git=GIT, ref="ab"), f"git+{GIT}@ab"),
        ("Pipfile.lock", pipfile(path="../thing", editable=True), "../thing"),
        ("Pipfile.lock", pipfile(file=f"{GIT}-1.0.tar.gz"), f"{GIT}-1.0.tar.gz"),
        ("pyproject.toml", PYPROJECT + f'[tool.uv.sources]\nThing={{git="{GIT}",tag="8"}}', f"git+{GIT}@8"),
        (
            "pyproject.toml",
            PYPROJECT + f'[tool.uv.sources]\nthing=[{{url="{GIT}-1.0.whl"}}]',
            f"{GIT}-1.0.whl",
        ),
        ("pyproject.toml", PYPROJECT + '[tool.uv.sources]\nthing={path="../thing"}', "../thing"),
        (
            "pyproject.toml",
            PYPROJECT + "[tool.uv.sources]\nthing={workspace=true}",
            "a member of the workspace",
        ),
        ("pyproject.toml", PYPROJECT.replace('"thing"', f'"thing @ git+{GIT}"'), f"git+{GIT}"),
        (
            "pyproject.toml",
            f'[tool.poetry.dependencies]\npython="^3"\nsix="1.16.0"\nthing={{git="{GIT}",branch="m"}}',
            f"git+{GIT}@m",
        ),
        (
            "pyproject.toml",
            f'[tool.poetry.dependencies]\nsix="1.16.0"\nthing=[{{url="{GIT}-1.0.whl"}}]',
            f"{GIT}-1.0.whl",
        ),
    ],
)
def test_every_file_that_names_a_place_elsewhere(folder: Path, file: str, text: str, address: str) -> None:
    found = asked(folder, file, text)
    assert found.source == file
    assert [(item.name.lower(), item.address) for item in found.outside] == [("thing", address)]
    assert (found.lines, found.local) == (["six==1.16.0"], {})


@pytest.mark.parametrize(
    ("file", "text", "editable"),
    [
        ("uv.lock", UV % f'editable = "{DIR}"', True),
        ("uv.lock", UV % f'directory = "{DIR}"', False),
        ("poetry.lock", POETRY % f'develop=true\n[package.source]\ntype="directory"\nurl="{DIR}"', True),
        ("pdm.lock", POETRY % f'path="./{DIR}"', False),
        ("pylock.toml", PYLOCK % f'directory={{path="{DIR}",editable=true}}', True),
        ("Pipfile.lock", pipfile(path=f"./{DIR}", editable=True), True),
        ("pyproject.toml", PYPROJECT + f'[tool.uv.sources]\nthing={{path="{DIR}"}}', False),
        (
            "pyproject.toml",
            f'[tool.poetry.dependencies]\nsix="1.16.0"\nthing={{path="{DIR}",develop=true}}',
            True,
        ),
    ],
)
def test_every_file_that_names_a_folder_of_the_project(
    folder: Path, file: str, text: str, editable: bool
) -> None:
    found = asked(folder, file, text)
    (item,) = found.local.values()
    assert (item.path, item.name, item.editable) == (DIR, "thing", editable)
    assert (found.lines, found.outside) == (["six==1.16.0"], [])


def test_members_of_uvs_workspace_are_found_by_name(folder: Path) -> None:
    (folder / "packages/one").mkdir(parents=True)
    (folder / "packages/one/pyproject.toml").write_text(
        '[project]\nname="Thing"\ndependencies=["inner-need"]\n'
    )
    more = '[tool.uv.workspace]\nmembers=["packages/*"]\n[tool.uv.sources]\nthing={workspace=true}\n'
    found = asked(folder, "pyproject.toml", PYPROJECT + more)
    assert list(found.local) == ["packages/one"]
    assert "inner-need" in found.names and "packages/one" in found.alone


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("install_requires = file: a.in, sub/b.in", ["six", "idna"]),
        ("install_requires =\n  file:\n    a.in\n    sub/b.in", ["six", "idna"]),
        ("install_requires = six ; idna", ["six"]),
        ("setup_requires =\n  wheel-maker # why\n  # none", ["wheel-maker"]),
        ("install_requires = file: ../a.in, /etc/passwd, nowhere.in", []),
    ],
)
def test_what_setup_cfg_needs_stands_in_it_or_in_files_that_it_names(
    folder: Path, said: str, names: list[str]
) -> None:
    (folder / "a.in").write_text("six>=1 # why\n\n")
    (folder / "sub/b.in").write_text("# none\nidna\n")
    (folder / "setup.py").write_text("from setuptools import setup\nsetup()\n")
    found = asked(folder, "setup.cfg", f"[metadata]\nname = p\n[options]\n{said}\n")
    assert sorted(found.also) == sorted(names) and found.outside == []


def test_members_ask_for_members_by_the_workspace_of_the_project(folder: Path) -> None:
    asks = "[tool.uv.sources]\ninner={workspace=true}\n"
    for name, more in (("thing", 'dependencies=["inner[fast, x]>=1"]\n' + asks), ("inner", "")):
        (folder / f"packages/{name}").mkdir(parents=True)
        (folder / f"packages/{name}/pyproject.toml").write_text(f'[project]\nname="{name}"\n{more}')
    more = '[tool.uv.workspace]\nmembers=["packages/*"]\n[tool.uv.sources]\nthing={workspace=true}\n'
    found = asked(folder, "pyproject.toml", PYPROJECT + more)
    assert {path: item.extras for path, item in found.local.items()} == {
        "packages/thing": "",
        "packages/inner": "[fast,x]",
    }
    assert found.outside == []


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (
            "pyproject.toml",
            '[tool.poetry]\n[tool.poetry.dependencies]\nsix="*"\n'
            'thing={path="libs/x",extras=["fast","x"],develop=true}',
        ),
        ("Pipfile", '[packages]\nsix="*"\nthing={path="libs/x",extras=["fast","x"],editable=true}'),
        (
            "pyproject.toml",
            '[project]\nname="p"\ndependencies=["six","thing[fast,x]"]\n[tool.uv.sources]\nthing={path="libs/x"}',
        ),
    ],
)
def test_extras_of_what_lies_in_the_project_are_asked_for(folder: Path, file: str, text: str) -> None:
    (item,) = asked(folder, file, text).local.values()
    assert (item.path, item.extras) == (DIR, "[fast,x]")


def test_what_is_no_name_of_an_extra_is_not_asked_for(folder: Path) -> None:
    text = '[packages]\nthing={path="libs/x",extras=["a b","]; x","ok",3]}\nfar={git="https://git.example/f",extras=["z"]}'
    found = asked(folder, "Pipfile", text)
    assert [item.extras for item in found.local.values()] == ["[ok]"]
    assert [item.name for item in found.outside] == ["far"] and "far[z]" in found.outside[0].asked[-1]


def test_what_a_local_package_needs_from_elsewhere_is_named_too(folder: Path) -> None:
    inner = folder / "libs/y"
    inner.mkdir()
    text = f'[project]\nname="y"\ndependencies=["plain>1","far @ git+{GIT}","x @ file:../x"]\n'
    (inner / "pyproject.toml").write_text(text)
    found = asked(folder, "requirements.txt", "./libs/y\n")
    assert list(found.local) == ["libs/y", "libs/x"]
    assert [item.name for item in found.outside] == ["far"]
    assert found.lines == ["plain>1"] and "libs/y" in found.alone
    (plan,) = plans(stage("p", folder), PlanOptions())
    commands = [run.argv[-2:] for run in plan.after_fetch(BoxTree(folder), ()).commands]
    assert [argv[-1] for argv in commands][1:] == ["./libs/x", "./libs/y"], "what is needed comes first"
    assert commands[-1][0] == "--no-deps"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-r ../shared.txt\n", "../shared.txt lies outside"),
        ("-r sub/../../shared.txt\n", "../shared.txt lies outside"),
        ("-r /etc/req.txt\n", "/etc/req.txt lies outside"),
        ("--requirement=https://x.example/r.txt\n", "https://x.example/r.txt lies outside"),
        ("-r nowhere.txt\n", "nowhere.txt could not be read"),
    ],
)
def test_files_that_are_not_read_are_a_reason(folder: Path, text: str, said: str) -> None:
    found = asked(folder, "requirements.txt", f"six==1\n{text}")
    assert said in found.unread[0]
    (plan,) = plans(stage("p", folder), PlanOptions())
    assert any(said in reason for reason in plan.coverage(()).reasons)


def test_files_beside_each_other_are_read_and_paths_go_from_there(folder: Path) -> None:
    (folder / "sub/more.txt").write_text("-r ../base.txt\n./near\n../libs/x\n")
    (folder / "base.txt").write_text("urllib3\n")
    found = asked(folder, "requirements.txt", "-r sub/more.txt\n")
    assert (found.names, list(found.local)) == (["urllib3"], ["sub/near", "libs/x"])
    assert (found.outside, found.unread) == ([], [])


def test_folders_of_packages_in_the_project_are_kept(folder: Path) -> None:
    """Else the registry's package of that name would be scanned in place of the project's."""
    (folder / "vendor").mkdir()
    text = "--find-links ./vendor\n--no-index\n-f ../out\n-f https://x.example/\nsix\n"
    found = asked(folder, "requirements.txt", text)
    assert found.lines == ["--find-links /p/vendor", "--no-index", "six"]
    assert found.unread == ["The packages in ../out were not scanned: it lies outside of the project."]
    assert asked(folder, "requirements.txt", "--no-index\nsix\n").lines == ["six"]


def test_links_in_the_project_are_followed_within_it(folder: Path) -> None:
    (folder / "link").symlink_to("libs/x")
    (folder / "away").symlink_to("../somewhere")
    found = asked(folder, "requirements.txt", "./link\n./away\n")
    assert list(found.local) == ["libs/x"]
    assert [item.address for item in found.outside] == ["./away"]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("setup.py", f"setup(name='p', install_requires=['six==1', 'far @ git+{GIT}'])"),
        ("setup.cfg", f"[metadata]\nname=p\n[options]\ninstall_requires =\n  six==1\n  far @ git+{GIT}\n"),
    ],
)
@pytest.mark.parametrize("dynamic", [False, True])
def test_what_the_projects_own_setup_needs_from_elsewhere(
    folder: Path, file: str, text: str, dynamic: bool
) -> None:
    (folder / "setup.py").write_text("")
    (folder / file).write_text(text)
    if dynamic:
        (folder / "pyproject.toml").write_text('[project]\nname="p"\ndynamic=["dependencies"]\n')
    found = requirements.wanted(BoxTree(folder, "/p"), "/p")
    assert ([item.name for item in found.outside], found.lines) == (["far"], ["six==1"])
    (plan,) = plans(stage("p", folder), PlanOptions())
    commands = plan.after_fetch(BoxTree(folder), ()).commands
    assert commands[-1].argv[-2:] == ("--no-deps", ".")


def test_a_wheel_that_needs_what_lies_elsewhere(tmp_path: Path) -> None:
    info = tmp_path / "demo-1.0.dist-info"
    info.mkdir()
    needs = (
        f"Requires-Dist: six\nRequires-Dist: far @ git+{GIT}\nRequires-Dist: no @ git+{GIT} ; extra == 'x'\n"
    )
    (info / "METADATA").write_text(f"Name: demo\nVersion: 1.0\n{needs}\n")
    (plan,) = plans(stage("demo-1.0-py3-none-any.whl", tmp_path, "", "ab" * 32), PlanOptions())
    commands = plan.after_fetch(BoxTree(tmp_path), ()).commands
    assert commands[-1].argv[-2:] == ("--no-deps", "./demo-1.0-py3-none-any.whl")
    assert [r.split()[0] for r in plan.coverage(()).reasons if "was not scanned" in r] == ["far"]


def _coverage(
    folder: Path, text: str, hosts: tuple[str, ...] = (), codes: dict[str, int] | None = None
) -> list[str]:
    """Reasons after an install whose commands ended with ``codes`` (by their last word)."""
    (folder / "requirements.txt").write_text(text)
    (plan,) = plans(stage("p", folder), PlanOptions(fetch_hosts=frozenset(hosts)))
    runs = [
        CommandRun("install", "default", command, 1, 0, 1, (codes or {}).get(command.argv[-1], 0))
        for command in plan.after_fetch(BoxTree(folder), ()).commands
    ]
    plan.later(BoxTree(folder))
    return [reason for reason in plan.coverage(runs).reasons if "was not scanned" in reason]


def test_each_that_was_not_scanned_is_named_with_the_way_out(folder: Path) -> None:
    text = "git+https://git.example/a/one\ntwo @ https://files.example/two-1.zip\n../three\n./libs/x\n"
    reasons = _coverage(folder, text)
    assert [reason.split()[0] for reason in reasons] == ["lib-x", "one", "two", "../three"]
    assert "Name git.example in PACKAGE_HUNTER_FETCH_HOSTS" in reasons[1]
    assert "lies outside of the project" in reasons[3]


def test_what_may_be_fetched_and_fails_is_named_too(folder: Path) -> None:
    line = "one @ git+https://git.example/a/one"
    assert "pip could not install it" in _coverage(folder, line, ("git.example",), {line: 1})[0]
    assert "it was not installed" in _coverage(folder, line, ("git.example",))[0]


def test_a_long_list_is_cut_and_counted(folder: Path) -> None:
    reasons = _coverage(folder, "".join(f"git+https://git.example/a/p{i}\n" for i in range(150)))
    assert len(reasons) == 100 or reasons[-1].startswith("50 more")


def test_only_elsewhere_is_a_scan_that_says_so(folder: Path) -> None:
    assert len(_coverage(folder, "git+https://git.example/a/one\n")) == 1


def test_a_lock_file_pins_them_as_what_no_registry_has(folder: Path) -> None:
    (folder / "uv.lock").write_text(UV % f'git = "{GIT}?tag=8#874c"')
    one = lock_file(BoxTree(folder, "/p"), "/p")
    assert one is not None
    assert [(p.name, p.registry) for p in one.packages] == [("six", True), ("thing", False)]
    (folder / "uv.lock").write_text(UV % f'git = "{GIT}?tag=8#999c"')
    other = lock_file(BoxTree(folder, "/p"), "/p")
    assert other is not None and other.packages[1] != one.packages[1]


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab@:/.+-[]#;= ${}~\\\"'\x00é\n"), max_size=60))
def test_no_line_is_lost(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.mktemp("p")
    (folder / "requirements.txt").write_text(text)
    found = requirements.wanted(BoxTree(folder, "/p"), "/p")
    for item in found.local.values():
        assert not item.path.startswith(("/", ".."))
    assert len([line for line in found.lines if not line.startswith("-")]) == len(found.names)


def test_commands_of_local_packages_are_made_for_them(folder: Path) -> None:
    (folder / "requirements.txt").write_text("six\n-e ./libs/x\n")
    (plan,) = plans(stage("p", folder), PlanOptions())
    commands: list[Command] = list(plan.after_fetch(BoxTree(folder), ()).commands)
    assert [c.blame_purl for c in commands] == [None, "pkg:pypi/lib-x", "pkg:pypi/lib-x"]
    assert ["-e" in c.argv for c in commands] == [False, True, False]
    assert replace(commands[1], argv=()) == replace(commands[2], argv=())
    assert not any("were not looked at" in note for note in plan.notes)
