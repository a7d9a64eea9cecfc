"""The cache under several gateways at once: real processes that write, read, damage and trim the same files."""

from __future__ import annotations

import hashlib
import multiprocessing
import random
import time
from pathlib import Path

from package_hunter.decoy.registry.cache import Metadata, RegistryCache

_BLOBS = [bytes([n]) * (20_000 + n) for n in range(12)]
_UPSTREAM = "http://registry.example/"


def _work(root: str, seed: int, wrong: multiprocessing.sharedctypes.Synchronized[int]) -> None:  # type: ignore[name-defined]
    cache, choose = RegistryCache(Path(root), 150_000), random.Random(seed)
    for turn in range(150):
        blob = choose.choice(_BLOBS)
        digest = hashlib.sha256(blob).hexdigest()
        held = cache.artefact(_UPSTREAM, "sha256", digest)
        if held is None:
            pending = cache.begin_artefact(_UPSTREAM, "sha256", digest)
            assert pending is not None
            pending.write(blob[:10_000])
            pending.write(blob[10_000:] if turn % 7 else b"cut")
            pending.commit()
        elif held != blob:
            wrong.value += 1
        body = b"%d " % seed * 500
        cache.store_metadata(_UPSTREAM, "a", "short", Metadata(200, (), body, None, time.time()))
        entry = cache.metadata(_UPSTREAM, "a", "short")
        if entry is not None and len(set(entry.body.split())) != 1:  # two writers' bytes in one answer
            wrong.value += 1
        if turn % 10 == 0:
            cache.trim()


def test_many_processes_never_see_half_or_wrong_bytes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    wrong = context.Value("i", 0)
    workers = [context.Process(target=_work, args=(str(tmp_path), seed, wrong)) for seed in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0, 0, 0, 0]
    assert wrong.value == 0
    assert not list(tmp_path.rglob(".*"))  # nothing half-written is left
    cache = RegistryCache(tmp_path, 150_000)
    cache._grown = True
    cache.trim()
    assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 150_000
