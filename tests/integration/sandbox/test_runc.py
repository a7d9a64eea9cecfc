"""A box from its making to its end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from package_hunter.errors import BoxKilledError, HostError, SandboxError
from package_hunter.model.box import HOST_ID_BASE, UID, BoxLimits, BoxSpec, full_container_id
from package_hunter.model.scan import BoxFile, Command
from package_hunter.sandbox import RuncSandbox, cgroups, channel, mounts, reap
from package_hunter.sandbox.doctor import checks
from package_hunter.sandbox.image import build_image, find_image
from package_hunter.sandbox.runc import remove_box
from tests.support.kills import left_of
from tests.support.requires import needs_root
from tests.support.sandbox_box import SMALL, MakeBox, needs_image, python, run, runs, scan_id


def test_first_process_waits_until_start(make_box: MakeBox) -> None:
    box = make_box(start=False)
    assert (
        Path(f"/proc/{box.init_pid}/comm").read_text() == "runc:[2:INIT]\n"
    )  # runc's own code, no box's program
    assert os.fstat(box.gateway_netns).st_ino != Path("/proc/self/ns/net").stat().st_ino
    assert cgroups.processes(box.cgroup_paths) == [box.init_pid]
    box.start()
    assert run(box, "cat", "/proc/1/comm").output_tail == "systemd\n"


def test_command_is_a_child_of_the_first_process(box: RuncSandbox) -> None:
    parents: dict[int, int] = {}

    def look(_: bytes) -> None:
        for pid, _name in box.alive():
            parents[pid] = int(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])

    done = box.run(Command(("sh", "-c", "echo; sleep 0.2"), "/"), "install", "laptop", look)
    assert parents[done.pid] == box.init_pid
    assert (done.phase, done.world, done.exit_code) == ("install", "laptop", 0)
    assert done.pid > 1 and 0 < done.started_ns < done.ended_ns


@pytest.mark.parametrize(
    ("argv", "code", "tail"),
    [
        (("sh", "-c", "echo out; echo err >&2; exit 3"), 3, "out\nerr\n"),
        (("sh", "-c", "kill -TERM $$"), -signal.SIGTERM, ""),
        (("no-such-program",), 127, "no-such-program: No such file or directory\n"),
        (("/etc/hostname",), 126, "/etc/hostname: Permission denied\n"),
        (("sh", "-c", "printf '\\377\\033[31m'"), 0, "\ufffd\x1b[31m"),
        (("sh", "-c", "sleep 600 & echo parent"), 0, "parent\n"),
    ],
)
def test_commands_end_as_they_do(box: RuncSandbox, argv: tuple[str, ...], code: int, tail: str) -> None:
    done = run(box, *argv)
    assert (done.exit_code, done.output_tail) == (code, tail)
    box.kill_commands()


def test_a_loop_is_told_from_a_wait(box: RuncSandbox) -> None:
    loop = run(box, "sh", "-c", "sh -c 'while :; do :; done'", timeout=1.0)
    wait = run(box, "sleep", "60", timeout=1.0)
    assert loop.exit_code is None and wait.exit_code is None
    assert loop.ran_seconds is not None and loop.ran_seconds + loop.starved_seconds > 0.5
    assert wait.ran_seconds is not None and wait.ran_seconds + wait.starved_seconds < 0.5
    assert run(box, "true").ran_seconds is None


def test_the_scans_end_is_the_end_of_all_stretching(
    box: RuncSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that had no processor gets more time, but none that the scan has not."""
    monkeypatch.setattr(channel, "busiest", lambda _: (0.1, 1e6))  # never had one
    wait = Command(("sleep", "1.5"), "/", timeout=0.7)
    assert box.run(wait, "install", until=time.monotonic() + 60).exit_code == 0
    assert box.run(wait, "install", until=time.monotonic() + 1.0).exit_code is None
    begun_late = Command(("sleep", "30"), "/", timeout=60)
    assert box.run(begun_late, "install", until=time.monotonic() + 0.2).exit_code is None


