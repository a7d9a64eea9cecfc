"""Falco as the engine: its alerts in place of our probe's events. See docs/falco.md."""

from package_hunter.sensor.falco.place import place
from package_hunter.sensor.falco.watch import MARKED, Box, FalcoWatch, open_source

__all__ = ["MARKED", "Box", "FalcoWatch", "open_source", "place"]
