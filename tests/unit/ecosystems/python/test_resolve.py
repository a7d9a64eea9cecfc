"""The closed resolution's program, with a uv that says what it is told to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from package_hunter.ecosystems.python import resolve

UV = '''#!{python}
"""Says and does what the next line of "said" tells for its words; notes what it was asked."""
import json, os, sys
from pathlib import Path
here = Path(__file__).parent
kind = "export" if sys.argv[1] == "export" else sys.argv[2]
at = sys.argv.index("--requirement") + 1 if kind == "install" else len(sys.argv) - 1
left = (Path(os.environ["UV_CACHE_DIR"]) / "left-out.txt")
with (here / "asked").open("a") as file:
    file.write(json.dumps([kind, sys.argv[1:], Path(sys.argv[at]).read_text() if kind != "export" else "",
        left.read_text().split() if left.exists() else [], os.environ.get("UV_DEFAULT_INDEX", ""),
        (Path(os.environ["UV_CACHE_DIR"]) / "builds-v0").is_file()]) + "\\n")
said = json.loads((here / "said.json").read_text())
code, words, out = said[kind].pop(0)
(here / "said.json").write_text(json.dumps(said))
if out:
    Path(sys.argv[sys.argv.index("--output-file") + 1]).write_text(out)
print(words)
sys.exit(code)
'''
NO_BUILD = (
    2,
    "error: Failed to download and build `Old.Thing==0.6.2`\n  cause: failed to create directory",
    "",
)
GONE = (
    1,
    "error: No solution found when resolving dependencies\n  cause: Because acme-zz was not found in the\n"
    "  package registry and you require acme-zz==2.1.0, we can conclude that ...",
    "",
)
TREE = "idna==3.7 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nsix[x]==1.0 --hash=sha256:cc\n"
DONE = (0, "", TREE)


class Uv:
    """A uv for one job."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.program = folder / "uv"
        self.program.write_text(UV.replace("{python}", sys.executable))
        self.program.chmod(0o755)
        (folder / "in.txt").write_text("idna\nsix\n")

    def run(self, says: dict[str, list[Any]], **job: Any) -> tuple[int, dict[str, Any], list[list[Any]]]:
        """Exit status, result, and what uv was asked."""
        (self.folder / "said.json").write_text(json.dumps(says))
        given = {
            "python": str(self.folder / "v/bin/python"), "uv": str(self.program), "cache": str(self.folder / "c"),
            "inputs": [str(self.folder / "in.txt")], "constraints": [], "lock": False, "locked": False,
            "skipped": [], "needed": [], "hashes": {}, "prereleases": False,
            "formats": {"sources": [], "wheels": [], "rest": ""}, "folders": [], **job,
        }  # fmt: skip
        (self.folder / "job.json").write_text(json.dumps(given))
        words = [sys.executable, "-I", resolve.__file__, self.folder / "job.json", self.folder / "tree.json"]
        env = {"PATH": "/usr/bin:/bin", "PIP_INDEX_URL": "https://index.example/simple"}
        done = subprocess.run(words, cwd=self.folder, env=env, capture_output=True)
        asked = [json.loads(line) for line in (self.folder / "asked").read_text().splitlines()]
        return done.returncode, json.loads((self.folder / "tree.json").read_text()), asked


@pytest.fixture
def uv(tmp_path: Path) -> Uv:
    return Uv(tmp_path)


def test_the_tree_is_what_uv_resolved_and_its_wheels_are_installed_at_once(uv: Uv) -> None:
    code, result, asked = uv.run({"compile": [DONE], "install": [(0, "", "")]})
    assert code == 0
    assert result["frozen"] == [
        "idna==3.7 --hash=sha256:aa --hash=sha256:bb",
        "six[x]==1.0 --hash=sha256:cc",
    ]
    assert [kind for kind, *_ in asked] == ["compile", "install"]
    assert all(index == "https://index.example/simple" and closed for *_, index, closed in asked)
    assert {"--require-hashes", "--no-deps"} <= set(asked[1][1])
    assert not (uv.folder / "c").exists(), "what uv kept is gone before any package's code runs"


def test_what_needs_a_build_and_what_cannot_be_had_take_no_other_with_them(uv: Uv) -> None:
    code, result, asked = uv.run({"compile": [NO_BUILD, GONE, DONE], "install": [(0, "", "")]})
    assert (code, result["builds"], list(result["missing"])) == (0, ["Old.Thing==0.6.2"], ["acme-zz"])
    assert [left for kind, _, _, left, *_ in asked if kind == "compile"] == [
        [],
        ["old-thing"],
        ["acme-zz", "old-thing"],
    ]


def test_a_known_package_without_a_wheel_is_left_to_be_built_with_its_digests(uv: Uv) -> None:
    broken = (2, "error: Failed to download and build `six==1.0`", "")
    _, result, asked = uv.run({"compile": [DONE], "install": [broken, (0, "", "")]})
    assert result["builds"] == ["six==1.0"] and len(result["frozen"]) == 2
    assert asked[-1][2] == "idna==3.7 --hash=sha256:aa --hash=sha256:bb\n"
    assert (uv.folder / "build/six==1.0.txt").read_text() == "six[x]==1.0 --hash=sha256:cc\n"


