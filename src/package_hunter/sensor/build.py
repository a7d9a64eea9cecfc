"""Compiles the probe with the system's clang. ``python -m package_hunter.sensor.build`` for the Makefile.

The object's name holds a hash of everything that went into it, so a changed source is compiled anew and an
unchanged one never. Event numbers and the codes of sensor/table.py reach the C side through generated.h.
"""

from __future__ import annotations

import argparse
import hashlib
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

from package_hunter.config import settings
from package_hunter.errors import SensorError
from package_hunter.model.event import EXTRA_MAGIC, Extra, event_numbers
from package_hunter.sensor import flags, table

SOURCES = Path(__file__).resolve().parent / "probe"
TARGETS = {"x86_64": "x86", "aarch64": "arm64"}
_NAMED = ("syscall_fcntl_x", "syscall_openat_2_x", "generic_x")  # events that the C side knows by name
_C_FLAGS = ("-g", "-O2", "-Wall", "-Werror", "-Wno-unused-function", "-fno-jump-tables", "-mcpu=v3")


def header(machine: str) -> str:
    """generated.h: event numbers, operation codes and constants of an architecture."""
    lines = ["/* made by sensor/build.py */", "#pragma once"]
    lines += [
        f"#define EV_{k.removeprefix('syscall_').upper()} {n}"
        for k, n in event_numbers().items()
        if k in _NAMED
    ]
    lines += [f"#define OP_{o.name} {o.value}" for o in table.Op]
    lines += [f"#define PREP_{p.name} {p.value}" for p in table.Prep]
    lines += [f"#define EXTRA_{e.name} {e.value}" for e in Extra]
    lines.append(f"#define EXTRA_MAGIC_U64 {int.from_bytes(EXTRA_MAGIC, 'little')}ULL")
    lines.append(f"#define O_MAKES {flags.makes_files(machine)}")
    lines += [f"#define PROGRAM_{name} {i}" for i, name in enumerate(("CLONE", "EXEC", "EXIT"))]
    lines.append(f"#define PROGRAM_GENERIC {len(table.rows()) - 1}")
    return "\n".join(lines) + "\n"


def digest(machine: str) -> str:
    """What an object of these sources is called."""
    h = hashlib.sha256(header(machine).encode())
    for path in sorted(SOURCES.iterdir()):
        if path.suffix in (".c", ".h"):
            h.update(path.name.encode() + b"\0" + path.read_bytes())
    return h.hexdigest()[:16] + "-" + machine


def compile_to(target: Path, machine: str, defines: tuple[str, ...] = ()) -> None:
    """Compiles the probe for a machine into ``target``; SensorError says what is missing or wrong."""
    with tempfile.TemporaryDirectory(prefix="package-hunter-probe-") as folder:
        (Path(folder) / "generated.h").write_text(header(machine), encoding="utf-8")
        output = Path(folder) / "probe.o"
        command = [
            "clang", *_C_FLAGS, *(f"-D{d}" for d in defines), "-target", "bpf", f"-D__TARGET_ARCH_{TARGETS[machine]}",
            "-I", folder, "-I", str(SOURCES), "-c", str(SOURCES / "hooks.bpf.c"), "-o", str(output),
        ]  # fmt: skip
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        except FileNotFoundError:
            raise SensorError(
                "The probe cannot be compiled: clang is missing.",
                "Install the packages clang and libbpf-dev.",
            ) from None
        if done.returncode:
            raise SensorError(
                f"The probe does not compile: {done.stderr.strip()[:4000]}",
                "Install the packages clang (14 or later) and libbpf-dev; if they are there, report a bug.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(f".{Path(folder).name}")
        partial.write_bytes(output.read_bytes())
        partial.replace(target)


def object_path(data_dir: Path | None = None, machine: str | None = None) -> Path:
    """The compiled probe, compiled now if it is not there yet."""
    machine = machine or platform.machine()
    if machine not in TARGETS:
        raise SensorError(
            f"The probe does not know the architecture {machine}.", f"Use one of {', '.join(TARGETS)}."
        )
    target = (data_dir or settings().data_dir) / "probe" / f"{digest(machine)}.o"
    if not target.exists():
        compile_to(target, machine)
    return target


def main(argv: list[str] | None = None) -> int:
    """Command line of the Makefile: compiles if needed and prints the path."""
    parser = argparse.ArgumentParser(description="Compile the eBPF probe.")
    parser.add_argument("--machine", choices=sorted(TARGETS), default=platform.machine())
    parser.add_argument("--data-dir", type=Path, default=None)
    options = parser.parse_args(argv)
    try:
        print(object_path(options.data_dir, options.machine))
    except SensorError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
