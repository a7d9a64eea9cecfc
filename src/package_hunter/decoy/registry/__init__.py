"""Registry requests passed on read-only, for what the dependency tree asks for."""

from __future__ import annotations

import sys
from typing import Any

# The client of the command line that httpx brings would load rich and click, a fifth of the gateway's start. httpx
# does without where they are not installed.
_modules: dict[str, Any] = sys.modules
_modules.setdefault("httpx._main", None)
