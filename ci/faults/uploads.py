"""Many uploads at once, and a large one that is cut."""

from __future__ import annotations

import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from ci.faults import targets
from ci.faults.deployment import Deployment, Shape, wait_for
from ci.faults.row import Row
from ci.faults.scenario import Feeder, Stage, finish

_SIZE = 256 << 10  # of an archive, where many come at once
_EVERY_GOOD = 5
_LARGE = 2 << 30
_CHUNK = 4 << 20
_STALL_SECONDS = 5.0
_NEXT_SECONDS = 12.0
_CUTS = ("reset", "closed", "silent", "server killed")


def at_once(stage: Stage) -> Row:
    """So many clients begin at the same moment; each goes on until the server takes its archive. Most send no archive:
    it is the uploads that this row is about."""
    with stage.deployed() as made:
        before = made.look()
        together = threading.Barrier(stage.count)

        def one(number: int) -> None:
            good = number % _EVERY_GOOD == 0
            content = targets.small(number, _SIZE) if good else targets.broken(number) * (_SIZE // 12)
            together.wait()
            scan_id = made.client.submit(content, stage.deadline)
            if scan_id is not None and not good:
                stage.broken.add(scan_id)

        with ThreadPoolExecutor(stage.count) as pool:
            list(pool.map(one, range(stage.count)))
        return finish(stage, made, before, stage.count)


def cut_large(stage: Stage) -> Row:
    """Uploads of 2 GB that are cut in the middle, in each of some ways, while small scans go on."""
    settings = {"MAX_ARCHIVE_BYTES": str(3 << 30), "UPLOAD_STALL_SECONDS": str(_STALL_SECONDS)}
    with stage.deployed(Shape(settings)) as made:
        before = made.look()
        feeder = Feeder(stage, made)
        feeder.start()
        cuts = _CUTS if stage.count >= 20 else _CUTS[::3]
        sent = [_cut(stage, made, how) for how in cuts]
        feeder.join()
        time.sleep(_NEXT_SECONDS)
        made.client.submit(
            targets.small(stage.count), stage.deadline
        )  # what a killed server left goes with the next
        gone = wait_for(lambda: not list(made.data.glob("artefacts/incoming/part-*")), 60)
        if not gone:
            stage.notes.append("parts of cut uploads were still there a minute later")
        cut = (f"{size >> 20} MiB ({how})" for size, how in zip(sent, cuts, strict=True))
        stage.notes.append(f"cut after {', '.join(cut)}")
        return finish(stage, made, before, len(cuts))


def _cut(stage: Stage, made: Deployment, how: str) -> int:
    """One upload, cut; how many bytes had been sent."""
    aim = stage.random.randint(_LARGE // 20, _LARGE // 2)
    wait_for(made.answers, 60)
    with socket.create_connection(("127.0.0.1", made.port), timeout=60) as line:
        head = (
            "POST /api/v1/scans?ecosystem=npm HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {made.client.token}\r\n"
            f"Content-Type: application/octet-stream\r\nContent-Length: {_LARGE}\r\n\r\n"
        )
        line.sendall(head.encode())
        sent = _send(line, aim)
        if how == "server killed":
            made.mark.kill(made.api_pid())
        elif how == "silent":
            line.settimeout(_STALL_SECONDS + 60)
            answer = line.recv(4096)  # 408, or the end
            said = answer.partition(b"\r\n")[0].decode()
            stage.notes.append(f"the silent client was told {said or 'nothing'}")
        elif how == "reset":
            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return sent


def _send(line: socket.socket, aim: int) -> int:
    block, sent = bytes(_CHUNK), 0
    while sent < aim:
        line.sendall(block)
        sent += len(block)
    return sent
