"""Programs that keep secrets (password managers, the command lines of clouds and code hosts): stand-ins that answer as
the real ones do, with the fakes that lie in the user's files.

Each is a module with ``main``; in the image it is one file, in which the common part stands in place of its import.
They run in the box, under its Python and without the site packages: the standard library alone.
"""

from __future__ import annotations

import re
from importlib import resources

# program -> its module
PROGRAMS = {
    "aws": "aws",
    "az": "az",
    "bw": "bw",
    "gcloud": "gcloud",
    "gh": "gh",
    "glab": "glab",
    "kubectl": "kubectl",
    "op": "op",
    "pass": "password_store",
    "secret-tool": "secret_tool",
}
_FUTURE = "from __future__ import annotations\n"
_START = "#!/usr/bin/python3 -IS\n" + _FUTURE
_COMMON = re.compile(r"^from package_hunter\.sandbox\.image\.keepers\.common import (\([^)]*\)|.*)\n", re.M)


def programs() -> dict[str, bytes]:
    """Name -> the file that stands in /usr/bin."""
    common = _body("common")
    return {name: (_START + common + _body(module)).encode() for name, module in PROGRAMS.items()}


def _body(module: str) -> str:
    text = resources.files(__name__).joinpath(f"{module}.py").read_text(encoding="utf-8")
    return _COMMON.sub("", text.partition(_FUTURE)[2])
