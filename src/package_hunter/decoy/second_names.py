"""A registry's second name is the registry: which of the host's registries answers a package manager's built-in
address, and where that is the same registry under another name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from package_hunter.decoy.spec import Upstream
from package_hunter.decoy.web import Ask


def host_of(url: str) -> str:
    """The host of a registry's address; empty where it has none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def with_second_names(
    upstreams: Iterable[Upstream], built_in: Mapping[str, tuple[str, ...]]
) -> tuple[Upstream, ...]:
    """The upstreams with the other addresses that they answer under. ``built_in``: ecosystem -> the addresses
    that its package managers have built in, all of one registry.

    Where one of the host's registries is built in, its managers' other names for it are its own. Where the host
    uses another (a mirror), the default one answers for them all, so that nobody gets past it to the public one.
    """
    found = tuple(upstreams)
    return tuple(_named(one, found, built_in.get(one.ecosystem, ())) for one in found)


def _named(one: Upstream, every: tuple[Upstream, ...], built_in: tuple[str, ...]) -> Upstream:
    configured = {host_of(u.url) for u in every if u.ecosystem == one.ecosystem}
    public = {host_of(url) for url in built_in}
    others = tuple(url for url in built_in if host_of(url) not in configured)
    replaced = tuple(url for url in one.stands_for if host_of(url) not in {"", *configured, *public})
    if host_of(one.url) in public:
        return replace(one, second_names=others, stands_for=replaced)
    only_mirrors = one.default and not public & configured
    return replace(one, stands_for=(*replaced, *others) if only_mirrors else replaced)


def asked_of(upstreams: Iterable[Upstream], ask: Ask, host: str) -> tuple[str, Ask] | None:
    """What is asked of the second name ``host``, as it would be asked of the registry itself: its address, and the
    request for it. None where that is no second name of any, or the path is outside of its index."""
    for one in upstreams:
        for url in one.addresses[1:]:
            base, own = urlsplit(url).path, urlsplit(one.url)
            if host_of(url) == host and (ask.raw_path + "/").startswith(base):
                query = f"?{ask.query}" if "?" in ask.target else ""
                target = own.path + ask.raw_path[len(base) :] + query
                return f"{own.scheme}://{own.netloc}{target}", replace(
                    ask, target=target, host=own.hostname or ""
                )
    return None
