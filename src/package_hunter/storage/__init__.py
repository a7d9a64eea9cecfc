"""Artefacts: archives, reports, recordings and dropped files, named by their digest, in files or an object store."""

from __future__ import annotations

from package_hunter.config import Settings
from package_hunter.storage.artefacts import SealedArtefacts
from package_hunter.storage.base import Artefacts
from package_hunter.storage.blobs import Blobs
from package_hunter.storage.folder import Folder, folder_of
from package_hunter.storage.incoming import Spool
from package_hunter.storage.keys import Keys


def of(config: Settings) -> Artefacts:
    """The artefacts of these settings; UsageError where a setting is wrong, or a key cannot be read.

    One object a process, made after its forks: the object store's client has threads.
    """
    spool = Spool(folder_of(config), config.min_free_bytes)
    return SealedArtefacts(_place(config), spool, Keys.read(config.artefacts_key_file))


def _place(config: Settings) -> Blobs:
    if config.artefacts_url is None:
        return Folder(folder_of(config))
    from package_hunter.storage.bucket import Bucket  # its library only where it is used

    return Bucket(config.artefacts_url, config.artefacts_endpoint, config.artefacts_seconds)