def test_what_lives_on_is_told_with_its_program(make_box: MakeBox) -> None:
    box = make_box()
    run(box, "sh", "-c", "cp /bin/sleep /tmp/init; setsid sleep 61 & setsid /tmp/init 62 & exit 0")
    ended = box.end(0.2)
    found = {item.program: item for item in ended.found}
    assert found["/usr/bin/sleep"].of_image and found["/usr/bin/sleep"].cmdline == "sleep 61"
    assert not found["/tmp/init"].of_image and found["/tmp/init"].cmdline == "/tmp/init 62"
    assert ended.since_ns is not None and box.init_pid not in {item.pid for item in ended.found}


def test_what_a_deadline_ends_with_another_command_is_told(make_box: MakeBox) -> None:
    box = make_box()
    run(box, "sh", "-c", "setsid sleep 63 & exit 0")
    late = run(box, "sleep", "64", timeout=0.5)
    assert late.exit_code is None
    ended = box.end(5.0)
    assert {item.cmdline for item in ended.found} == {"sleep 63", "sleep 64"}
    assert ended.since_ns is None and all(item.time_ns < late.ended_ns for item in ended.found)


def test_missing_directory_is_said(box: RuncSandbox) -> None:
    done = run(box, "true", cwd="/no/such")
    assert done.exit_code == 127 and "No such file" in done.output_tail


def test_large_orders_pass(box: RuncSandbox) -> None:
    env = {f"V{i}": "x" * 1000 for i in range(500)}
    done = box.run(Command(("sh", "-c", 'echo ${#V499} "$1"', "sh", "y" * 60_000), "/", env=env), "test")
    assert done.output_tail == f"1000 {'y' * 60_000}\n"[-16384:]


def test_environment_and_files(make_box: MakeBox, tmp_path: Path) -> None:
    project = tmp_path / "source_tree"
    (project / "src").mkdir(parents=True)
    (project / "package.json").write_text("{}")
    (project / "run.sh").write_text("#!/bin/sh\n")
    (project / "run.sh").chmod(0o4755)
    (project / "link").symlink_to("/etc/shadow")
    os.mkfifo(project / "pipe")
    (project / os.fsdecode(b"bad\xff\n\x1bname")).write_text("x")
    os.utime(project / "package.json", (1_700_000_000, 1_700_000_000))
    box = make_box(
        project_dir=project,
        project_name="shop",
        files=(BoxFile("/home/dev/.aws/credentials", b"[default]\n", 0o600, 1_700_000_000.0),),
        env={"CI": "true"},
        ca_pem=b"-----BEGIN CERTIFICATE-----\nours\n-----END CERTIFICATE-----\n",
        hostname="lt-4711",
    )
    assert box.left_out == 1
    inside = "/home/dev/projects/shop"
    listing = run(
        box, "stat", "-c", "%U %a %Y %F %N", "package.json", "run.sh", "link", cwd=inside
    ).output_tail
    assert listing.splitlines() == [
        "dev 644 1700000000 regular file 'package.json'",
        f"dev 755 {int((project / 'run.sh').stat().st_mtime)} regular file 'run.sh'",
        f"dev 777 {listing.splitlines()[2].split()[2]} symbolic link 'link' -> '/etc/shadow'",
    ]
    assert run(box, "sh", "-c", "ls -b | head -1", cwd=inside).output_tail == "bad\\377\\n\\033name\n"
    assert run(
        box, "stat", "-c", "%U %a %Y", "/home/dev/.aws", "/home/dev/.aws/credentials"
    ).output_tail.split()[:2] == [
        "dev",
        "700",
    ]
    script = (
        'echo $CI $(hostname) $HOME; tail -2 "$SSL_CERT_FILE" | head -1; cat "$NODE_EXTRA_CA_CERTS" | wc -l'
    )
    assert run(box, "sh", "-c", script).output_tail == "true lt-4711 /home/dev\nours\n3\n"
    for variable in ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO"):
        assert run(box, "sh", "-c", f'test -s "${variable}"').exit_code == 0


