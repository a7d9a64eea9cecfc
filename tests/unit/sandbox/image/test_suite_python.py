"""A further Python: what of a suite's packages goes where, and which suite is asked."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from package_hunter.errors import HostError
from package_hunter.sandbox.image import suite_python
from package_hunter.sandbox.image.apt import Source

BASE = Source("http://mirror.example/debian", "bookworm", ("main",), None)


class Image:
    """Stands for apt in the image: ``suite`` is the one that has Python; what was run."""

    def __init__(self, suite: str) -> None:
        self.suite, self.ran, self.asked = suite, [], []  # type: ignore[var-annotated]

    def __call__(self, root: Path, command: str) -> None:
        self.ran.append(command)
        stage = root / "tmp/suite"
        if command.endswith(" update"):
            self.asked.append((stage / "sources.list").read_text().split()[3])
        elif "apt-cache" in command and self.asked[-1] == self.suite:
            (stage / "offered").touch()
        elif "dpkg-deb -x $deb tree" in command:
            packages(stage / "tree")


def packages(tree: Path) -> None:
    """The files of a suite's packages, as far as they matter."""
    for name in (
        "usr/bin/python3.13",
        "usr/lib/python3.13/os.py",
        "usr/lib/python3.13/EXTERNALLY-MANAGED",
        "usr/lib/python3.13/config-3.13-x86_64-linux-gnu/libpython3.13.a",
        "usr/include/python3.13/pyconfig.h",
        "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
        "usr/lib/x86_64-linux-gnu/libssl.so.3",
        "usr/lib/x86_64-linux-gnu/gconv/UTF-16.so",
        "usr/bin/perl",
    ):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(name)
    own = tree / "usr/include/x86_64-linux-gnu/python3.13/pyconfig.h"
    own.parent.mkdir(parents=True)
    own.write_text("the real one")
    (tree / "usr/share/python-wheels").mkdir(parents=True)
    with zipfile.ZipFile(tree / "usr/share/python-wheels/pip-25-py3-none-any.whl", "w") as wheel:
        wheel.writestr("pip/__init__.py", "")


def test_it_lies_in_a_folder_of_its_own_with_its_c_library(tmp_path: Path) -> None:
    image = Image("trixie")
    home = suite_python.add_python(tmp_path, BASE, "3.13", image)
    assert home == tmp_path / "usr/local/opt/python3.13"
    assert (home / "bin/python3").readlink() == Path("python3.13")
    assert (home / "lib/python3.13/os.py").is_file()
    assert (home / "include/python3.13/pyconfig.h").read_text() == "the real one"
    assert (home / "lib/python3/dist-packages/pip/__init__.py").is_file()
    assert {path.name for path in (home / "lib/runtime").iterdir()} == {"ld-linux-x86-64.so.2", "libssl.so.3"}
    assert not (home / "lib/python3.13/EXTERNALLY-MANAGED").exists()
    patches = [line for line in image.ran if "patchelf " in line and "--" in line and "apt-get" not in line]
    inside = "/usr/local/opt/python3.13/lib/runtime"
    assert [line.split()[1] for line in patches] == ["--add-needed", "--force-rpath", "--set-interpreter"]
    assert f"--set-interpreter {inside}/ld-linux-x86-64.so.2" in patches[-1]
    assert not (tmp_path / "tmp/suite").exists(), "nothing of the packages is left"


@pytest.mark.parametrize(("suite", "asked"), [("trixie", 1), ("forky", 2), ("sid", 3)])
def test_the_most_settled_suite_that_has_it_is_taken(suite: str, asked: int, tmp_path: Path) -> None:
    image = Image(suite)
    suite_python.add_python(tmp_path, BASE, "3.13", image)
    assert image.asked == list(suite_python.SUITES[:asked])


def test_where_no_suite_has_it_the_error_names_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"python3\.10") as caught:
        suite_python.add_python(tmp_path, BASE, "3.10", Image("none"))
    assert "image build --from" in caught.value.advice
    assert not (tmp_path / "tmp/suite").exists()


@pytest.mark.parametrize("suite", ["trixie", "noble", "sid"])
def test_another_release_has_no_newer_suite_here(suite: str) -> None:
    with pytest.raises(HostError):
        suite_python.check_suites("3.14", Source("http://mirror.example/x", suite, ("main",), None))
    suite_python.check_suites("3.14", BASE)
