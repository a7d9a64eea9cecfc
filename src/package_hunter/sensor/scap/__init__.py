"""Recordings in the .scap format of Falco, sysdig and Stratoshark: read and written."""

from package_hunter.sensor.scap.blocks import RecordingError
from package_hunter.sensor.scap.reader import ScapReader

