"""The container engine's API on its socket: an engine with nothing running that does whatever it is told.

Paths and forms: the Docker Engine API's documentation (version 1.43).
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_VERSION = re.compile(r"/v1\.\d{1,2}(?=/)")
_CREATE = "/containers/create"
_EXEC = re.compile(r"/containers/[^/]+/exec")
_DONE = re.compile(r"/containers/[^/]+/(start|stop|kill|restart|pause|unpause|rename|resize|update)")
_HOST_MODES = ("PidMode", "IpcMode", "NetworkMode", "UTSMode", "UsernsMode", "CgroupnsMode")
_TELLING_MOUNTS = re.compile(r"/|/(etc|root|home|var|proc|sys|dev|boot|usr|run)(/.*)?|.*\.sock")
_STRONG = frozenset(("ALL", "SYS_ADMIN", "SYS_PTRACE", "SYS_MODULE", "DAC_READ_SEARCH", "SYS_RAWIO", "BPF"))
_READS = {
    "/version": '{"Version":"24.0.7","ApiVersion":"1.43","MinAPIVersion":"1.12","Os":"linux","Arch":"amd64",'
    '"KernelVersion":"6.1.0-28-amd64","GoVersion":"go1.20.10","GitCommit":"311b9ff"}',
    "/info": '{"Containers":0,"ContainersRunning":0,"Images":2,"Driver":"overlay2","OperatingSystem":"Debian '
    'GNU/Linux 12 (bookworm)","OSType":"linux","Architecture":"x86_64","NCPU":8,"Name":"devbox",'
    '"ServerVersion":"24.0.7","SecurityOptions":["name=apparmor","name=seccomp,profile=builtin","name=cgroupns"]}',
    "/images/json": '[{"Id":"sha256:2d4c1f1ac6ed22d5a9f4d09d5ab0d0b5a4b2a3d8c1f0e6ab9c6b6f5d8a6c2b31",'
    '"RepoTags":["node:20"],"Created":1763000000,"Size":1097642331}]',
    "/networks": '[{"Name":"bridge","Id":"8d5c6b2f1e0a","Driver":"bridge","Scope":"local"}]',
    "/volumes": '{"Volumes":[],"Warnings":null}',
}


class ContainerEngine:
    """Answers on /var/run/docker.sock. Rights over the host that are asked for are marked."""

    def __init__(self, world: DecoyContext) -> None:
        self._world = world

    def matches(self, ask: Ask) -> bool:
        return bool(ask.peer.local)

    def answer(self, ask: Ask) -> Answer:
        path = _VERSION.sub("", ask.raw_path, count=1)
        answer = self._answer(ask, path)
        answer.headers += (("Api-Version", "1.43"), ("Ostype", "linux"), ("Server", "Docker/24.0.7 (linux)"))
        return answer

    def _answer(self, ask: Ask, path: str) -> Answer:
        if path == "/_ping":
            return Answer(200, b"OK", type="text/plain; charset=utf-8")
        if ask.method in ("GET", "HEAD"):
            return self._read(path)
        if path == _CREATE or _EXEC.fullmatch(path):
            self._judge(ask, _object(ask.body))
            return json_answer(f'{{"Id":"{secrets.token_hex(32)}","Warnings":[]}}', 201)
        if path.endswith("/wait"):
            return json_answer('{"StatusCode":0}')
        if _DONE.fullmatch(path) or ask.method == "DELETE":
            return Answer(204)
        if path in ("/images/create", "/build", "/images/load"):
            return json_answer('{"status":"Status: Image is up to date"}\r\n')
        return Answer(200, b"", type="application/vnd.docker.raw-stream")

    def _read(self, path: str) -> Answer:
        if path in _READS:
            return json_answer(_READS[path])
        if path == "/containers/json":
            return json_answer("[]")
        if path.endswith("/logs"):
            return Answer(200, b"", type="application/vnd.docker.raw-stream")
        if path.startswith("/containers/") and path.endswith("/json"):
            name = path.split("/")[2][:64]
            state = {"Id": name, "State": {"Status": "exited", "ExitCode": 0}, "Config": {"Image": "alpine"}}
            return json_answer(json.dumps(state))
        return json_answer('{"message":"page not found"}', 404)

    def _judge(self, ask: Ask, wanted: Mapping[str, Any]) -> None:
        rights = rights_over_host(wanted)
        if not rights:
            return
        image, command = str(wanted.get("Image") or "")[:200], str(wanted.get("Cmd") or "")[:500]
        self._world.mark(
            "container_escape",
            ask.peer,
            f"asked the container engine for a container with rights over the host ({', '.join(rights)[:500]})",
            image=image,
            command=command,
            rights=rights,
            request=f"{ask.method} {ask.raw_path}"[:500],
        )


def rights_over_host(wanted: Mapping[str, Any]) -> list[str]:
    """What of the host a container (or a command in one) would get, in words; at most 20."""
    host = wanted.get("HostConfig")
    host = host if isinstance(host, dict) else {}
    found = ["privileged"] if wanted.get("Privileged") or host.get("Privileged") else []
    found += [f"{key} of the host" for key in _HOST_MODES if host.get(key) == "host"]
    found += [f"{place} of the host" for place in _mounted(host) if _TELLING_MOUNTS.fullmatch(place)]
    for name in _texts(host.get("CapAdd")):
        if name.upper().removeprefix("CAP_") in _STRONG:
            found.append(f"capability {name[:30]}")
    found += [f"device {_text(item, 'PathOnHost')}" for item in _dicts(host.get("Devices"))]
    found += [f"without {name[:40]}" for name in _texts(host.get("SecurityOpt")) if "unconfined" in name]
    return list(dict.fromkeys(found))[:20]


def _mounted(host: Mapping[str, Any]) -> list[str]:
    places = [bind.partition(":")[0] for bind in _texts(host.get("Binds"))]
    for item in _dicts(host.get("Mounts")):
        folded = {str(key).lower(): value for key, value in item.items()}
        if folded.get("type") == "bind":
            places.append(str(folded.get("source") or folded.get("src") or ""))
    return [place[:200] for place in places]


def _texts(value: Any) -> list[str]:
    return [item for item in value[:100] if isinstance(item, str)] if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value[:100] if isinstance(item, dict)] if isinstance(value, list) else []


def _text(item: Mapping[str, Any], key: str) -> str:
    return str(item.get(key) or "")[:100]


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