def test_what_has_no_digest_is_installed_beside_what_has_one(uv: Uv) -> None:
    out = "idna==3.7 --hash=sha256:aa\nsix==1.0\n"
    says = {"compile": [(0, "", out)], "install": [(0, "", ""), (0, "", "")]}
    code, result, asked = uv.run(says, folders=["--find-links /p/shelf"])
    assert (code, result["frozen"]) == (0, out.splitlines())
    first, second = asked[1:]
    assert (
        first[2] == "--find-links /p/shelf\nidna==3.7 --hash=sha256:aa\n" and "--require-hashes" in first[1]
    )
    assert second[2] == "--find-links /p/shelf\nsix==1.0\n" and "--require-hashes" not in second[1]


@pytest.mark.parametrize(
    ("asked_for", "built"),
    [
        ({"sources": ["six"], "wheels": [], "rest": ""}, ["six==1.0"]),
        ({"sources": [], "wheels": ["six"], "rest": "sources"}, ["idna==3.7"]),
        ({"sources": [], "wheels": [], "rest": "sources"}, ["idna==3.7", "six==1.0"]),
        ({"sources": [], "wheels": [], "rest": "wheels"}, []),
    ],
)
def test_what_is_to_come_from_its_source_is_left_to_be_built_though_there_is_a_wheel(
    uv: Uv, asked_for: dict[str, Any], built: list[str]
) -> None:
    _, result, asked = uv.run({"compile": [DONE], "install": [(0, "", "")]}, formats=asked_for)
    assert result["builds"] == built and len(result["frozen"]) == 2
    installed = [words for kind, _, words, *_ in asked if kind == "install"]
    assert not any(pin in words for pin in built for words in installed)


@pytest.mark.parametrize(
    ("words", "needed"),
    [
        ("error: something else", []),
        (GONE[1], ["acme-zz"]),  # the package that the scan is about
        ("Because you require click==8.1.7 and click==8.1.6, we can conclude", []),
        ("Because jinja2==3.1.0 depends on markupsafe>=2.0 and you require", []),
    ],
)
def test_where_uv_comes_to_no_end_there_is_no_tree(uv: Uv, words: str, needed: list[str]) -> None:
    code, result, asked = uv.run({"compile": [(1, words, "")]}, needed=needed)
    assert (code, result["frozen"], result["missing"], len(asked)) == (1, [], {}, 1)


@pytest.mark.parametrize(
    "words",
    [
        GONE[1],
        "Because there is no version of acme-zz==2.1.0 and you require acme-zz==2.1.0, we can conclude",
        "Because there are no versions of acme-zz[extra] and b depends on acme-zz, we can conclude",
        "Because acme_zz==306 has no wheels with a matching platform tag (e.g., `x`) and you require",
        "Because only acme-zz<2 is available and you require acme-zz>=2, we can conclude",
    ],
)
def test_each_way_in_which_uv_says_that_one_cannot_be_had(uv: Uv, words: str) -> None:
    code, result, _ = uv.run({"compile": [(1, words, ""), DONE], "install": [(0, "", "")]})
    assert (code, list(result["missing"])) == (0, ["acme-zz"])


def test_the_same_words_again_end_it(uv: Uv) -> None:
    code, result, asked = uv.run({"compile": [GONE, GONE]})
    assert (code, result["frozen"], len(asked)) == (1, [], 2)


EXPORTED = "-e ./packages/lib\nclick @ git+https://git.example/c\n"
EXPORTED += "idna==3.7 ; sys_platform == 'x' \\\n --hash=sha256:aa\nidna==3.6 ; sys_platform == 'y' --hash=sha256:bb\n"
EXPORTED += "Six[x]==1.0 --hash=sha256:cc\nold==2 ; python_version > '3' --hash=sha256:dd\n"


def test_a_uv_lock_is_exported_and_what_comes_from_elsewhere_is_left_out(uv: Uv) -> None:
    out = EXPORTED.replace(" --hash=sha256:bb", "")  # without a digest it is resolved first
    says = {"export": [(2, "conflicts", ""), (0, "", out)], "compile": [DONE], "install": [(0, "", "")]}
    code, _, asked = uv.run(says, lock=True, locked=True)
    assert code == 0
    assert ["--all-extras" in words for kind, words, *_ in asked if kind == "export"] == [True, False]
    assert asked[2][0] == "compile" and "--no-deps" in asked[2][1]
    assert asked[2][2].startswith("idna==3.7 ; sys_platform == 'x'   --hash=sha256:aa\nidna==3.6")


def in_place(uv: Uv, *names: str) -> None:
    """What lies in the environment when uv is done."""
    for name in names:
        (uv.folder / f"v/lib/python3.11/site-packages/{name}.dist-info").mkdir(parents=True)


