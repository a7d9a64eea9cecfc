"""One row: a stock client that logs in and delivers a secret."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """``script`` is run by bash in the box's network in a fresh folder; in it stand ``{secret}`` (one of a canary's),
    ``{python}`` and ``{ca}`` (the file of the scan's authority). It must end with 0. ``kind`` is the connection's."""

    protocol: str
    client: str
    tls: bool
    kind: str
    script: str
    needs: str = "python3"  # a program that must be there
