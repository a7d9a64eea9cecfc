"""The submitter: sends archives over HTTP, and holds what the server promised to each."""

from __future__ import annotations

import threading
import time
import uuid
from dataclasses import dataclass, field

import httpx

_PATIENCE = 1.0  # seconds between two tries
_HEADERS = {"Content-Type": "application/octet-stream"}


@dataclass
class Client:
    """``accepted``: ids that the server answered with, in their order; ``refused``: answers that were none, by status
    (0: no answer). Threads may share it."""

    url: str
    token: str
    accepted: list[uuid.UUID] = field(default_factory=list)
    refused: dict[int, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def submit(self, content: bytes, until: float) -> uuid.UUID | None:
        """Send it until the server takes it, or until this moment of `time.monotonic`; the id it answered with. A try
        without an answer may have been taken all the same: such a scan is nobody's, and must end like any other."""
        key = {"Idempotency-Key": str(uuid.uuid4())}
        while time.monotonic() < until:
            status, wait = 0, _PATIENCE
            try:
                answer = httpx.post(
                    f"{self.url}/api/v1/scans",
                    params={"ecosystem": "npm", "name": "small"},
                    content=content,
                    headers={**_HEADERS, **key, "Authorization": f"Bearer {self.token}"},
                    timeout=60,
                    trust_env=False,
                )
                status = answer.status_code
                if status == 202:
                    return self._note(uuid.UUID(answer.json()["id"]))
                wait = min(float(answer.headers.get("retry-after", wait)), 3.0)
            except httpx.TransportError:
                pass
            with self._lock:
                self.refused[status] = self.refused.get(status, 0) + 1
            if 400 <= status < 500 and status not in (408, 409, 429):
                raise RuntimeError(f"the server refused for good: {status} {answer.text[:300]}")
            time.sleep(wait)
        return None

    def _note(self, scan_id: uuid.UUID) -> uuid.UUID:
        with self._lock:
            self.accepted.append(scan_id)
        return scan_id

    def told(self) -> str:
        """Refusals as words."""
        names = {0: "no answer"}
        return ", ".join(f"{n}x {names.get(code, code)}" for code, n in sorted(self.refused.items()))
