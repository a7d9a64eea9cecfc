"""What a page says after something was done. An address names one of these: a link can put no words into our mouth."""

from __future__ import annotations

DONE: dict[str, str] = {
    "signed-out": "You are signed out.",
    "scan-cancelled": "The scan is cancelled; one that runs ends within a second.",
    "scan-again": "The same is scanned once more: this is the new scan.",
    "scan-rerun": "It waits again.",
    "scan-rejudge": "Its recording will be judged by the rules of now.",
    "scan-deleted": "The scan is deleted. The history says that it was there.",
    "bundle-asked": "The bundle is being made.",
    "hold-set": "The scan is held: nobody can delete it.",
    "hold-lifted": "The hold is lifted.",
}
