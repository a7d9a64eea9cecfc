"""Whose folder of site-packages: by the lists of files of all distributions together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.python import installed
from package_hunter.ecosystems.python.places import shares
from package_hunter.ecosystems.tree import BoxTree
from package_hunter.model.owners import Owners

SITE = "/p/.venv/lib/python3.11/site-packages"


def environment(root: Path, **rows: list[str]) -> BoxTree:
    """An environment at /p/.venv with a distribution for each keyword, whose RECORD has the rows."""
    for name, listed in rows.items():
        info = f"{name}-1.0.dist-info"
        folder = root / SITE[1:] / info
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: {name.replace('_', '.')}\nVersion: 1.0\n\n")
        text = "".join(f"{row},,\n" for row in [*listed, f"{info}/METADATA", f"{info}/RECORD"])
        (folder / "RECORD").write_text(text)
    return BoxTree(root)


def owners(tree: BoxTree) -> Owners:
    found = installed.distributions(tree, "/p/.venv")
    return Owners(installed.packages(found, SITE, "app", [], {}))


def of(known: Owners, path: str) -> list[str]:
    return [item.name for item in known.of(f"{SITE}/{path}")]


def test_namespace_packages_have_each_their_own_folder(tmp_path: Path) -> None:
    tree = environment(
        tmp_path,
        zope_event=["zope/event/__init__.py", "zope.event-nspkg.pth"],
        zope_interface=["zope/interface/__init__.py", "zope/interface/_c.cpython-311-x86_64-linux-gnu.so"],
        google_cloud_storage=["google/cloud/storage/__init__.py"],
        google_cloud_core=["google/cloud/version.py", "google/cloud/_http/__init__.py"],
    )
    found = {item.name: item.modules for item in installed.distributions(tree, "/p/.venv")}
    assert found["zope.event"] == ("zope.event",)
    assert found["zope.interface"] == ("zope.interface",)
    assert found["google.cloud.storage"] == ("google.cloud.storage",)
    assert found["google.cloud.core"] == ("google.cloud.version", "google.cloud._http")
    known = owners(tree)
    assert of(known, "zope/event/__pycache__/x.cpython-311.pyc") == ["zope.event"]
    assert of(known, "zope/interface/later/made.py") == ["zope.interface"]
    assert of(known, "zope/__init__.py") == ["zope.event", "zope.interface"]
    assert of(known, "google/cloud/version.py") == ["google.cloud.core"]
    assert of(known, "google/x.py") == ["google.cloud.core", "google.cloud.storage"]
    assert of(known, "zope.event-nspkg.pth") == ["zope.event"]
    assert of(known, "elsewhere.py") == []


def test_single_modules_and_files_that_two_bring(tmp_path: Path) -> None:
    tree = environment(
        tmp_path,
        six=["six.py", "__pycache__/six.cpython-311.pyc"],
        typing=["typing_ext.py", "__pycache__/typing_ext.cpython-311.pyc", "../../../bin/typ"],
        one=["one/__init__.py", "tests/__init__.py", "tests/one.py"],
        two=["two/__init__.py", "tests/__init__.py", "tests/two.py"],
    )
    known = owners(tree)
    assert of(known, "six.py") == ["six"]
    assert of(known, "__pycache__/typing_ext.cpython-311.pyc") == ["typing"]
    assert of(known, "__pycache__/new.pyc") == []
    assert [item.name for item in known.of("/p/.venv/bin/typ")] == ["typing"]
    assert known.of("/p/.venv/bin/python") == ()
    assert of(known, "tests/__init__.py") == ["one", "two"]
    assert [item.name for item in known.brought_by(f"{SITE}/tests/__init__.py")] == ["one", "two"]
    assert of(known, "tests/two.py") == ["two"]
    paths = {
        item.name: item.path
        for item in installed.packages(
            installed.distributions(tree, "/p/.venv"), SITE, "app", [], {}
        )
    }  # fmt: skip
    assert paths["six"] == f"{SITE}/six.py"
    assert paths["one"] == f"{SITE}/one"


@pytest.mark.parametrize(
    "row",
    [
        "/etc/passwd",
        "../../../../../x",
        "../../../../app.py",
        ".",
        "..",
        "",
        "../../..",
        "a//b",
        "a/../../x/y.py",
    ],
)
def test_a_list_of_files_can_claim_nothing_outside_of_its_environment(row: str) -> None:
    for share in shares([[row]], SITE):
        for place in share.places:
            assert place.startswith("/p/.venv/") and ".." not in place.split("/")
            assert not f"{SITE}/".startswith(f"{place}/")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.from_regex(r"([a-c./_]{0,3}/){0,4}[a-c._]{0,4}(\.py)?", fullmatch=True)), max_size=4)
)
def test_any_lists_are_survived_and_every_own_row_is_owned(lists: list[list[str]]) -> None:
    found = shares(lists, SITE)
    assert len(found) == len(lists)
    for rows, share in zip(lists, found, strict=True):
        for row in rows:
            parts = row.split("/")
            if parts[0] not in ("", "__pycache__") and not {"", ".", ".."} & set(parts):
                assert any(f"{SITE}/{row}/".startswith(f"{place}/") for place in share.places)


def test_where_a_package_was_given_as_a_folder_that_folder_is_its_own(tmp_path: Path) -> None:
    tree = environment(tmp_path, mine=["mine/__init__.py"], whole=["whole.py"], far=["far.py"])
    for name, url in (("mine", "file:///p/libs/my%20lib"), ("whole", "file:///p"), ("far", "file:///etc")):
        (tmp_path / SITE[1:] / f"{name}-1.0.dist-info/direct_url.json").write_text(f'{{"url": "{url}"}}')
    known = owners(tree)
    assert [item.name for item in known.of("/p/libs/my lib/setup.py")] == ["mine"]
    assert known.of("/p/libs/other.py") == ()
    assert known.of("/etc/x") == ()
