"""Recordings in the .scap format of Falco, sysdig and Stratoshark: read and written."""

from package_hunter.sensor.scap.blocks import RecordingError
from package_hunter.sensor.scap.reader import ScapReader
from package_hunter.sensor.scap.writer import (
    NAMES_ID,
    ScapWriter,
    append_closing,
    append_round,
    append_runs,
    check_writable,
)

__all__ = [
    "NAMES_ID",
    "RecordingError",
    "ScapReader",
    "ScapWriter",
    "append_closing",
    "append_round",
    "append_runs",
    "check_writable",
]
