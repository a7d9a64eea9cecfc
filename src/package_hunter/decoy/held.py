"""Modules of which the code is read now, and run when they are first imported.

A process that gave up its rights may not be able to read files any more (of an installation below /root, say); so what
it may need one day is read ahead, which takes a fraction of running it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from importlib.abc import InspectLoader, Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from types import CodeType, ModuleType


class _Held(MetaPathFinder, Loader):
    """Finds and runs what it holds."""

    def __init__(self, code: dict[str, tuple[CodeType, str | None]]) -> None:
        self._code = code

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._code:
            return None
        return spec_from_loader(fullname, self, origin=self._code[fullname][1])

    def exec_module(self, module: ModuleType) -> None:
        code, module.__file__ = self._code.pop(module.__name__)
        exec(code, module.__dict__)  # noqa: S102  # as every import does


def hold(names: Iterable[str]) -> None:
    """Read these modules, none of which is a package. What they import has to be there, or held, too."""
    code = {}
    for name in names:
        if name not in sys.modules:
            spec = find_spec(name)
            assert spec is not None and isinstance(spec.loader, InspectLoader)
            found = spec.loader.get_code(name)
            assert found is not None
            code[name] = found, spec.origin
    sys.meta_path.insert(0, _Held(code))
