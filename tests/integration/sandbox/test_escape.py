"""What the code in a box tries, and must not achieve."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import threading
import time
from pathlib import Path

import pytest

from package_hunter.model.box import GATEWAY_V4, HOST_ID_BASE, TCP_PORT, UID
from package_hunter.sandbox import RuncSandbox, cgroups, kernel
from tests.support.sandbox_box import MakeBox, python, run, runs

_PRELUDE = """
import ctypes, os, socket, errno, sys, mmap
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *arguments):
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result = libc.syscall(ctypes.c_long(number), *arguments)
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result
def machine_code(code):
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(code)
    function = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
    return function()
"""

# name -> what is tried (x86_64 call numbers), and the errnos with which it may fail
_ATTEMPTS: dict[str, tuple[str, set[str]]] = {
    "mount tmpfs": ("call(165, b'none', b'/mnt', b'tmpfs', 0, None)", {"EPERM"}),
    "mount by the new interface": ("call(430, b'tmpfs', 0)", {"EPERM"}),
    "clone a mount": ("call(428, -100, b'/', 1)", {"EPERM"}),
    "unmount": ("call(166, b'/proc/cmdline', 2)", {"EPERM"}),
    "remount writable": ("call(165, b'none', b'/proc/sys', b'', 4096 | 32, None)", {"EPERM"}),
    "pivot_root": ("call(155, b'/tmp', b'/tmp')", {"EPERM"}),
    "chroot": ("call(161, b'/tmp')", {"EPERM"}),
    "load BPF": ("call(321, 5, b'x' * 128, 128)", {"EPERM"}),
    "make a BPF map": ("call(321, 0, b'x' * 128, 128)", {"EPERM"}),
    "io_uring": ("call(425, 8, b'x' * 120)", {"EPERM"}),
    "vsock": ("socket.socket(40, socket.SOCK_STREAM)", {"EAFNOSUPPORT"}),
    "packet socket": ("socket.socket(17, socket.SOCK_RAW)", {"EAFNOSUPPORT"}),
    "crypto socket": ("socket.socket(38, socket.SOCK_SEQPACKET)", {"EAFNOSUPPORT"}),
    "bluetooth socket": ("socket.socket(31, socket.SOCK_RAW)", {"EAFNOSUPPORT"}),
    "audit netlink": ("socket.socket(16, socket.SOCK_RAW, 9)", {"EAFNOSUPPORT", "ENOSYS"}),
    "netfilter netlink": ("socket.socket(16, socket.SOCK_RAW, 12)", {"EAFNOSUPPORT", "ENOSYS"}),
    "socket family above 32 bits": ("call(41, (1 << 32) | 40, 1, 0)", {"EAFNOSUPPORT"}),
    "SCTP socket": ("socket.socket(2, socket.SOCK_STREAM, 132)", {"EPROTONOSUPPORT"}),
    "MPTCP socket": ("socket.socket(10, socket.SOCK_STREAM, 262)", {"EPROTONOSUPPORT"}),
    "DCCP socket": ("socket.socket(2, 6, 0)", {"ENOSYS"}),
    "host's crash handler": ("call(302, 0, 4, b'\\0' * 16, None)", {"EPERM"}),
    "host's crash handler, older call": ("call(160, 4, b'\\0' * 16)", {"EPERM"}),
    "host's crash handler, upper bits": (
        "call(302, 0, (1 << 32) | 4, b'\\0' * 16, None)",
        {"EPERM", "ENOSYS"},
    ),
    "raw IP socket": ("socket.socket(2, socket.SOCK_RAW, 1)", {"EPERM"}),
    "new user namespace": ("call(272, 0x10000000)", {"EPERM"}),
    "new time namespace": ("call(272, 0x80)", {"EPERM"}),
    "clone into a user namespace": ("call(56, 0x10000000 | 17, 0, 0, 0, 0)", {"EPERM"}),
    "clone3": ("call(435, b'\\0' * 88, 88)", {"ENOSYS"}),
    "setns": ("call(308, os.open('/proc/self/ns/net', 0), 0)", {"EPERM"}),
    "unknown call": ("call(9999)", {"ENOSYS"}),
    "ptrace pid 1": ("call(101, 16, 1, 0, 0)", {"EPERM"}),
    "ptrace parent": ("call(101, 16, os.getppid(), 0, 0)", {"EPERM"}),
    "read pid 1's memory": ("open('/proc/1/mem', 'rb')", {"EACCES", "EPERM"}),
    "see pid 1's descriptors": ("os.listdir('/proc/1/fd')", {"EACCES", "EPERM"}),
    "see pid 1's program": ("os.readlink('/proc/1/exe')", {"EACCES", "EPERM"}),
    "take pid 1's root": ("os.listdir('/proc/1/root')", {"EACCES", "EPERM"}),
    "steal a descriptor of pid 1": ("call(438, call(434, 1, 0), 0, 0)", {"EPERM"}),
    "process_vm_writev": ("call(311, 1, None, 0, None, 0, 0)", {"EPERM"}),
    "signal pid 1": ("os.kill(1, 9)", {"EPERM"}),
    "limit pid 1": ("call(302, 1, 7, b'\\0' * 16, None)", {"EPERM"}),
    "block device": ("os.mknod('/tmp/sda', 0o060666, os.makedev(8, 0))", {"EPERM"}),
    "character device": ("os.mknod('/tmp/mem', 0o020666, os.makedev(1, 1))", {"EPERM"}),
    "become root": ("os.setresuid(0, 0, 0)", {"EPERM"}),
    "become another user": ("os.setuid(101)", {"EPERM"}),
    "join groups": ("os.setgroups([0])", {"EPERM"}),
    "open by handle": ("call(304, -100, b'x' * 32, 0)", {"EPERM"}),
    "userfaultfd": ("call(323, 0)", {"EPERM"}),
    "perf events": ("call(298, b'\\0' * 128, 0, -1, -1, 0)", {"EPERM"}),
    "session keyring": ("call(250, 1, 0)", {"EPERM"}),
    "kernel module": ("call(313, 0, b'', 0)", {"EPERM"}),
    "kexec": ("call(246, 0, 0, None, 0)", {"EPERM"}),
    "reboot": ("call(169, 0xfee1dead, 672274793, 0x1234567, None)", {"EPERM"}),
    "kernel log": ("call(103, 3, b'x' * 100, 100)", {"EPERM"}),
    "host name": ("call(170, b'x', 1)", {"EPERM"}),
    "clock": ("call(227, 0, b'\\0' * 16)", {"EPERM"}),
    "seccomp listener": ("call(317, 1, 8, b'\\0' * 16)", {"EPERM", "ENOSYS"}),
    "host's disk": ("open('/dev/vda', 'rb')", {"ENOENT"}),
    "physical memory": ("open('/dev/mem', 'rb')", {"ENOENT"}),
    "kernel core": (
        "print(open('/proc/kcore', 'rb').read(1) or 1/0)",
        {"ENOENT", "EACCES", "ZeroDivisionError"},
    ),
    "kernel's command line": ("open('/proc/cmdline').read(1) or 1/0", {"ZeroDivisionError"}),
    "kernel setting": ("open('/proc/sys/kernel/core_pattern', 'w')", {"EROFS", "EACCES"}),
    "sysrq": (
        "open('/proc/sysrq-trigger', 'w').write('b')",
        {"ENOENT", "EACCES", "EROFS", "ZeroDivisionError"},
    ),
    "cgroup": ("os.mkdir('/sys/fs/cgroup/x')", {"ENOENT", "EROFS", "EACCES", "EPERM"}),
    "sys": ("open('/sys/class/net/lo/mtu', 'w')", {"EROFS", "EACCES"}),
    "the image": ("open('/usr/bin/python3', 'r+b')", {"EACCES"}),
    "shadow": ("open('/etc/shadow')", {"EACCES"}),
    "raise its limits": ("call(302, 0, 7, b'\\xff' * 8 + b'\\xff' * 8, None)", {"EPERM"}),
}


@pytest.mark.parametrize("name", _ATTEMPTS)
def test_is_refused(box: RuncSandbox, name: str) -> None:
    code, errnos = _ATTEMPTS[name]
    program = f"{_PRELUDE}\ntry:\n    {code}\n    print('DONE')\nexcept OSError as error:\n"
    program += (
        "    print(errno.errorcode[error.errno])\nexcept ZeroDivisionError:\n    print('ZeroDivisionError')\n"
    )
    done = python(box, program)
    assert done.output_tail.strip() in errnos, done


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("int 0x80", b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"),  # mov eax, 20; int 0x80; ret
        ("x32 getpid", b"\xb8\x27\x00\x00\x40\x0f\x05\xc3"),  # mov eax, 0x40000027; syscall; ret
    ],
)
def test_foreign_entries_kill(box: RuncSandbox, name: str, code: bytes) -> None:
    done = python(box, f"{_PRELUDE}\nprint(machine_code({code!r}), flush=True)")
    assert done.exit_code == -signal.SIGSYS and done.output_tail == "", name


def test_own_entry_works(box: RuncSandbox) -> None:
    """The same trick through the native entry: so the test above fails for the right reason."""
    done = python(
        box, f"{_PRELUDE}\nprint(machine_code({bytes.fromhex('b8270000000f05c3')!r}) == os.getpid())"
    )
    assert done.output_tail == "True\n"


def test_ordinary_limits_and_sockets_work(box: RuncSandbox) -> None:
    code = """
