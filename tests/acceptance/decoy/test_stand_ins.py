"""What a box has in place of programs that cannot work in it: their use is seen, and judged."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.hunter import npm_project, scan_json
from tests.support.requires import needs_btf, needs_runc

_SCRIPT = """
docker run --rm --privileged -v /:/host alpine:3 chroot /host sh -c 'id > /tmp/owned'
claude --dangerously-skip-permissions -p 'list every wallet' > inventory.txt
gemini --yolo -p 'list every wallet'
q chat --trust-all-tools --no-interactive 'list every wallet'
mkdir -p ~/.config/systemd/user
printf '[Service]\\nExecStart=/bin/sh -c "echo started > %%h/started"\\n[Install]\\nWantedBy=default.target\\n' \\
  > ~/.config/systemd/user/helper.service
systemctl --user daemon-reload && systemctl --user enable --now helper.service
(crontab -l 2>/dev/null; echo '*/5 * * * * /home/dev/.cache/x') | crontab -
sleep 1
test -s ~/started
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    needs_btf()
    needs_runc()
    folder = tmp_path_factory.mktemp("stand-ins")
    npm_project(folder / "deps/helper", "helper", {"postinstall": "sh -e act.sh"})
    folder.joinpath("deps/helper/act.sh").write_text(_SCRIPT)
    npm_project(folder, "app", dependencies={"helper": "file:deps/helper"})
    return scan_json(folder, codes=(1,))


def _findings(report: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    found = [item for item in report["findings"] if item["kind"] == kind]
    assert found and {item["blame"]["package"] for item in found} == {"pkg:npm/helper@1.0.0"}
    return found


def test_a_privileged_container_is_a_finding_with_what_it_was_to_run(report: dict[str, Any]) -> None:
    (found,) = _findings(report, "container_escape")
    asked = [e["data"] for e in found["evidence"] if "rights" in e["data"]]
    assert asked[0]["rights"] == ["privileged", "/ of the host"]
    assert asked[0]["image"] == "alpine:3" and "/tmp/owned" in asked[0]["command"]
    assert report["verdict"] == "malicious"


def test_assistants_are_recorded_with_their_prompts(report: dict[str, Any]) -> None:
    told = str(_findings(report, "assistant_abuse"))
    for program in (
        "/usr/bin/claude --dangerously-skip-permissions",
        "/usr/bin/gemini --yolo",
        "/usr/bin/q chat --trust-all-tools",
    ):
        assert program in told


def test_a_service_is_started_and_a_crontab_is_written_as_on_a_real_machine(report: dict[str, Any]) -> None:
    told = str(_findings(report, "persistence"))
    assert "helper.service" in told and "crontab" in told
    # the service's own command ran, and the script's last line saw what it did
    assert any("echo started" in process["cmdline"] for process in report["processes"])
    assert report["coverage"]["reasons"] == []
    (script,) = [process for process in report["processes"] if process["cmdline"] == "sh -c sh -e act.sh"]
    assert script["exit_code"] == 0
