"""The host's index never answers for a stranger's, unless the lock file's digests prove the bytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.ecosystems.base import Plan, PlanOptions, stage
from package_hunter.ecosystems.laying import plans
from package_hunter.ecosystems.python import origins
from package_hunter.ecosystems.tree import BoxTree

KNOWN = frozenset({"index.example", "files.example"})
OWN, STRANGE = "https://index.example/simple", "https://stranger.example/simple"
HASH = "sha256:" + "0" * 64
PROJECT = '[project]\nname = "app"\nversion = "1"\ndependencies = ["six", "idna"]\n'


def plan(folder: Path, files: dict[str, str], known: frozenset[str] | None = KNOWN) -> Plan:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return plans(stage("p", folder), PlanOptions(indexes=known))[0]


def lines(found: Plan) -> dict[str, list[str]]:
    return {
        f.path.rpartition("/")[2]: f.content.decode().split("\n")[:-1]
        for f in found.files
        if f.path.endswith(".lock")
    }


def reasons(found: Plan) -> str:
    return "\n".join(found.coverage([]).reasons)


def uv(index: str, url: str, digest: str = "", name: str = "six") -> str:
    tail = f', hash = "{digest}"' if digest else ""
    return (
        f'[[package]]\nname = "{name}"\nversion = "1.17.0"\nsource = {{ registry = "{index}" }}\n'
        f'wheels = [{{ url = "{url}/{name}-1.17.0-py3-none-any.whl"{tail} }}]\n'
    )


@pytest.mark.parametrize(
    ("index", "url"),
    [(STRANGE, "https://stranger.example"), (OWN, "https://stranger.example"), (STRANGE, OWN)],
)
def test_a_strangers_package_of_a_uv_lock_is_not_scanned_and_named(
    tmp_path: Path, index: str, url: str
) -> None:
    both = uv(index, url) + uv(OWN, "https://files.example", name="idna")
    found = plan(tmp_path, {"pyproject.toml": PROJECT, "uv.lock": both})
    assert lines(found) == {"requirements.lock": ["idna==1.17.0"]}
    assert "six (" in reasons(found) and "was not scanned" in reasons(found)
    assert "idna" not in reasons(found)


def test_one_with_its_digest_is_asked_of_the_hosts_index_which_must_have_the_same_bytes(
    tmp_path: Path,
) -> None:
    both = uv(STRANGE, "https://stranger.example", HASH) + uv(OWN, "https://files.example", name="idna")
    found = plan(tmp_path, {"pyproject.toml": PROJECT, "uv.lock": both})
    proven = [f"six==1.17.0 --hash={HASH}"]
    assert lines(found) == {"requirements-0.lock": proven, "requirements.lock": ["idna==1.17.0"]}
    assert "six" not in reasons(found)
    assert any("stranger.example" in note for note in found.notes)
    assert "six" in found.registry[0].names
    first = found.after_fetch(BoxTree(Path("/nonexistent")), ()).commands[0].argv
    assert {"--require-hashes", "--no-deps"} <= set(first)


def test_a_file_without_a_digest_beside_one_with_it_proves_nothing(tmp_path: Path) -> None:
    text = uv(STRANGE, "https://stranger.example", HASH).replace(
        "wheels = [", 'wheels = [{ url = "https://stranger.example/six-1.17.0-cp311.whl" }, '
    )
    found = plan(tmp_path, {"pyproject.toml": PROJECT, "uv.lock": text})
    assert not lines(found) and "six (" in reasons(found)


PYLOCK = """lock-version = "1.0"
[[packages]]
name = "six"
version = "1.17.0"
wheels = [{name = "six-1.17.0-py3-none-any.whl", path = "w/six-1.17.0-py3-none-any.whl", hashes = {}}]
[[packages]]
name = "idna"
version = "3.7"
wheels = [{name = "idna-3.7-py3-none-any.whl", url = "https://stranger.example/idna-3.7-py3-none-any.whl", hashes = {}}]
"""


def test_a_pylocks_file_in_the_project_runs_and_a_strangers_is_named(tmp_path: Path) -> None:
    files = {"pyproject.toml": PROJECT, "pylock.toml": PYLOCK, "w/six-1.17.0-py3-none-any.whl": ""}
    found = plan(tmp_path, files)
    assert not lines(found)
    commands = found.after_fetch(BoxTree(Path("/nonexistent")), ()).commands
    assert any(command.argv[-1] == "./w/six-1.17.0-py3-none-any.whl" for command in commands)
    assert "idna (https://stranger.example/idna-3.7-py3-none-any.whl)" in reasons(found)


OTHERS = {
    "poetry.lock": f'[[package]]\nname = "six"\nversion = "1"\nfiles = []\n'
    f'[package.source]\ntype = "legacy"\nurl = "{STRANGE}"\nreference = "x"\n',
    "pdm.lock": '[[package]]\nname = "six"\nversion = "1"\nfiles = [{url = "https://stranger.example/six-1.zip"}]\n',
    "Pipfile.lock": '{"_meta": {"sources": [{"name": "x", "url": "https://stranger.example/simple"}]},'
    ' "default": {"six": {"version": "==1", "index": "x"}}}',
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_tools_lock_files_are_read_so_too(tmp_path: Path, name: str) -> None:
    found = plan(tmp_path, {"pyproject.toml": PROJECT, name: OTHERS[name]})
    assert not lines(found) and "six (" in reasons(found)
    trusted = plan(tmp_path, {}, KNOWN | {"stranger.example"})
    assert lines(trusted) == {"requirements.lock": ["six==1"]} and "six (" not in reasons(trusted)


@pytest.mark.parametrize(
    "option",
    [
        f"--index-url {STRANGE}",
        "-i https://user:secret@stranger.example/simple",
        f"--extra-index-url={STRANGE}",
        f"--find-links {STRANGE}",
    ],
)
def test_an_index_that_requirements_name_leaves_the_scan_inconclusive(tmp_path: Path, option: str) -> None:
    found = plan(tmp_path, {"requirements.txt": f"{option}\nsix==1.17.0\n"})
    assert "the index stranger.example, which was not asked" in reasons(found)
    assert "secret" not in reasons(found)
    proven = plan(tmp_path, {"requirements.txt": f"{option}\nsix==1.17.0 --hash={HASH}\n"})
    assert "stranger.example" not in reasons(proven)
    own = plan(tmp_path, {"requirements.txt": f"--index-url {OWN}\nsix==1.17.0\n"})
    assert "which was not asked" not in reasons(own)


def test_so_do_those_of_a_pyproject(tmp_path: Path) -> None:
    for table in ("[[tool.uv.index]]", "[[tool.poetry.source]]", "[[tool.pdm.source]]"):
        found = plan(tmp_path, {"pyproject.toml": f'{PROJECT}{table}\nname = "x"\nurl = "{STRANGE}"\n'})
        assert "the index stranger.example" in reasons(found)


@pytest.mark.parametrize("url", ["", "https://[bad", "git@x:y", "${INDEX}", "https://user:secret@h.example/"])
def test_an_address_in_a_sentence_shows_no_secret(url: str) -> None:
    assert origins.host_of(url) in ("h.example", origins.UNKNOWN)
