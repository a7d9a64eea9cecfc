"""Public sandbox-detection tricks, tried in a box: what is hidden, and (said plainly) what still tells.

The tricks are those of al-khaser, Pafish, amicontained, deepce, systemd-detect-virt
and of packages in documented incidents. The table in docs/sandbox.md is held against this one.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from package_hunter.sandbox import RuncSandbox
from tests.support.sandbox_box import run

DOCS = Path(__file__).resolve().parents[3] / "docs/sandbox.md"

# trick -> (shell test that succeeds where the trick sees through, whether it does)
TRICKS: dict[str, tuple[str, bool | None]] = {
    "/.dockerenv, /run/.containerenv": ("test -e /.dockerenv -o -e /run/.containerenv", False),
    "container variables in the environment": (
        "env | grep -qiE '^(container|docker|kubernetes_|podman|sandbox|package_hunter)'",
        False,
    ),
    "a runtime's name in /proc/*/cgroup": (
        "cat /proc/1/cgroup /proc/self/cgroup | grep -qE 'docker|lxc|kube|runc|hunter'",
        False,
    ),
    "pid 1 is neither init nor systemd": ("! grep -qE '^(systemd|init)$' /proc/1/comm", False),
    "telling paths in the mount table": (
        "grep -qiE 'docker|hunter|containers|/run/|/var/lib' /proc/self/mountinfo",
        False,
    ),
    "hypervisor flag in /proc/cpuinfo": ("grep -q hypervisor /proc/cpuinfo", False),
    "virtual hardware in DMI": (
        "cat /sys/class/dmi/id/* 2>/dev/null | grep -qiE 'kvm|qemu|vmware|virtual|xen'",
        False,
    ),
    "virtio devices in /sys": (
        "find /sys/devices /sys/bus -iname '*virtio*' 2>/dev/null | grep -q .",
        False,
    ),
    "virtual disks": ("ls /dev/vd* /dev/xvd* 2>/dev/null || grep -qE ' (vd|xvd)' /proc/partitions", False),
    "virtual machine's network card (MAC prefix)": (
        "cat /sys/class/net/*/address | grep -qiE '^(02:42|08:00:27|00:0c:29|00:50:56|52:54:00|00:16:3e)'",
        False,
    ),
    "interface named eth0": ("test -e /sys/class/net/eth0", False),
    "started less than 12 minutes ago": ("test $(cut -d. -f1 /proc/uptime) -lt 720", False),
    "host name is a container's id or a sandbox's": (
        "hostname | grep -qiE '^[0-9a-f]{12}$|sandbox|malware|analysis'",
        False,
    ),
    "user is root, or named for a sandbox": (
        "test $(id -u) = 0 || id -un | grep -qiE 'sandbox|malware|test|user|vagrant'",
        False,
    ),
    "a tracer (TracerPid, LD_PRELOAD)": (
        "grep -qE '^TracerPid:[[:space:]]+[1-9]' /proc/self/status || test -n \"$LD_PRELOAD\""
        " -o -e /etc/ld.so.preload",
        False,
    ),
    "monitoring programs among the processes": (
        "ps -e | grep -qiE 'falco|sysdig|strace|tcpdump|wireshark|frida'",
        False,
    ),
    "no developer's tools": (
        "! which git gcc make python3 curl wget openssl xxd vim node npm >/dev/null",
        False,
    ),
    "all files of the home have one date": (
        "test $(find ~ -maxdepth 1 -printf '%TY-%Tm-%Td\\n' | sort -u | wc -l) -lt 5",
        False,
    ),
    "time runs faster (sleep skipped)": (
        "a=$(date +%s%N); sleep 0.3; b=$(date +%s%N); test $((b-a)) -lt 250000000",
        False,
    ),
    "no time zone or locale set": ("! test -e /etc/localtime || locale 2>&1 | grep -qi cannot", False),
    "kernel's addresses and log readable": ("dmesg >/dev/null 2>&1 || test -s /proc/kallsyms", False),
    "sudo says that privileges cannot be gained": ("sudo -n true 2>&1 | grep -q privileges", False),
    "overlay as root file system": ("grep -q ' / overlay' /proc/mounts", True),
    "identity map of the user namespace": ("! grep -qE '^ +0 +0 +4294967295' /proc/self/uid_map", True),
    "no_new_privs and seccomp in /proc/self/status": (
        "grep -qE '^(NoNewPrivs:.1|Seccomp:.2)' /proc/self/status",
        True,
    ),
    "empty capability bounding set": ("grep -q '^CapBnd:.0000000000000000' /proc/self/status", True),
    "fewer than 20 processes": ("test $(ls -d /proc/[0-9]* | wc -l) -lt 20", True),
    "small process ids": ("test $$ -lt 300", False),
    "the container engine's socket without the engine among the processes": (
        "test -S /var/run/docker.sock && ! pgrep -x dockerd",
        True,
    ),
    "no swap": ("! grep -q partition /proc/swaps && ! grep -q file /proc/swaps", True),
    "no screen (DISPLAY, WAYLAND_DISPLAY)": ('test -z "$DISPLAY$WAYLAND_DISPLAY"', True),
    "user without groups, or not in the container engine's": ("! id -nG | grep -qw docker", False),
    "no crontab can be set": ("! (echo '0 5 * * 1 true' | crontab -)", False),
    "service manager does not answer": (
        "! systemctl --user daemon-reload || ! systemctl is-system-running",
        False,
    ),
    "fewer than two processors, or less than 2 GB of memory": (
        "test $(nproc) -lt 2 -o $(awk '/MemTotal/ {print $2}' /proc/meminfo) -lt 2000000",
        None,
    ),
    "one language only": ("! locale -a | grep -q ru_RU", False),
    "disk smaller than 60 GB": ("test $(df -k --output=size / | tail -1) -lt 60000000", True),
    "empty /proc/cmdline": ("! test -s /proc/cmdline", True),
    "owners that no account has (nobody) in /dev, /proc, /sys": ("stat -c %U /sys | grep -q nobody", True),
    "shifted clocks in /proc/self/timens_offsets": (
        "grep -qE 'boottime +[1-9]' /proc/self/timens_offsets",
        True,
    ),
    "interface is half of a veth pair": ("ip link | grep -q '@if'", True),
    "no disk, screen or battery in /sys": (
        "! ls /sys/block/* /sys/class/power_supply/* >/dev/null 2>&1",
        True,
    ),
    "not booted with systemd": ("! test -d /run/systemd/system -a -S /run/systemd/private", False),
    "kernel's release names a cloud or a virtual machine monitor": (
        "uname -r | grep -qE 'fc|aws|azure|gcp|cloud|microsoft'",
        None,
    ),
    "classes of virtual devices in /sys/class": ("ls /sys/class | grep -q virtio", None),
    "CPUID names a hypervisor": ("systemd-detect-virt --vm --quiet", None),
}


@pytest.mark.parametrize("trick", TRICKS)
def test_trick(box: RuncSandbox, trick: str) -> None:
    script, tells = TRICKS[trick]
    done = run(box, "bash", "-c", f"{{ {script}; }} >/dev/null 2>&1")
    assert done.exit_code is not None and done.exit_code in (0, 1, 2), done
    if tells is not None:  # None: it is the host's, which we cannot change
        assert (done.exit_code == 0) == tells, done


def test_docs_say_the_same() -> None:
    rows = dict(
        re.findall(r"^\| (.+?) \| (hidden|tells|as the host) \|", DOCS.read_text(encoding="utf-8"), re.M)
    )
    words = {False: "hidden", True: "tells", None: "as the host"}
    assert rows == {trick: words[tells] for trick, (_, tells) in TRICKS.items()}
