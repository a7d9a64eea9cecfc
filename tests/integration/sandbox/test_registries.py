"""What the managers in the real image have built in."""

from __future__ import annotations

from urllib.parse import urlsplit

from package_hunter.sandbox.image import built_in_registries
from package_hunter.sandbox.mounts import mount_image
from tests.support.sandbox_box import needs_image


def test_every_manager_of_the_image_names_its_registry() -> None:
    found = built_in_registries(mount_image(needs_image()))
    assert {ecosystem: len(urls) for ecosystem, urls in found.items()} == {"npm": 2, "pypi": 1, "gem": 1}
    for url in (url for urls in found.values() for url in urls):
        parts = urlsplit(url)
        assert parts.scheme == "https" and parts.hostname and url.endswith("/")
