"""Harmless simulation for testing Package Hunter. Not malware."""

import ctypes
import os

_library = os.path.join(os.path.dirname(__file__), "triton.so")
if os.path.exists(_library):
    ctypes.CDLL(_library).aGcc_simulation()