def test_a_projects_links_do_not_lead_writing_astray(make_box: MakeBox, tmp_path: Path) -> None:
    """A project whose directory is a link gets ours in its place; nothing lands where it pointed to."""
    outside = tmp_path / "outside"
    outside.mkdir()
    project = tmp_path / "source_tree"
    project.mkdir()
    (project / "config").symlink_to(outside)
    (project / ".env").symlink_to(outside / "target")
    inside = "/home/dev/projects/app"
    files = (BoxFile(f"{inside}/config/x", b"planted"), BoxFile(f"{inside}/.env", b"canary"))
    box = make_box(project_dir=project, files=files)
    assert list(outside.iterdir()) == []
    assert run(box, "cat", f"{inside}/config/x", f"{inside}/.env").output_tail == "plantedcanary"


def test_upper_layer_is_the_difference(make_box: MakeBox) -> None:
    box = make_box()
    run(box, "sh", "-c", "echo x > new; rm .vimrc; ln -s /etc/shadow sly", cwd="/home/dev")
    upper = box.upper_dir / "home/dev"
    assert (upper / "new").read_text() == "x\n" and (upper / "new").stat().st_uid == HOST_ID_BASE + UID
    assert (upper / ".vimrc").is_char_device() and (upper / ".vimrc").stat().st_rdev == 0
    assert (upper / "sly").is_symlink()
    box.kill()
    assert (upper / "new").exists()


