"""Conversations of stock clients, a row each: what is run in the box's network, and what the gateway must find."""

from __future__ import annotations

import importlib
import pkgutil

from tests.integration.decoy.conversations.row import Row


def rows() -> dict[str, tuple[Row, ...]]:
    """Those of every file here, by its name."""
    modules = (importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))
    return {module.__name__.rpartition(".")[2]: module.ROWS for module in modules if hasattr(module, "ROWS")}
