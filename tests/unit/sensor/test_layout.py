"""The C side and the Python side agree: structures, tables, numbers."""

from __future__ import annotations

import ctypes
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.model.event import event_numbers
from package_hunter.sensor import build, fill, flags, layout, table
from tests.support.requires import needs_program


def test_structures_agree(tmp_path: Path) -> None:
    needs_program("cc")
    lines = ["#include <stdio.h>", "#include <stddef.h>"]
    lines += [
        f"typedef unsigned {c} {t};"
        for t, c in (("u8", "char"), ("u16", "short"), ("u32", "int"), ("u64", "long long"))
    ]
    lines += ['#include "shared.h"']
    scratch = (build.SOURCES / "scratch.h").read_text(encoding="utf-8")
    for name in ("flag_table", "enum_key"):
        start = scratch.index(f"struct {name} {{")
        lines.append(scratch[start : scratch.index("};", start) + 2])
    lines.append("int main(void) {")
    for name, structure in layout.SHARED.items():
        lines.append(f'printf("{name} %zu\\n", sizeof(struct {name}));')
        for field, *_ in structure._fields_:
            lines.append(f'printf("{name}.{field} %zu\\n", offsetof(struct {name}, {field}));')
    constants = ("SLOTS", "EVENT_TYPES", "MAX_OPS", "MAX_PROGRAMS", "ABI_TABLE", "MAX_TABLES", "PREFIX_BYTES")
    constants += ("SCAN_OPEN", "SCAN_PREFIXES", "SCAN_DUP_ONLY")
    lines += [f'printf("{c} %d\\n", {c});' for c in constants]
    lines += [f'printf("PROG_{f.name} %d\\n", PROG_{f.name});' for f in table.Flag if f.name != "NONE"]
    (tmp_path / "a.c").write_text("\n".join([*lines, "return 0; }"]), encoding="utf-8")
    subprocess.run(["cc", "-I", build.SOURCES, "-o", tmp_path / "a", tmp_path / "a.c"], check=True)
    said = dict(line.split() for line in subprocess.check_output([tmp_path / "a"], text=True).splitlines())
    for name, structure in layout.SHARED.items():
        assert int(said[name]) == ctypes.sizeof(structure), name
        for field, *_ in structure._fields_:
            assert int(said[f"{name}.{field}"]) == getattr(structure, field).offset, (name, field)
    for constant in constants:
        assert int(said[constant]) == getattr(layout, constant)
    for flag in table.Flag:
        if flag.name != "NONE":
            assert int(said[f"PROG_{flag.name}"]) == flag.value


def test_rows_fit_their_events() -> None:
    table.check()
    assert len(table.rows()) <= layout.MAX_PROGRAMS
    assert max(len(r.steps) for r in table.rows()) <= layout.MAX_OPS
    assert [r.key for r in table.rows()[:3]] == ["syscall_clone_20_x", "syscall_execve_19_x", "procexit_1_e"]
    assert table.rows()[-1].key == "generic_x"


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_every_row_compiles(machine: str) -> None:
    names = {t.name: i for i, t in enumerate(flags.tables(machine), start=1)}
    assert len(names) < layout.MAX_TABLES
    for row in table.rows():
        program = fill.compile_row(row, names)
        assert program.event == row.event.number
        assert program.params == len(row.steps)
        assert {s.table for s in row.steps if s.table} <= set(names)


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_system_call_numbers(machine: str) -> None:
    """As the kernel's own headers have them, where they are installed."""
    numbers = [c.number(machine) for c in table.syscalls().values() if c.number(machine) is not None]
    assert len(numbers) == len(set(numbers)) > 300
    assert max(numbers) < layout.ABI_TABLE - 1
    known = {"x86_64": ("openat", 257, "execve", 59), "aarch64": ("openat", 56, "execve", 221)}[machine]
    assert table.syscalls()[known[0]].number(machine) == known[1]
    assert table.syscalls()[known[2]].number(machine) == known[3]
    header = Path(_HEADERS[machine])
    if not header.exists():
        return
    found = 0
    for line in header.read_text(encoding="ascii").splitlines():
        words = line.replace("__NR3264_", "__NR_").split()
        if line.startswith("#define __NR") and len(words) == 3 and words[2].isdigit():
            name = _NAMES_64.get(words[1], words[1]).removeprefix("__NR_")
            if name in _NOT_THERE[machine] or (machine == "aarch64" and 403 <= int(words[2]) <= 423):
                continue
            assert table.syscalls()[name].number(machine) == int(words[2]), name
            found += 1
    assert found > 280


# aarch64 counts as asm-generic does, takes the 64-bit names of those that have two, and has none of 403 to 423:
# calls with 64-bit times for 32-bit architectures.
_HEADERS = {
    "x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}
_NAMES_64 = {"__NR_fcntl64": "__NR_fcntl", "__NR_fstatat": "__NR_newfstatat"}
_NOT_THERE: dict[str, tuple[str, ...]] = {
    "x86_64": (),
    "aarch64": ("arch_specific_syscall", "sync_file_range2", "syscalls"),
}


def test_aarch64_has_what_it_can() -> None:
    """Only the calls that the architecture does not have are missing there."""
    here, there = table.dispatch("x86_64"), table.dispatch("aarch64")
    assert {p for p, _ in there.values()} <= {p for p, _ in here.values()}
    for name in ("openat", "execve", "clone", "connect", "ptrace", "unlinkat", "mkdirat", "memfd_create"):
        assert table.syscalls()[name].aarch64 in there


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_probe_compiles(machine: str, tmp_path: Path) -> None:
    needs_program("clang")
    path = build.object_path(tmp_path, machine)
    assert path.read_bytes()[:4] == b"\x7fELF"
    first = path.stat().st_mtime_ns
    assert build.object_path(tmp_path, machine).stat().st_mtime_ns == first


def test_event_sets() -> None:
    close, read = event_numbers()["syscall_close_x"], event_numbers()["syscall_read_x"]
    assert table.state_events() <= table.default_events() <= table.full_events()
    assert close in table.default_events() and close not in table.state_events()
    assert read in table.full_events() and read not in table.default_events()


def _convert(entry: flags.BitTable, value: int) -> int:
    result = 0
    for bit, falco in entry.bits.items():
        result |= falco if value & bit else 0
    return result


@given(st.integers(0, 2**32 - 1))
def test_bit_tables_hold_single_bits(value: int) -> None:
    for machine in ("x86_64", "aarch64"):
        for entry in flags.tables(machine):
            if isinstance(entry, flags.BitTable):
                assert all(bit & (bit - 1) == 0 < bit < 2**32 for bit in entry.bits)
                assert _convert(entry, value) < 2**32


def test_known_flags() -> None:
    """Two that a reader would guess wrong."""
    opens = flags.open_flags("x86_64")
    assert _convert(opens, 0o200000) == 1 << 10 | 1 << 13  # O_DIRECTORY also reads as O_TMPFILE, as in Falco
    assert _convert(flags.CLONE, 0x00010F00) == 1 | 2 | 1 << 11 | 1 << 13 | 1 << 15


def test_docs_are_current() -> None:
    docs = Path(__file__).resolve().parents[3] / "docs" / "sensor-calls.md"
    assert docs.read_text(encoding="utf-8") == table.page()
