"""A project of both kinds is installed and loaded with the interpreters that it asks for."""

from __future__ import annotations

from pathlib import Path

from package_hunter.sandbox.image import find_image, interpreters
from package_hunter.sandbox.mounts import mount_image
from tests.support.hunter import npm_project, scan_json
from tests.support.requires import need, needs_asking, needs_btf, needs_program, needs_runc


def needs_second_python() -> None:
    """Skips where the host's release has no newer suite."""
    needs_btf()
    needs_runc()
    found = interpreters(mount_image(find_image()))
    need(
        any(one.kind == "python" and one.home for one in found),
        "the image has no second Python: no Debian 12 here",
    )


def test_both_are_used_and_told(tmp_path: Path) -> None:
    needs_second_python()
    needs_program("npm")
    check = "node -e \"process.exit(process.version.startsWith('v20.') ? 0 : 3)\""
    project = npm_project(tmp_path / "app", "app", {"postinstall": check})
    (project / ".nvmrc").write_text("20\n")
    # built from source: the newer Python's headers, the image's compiler
    lines = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.13"\ndependencies = []\n'
    (project / "pyproject.toml").write_text(
        lines + '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
        '[tool.setuptools]\npy-modules = []\next-modules = [{name = "app_ext", sources = ["app_ext.c"]}]\n'
    )
    (project / "app_ext.c").write_text(
        '#include <Python.h>\nstatic struct PyModuleDef d = {PyModuleDef_HEAD_INIT, "app_ext"};\n'
        "#if PY_VERSION_HEX < 0x030d0000\n#error older\n#endif\n"
        "PyMODINIT_FUNC PyInit_app_ext(void) { return PyModule_Create(&d); }\n"
    )
    report = scan_json(project)
    notes = " ".join(report["coverage"]["notes"])
    assert "Node.js 20." in notes
    assert "as the project asks (.nvmrc: 20)" in notes
    assert "Python 3.13" in notes
    assert "as the project asks (requires-python in pyproject.toml: >=3.13)" in notes
    assert report["coverage"]["reasons"] == []
    assert "exit code 3" not in notes, "the script ran on Node.js 20"


def test_a_dependency_that_wants_a_newer_python_gets_it(tmp_path: Path) -> None:
    needs_asking("PACKAGE_HUNTER_ALL_CASES", "second try")
    needs_second_python()
    (tmp_path / "app").mkdir()
    (tmp_path / "app/requirements.txt").write_text("Django==6.0\n")
    report = scan_json(tmp_path / "app")
    assert {"pkg:pypi/django@6.0"} <= {package["purl"] for package in report["packages"]}
    assert "Python 3.13" in " ".join(report["coverage"]["notes"])
