"""Which policy files have a say in a scan."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from package_hunter.cli.judging import Judging, own_file
from package_hunter.errors import UsageError
from package_hunter.policy import DEFAULT
from tests.support import judge_samples as samples

OWN = "# the project's own\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "package-hunter.toml").write_text(OWN)
    return folder


def policy(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(text)
    return path


def test_the_scanned_folders_own_file_has_its_say(project: Path) -> None:
    judging = Judging.of(str(project), None, None, own_policy=True, remote=False)
    assert (judging.policy, judging.own) == (DEFAULT, OWN)


@pytest.mark.parametrize(
    ("text", "heeded"), [("", False), ("[project]\nown_file = true\n", True), ("[project]\n", False)]
)
def test_the_users_policy_says_whether_it_has(project: Path, tmp_path: Path, text: str, heeded: bool) -> None:
    judging = Judging.of(str(project), policy(tmp_path, text), None, own_policy=True, remote=False)
    assert (judging.own is not None) is heeded


def test_it_has_none_when_told_so_or_where_a_server_decides(project: Path) -> None:
    assert Judging.of(str(project), None, None, own_policy=False, remote=False).own is None
    assert Judging.of(str(project), None, None, own_policy=True, remote=True).own is None


def test_no_file_of_an_archive_or_package_and_none_behind_a_link(project: Path, tmp_path: Path) -> None:
    assert own_file("pkg:npm/left-pad") is None
    (tmp_path / "a.tgz").write_bytes(b"x")
    assert own_file(str(tmp_path / "a.tgz")) is None
    (project / "package-hunter.toml").unlink()
    (project / "package-hunter.toml").symlink_to("/etc/hostname")
    assert own_file(str(project)) is None, "root must not read along a link of the project"


def test_what_a_server_decided_stays_unless_the_user_has_a_policy(project: Path, tmp_path: Path) -> None:
    report = samples.report(notices=("of the server",))
    assert Judging.of(str(project), None, None, own_policy=True, remote=True)(report) is report
    strict = policy(tmp_path, '[verdicts]\nmalicious = "review"\n')
    judged = Judging.of(str(project), strict, None, own_policy=True, remote=True)(report)
    assert judged.decision == "review"


def test_a_wrong_file_is_told_before_anything_is_scanned(project: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Judging.of(str(project), policy(tmp_path, "["), None, own_policy=True, remote=False)
    (tmp_path / "old.json").write_text(json.dumps({}))
    with pytest.raises(UsageError):
        Judging.of(str(project), None, tmp_path / "old.json", own_policy=True, remote=False)
