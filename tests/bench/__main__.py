"""Runs every bench module below this folder (`bench_*.py`, each with a `main()`), or those whose name holds one
of the words given: `python -m tests.bench rules flood`."""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


def main(words: list[str]) -> None:
    for path in sorted(HERE.rglob("bench_*.py")):
        name = str(path.relative_to(HERE).with_suffix(""))
        if words and not any(word in name for word in words):
            continue
        print(f"\n== {name}", flush=True)
        spec = importlib.util.spec_from_file_location(f"bench.{name.replace('/', '.')}", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[spec.name] = module
        spec.loader.exec_module(module)
        started = time.perf_counter()
        try:
            module.main()
        except pytest.skip.Exception as missing:
            print(f"   {missing}")
        print(f"   ({time.perf_counter() - started:.0f} s)", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
