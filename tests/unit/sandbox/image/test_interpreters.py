"""What an image tells of its interpreters."""

from __future__ import annotations

from pathlib import Path

from package_hunter.model.interpreters import Interpreter
from package_hunter.sandbox.image.interpreters import interpreters


def python(root: Path, base: str, minor: str, patch: str) -> None:
    header = root / base / f"include/python{minor}/patchlevel.h"
    header.parent.mkdir(parents=True)
    header.write_text(f'#define PY_MAJOR_VERSION 3\n#define PY_VERSION      "{minor}.{patch}+"\n')


def node(root: Path, base: str, *numbers: int) -> None:
    header = root / base / "include/node/node_version.h"
    header.parent.mkdir(parents=True)
    names = ("MAJOR", "MINOR", "PATCH")
    header.write_text("".join(f"#define NODE_{n}_VERSION {v}\n" for n, v in zip(names, numbers, strict=True)))


def link(root: Path, place: str, target: str) -> None:
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).symlink_to(target)


def test_the_first_on_path_comes_first_and_others_with_their_folders(tmp_path: Path) -> None:
    link(tmp_path, "usr/bin/python3", "python3.11")
    python(tmp_path, "usr", "3.11", "2")
    python(tmp_path, "usr/local/opt/python3.13", "3.13", "5")
    node(tmp_path, "usr/local", 24, 19, 0)
    node(tmp_path, "usr/local/opt/node20", 20, 20, 2)
    assert interpreters(tmp_path) == (
        Interpreter("python", "3.11.2"),
        Interpreter("node", "24.19.0"),
        Interpreter("python", "3.13.5", "/usr/local/opt/python3.13"),
        Interpreter("node", "20.20.2", "/usr/local/opt/node20"),
    )


def test_one_that_was_put_first_on_path_is_the_default(tmp_path: Path) -> None:
    link(tmp_path, "usr/bin/python3", "python3.11")
    link(tmp_path, "usr/local/bin/python3", "/usr/local/opt/python3.14/bin/python3.14")
    python(tmp_path, "usr", "3.11", "2")
    python(tmp_path, "usr/local/opt/python3.14", "3.14", "1")
    assert interpreters(tmp_path)[0] == Interpreter("python", "3.14.1")


def test_somebody_elses_image_with_its_python_in_usr_local(tmp_path: Path) -> None:
    link(tmp_path, "usr/local/bin/python3", "python3.12")
    python(tmp_path, "usr/local", "3.12", "4")
    assert interpreters(tmp_path) == (Interpreter("python", "3.12.4"),)


def test_what_tells_nothing_is_left_out_and_links_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text('#define PY_VERSION "3.9.9"\n')
    root = tmp_path / "image"
    link(root, "usr/bin/python3", "../../../../etc/passwd")
    link(root, "usr/local/opt/python3.9/include/python3.9/patchlevel.h", str(secret))
    assert interpreters(root) == ()
