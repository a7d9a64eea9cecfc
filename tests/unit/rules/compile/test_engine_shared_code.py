"""Code that several event types share means on each what the condition means there."""

from __future__ import annotations

from pathlib import Path

import pytest

from package_hunter.enrich.convert import default, pack
from package_hunter.enrich.enricher import Enricher
from package_hunter.enrich.fields.source import Fields
from package_hunter.enrich.kinds import Kind, flag_sets, kind_of, kinds
from package_hunter.model.table import StartState
from package_hunter.rules import check_rules, compile_matcher
from package_hunter.rules.compile.engine import Matcher


def _engine(folder: Path, *conditions: str) -> Matcher:
    file = folder / "rules.yaml"
    file.write_text(
        "".join(
            f"- rule: r{i}\n  desc: d\n  condition: {condition}\n  output: o\n  priority: NOTICE\n"
            for i, condition in enumerate(conditions)
        )
    )
    loaded = check_rules([file])
    assert not loaded.errors
    return compile_matcher(loaded, Fields())


def _event(kind: Kind, **values: int) -> bytes:
    params = [default(param.type) for param in kind.params]
    for name, value in values.items():
        at = kind.index[name]
        params[at] = value.to_bytes(len(params[at]), "little")
    return pack(1000, 7, kind, params)


def _matched(matcher: Matcher, raw: bytes) -> list[str]:
    ev = Enricher(StartState()).feed(raw)
    assert ev is not None
    found = matcher.matches(ev)
    assert found == matcher.interpreted(ev)
    return [rule.name for rule in found]


def test_flags_stand_elsewhere_and_mean_others_in_each_call(tmp_path: Path) -> None:
    matcher = _engine(
        tmp_path,
        "evt.arg.flags contains CLONE_NEWUSER",
        "evt.type in (clone, unshare, umount2, execve) and evt.arg.flags contains DETACH",
    )
    unshare, umount = kind_of("syscall_unshare_x"), kind_of("syscall_umount2_x")
    user = dict(flag_sets()["clone_flags"])["CLONE_NEWUSER"]
    detach = next(n for name, n in flag_sets()["umount_flags"] if "DETACH" in name)
    assert _matched(matcher, _event(unshare, flags=user)) == ["r0"]
    assert _matched(matcher, _event(umount, flags=detach)) == ["r1"]
    assert _matched(matcher, _event(umount, flags=user)) == []
    assert _matched(matcher, _event(kind_of("syscall_execve_19_x"))) == []


NAMED = sorted(
    {
        param.name
        for kind in kinds()
        if kind is not None and kind.is_exit and not kind.unused
        for param in kind.params
        if param.type.startswith(("flags", "enumflags"))
    }
)


@pytest.mark.parametrize("name", NAMED)
def test_every_flag_argument_of_every_call(tmp_path: Path, name: str) -> None:
    """Each call's own flags are found by a rule for all calls, and no other call's."""
    asked = sorted(
        {
            flag
            for kind in kinds()
            if kind is not None and name in kind.index
            for flag, bits in flag_sets().get(kind.params[kind.index[name]].extra, ())
            if bits
        }
    )
    matcher = _engine(tmp_path, *(f"evt.arg.{name} contains {flag}" for flag in asked[:60]))
    for kind in kinds():
        if kind is None or name not in kind.index or not kind.is_exit or kind.unused or kind.old_enter:
            continue
        for flag, bits in flag_sets().get(kind.params[kind.index[name]].extra, ()):
            width = len(default(kind.params[kind.index[name]].type))
            if flag in asked[:60] and 0 < bits < 1 << 8 * width:
                assert f"r{asked.index(flag)}" in _matched(matcher, _event(kind, **{name: bits}))