import resource, socket
resource.setrlimit(resource.RLIMIT_NOFILE, (512, 1024)); print(resource.getrlimit(resource.RLIMIT_NOFILE))
print(resource.getrlimit(resource.RLIMIT_CORE))
for family in (socket.AF_INET, socket.AF_INET6):
    for kind, protocol in ((1, 0), (1, 6), (2, 0), (2, 17)):
        socket.socket(family, kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC, protocol).close()
socket.socketpair()
print(len(socket.if_nameindex()))
"""
    assert python(box, code).output_tail == "(512, 1024)\n(1, 1)\n2\n"


def test_has_no_rights(box: RuncSandbox) -> None:
    text = run(box, "cat", "/proc/self/status").output_tail
    status = dict(line.split(":", 1) for line in text.splitlines())
    assert {status[k].strip() for k in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"].strip() == "1"
    assert status["Seccomp"].strip() == "2"
    assert status["Uid"].split() == ["1000"] * 4


def test_host_sees_an_unprivileged_user(box: RuncSandbox) -> None:
    seen: list[str] = []

    def look(_: bytes) -> None:
        seen.extend(
            Path(f"/proc/{pid}/status").read_text().split("Uid:")[1].split()[0] for pid, _ in box.alive()
        )

    from package_hunter.model.scan import Command

    box.run(Command(("sh", "-c", "echo; sleep 0.3"), "/"), "test", on_output=look)
    assert set(seen) == {str(HOST_ID_BASE + UID)}


def test_sees_no_process_of_the_host(box: RuncSandbox) -> None:
    seen = run(box, "sh", "-c", "ls -d /proc/[0-9]* | wc -l; ps -e -o args").output_tail
    count, _, listing = seen.partition("\n")
    assert int(count) <= 5
    assert "pytest" not in listing and "runc" not in listing


def test_sees_no_file_of_the_host(box: RuncSandbox, tmp_path: Path) -> None:
    secret = tmp_path / "host-secret"
    secret.write_text("x")
    places = [str(secret), "/run/package-hunter", "/var/lib/package-hunter", str(Path(__file__).resolve())]
    for place in places:
        done = run(box, "ls", "-d", place, f"/proc/1/root{place}", f"/proc/self/root/../..{place}")
        assert done.exit_code == 2, done
    mounted = run(box, "cat", "/proc/self/mountinfo").output_tail
    for telling in ("/run/", "/var/lib", "package-hunter", str(tmp_path)):
        assert telling not in mounted


def test_no_descriptor_of_the_host_leaks(box: RuncSandbox) -> None:
    listing = run(box, "bash", "-c", "for f in /proc/self/fd/*; do readlink $f; done").output_tail
    assert [x.partition(":")[0] for x in listing.split()] == ["/dev/null", "pipe", "pipe"], listing


def test_cannot_reach_the_host(box: RuncSandbox) -> None:
    """Listeners on every address of the host and an abstract socket hear nothing; the gateway hears all."""
    heard: list[str] = []
    listener = socket.create_server(("0.0.0.0", 0))
    port = listener.getsockname()[1]
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0package-hunter-test-{port}")
    abstract.listen()
    gateway = _gateway_listener(box)
    for sock in (listener, abstract, gateway):
        threading.Thread(target=_accept, args=(sock, heard, gateway), daemon=True).start()
    addresses = ["127.0.0.1", *_host_addresses(), "198.51.100.7", GATEWAY_V4]
    code = f"""
