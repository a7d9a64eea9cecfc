"""What may be asked of a registry while the manager decides, and once that is over."""

from __future__ import annotations

from package_hunter.decoy.registry.allow import MAX_BY_SCRIPTS, AllowList
from package_hunter.model.registry import RegistryAllow


def _list(**more: object) -> AllowList:
    made = AllowList("npm")
    made.add(RegistryAllow("npm", frozenset({"asked"}), **more))  # type: ignore[arg-type]
    return made


def test_a_manager_that_decides_asks_for_what_it_likes() -> None:
    made = _list(closed=True, integrity={"locked@1.0.0": "sha512-x"}, manager_decides=True)
    assert made.deciding
    assert made.name("unheard-of") and made.version("locked", "2.0.0")
    assert made.integrity("locked", "1.0.0") == "sha512-x", (
        "what the lock file says of bytes holds all the same"
    )


def test_what_it_asked_for_is_the_tree_from_then_on() -> None:
    made = _list(manager_decides=True)
    assert made.name("needed") and made.name("only-looked-at")
    made.served("needed", "1.2.3", "sha512-y")
    made.learn(["taught"])
    made.freeze()
    assert not made.deciding
    assert made.name("asked") and made.name("needed") and made.name("only-looked-at")
    assert made.version("needed", "1.2.3") and not made.version("needed", "1.2.4")
    assert made.integrity("needed", "1.2.3") == "sha512-y"
    made.learn(["later"])
    assert not any(map(made.name, ("taught", "later", "foreign-code-asks")))


def test_a_lock_files_digest_outlives_what_was_served() -> None:
    made = _list(integrity={"locked@1.0.0": "sha512-x"}, manager_decides=True)
    made.served("locked", "1.0.0", "sha512-other")
    made.freeze()
    assert made.integrity("locked", "1.0.0") == "sha512-x"


def test_where_foreign_code_can_run_nothing_changes() -> None:
    made = _list(closed=False)
    made.freeze()
    assert not made.name("unheard-of")
    made.learn(["taught"])
    assert made.name("taught")
    assert made.version("asked", "9.9.9")


def test_one_open_description_opens_the_whole() -> None:
    made = _list(manager_decides=True)
    made.add(RegistryAllow("npm", frozenset({"other"})))
    assert not made.deciding
    assert not made.name("unheard-of")


def test_builds_after_the_fetch_may_ask_for_what_they_need() -> None:
    made = AllowList("pypi")
    made.add(RegistryAllow("pypi", frozenset({"six", "hatchling"}), manager_decides=True, builds_ask=True))
    assert made.name("Not_Named")
    made.served("not-named", "1.0", "sha256-x")
    made.freeze()
    assert made.name("not-named") and not made.name("never-asked"), "foreign code may run now"
    made.learn(["pathspec"])
    assert made.name("pathspec") and made.version("hatchling", "9.9")


def test_what_the_projects_scripts_name_may_be_asked_for_beside_a_closed_tree() -> None:
    allow = RegistryAllow(
        "npm",
        frozenset({"ms"}),
        True,
        {"ms@2.1.2": "sha512-x"},
        manager_decides=True,
        scripts_ask=frozenset({"tool"}),
    )
    names = AllowList("npm")
    names.add(allow)
    names.freeze()
    assert names.name("tool") and names.version("tool", "9.9.9")
    assert not names.name("needed") and not names.version("ms", "2.1.3")
    names.learn(["evil"], "ms")
    assert not names.name("evil")
    names.learn(["needed", "ms"], "tool")
    names.learn(["deeper"], "needed")
    assert names.name("needed") and names.name("deeper") and names.version("ms", "2.1.3")


def test_what_the_projects_scripts_ask_for_has_an_end() -> None:
    names = AllowList("npm")
    names.add(RegistryAllow("npm", frozenset({"a"}), True, scripts_ask=frozenset({"tool"})))
    names.learn((f"n{number}" for number in range(3 * MAX_BY_SCRIPTS)), "tool")
    assert sum(names.name(f"n{number}") for number in range(3 * MAX_BY_SCRIPTS)) == MAX_BY_SCRIPTS - 1
