"""A gem's specification as the older index has it: Ruby's Marshal format 4.8, as Gem::Specification#_dump lays it
out (facts: Ruby's doc/marshal.rdoc, RubyGems' specification.rb)."""

from __future__ import annotations

import zlib


def _number(value: int) -> bytes:
    if value == 0:
        return b"\0"
    if value < 123:
        return bytes([value + 5])
    data = value.to_bytes((value.bit_length() + 7) // 8, "little")
    return bytes([len(data)]) + data


def _text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return b'"' + _number(len(data)) + data


def _symbol(name: str) -> bytes:
    return b":" + _number(len(name)) + name.encode()


def _array(*items: bytes) -> bytes:
    return b"[" + _number(len(items)) + b"".join(items)


def _version(text: str) -> bytes:
    return b"U" + _symbol("Gem::Version") + _array(_text(text))


def _any() -> bytes:
    return b"U" + _symbol("Gem::Requirement") + _array(_array(_array(_text(">="), _version("0"))))


def _dependency(name: str) -> bytes:
    values = {"@name": _text(name), "@requirement": _any(), "@type": _symbol("runtime"), "@prerelease": b"F"}
    fields = b"".join(_symbol(key) + value for key, value in values.items())
    return b"o" + _symbol("Gem::Dependency") + _number(len(values)) + fields


def quick_spec(name: str, version: str, needs: tuple[str, ...]) -> bytes:
    """``/quick/Marshal.4.8/NAME-VERSION.gemspec.rz``"""
    plain = _text("ruby")
    fields = _array(
        _text("3.3.15"), b"i" + _number(4), _text(name), _version(version), b"0", _text("made for a test"),
        _any(), _any(), plain, _array(*map(_dependency, needs)), _text(""), b"0", _array(_text("A. Nonymous")),
        _text(""), b"0", b"T", plain, _array(), b"{" + _number(0),
    )  # fmt: skip
    body = b"\x04\x08" + fields
    return zlib.compress(b"\x04\x08u" + _symbol("Gem::Specification") + _number(len(body)) + body)
