"""What may be asked of a registry while the manager decides, and once that is over."""

from __future__ import annotations

from package_hunter.decoy.registry.allow import AllowList
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