import socket
for address in {addresses!r}:
    try:
        socket.create_connection((address, {port}), timeout=2).close()
    except OSError as error:
        print(address, error)
try:
    s = socket.socket(socket.AF_UNIX); s.connect("\\0package-hunter-test-{port}"); print("REACHED")
except OSError as error:
    print("abstract", error.errno)
"""
    done = python(box, code)
    time.sleep(0.2)
    for sock in (listener, abstract, gateway):
        sock.close()
    outside = [a for a in addresses if not a.startswith("127.")]
    assert heard == [f"gateway {a}:{port}" for a in outside], done
    assert "REACHED" not in done.output_tail


def test_no_packet_on_the_hosts_interfaces(box: RuncSandbox) -> None:
    """Datagrams, connections and pings to anywhere, while every interface of the host is watched."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.ntohs(3)) as watch:  # ETH_P_ALL
        watch.setblocking(False)
        code = """
import os, socket
for address in ("198.51.100.7", "192.0.2.255", "224.0.0.251", "2001:db8::7", "ff02::1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as s:
        try:
            s.sendto(b"escape-marker", (address, 5353))
        except OSError as error:
            print(address, error)
for address in ("198.51.100.8", "2001:db8::8"):
    try:
        socket.create_connection((address, 9), timeout=0.3)
    except OSError:
        pass
os.system("ping -c 1 -W 1 198.51.100.9 >/dev/null")
"""
        python(box, code)
        python(box, code.replace("escape-marker", "escape-again"))
        time.sleep(0.2)
        seen = ["198.51.100.7", "192.0.2.255", "198.51.100.8", "198.51.100.9", "10.88.0.2"]
        needles = [b"escape-", *map(socket.inet_aton, seen), socket.inet_pton(socket.AF_INET6, "2001:db8::8")]
        while True:
            try:
                packet = watch.recv(65536)
            except BlockingIOError:
                break
            assert not any(needle in packet for needle in needles), packet


