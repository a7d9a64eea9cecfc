"""The part of libbpf that the loader needs, through ctypes."""

from __future__ import annotations

import ctypes
import os
from functools import cache
from pathlib import Path
from typing import Any

from package_hunter.errors import SensorError

_PRINT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
_LOG_LINES = 400
log: list[str] = []  # what libbpf said since the last load: the verifier's text, if it refused


@cache
def library() -> Any:
    """libbpf.so.1 with the signatures that we use."""
    try:
        lib = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError:
        raise SensorError(
            "The probe cannot be loaded: libbpf.so.1 is missing.", "Install the package libbpf1."
        ) from None
    pointer = ctypes.c_void_p
    signatures: dict[str, tuple[Any, list[Any]]] = {
        "bpf_object__open_file": (pointer, [ctypes.c_char_p, pointer]),
        "bpf_object__load": (ctypes.c_int, [pointer]),
        "bpf_object__close": (None, [pointer]),
        "bpf_object__find_map_by_name": (pointer, [pointer, ctypes.c_char_p]),
        "bpf_object__next_program": (pointer, [pointer, pointer]),
        "bpf_map__fd": (ctypes.c_int, [pointer]),
        "bpf_map__set_max_entries": (ctypes.c_int, [pointer, ctypes.c_uint32]),
        "bpf_program__fd": (ctypes.c_int, [pointer]),
        "bpf_program__name": (ctypes.c_char_p, [pointer]),
        "bpf_raw_tracepoint_open": (ctypes.c_int, [ctypes.c_char_p, ctypes.c_int]),
        "bpf_obj_pin": (ctypes.c_int, [ctypes.c_int, ctypes.c_char_p]),
        "bpf_obj_get": (ctypes.c_int, [ctypes.c_char_p]),
        "bpf_obj_get_info_by_fd": (ctypes.c_int, [ctypes.c_int, pointer, pointer]),
        "bpf_link_get_next_id": (ctypes.c_int, [ctypes.c_uint32, pointer]),
        "bpf_link_get_fd_by_id": (ctypes.c_int, [ctypes.c_uint32]),
        "bpf_map_create": (ctypes.c_int, [ctypes.c_int, ctypes.c_char_p, *[ctypes.c_uint32] * 3, pointer]),
        "bpf_map_update_elem": (ctypes.c_int, [ctypes.c_int, pointer, pointer, ctypes.c_uint64]),
        "bpf_map_lookup_elem": (ctypes.c_int, [ctypes.c_int, pointer, pointer]),
        "bpf_map_delete_elem": (ctypes.c_int, [ctypes.c_int, pointer]),
        "bpf_map_get_next_key": (ctypes.c_int, [ctypes.c_int, pointer, pointer]),
        "libbpf_num_possible_cpus": (ctypes.c_int, []),
        "libbpf_set_print": (pointer, [_PRINT]),
    }
    for name, (result, arguments) in signatures.items():
        function = getattr(lib, name)
        function.restype = result
        function.argtypes = arguments
    lib.libbpf_set_print(_print)
    return lib


_libc = ctypes.CDLL(None)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]
_libc.vsnprintf.argtypes = [ctypes.c_char_p, ctypes.c_size_t, ctypes.c_char_p, ctypes.c_void_p]


def _say(level: int, template: bytes, arguments: int) -> int:
    if level < 2:  # warnings and information; debug is left out
        text = ctypes.create_string_buffer(1 << 16)
        _libc.vsnprintf(text, len(text), template, arguments)
        log.extend(text.value.decode("utf-8", "replace").splitlines())
        del log[:-_LOG_LINES]
    return 0


_print = _PRINT(_say)  # kept: libbpf holds its address


def update(fd: int, key: ctypes._SimpleCData[Any] | ctypes.Structure, value: Any, what: str) -> None:
    """Puts an element into a map; SensorError names ``what`` it was for."""
    if library().bpf_map_update_elem(fd, ctypes.byref(key), ctypes.byref(value), 0) < 0:
        number = ctypes.get_errno()
        raise SensorError(
            f"The probe did not take {what}: {os.strerror(number)}.",
            "Run as root and look at the kernel log.",
        )


def mount_bpf(folder: Path) -> bool:
    """Mounts a bpf file system that only root can look into; False where the kernel refuses."""
    return bool(_libc.mount(b"bpf", os.fsencode(folder), b"bpf", 0, b"mode=0700") == 0)


def possible_cpus() -> int:
    """How many cpus the kernel reserves per-cpu memory for."""
    return int(library().libbpf_num_possible_cpus())
