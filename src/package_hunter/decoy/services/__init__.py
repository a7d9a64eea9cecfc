"""The decoy services: each a small file with one class, listed here in the order in which they are asked."""

from __future__ import annotations

from package_hunter.decoy.services.base import Service
from package_hunter.decoy.services.chat import ChatWebhooks
from package_hunter.decoy.services.code_hosts import CodeHosts
from package_hunter.decoy.services.docker import ContainerEngine
from package_hunter.decoy.services.git_push import GitPush
from package_hunter.decoy.services.markers import Markers
from package_hunter.decoy.services.metadata import CloudMetadata
from package_hunter.decoy.services.registry_writes import RegistryWrites

SERVICES: tuple[type[Service], ...] = (
    ContainerEngine, Markers, CloudMetadata, RegistryWrites, GitPush, CodeHosts, ChatWebhooks,
)  # fmt: skip