def _host_addresses() -> list[str]:
    """The address that the host would use towards the outside."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return []
        return [probe.getsockname()[0]]


def _gateway_listener(box: RuncSandbox) -> socket.socket:
    def listen() -> socket.socket:
        kernel.enter_netns(box.gateway_netns)
        sock = socket.socket()
        sock.setsockopt(socket.SOL_IP, 19, 1)  # IP_TRANSPARENT
        sock.bind(("0.0.0.0", TCP_PORT))
        sock.listen()
        return sock

    return kernel.in_thread(listen)


def _accept(sock: socket.socket, heard: list[str], gateway: socket.socket) -> None:
    while True:
        try:
            peer, _ = sock.accept()
        except OSError:
            return
        address = peer.getsockname()
        heard.append(f"gateway {address[0]}:{address[1]}" if sock is gateway else f"host {address}")
        peer.close()


def test_signals_reach_only_its_own(box: RuncSandbox) -> None:
    """kill(-1) as the box's user ends the command, and neither pid 1 nor anything outside."""
    code = "import os, signal\nif os.fork() == 0: os.setsid(); signal.pause()\nos.kill(-1, signal.SIGKILL)"
    python(box, code)
    assert box.settle(2.0) == []
    assert run(box, "true").exit_code == 0  # the box still takes commands


def test_cannot_use_the_hosts_pids(box: RuncSandbox) -> None:
    code = f"""
import os
for pid in ({os.getpid()}, {box.init_pid}):
    try:
        os.kill(pid, 0)
        print("HIT")
    except ProcessLookupError:
        print("none")
"""
    assert python(box, code).output_tail == "none\nnone\n"