def test_project_larger_than_the_box(make_box: MakeBox, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.write(os.urandom(1 << 20) * 9)
    limits = BoxLimits(upper_bytes=8 << 20, upper_inodes=1000)
    with pytest.raises(SandboxError, match="does not fit into the box"):
        make_box(project_dir=tmp_path, limits=limits)


def test_nothing_is_left_behind() -> None:
    needs_image()
    name = scan_id()
    box = RuncSandbox(BoxSpec(scan_id=name, limits=SMALL))
    box.create()
    box.start()
    run(box, "sh", "-c", "sleep 600 & sleep 600 &")
    box.destroy()
    box.destroy()
    assert _traces(name) == []


def test_a_failed_creation_leaves_nothing(tmp_path: Path) -> None:
    needs_image()
    name = scan_id()
    bad = tmp_path / "bad.erofs"
    bad.write_bytes(b"\0" * 8192)
    with pytest.raises(SandboxError, match="could not be mounted"):
        RuncSandbox(BoxSpec(scan_id=name), image=bad).create()
    (mounts.RUN_DIR / "image/bad").rmdir()
    assert _traces(name) == []


def test_second_box_of_a_scan_is_refused_and_harms_nothing(make_box: MakeBox) -> None:
    box = make_box()
    with pytest.raises(SandboxError, match="exists already"):
        RuncSandbox(box.spec).create()
    assert run(box, "true").exit_code == 0


@pytest.mark.parametrize("name", ["../x", "a/b", "", "-x", "a" * 64, "a\n"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(SandboxError, match="cannot name"):
        RuncSandbox(BoxSpec(scan_id=name))


def test_leftovers_of_a_killed_worker_are_reaped(make_box: MakeBox) -> None:
    """The worker is killed with SIGKILL in the midst of a scan; another scan's box is not touched."""
    live = make_box()
    name = scan_id()
    program = f"""
import sys, time
from package_hunter.model.box import BoxSpec
from package_hunter.model.scan import Command
from package_hunter.sandbox import RuncSandbox
box = RuncSandbox(BoxSpec(scan_id={name!r}))
box.create(); box.start()
box.run(Command(("sh", "-c", "sleep 600 &"), "/"), "test")
print(box.init_pid, flush=True)
time.sleep(600)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as worker:
        assert worker.stdout is not None
        init = int(worker.stdout.readline())
        assert name not in reap()[0]
        worker.kill()
    assert _traces(name) != []
    assert name in reap()[0]
    assert _traces(name) == [] and not runs(init)
    assert run(live, "true").exit_code == 0
    assert name not in reap()[0]


@pytest.mark.parametrize("where", ["cpuset", "memory", "unified"])
def test_a_process_that_has_joined_one_hierarchy_only_is_ended(where: str) -> None:
    """As runc's own, when it is killed while it makes a box."""
    scan = scan_id()
    root = next((root for root in cgroups.roots() if root.name == where), cgroups.roots()[0])
    cgroup = root / cgroups.name_of(scan).strip("/")
    cgroup.mkdir(parents=True)
    if where == "cpuset":  # takes no process before it has processors
        for path in (cgroup.parent.parent, cgroup.parent, cgroup):
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (path / name).exists():
                    (path / name).write_text((path.parent / name).read_text())
    with subprocess.Popen(["sleep", "600"]) as process:
        (cgroup / "cgroup.procs").write_text(str(process.pid))
        remove_box(scan)
        assert process.wait(5) == -signal.SIGKILL
    assert left_of(scan) == []


@pytest.mark.parametrize("where", ["freezer", "memory"])
def test_a_living_box_without_a_folder_here_is_somebody_elses(where: str) -> None:
    """A worker in a container shares the cgroups' tree with this one and has a /run of its own."""
    needs_root()
    name = scan_id()
    roots = [root / cgroups.PARENT / name for root in cgroups.roots() if os.access(root, os.W_OK)]
    try:
        for root in roots:
            (root / full_container_id(name)).mkdir(parents=True)
        with subprocess.Popen(["sleep", "600"]) as living:
            joined = next((root for root in roots if root.parent.parent.name == where), roots[0])
            (joined / full_container_id(name) / "cgroup.procs").write_text(str(living.pid))
            assert name not in reap()[0]
            assert living.poll() is None and not (mounts.RUN_DIR / "boxes" / name).exists()
            living.kill()
        assert name in reap()[0], "what nobody is in is removed"
        assert not any(root.exists() for root in roots)
    finally:
        cgroups.remove(name, 0)


def test_cgroups_that_another_scan_is_removing_are_looked_at() -> None:
    needs_root()
    name, going = scan_id(), threading.Event()
    outer = cgroups.roots()[0] / cgroups.PARENT / name

    def come_and_go() -> None:
        while not going.is_set():
            (outer / "inner").mkdir(parents=True)
            (outer / "inner").rmdir()
            outer.rmdir()

    other = threading.Thread(target=come_and_go)
    other.start()
    try:
        assert all(cgroups.is_empty(name) for _ in range(2_000))
    finally:
        going.set()
        other.join()


def test_many_boxes_side_by_side(make_box: MakeBox) -> None:
    boxes = [make_box() for _ in range(4)]
    for number, box in enumerate(boxes):
        run(box, "sh", "-c", f"echo {number} > /tmp/mine")
    assert [run(box, "cat", "/tmp/mine").output_tail for box in boxes] == ["0\n", "1\n", "2\n", "3\n"]
    assert len({os.fstat(box.gateway_netns).st_ino for box in boxes}) == 4
    everyone = {pid for box in boxes for pid in cgroups.processes(box.cgroup_paths)}
    assert everyone == {box.init_pid for box in boxes}


def test_a_box_that_died_says_so(make_box: MakeBox) -> None:
    box = make_box()
    os.kill(box.init_pid, signal.SIGKILL)
    time.sleep(0.1)
    with pytest.raises(SandboxError, match=r"box (died|ended)"):
        run(box, "true")


def test_commands_end_with_what_they_need(make_box: MakeBox) -> None:
    """A box without its gateway is not waited for: its programs would try for minutes to reach it."""
    box = make_box()
    with subprocess.Popen(["sleep", "600"]) as helper:
        pidfd = os.pidfd_open(helper.pid)
        box.need(pidfd, "gateway")
        assert run(box, "true").exit_code == 0
        with pytest.raises(SandboxError, match="The gateway ended while a command ran"):
            box.run(
                Command(("sh", "-c", "echo up; sleep 600"), "/", timeout=600),
                "install",
                on_output=lambda _: helper.kill(),
            )
        assert box.settle(10) == []
        with pytest.raises(SandboxError, match="gateway"):  # nor is anything begun
            run(box, "sleep", "600", timeout=600)
    os.close(pidfd)


def test_missing_image_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from package_hunter.config import Settings
    from package_hunter.sandbox.image import build

    monkeypatch.setattr(build, "settings", lambda: Settings(data_dir=tmp_path))
    with pytest.raises(HostError, match="package-hunter image build"):
        find_image()


def test_image_is_built_once() -> None:
    said: list[str] = []
    assert needs_image() == build_image(progress=said.append) and said == []


def test_without_root() -> None:
    needs_root()
    program = (
        "import os\nfrom package_hunter.errors import HostError\n"
        "from package_hunter.sandbox.runc import check_host\n"
        "os.setresuid(65534, 65534, 65534)\n"
        "try: check_host()\nexcept HostError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.startswith("Building a sandbox needs root."), done.stderr


def test_without_runc(monkeypatch: pytest.MonkeyPatch) -> None:
    needs_root()
    import shutil

    from package_hunter.sandbox.runc import check_host

    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    with pytest.raises(HostError, match="apt install runc"):
        check_host()


def test_doctor_finds_this_host_fit() -> None:
    needs_image()
    assert [check for check in checks() if not check.ok and check.name != "probe"] == []


def test_clock_and_cpu_tell_no_fresh_virtual_machine(box: RuncSandbox) -> None:
    assert float(run(box, "cat", "/proc/uptime").output_tail.split()[0]) > 3 * 86_400
    assert "hypervisor" not in run(box, "cat", "/proc/cpuinfo").output_tail
    now = float(python(box, "import time; print(time.time())").output_tail)
    assert abs(now - time.time()) < 5


def _traces(name: str) -> list[str]:
    """All that a box may leave on the host."""
    found = [
        str(p) for p in (mounts.RUN_DIR / "boxes" / name, mounts.RUN_DIR / f"runc/package-hunter-{name}")
    ]
    found += [str(root / cgroups.PARENT / name) for root in cgroups.roots()]
    found = [path for path in found if Path(path).exists()]
    return found + [point for point in mounts.mount_points() if name in point]


def test_who_ended_a_box(make_box: MakeBox) -> None:
    """In it nobody can harm its first process; what it does can take it the memory, which is its own fault."""
    box = make_box()
    os.kill(box.init_pid, signal.SIGKILL)
    with pytest.raises(BoxKilledError, match="killed from outside") as told:
        box.run(Command(("sleep", "60"), "/", timeout=60), "test")
    assert told.value.again
    box = make_box()
    hungry = run(box, "python3", "-c", "b = []\nwhile True: b.append(bytes(1 << 20))", timeout=60)
    assert hungry.exit_code == -signal.SIGKILL
    os.kill(box.init_pid, signal.SIGKILL)  # as where nothing else is left that the kernel could take
    with pytest.raises(SandboxError, match="used up its memory") as told_of_memory:
        run(box, "true")
    assert not isinstance(told_of_memory.value, BoxKilledError)


def test_a_fork_bomb_ends_no_box(make_box: MakeBox) -> None:
    box = make_box()
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    assert box.run(Command(("python3", "-c", bomb), "/", timeout=3), "test").exit_code is None
    assert run(box, "true").exit_code == 0
    assert any("processes" in sentence for sentence in box.limits_hit())
