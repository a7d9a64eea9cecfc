"""Documents as they are stored and hashed: canonical JSON (RFC 8785), so that the same content has the same hash."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from package_hunter.errors import UsageError
from package_hunter.model import jcs

MAX_BYTES = 1 << 20
NOTHING = hashlib.sha256(b"null").hexdigest()
"""The hash of what is not there."""


def canonical(document: Any) -> str:
    """The document's one form; UsageError where it has none (a number that JSON cannot hold, a lone surrogate)."""
    try:
        text = jcs.dumps(document).decode()
    except (jcs.CanonicalizationError, UnicodeError, RecursionError) as error:
        raise UsageError(f"The document cannot be written as JSON: {error}.", "Correct it.") from error
    if len(text) > MAX_BYTES:
        raise UsageError(f"The document is larger than {MAX_BYTES} bytes.", "Split or shorten it.")
    return text


def content_hash(text: str) -> str:
    """SHA-256 (hex) of a document in its one form."""
    return hashlib.sha256(text.encode()).hexdigest()


def parsed(text: str) -> Any:
    """A stored document's value."""
    return json.loads(text)
