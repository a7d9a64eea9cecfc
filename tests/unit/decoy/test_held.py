"""What the gateway's program loads at its start, and that it reads no file for what it loads later."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_START = """
import json, sys
import package_hunter.ecosystems.gateway
from package_hunter.decoy import services
from package_hunter.decoy.held import hold
hold(services.MODULES)
"""
_NAMES = "print(json.dumps(sorted(sys.modules)))"
_LATER = """
def no_files(event, arguments):
    if event == "open":
        raise PermissionError(arguments[0])
sys.addaudithook(no_files)
print(json.dumps([one.__module__ for one in services.services()]))
"""
# Of others' packages; one more here is time that every scan waits for.
_THIRD = {
    "_brotli", "_cffi_backend", "ahocorasick_rs", "annotated_types", "anyio", "brotli", "certifi", "cryptography",
    "dnslib", "h11", "h2", "hpack", "httpcore", "httpx", "hyperframe", "idna", "packaging", "pydantic", "pydantic_core",
    "re2",
    "sniffio", "socksio", "typing_extensions", "typing_inspection",
}  # fmt: skip


def _ran(code: str, *, folder: str = "/") -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=folder, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    found: list[str] = json.loads(done.stdout)
    return found


def test_the_start_loads_no_service_and_no_conversation() -> None:
    loaded = _ran(_START + _NAMES)
    ours = {name for name in loaded if name.startswith("package_hunter.decoy.services.")}
    assert ours == {f"package_hunter.decoy.services.{name}" for name in ("base", "downloads", "runtimes")}
    talks = {name.rpartition(".")[2] for name in loaded if name.startswith("package_hunter.decoy.talks.")}
    assert talks == {"base", "frames", "host", "relay", "table"}


def test_the_start_loads_these_packages_of_others_and_no_more() -> None:
    known = {*sys.stdlib_module_names, "package_hunter", "__main__"}
    tops = {name.partition(".")[0] for name in _ran(_START + _NAMES)} - known
    assert {name for name in tops if not name.startswith(("_", "sitecustomize"))} <= _THIRD


def test_services_are_loaded_without_a_file() -> None:
    assert "package_hunter.decoy.services.ethereum" in _ran(_START + _LATER)


def test_what_is_held_is_run_once_and_knows_its_file(tmp_path: Path) -> None:
    (tmp_path / "kept.py").write_text("VALUE = [1]\n")
    code = """
import json, os, sys
from package_hunter.decoy.held import hold
sys.path.insert(0, os.getcwd())
hold(["kept"])
os.remove("kept.py")
assert "kept" not in sys.modules
import kept
first = kept
import kept
assert first is kept
print(json.dumps([kept.__name__, kept.__file__]))
"""
    assert _ran(code, folder=str(tmp_path)) == ["kept", str(tmp_path / "kept.py")]
