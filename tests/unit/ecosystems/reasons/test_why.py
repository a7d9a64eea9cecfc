"""Which kind of failure an output tells of: real outputs of managers and builds (``outputs``, hosts replaced)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.ecosystems.reasons import why
from package_hunter.ecosystems.reasons.kinds import KINDS
from package_hunter.ecosystems.reasons.libraries import library_of

OUTPUTS = Path(__file__).parent / "outputs"
# output -> kind, a part of our sentence, a part of the line that tells it
TOLD = {
    "gyp_header": ("system_library", "cairo.h (Debian's libcairo2-dev)", "fatal error: cairo.h"),
    "gyp_host": ("host_refused", "reaches no host", "related to network connectivity"),
    "gyp_make": ("compiler", "“make”", "not found: make"),
    "npm_e404": ("not_in_registry", "@no-such-scope-zz/nope-zz@1.0.0", "could not be found"),
    "npm_engine": ("engine", '{"node":">=99"}', "Required"),
    "npm_etarget": ("not_in_registry", "is-odd@99.0.0", "No matching version"),
    "npm_git": ("host_refused", "nohost.example", "Could not resolve host"),
    "npm_host": ("host_refused", "nohost.example", "ENOTFOUND nohost.example"),
    "npm_integrity": ("hash_mismatch", "another hash", "Integrity checksum failed"),
    "npm_json": ("manifest", "cannot be read", "Invalid package.json"),
    "npm_peer": ("peer_conflict", 'react@"^18.2.0" from react-dom@18.2.0', "peer react"),
    "npm_script": ("program_missing", "“tsc-not-there”", "tsc-not-there: not found"),
    "npm_sync": ("lock_outdated", "Make the lock file anew", "can only install packages when"),
    "pip_conflict": ("python2", "long gone", "SyntaxError"),
    "pip_flat": ("not_a_package", "which of its folders", "Multiple top-level packages"),
    "pip_git": ("host_refused", "nohost.example", "Could not resolve host"),
    "pip_hash": ("hash_mismatch", "another hash", "DO NOT MATCH THE HASHES"),
    "pip_header": ("system_library", "libpq-fe.h (Debian's libpq-dev)", "fatal error: libpq-fe.h"),
    "pip_host": ("host_refused", "nohost.example", "Max retries"),
    "pip_module": ("build_needs_module", "“numpy_not”", "No module named 'numpy_not'"),
    "pip_nocc": ("compiler", "“nocc”", "No such file or directory: 'nocc'"),
    "pip_none": ("not_in_registry", "idna==99.9", "idna==99.9"),
    "pip_python": ("build_needs_wheel", "build-system.requires", "invalid command 'bdist_wheel'"),
    "pip_readme": ("file_missing", "“README.rst”", "README.rst"),
    "pnpm_404": ("not_in_registry", "nope-zz", "Not Found - 404"),
    "pnpm_frozen": ("lock_outdated", "Make the lock file anew", "ERR_PNPM_OUTDATED_LOCKFILE"),
    "pnpm_git": ("host_refused", "nohost.example", "Could not resolve host"),
    "pnpm_integrity": ("hash_mismatch", "another hash", "ERR_PNPM_TARBALL_INTEGRITY"),
    "pnpm_json": ("manifest", "cannot be read", "in JSON at position"),
    "pnpm_none": ("not_in_registry", "is-odd@99.0.0", "No matching version found"),
    "pnpm_script": ("program_missing", "“tsc-not-there”", "tsc-not-there: not found"),
    "uv_conflict": ("conflict", "exclude each other", "No solution found"),
    "uv_hash": ("hash_mismatch", "“idna==3.7”", "Hash mismatch for"),
    "uv_header": ("system_library", "libpq-fe.h (Debian's libpq-dev)", "fatal error: libpq-fe.h"),
    "uv_host": ("host_refused", "nohost.example", "nohost.example"),
    "uv_module": ("build_needs_module", "“numpy_not”", "No module named 'numpy_not'"),
    "uv_none": ("not_in_registry", "idna==99.9", "there is no version of idna==99.9"),
    "uv_python": ("interpreter", ">=3.99", "No interpreter found"),
    "yarn_404": ("not_in_registry", "@no-such-scope-zz/nope-zz", "Couldn't find package"),
    "yarn_engine": ("engine", ">=99", "incompatible with this module"),
    "yarn_frozen": ("lock_outdated", "Make the lock file anew", "needs to be updated"),
    "yarn_host": ("host_refused", "nohost.example", "nohost.example"),
    "yarn_integrity": ("hash_mismatch", "“is-odd”", "Integrity check failed"),
    "yarn_json": ("manifest", "cannot be read", "SyntaxError"),
    "yarn_none": ("not_in_registry", "is-odd", "Couldn't find any versions"),
    "yarn_script": ("program_missing", "“tsc-not-there”", "tsc-not-there: not found"),
}
# lines as the programs' sources print them
LINES = [
    (
        "Could not find gem 'nope (= 1.0)' in rubygems repository https://r.example/ or installed locally.",
        "not_in_registry",
    ),
    ("Your Ruby version is 3.1.2, but your Gemfile specified 3.4.1", "engine_ruby"),
    ("checking for libpq-fe.h... no\nCan't find the 'libpq-fe.h header", "system_library"),
    ("libxml2 is missing. Please locate mkmf.log to investigate how it is failing.", "system_library"),
    ("Could not reach host index.example. Check your network connection and try again.", "registry_down"),
    ("/usr/bin/ld: cannot find -lpq: No such file or directory", "system_library"),
    ("Error: pg_config executable not found.", "system_library"),
    ("Package cairo was not found in the pkg-config search path.", "system_library"),
    ("error: can't find Rust compiler", "compiler"),
    ("../meson.build:1:0: ERROR: Unknown compiler(s): [['cc'], ['gcc']]", "compiler"),
    ("ERROR: Package 'x' requires a different Python: 3.11.2 not in '>=3.12'", "interpreter"),
    (
        "YN0028: │ The lockfile would have been modified by this install, which is explicitly forbidden.",
        "lock_outdated",
    ),
    ("YN0018: │ ms@npm:2.1.3: The remote archive doesn't match the expected checksum", "hash_mismatch"),
    (
        "Bundler::HTTPError Could not fetch specs from https://r.example/ due to underlying error",
        "registry_down",
    ),
    ("npm error code E503\nnpm error 503 Service Unavailable - GET https://r.example/x", "registry_down"),
    ("npm error code E401\nnpm error Incorrect or missing password.", "no_access"),
    ("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory", "memory"),
    ("gyp ERR! find Python You need to install the latest version of Python.", "gyp_python"),
    ("src/a.ts(1,20): error TS2307: Cannot find thing", "own_compile"),
    ("Error: EACCES: permission denied, mkdir '/usr/lib/x'", "no_rights"),
    (
        'npm error code EBADPLATFORM\nnpm error notsup Unsupported platform for x@1: wanted {"os":"win32"}',
        "platform",
    ),
]


@pytest.mark.parametrize("name", sorted(p.stem for p in OUTPUTS.iterdir()))
def test_a_real_output(name: str) -> None:
    kind, says, line = TOLD[name]
    found = why((OUTPUTS / f"{name}.txt").read_text(encoding="utf-8"))
    assert (found.kind, says in found.says, line in found.line) == (kind, True, True), found


@pytest.mark.parametrize(("text", "kind"), LINES)
def test_a_line(text: str, kind: str) -> None:
    found = why(f"before\n{text}\nafter\n")
    assert found.kind == kind and found.says and "{" not in found.says.replace('{"', ""), found


@pytest.mark.parametrize(
    ("output", "line"),
    [
        (
            'Traceback (most recent call last):\n  File "x", line 1\nRuntimeError: no luck today\n',
            "RuntimeError: no luck today",
        ),
        ("a\nb\nthe last thing that it said\n\n", "the last thing that it said"),
        (
            "ok\nfatal: something is odd\nnpm error code 1\nnpm error path /x\nnpm error command failed\n",
            "fatal: something is odd",
        ),
        (
            " ERROR  packages field missing or empty\nFor help, run: pnpm help install\n",
            "ERROR  packages field missing or empty",
        ),
        (" ERR_PNPM_SOME_THING  It is odd\nThis error happened while x\n", "ERR_PNPM_SOME_THING  It is odd"),
        ("", ""),
        ("\x1b[31m\x1b[0m\n \n", ""),
    ],
)
def test_without_a_known_kind_the_telling_line_stands(output: str, line: str) -> None:
    found = why(output)
    assert (found.kind, found.line) == ("", line)


def test_warnings_tell_nothing() -> None:
    assert (
        why(
            'npm warn EBADENGINE Unsupported engine\n WARN  Unsupported engine: wanted: {"node":">=99"}\n'
        ).kind
        == ""
    )


def test_what_is_named_is_short() -> None:
    found = why("No module named x\nModuleNotFoundError: No module named '" + "n" * 99 + "'\n")
    assert found.kind == "build_needs_module" and len(found.says) < 400


def test_libraries_are_named_as_debian_has_them() -> None:
    assert library_of("pg_config") == "pg_config (Debian's libpq-dev)"
    assert library_of("libffi.so") == "libffi.so (Debian's libffi-dev)"
    assert library_of("jpeg") == "jpeg (Debian's libjpeg-dev)"
    assert library_of("quux.h") == "quux.h"


def test_every_kind_says_what_to_do() -> None:
    assert len({kind.name for kind in KINDS}) == len(KINDS)
    for kind in KINDS:
        assert kind.unnamed.count(".") >= 1 and "{" not in kind.unnamed.replace("{what}", "").replace(
            "{library}", ""
        )


@given(st.text(max_size=2_000))
def test_any_output_is_read(text: str) -> None:
    found = why(text)
    assert all(c.isprintable() for c in found.line) and len(found.line) <= 401


def test_an_output_made_to_be_slow_is_read_at_once() -> None:
    """16 KiB that many patterns begin to fit."""
    for hostile in (
        "Package '" * 2_000,
        "a/" * 8_000,
        ": " * 8_000,
        "npm error peer " * 1_100,
        "\n" * 9_000 + "x\n" * 4_000,
    ):
        assert len(why(hostile).line) <= 401
