"""What may be asked of a registry, and until when."""

from __future__ import annotations

from package_hunter.decoy.registry.allow import AllowList
from package_hunter.model.registry import RegistryAllow


def test_while_the_manager_resolves_alone_its_asking_makes_a_name_known() -> None:
    allowed = AllowList("pypi")
    allowed.add(RegistryAllow("pypi", frozenset({"six"}), resolving=True))
    assert allowed.name("Not_Named") and allowed.name("six")
    allowed.add(RegistryAllow("pypi"))
    assert allowed.name("not-named") and allowed.name("six")
    assert not allowed.name("never-asked"), "foreign code may run now"


def test_without_it_only_what_is_named_may_be_asked_for() -> None:
    allowed = AllowList("pypi")
    allowed.add(RegistryAllow("pypi", frozenset({"six"})))
    assert allowed.name("SIX") and not allowed.name("idna")
    allowed.learn(["idna"])
    assert allowed.name("idna")
