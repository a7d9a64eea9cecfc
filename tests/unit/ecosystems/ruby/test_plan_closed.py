"""Whose fetch is closed: a Gemfile is a program, one of ours holds no foreign line."""

from __future__ import annotations

import gzip
from pathlib import Path

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.laying import plans

LOCK = "GEM\n  remote: https://gems.example/\n  specs:\n    rake (13.0.0)\n\nDEPENDENCIES\n  rake\n"
METADATA = "name: own\nversion:\n  version: 1.0.0\ndependencies:\n- name: rake\n  type: :runtime\n"


def test_a_projects_gemfile_may_do_anything(tmp_path: Path) -> None:
    (tmp_path / "Gemfile").write_text('gem "rake"\n')
    (tmp_path / "Gemfile.lock").write_text(LOCK)
    (plan,) = plans(stage("p", tmp_path), PlanOptions(), "gem")
    assert not plan.fetches_alone and not any(allow.manager_decides for allow in plan.registry)


def test_a_single_gem_is_asked_for_by_a_gemfile_of_ours(tmp_path: Path) -> None:
    (plan,) = plans(stage("rake", purl="pkg:gem/rake@13.0.0"), PlanOptions())
    assert plan.fetches_alone and all(allow.manager_decides for allow in plan.registry)
    assert plan.lock_paths == (f"{plan.project}/Gemfile.lock",)
    (tmp_path / "metadata.gz").write_bytes(gzip.compress(METADATA.encode()))
    (tmp_path / "data.tar.gz").write_bytes(b"")
    (plan,) = plans(stage("own.gem", tmp_path), PlanOptions(), "gem")
    assert plan.fetches_alone
