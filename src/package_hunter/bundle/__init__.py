"""Bundles: a verdict with all that it came from, signed, so that anybody can come to it again (docs/bundle.md)."""

from package_hunter.bundle.make import of_files, of_scan
from package_hunter.bundle.verify import Trust, Verified, verify

__all__ = ["Trust", "Verified", "of_files", "of_scan", "verify"]
