"""`bundle` and `verify` look at what was asked before they load what they work with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

# what a server is made of, and what signing brings along
HEAVY = ("fastapi", "sqlalchemy", "boto3", "jinja2", "package_hunter.store", "package_hunter.pipeline")
ASK = f"""
import sys
from package_hunter.cli.main import main
try:
    main(sys.argv[1:])
finally:
    print("loaded:", [name for name in {HEAVY} if name in sys.modules])
"""


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["bundle", "--help"], 0, "Put a verdict, signed, into one file"),
        (["verify", "--help"], 0, "Check a bundle's signature"),
        (["bundle"], 2, "Of what?"),
        (["bundle", "not-an-id"], 2, "is no scan's id"),
        (["bundle", "x", "--report", "r.json", "--recording", "x.scap"], 2, "Of what?"),
        (["bundle", "--report", "r.json"], 2, "go together"),
        (["bundle", "--recording", "x.scap", "x"], 2, "go together"),
        (["bundle", "x", "--policy", "p.toml"], 2, "go with --report"),
        (["bundle", "--report", "no.json", "--recording", "no.scap"], 2, "no.json cannot be read"),
        (["verify"], 2, "Missing argument"),
        (["verify", "x.zip", "--format", "yaml"], 2, "There is no form 'yaml'"),
        (["verify", "x.zip", "--fingerprint", "e"], 2, "is no fingerprint"),
        (["verify", "no.zip"], 2, "no.zip cannot be read: No such file"),
        (["verify", "/dev/zero"], 2, "/dev/zero cannot be read: it is a device, and not a file"),
        (["verify", "x.zip", "--key", "/dev/zero"], 2, "it is a device, and not a file"),
    ],
)
def test_what_needs_no_work_is_answered_without(
    tmp_path: Path, arguments: list[str], code: int, said: str
) -> None:
    (tmp_path / "x.zip").write_bytes(b"x")
    done = subprocess.run(
        [sys.executable, "-c", ASK, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == code
    assert said in " ".join((done.stdout + done.stderr).split())
    assert "loaded: []" in done.stdout
