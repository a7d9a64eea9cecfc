"""Requirements that stand in a setup.py or a setup.cfg in plain words; what those compute is not seen. Untrusted text:
give at most 256 KiB of it."""

from __future__ import annotations

import re

_LIST = re.compile(
    r"""\b(?:install|setup)_requires\s*=\s*[\[(]((?:"[^"\n]*"|'[^'\n]*'|[^\])"']){0,2000}+)[\])]"""
)
_ONE = re.compile(r"""\b(?:install|setup)_requires\s*=\s*(?:"([^"\n]{1,300})"|'([^'\n]{1,300})')""")
_QUOTED = re.compile(r"""(?:"([^"\n]{1,300})"|'([^'\n]{1,300})')""")
_OF_CONFIG = re.compile(r"^(?:install|setup)_requires[ \t]*[=:](.*(?:\n[ \t]+.*){0,500})", re.M)


def listed(script: str) -> list[str]:
    """Of a setup.py: ``install_requires`` and ``setup_requires``, as a list of texts or as one."""
    found = [one or other for text in _LIST.findall(script) for one, other in _QUOTED.findall(text)]
    return [*found, *(one or other for one, other in _ONE.findall(script))]


def of_config(text: str) -> list[str]:
    """The same of a setup.cfg."""
    return [line for value in _OF_CONFIG.findall(text) for line in plain_lines(value)]


def plain_lines(text: str) -> list[str]:
    """Lines without comments."""
    lines = (re.sub(r"(^|\s)#.*$", "", line).strip() for line in text.splitlines())
    return [line for line in lines if line]
