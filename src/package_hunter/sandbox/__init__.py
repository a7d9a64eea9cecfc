"""The sealed box that untrusted code runs in (docs/sandbox.md)."""

from package_hunter.sandbox.base import CgroupPaths
from package_hunter.sandbox.reap import reap
from package_hunter.sandbox.runc import RuncSandbox, pool

__all__ = ["CgroupPaths", "RuncSandbox", "pool", "reap"]
