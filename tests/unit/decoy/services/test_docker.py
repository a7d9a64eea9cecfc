"""The container engine's decoy: which wishes are rights over the host."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from package_hunter.decoy.services.docker import rights_over_host

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
_KEYS = st.sampled_from(
    ["Privileged", "Binds", "Mounts", "PidMode", "CapAdd", "Devices", "SecurityOpt", "NetworkMode"]
)


@pytest.mark.parametrize(
    ("host", "rights"),
    [
        ({"Privileged": True}, ["privileged"]),
        ({"Binds": ["/:/host"]}, ["/ of the host"]),
        ({"Mounts": [{"Type": "bind", "Source": "/etc", "Target": "/x"}]}, ["/etc of the host"]),
        ({"Binds": ["/run/docker.sock:/s"]}, ["/run/docker.sock of the host"]),
        ({"PidMode": "host"}, ["PidMode of the host"]),
        ({"CapAdd": ["CAP_SYS_ADMIN", "NET_RAW"]}, ["capability CAP_SYS_ADMIN"]),
        ({"SecurityOpt": ["seccomp=unconfined"]}, ["without seccomp=unconfined"]),
        ({"Binds": ["data:/data", "/srv/app:/app"], "NetworkMode": "bridge"}, []),
    ],
)  # fmt: skip
def test_rights(host: dict[str, Any], rights: list[str]) -> None:
    assert rights_over_host({"Image": "alpine", "HostConfig": host}) == rights


def test_a_privileged_command_in_a_container_counts_too() -> None:
    assert rights_over_host({"Cmd": ["sh"], "Privileged": True}) == ["privileged"]


@given(st.dictionaries(_KEYS, JSON, max_size=8), JSON)
def test_no_wish_breaks_it(host: dict[str, Any], other: Any) -> None:
    found = rights_over_host({"HostConfig": host, "Privileged": other})
    assert len(found) <= 20 and all(isinstance(item, str) for item in found)
    rights_over_host({"HostConfig": other})
