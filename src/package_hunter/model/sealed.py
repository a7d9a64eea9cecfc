"""The form of files in which programs keep secrets under lock, as fakes have it: JSON, packed, in base64, inside of
what such a file has around it. Who only searches files for words finds nothing; who sends the file is found out,
since the search unpacks it; the programs of the box that own such files (``sandbox/image/keepers``) open it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from typing import Any

_BLOCK = re.compile(rb"[A-Za-z0-9+/\n]{24,}={0,2}")


def seal(data: Any, around: str) -> bytes:
    """A file with ``data`` (of JSON) in it; ``around`` is the rest of its text, ``%s`` the place of the data."""
    text = base64.b64encode(zlib.compress(json.dumps(data).encode(), 9)).decode()
    return (around % text).encode()


def unseal(content: bytes) -> Any:
    """What ``seal`` put in. Raises ValueError where there is nothing such."""
    block = max(_BLOCK.findall(content), key=len, default=b"")
    try:
        return json.loads(zlib.decompress(base64.b64decode(block)))
    except (binascii.Error, zlib.error) as error:
        raise ValueError("no sealed data") from error
