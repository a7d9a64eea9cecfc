"""The table of system calls and flags, as the probe reads it."""

from __future__ import annotations

import ctypes

from package_hunter.sensor import flags, layout, libbpf, table


def fill_tables(maps: dict[str, int], machine: str) -> None:
    """Puts everything that is the same for all scans into the probe's maps (descriptors by name)."""
    numbers = _fill_flags(maps, machine)
    for index, row in enumerate(table.rows()):
        program = compile_row(row, numbers)
        libbpf.update(maps["programs"], ctypes.c_uint32(index), program, f"the program of {row.key}")
    foreign = ((layout.ABI_TABLE, table.dispatch("i386")),) if machine == "x86_64" else ()
    for base, calls in ((0, table.dispatch(machine)), *foreign):
        for number, (place, falco) in calls.items():
            value = ctypes.c_uint32(place + 1 | falco << 16)
            libbpf.update(maps["dispatch"], ctypes.c_uint32(base + number), value, "a system call number")


def _fill_flags(maps: dict[str, int], machine: str) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for index, entry in enumerate(flags.tables(machine), start=1):
        bits = layout.FlagTable()
        if isinstance(entry, flags.BitTable):
            numbers[entry.name] = index
            for bit, falco in entry.bits.items():
                bits.bit[bit.bit_length() - 1] = falco
        else:
            numbers[entry.name] = index | 0x80
            bits.bit[0] = entry.default
            for value, falco in entry.values.items():
                key = layout.EnumKey(index, value)
                libbpf.update(maps["enums"], key, ctypes.c_uint32(falco), f"the table {entry.name}")
        libbpf.update(maps["flag_tables"], ctypes.c_uint32(index), bits, f"the table {entry.name}")
    return numbers


def compile_row(row: table.Row, numbers: dict[str, int]) -> layout.Program:
    """A row of the table as a program for the probe; ``numbers`` are those of the flag tables."""
    program = layout.Program(event=row.event.number, params=len(row.steps), flags=int(row.flags))
    program.prep, program.prep_arg = int(row.prep), row.prep_arg
    for i, step in enumerate(row.steps):
        program.ops[i] = layout.OpCode(
            int(step.op), step.arg, step.aux, numbers[step.table] if step.table else 0
        )
    if row.address:
        program.watch[0], program.watch_len = row.address[0] + 1, row.address[1] + 1
    for i, argument in enumerate(row.watched):
        program.watch[i] = argument + 1
    return program