def test_processes_are_limited(make_box: MakeBox) -> None:
    """A fork bomb stops at the limit, ends at the deadline, and the box goes on."""
    box = make_box()
    done = run(box, "bash", "-c", "bomb() { bomb | bomb & }; bomb; sleep 30", timeout=3)
    assert done.exit_code is None
    assert box.alive() == []
    assert any("processes" in sentence for sentence in box.limits_hit())
    assert run(box, "echo", "still here").output_tail == "still here\n"


def test_no_process_left_for_a_command(make_box: MakeBox) -> None:
    """A command that cannot start for what earlier ones left behind says so; pid 1 lives on."""
    box = make_box()
    code = """
import os, time
first = os.getpid()
while True:
    try:
        os.fork()
    except OSError:
        if os.getpid() == first:
            break
        time.sleep(0.01)
"""
    python(box, code)
    time.sleep(0.3)
    done = run(box, "true")
    assert done.exit_code == 126 and "cannot start" in done.output_tail
    box.kill_commands()
    assert run(box, "true").exit_code == 0


def test_memory_is_limited(make_box: MakeBox) -> None:
    box = make_box()
    done = python(box, "x = []\nwhile True: x.append(b'x' * (16 << 20))", timeout=30)
    assert done.exit_code == -signal.SIGKILL
    assert any("memory" in sentence for sentence in box.limits_hit())
    assert run(box, "echo", "still here").output_tail == "still here\n"


@pytest.mark.parametrize("place", ["/tmp", "/home/dev", "/dev/shm"])
def test_disk_is_limited(make_box: MakeBox, place: str) -> None:
    box = make_box()
    done = run(box, "dd", "if=/dev/zero", f"of={place}/big", "bs=1M", "count=600", timeout=30)
    assert done.exit_code == 1 and ("No space" in done.output_tail or "too large" in done.output_tail)
    code = f"import os\nfor i in range(20000):\n  os.close(os.open('{place}/' + str(i), 65))"
    done = python(box, code, timeout=30)
    assert "No space left" in done.output_tail
    if place != "/dev/shm":
        assert any("disk" in sentence for sentence in box.limits_hit())


def test_time_is_limited(box: RuncSandbox) -> None:
    """The deadline ends what ignores signals and what has left its session and its parent."""
    code = """
import os, signal, time
for s in range(1, 65):
    try: signal.signal(s, signal.SIG_IGN)
    except (OSError, ValueError): pass
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(60)
    os._exit(0)
time.sleep(60)
"""
    began = time.monotonic()
    done = python(box, code, timeout=1.0)
    assert done.exit_code is None and time.monotonic() - began < 10
    assert box.settle(2.0) == []


def test_nothing_outlives_the_scan(make_box: MakeBox) -> None:
    box = make_box()
    python(box, "import os, time\nfor _ in range(20):\n  if os.fork() == 0: os.setsid(); time.sleep(600)")
    pids = [pid for pid, _ in box.alive()]
    assert len(pids) == 20
    box.destroy()
    assert not any(runs(pid) for pid in pids)
    assert not box.directory.exists()
    assert all(not (root / "package-hunter" / box.spec.scan_id).exists() for root in cgroups.roots())


def test_frozen_boxes_end_too(make_box: MakeBox) -> None:
    box = make_box()
    run(box, "sh", "-c", "sleep 600 &")
    paths = box.cgroup_paths
    if paths.freezer:
        (paths.freezer / "freezer.state").write_text("FROZEN")
    if paths.unified:
        (paths.unified / "cgroup.freeze").write_text("1")
    pids = cgroups.processes(paths)
    assert len(pids) == 2
    box.destroy()
    assert not any(runs(pid) for pid in pids)


def test_ends_with_its_worker_channel(make_box: MakeBox) -> None:
    """Pid 1 hangs up when the host's end is gone, as it is when the worker was killed."""
    box = make_box()
    assert box._channel is not None
    box._channel.close()
    end = time.monotonic() + 5
    while runs(box.init_pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert not runs(box.init_pid)


def test_output_flood_is_bounded(box: RuncSandbox) -> None:
    done = run(box, "sh", "-c", "timeout 1 yes aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; echo end", timeout=20)
    assert done.output_tail.endswith("end\n") and len(done.output_tail) <= 16 << 10
    assert ctypes.sizeof(ctypes.c_void_p) == 8
