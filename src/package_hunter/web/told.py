"""What a page says after something was done. An address names one of these: a link can put no words into our mouth."""

from __future__ import annotations

DONE: dict[str, str] = {
    "signed-out": "You are signed out.",
    "proposal-made": "It is proposed. Somebody else approves it.",
    "proposal-applied-alone": "It holds: nobody else could have approved it. It stands as unreviewed.",
    "proposal-edited": "It is edited; approvals that were given are dropped.",
    "proposal-approved": "You have approved it.",
    "proposal-applied": "You have approved it, and it holds now.",
    "proposal-stale": "What it would change was changed meanwhile: nothing of it holds.",
    "proposal-rejected": "You have rejected it.",
    "proposal-withdrawn": "You have withdrawn it.",
    "proposal-reviewed": "You have looked at it; it is no more on the list of what was applied unseen.",
    "glass-broken": "It holds now. Everybody concerned is told; somebody else has to review it.",
}
