"""What a page says after something was done. An address names one of these: a link can put no words into our mouth."""

from __future__ import annotations

DONE: dict[str, str] = {
    "view-kept": "The list is kept: it stands beside the others.",
    "view-forgotten": "The list is kept no longer.",
    "findings-set": "Done, as it was previewed.",
    "findings-claimed": "You are on them.",
    "finding-set": "The state is set.",
    "finding-claimed": "You are on it.",
    "finding-released": "You let go of it.",
    "finding-noted": "The note is written.",
    "signed-out": "You are signed out.",
}
