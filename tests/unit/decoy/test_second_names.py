"""A registry's second name is the registry: who answers there, and whose token may be sent there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from package_hunter.decoy.canaries import make_canaries
from package_hunter.decoy.lawful import Registries, is_lawful
from package_hunter.decoy.second_names import asked_of, with_second_names
from package_hunter.decoy.spec import Upstream
from package_hunter.decoy.web import Ask, Peer

BUILT_IN = {
    "npm": ("https://one.example/", "https://two.example/"),
    "pypi": ("https://py.example/simple/",),
}
ONE = Upstream("npm", "https://one.example/")
MIRROR = Upstream("npm", "https://mirror.corp.example/npm/")
SCOPED = Upstream("npm", "https://private.corp.example/", default=False, scopes=("@corp",))


def ask(host: str, target: str = "/left", method: str = "GET", port: int = 443) -> Ask:
    return Ask(method, target, host, {}, Peer("198.18.0.1", port, 40_000, host, host, True))


def test_a_built_in_registry_has_its_other_managers_names() -> None:
    (one,) = with_second_names([ONE], BUILT_IN)
    assert one.addresses == ("https://one.example/", "https://two.example/") and one.stands_for == ()
    (two,) = with_second_names([replace(ONE, url="https://two.example/")], BUILT_IN)
    assert two.second_names == ("https://one.example/",)


def test_a_mirror_answers_for_the_built_in_names_and_is_not_them() -> None:
    mirror, scoped = with_second_names([MIRROR, SCOPED], BUILT_IN)
    assert mirror.second_names == () and mirror.stands_for == BUILT_IN["npm"]
    assert scoped.addresses == (SCOPED.url,)


def test_a_built_in_registry_beside_a_mirror_keeps_its_names() -> None:
    beside = replace(ONE, default=False, scopes=("@open",))
    mirror, one = with_second_names([MIRROR, beside], BUILT_IN)
    assert mirror.stands_for == () and one.second_names == ("https://two.example/",)
    (python,) = with_second_names([Upstream("pypi", "https://py.corp.example/x/simple/")], BUILT_IN)
    assert python.stands_for == BUILT_IN["pypi"], "each ecosystem has its own"


def test_what_the_host_has_replaced_is_answered_and_gets_no_token() -> None:
    old = replace(ONE, stands_for=("https://old.example/", "https://two.example/", "https://"))
    (one,) = with_second_names([old], BUILT_IN)
    assert one.second_names == ("https://two.example/",) and one.stands_for == ("https://old.example/",)


def use(upstreams: tuple[Upstream, ...], number: int = 0) -> tuple[str, ...]:
    """The lawful use of the token that lies in ~/.npmrc for the upstream of this number."""
    made = make_canaries("s", upstreams=upstreams)[0]
    return [c for c in made if c.kind == "npm-token" and c.place.endswith(".npmrc")][number].lawful


@pytest.mark.parametrize(
    ("upstreams", "host", "lawful"),
    [
        ((ONE,), "one.example", True),
        ((ONE,), "two.example", True),
        ((ONE,), "registry.stranger.example", False),
        ((ONE, SCOPED), "private.corp.example", False),  # one registry's token at another's
        ((MIRROR,), "mirror.corp.example", True),
        ((MIRROR,), "one.example", False),  # the mirror answers, yet its token is not for the public registry
        ((MIRROR,), "two.example", False),
        ((replace(ONE, stands_for=("https://old.example/",)),), "old.example", False),
    ],
)
def test_a_token_is_lawful_at_its_own_registry_under_any_of_its_names(
    upstreams: tuple[Upstream, ...], host: str, lawful: bool
) -> None:
    named = with_second_names(upstreams, BUILT_IN)
    registries = Registries.of(named)
    assert is_lawful(use(named), ask(host), "authorization", registries) is lawful
    assert not is_lawful(use(named), ask(host, method="PUT"), "authorization", registries)
    assert not is_lawful(use(named), ask(host), "x-token", registries)


def test_a_scopes_token_is_for_its_own_registry() -> None:
    named = with_second_names((ONE, SCOPED), BUILT_IN)
    registries = Registries.of(named)
    assert is_lawful(use(named, 1), ask("private.corp.example"), "authorization", registries)
    assert not is_lawful(use(named, 1), ask("one.example"), "authorization", registries)
    assert is_lawful(("npm-registry",), ask("private.corp.example"), "authorization", registries)


def test_a_container_registrys_password_is_for_its_own_host() -> None:
    made = make_canaries("s")[0]
    password = next(c for c in made if c.kind == "docker-password")
    own = password.lawful[0].partition("@")[2]
    none = Registries.of(())
    assert is_lawful(password.lawful, ask(own, "/v2/"), "authorization", none)
    assert not is_lawful(password.lawful, ask("collect.example", "/v2/"), "authorization", none)


def test_what_is_asked_of_a_second_name_is_asked_of_the_registry() -> None:
    one = Upstream("pypi", "https://py.corp.example/x/simple/", stands_for=BUILT_IN["pypi"])
    found = asked_of((one,), ask("py.example", "/simple/six/?a=b"), "py.example")
    assert found is not None
    assert found[0] == "https://py.corp.example/x/simple/six/?a=b"
    assert (found[1].host, found[1].target) == ("py.corp.example", "/x/simple/six/?a=b")
    assert asked_of((one,), ask("py.example", "/legacy/"), "py.example") is None
    assert asked_of((one,), ask("py.corp.example", "/x/simple/six/"), "py.corp.example") is None
    whole = ask("py.example", "http://py.example/simple/six/")
    sent = asked_of((one,), whole, "py.example")
    assert sent is not None and sent[1].target == "/x/simple/six/"
    away = asked_of((one,), ask("py.example", "/simple/https://evil.example/x"), "py.example")
    assert away is not None and away[0].startswith("https://py.corp.example/x/simple/")