def test_a_lock_files_own_lines_are_installed_without_being_resolved_first(uv: Uv) -> None:
    in_place(uv, "idna-3.6", "six-1.0")
    build = (2, "error: Failed to download and build `old==2`", "")
    says = {"export": [(0, "", EXPORTED)], "install": [build, (0, "", "")]}
    code, result, asked = uv.run(says, lock=True, locked=True)
    assert (code, [kind for kind, *_ in asked]) == (0, ["export", "install", "install"])
    assert result["frozen"] == [
        "idna==3.6 --hash=sha256:bb",
        "Six[x]==1.0 --hash=sha256:cc",
        "old==2 --hash=sha256:dd",
    ]
    assert result["builds"] == ["old==2"] and "old" not in asked[-1][2]
    assert asked[-1][2].startswith("idna==3.7 ; sys_platform == 'x' --hash=sha256:aa\nidna==3.6 ;")
    assert (uv.folder / "build/old==2.txt").read_text() == "old==2 --hash=sha256:dd\n"


def test_the_digests_of_another_lock_file_stand_beside_its_lines(uv: Uv) -> None:
    in_place(uv, "idna-3.7")
    (uv.folder / "in.txt").write_text("idna==3.7 ; python_version > '3'\n")
    hashes = {"idna==3.7": ["sha256:00", "sha256:11"]}
    _, result, asked = uv.run({"install": [(0, "", "")]}, locked=True, hashes=hashes)
    assert asked[0][2] == "idna==3.7 ; python_version > '3' --hash=sha256:00 --hash=sha256:11\n"
    assert result["frozen"] == ["idna==3.7 --hash=sha256:00 --hash=sha256:11"]


@pytest.mark.parametrize(
    ("there", "said"),
    [
        ([], (0, "", "")),  # nothing of it holds here, says uv
        (["idna-3.8"], (0, "", "")),  # another than the lock file's
        ([], (1, "error: Because you require idna==3.6 and idna==3.7, we can conclude", "")),
    ],
)
def test_where_the_lock_files_lines_do_not_do_they_are_resolved(
    uv: Uv, there: list[str], said: tuple[int, str, str]
) -> None:
    in_place(uv, *there)
    says = {"export": [(0, "", EXPORTED)], "install": [said, (0, "", "")], "compile": [DONE]}
    code, result, asked = uv.run(says, lock=True, locked=True)
    assert (code, [kind for kind, *_ in asked]) == (0, ["export", "install", "compile", "install"])
    assert [line.split()[0] for line in result["frozen"]] == ["idna==3.7", "six[x]==1.0"]


def test_a_lock_that_uv_cannot_export_is_taken_as_it_was_read(uv: Uv) -> None:
    says = {"export": [(2, "", "")] * 3, "compile": [DONE], "install": [(0, "", "")]}
    code, _, asked = uv.run(says, lock=True, locked=True)
    assert code == 0 and asked[3][2] == "idna\nsix\n"


def test_the_lock_files_digests_stand_in_place_of_the_indexs(uv: Uv) -> None:
    says = {"compile": [DONE], "install": [(0, "", "")]}
    _, result, asked = uv.run(says, hashes={"idna==3.7": ["sha256:00"]})
    assert result["frozen"][0] == "idna==3.7 --hash=sha256:00"
    assert asked[1][2].startswith("idna==3.7 --hash=sha256:00\n")


def test_no_file_of_the_project_says_which_program_uv_starts_or_whom_it_asks() -> None:
    env = resolve._environment("/p/.venv/bin/python")
    assert (env["UV_PYTHON"], env["UV_NO_CONFIG"]) == ("/p/.venv/bin/python", "1")
    assert (env["UV_KEYRING_PROVIDER"], env["UV_PYTHON_DOWNLOADS"]) == ("disabled", "never")


@pytest.mark.parametrize(
    ("code", "laid"),
    [
        (0, "made.pth"),
        (3, "made.pth"),
        (0, "sitecustomize.py"),
        (0, "usercustomize.py"),
        (0, "sitecustomize/__init__.py"),
    ],
)
def test_a_start_up_file_that_a_build_brought_is_started_alone(tmp_path: Path, code: int, laid: str) -> None:
    """Once, in a start of its own: those that were there before, and links of editable installs, do nothing in it."""
    site, said = tmp_path / "lib/python3.11/site-packages", tmp_path / "said"
    site.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    python = tmp_path / "bin/python"
    python.symlink_to(sys.executable)
    (site / "old.pth").write_text(f"import sys; open({str(said)!r}, 'a').write('old')\n")
    (site / "made.py").write_text(f"open({str(said)!r}, 'a').write('made')\n")
    uv = tmp_path / "uv"
    uv.write_text(
        f"#!/bin/sh\nmkdir -p {site}/sitecustomize\necho 'import made' >{site}/{laid}\n"
        f"echo /src >{site}/__editable__.a.pth\nexit {code}\n"
    )
    uv.chmod(0o755)
    assert resolve.build(str(uv), str(python), "./a") == code
    assert said.read_text() == "made"
    assert resolve.build(str(uv), str(python), "./a") == code
    assert said.read_text() == "made"
