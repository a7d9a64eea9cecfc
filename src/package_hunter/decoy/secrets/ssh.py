"""~/.ssh: a real key pair that opens nothing, config and known hosts."""

from __future__ import annotations

import base64
import secrets

from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from package_hunter.decoy.forge import Forge

_CONFIG = """Host *
    StrictHostKeyChecking accept-new

Host bastion
    HostName bastion.northwind.internal
    User dmeyer
    IdentityFile ~/.ssh/id_ed25519

Host prod-*
    ProxyJump bastion
    User deploy
"""


def make(forge: Forge) -> None:
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.OpenSSH, form.NoEncryption()).decode()
    public = key.public_key().public_bytes(form.Encoding.OpenSSH, form.PublicFormat.OpenSSH).decode()
    forge.canary("ssh-key", ".ssh/id_ed25519", private)
    forge.file(".ssh/id_ed25519", private, 0o600)
    forge.file(".ssh/id_ed25519.pub", f"{public} dmeyer@devbox\n")
    forge.file(".ssh/config", _CONFIG, 0o600)
    known = [
        f"|1|{_random(20)}|{_random(20)} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{_random(32).rstrip('=')}"
        for _ in range(4)
    ]
    forge.file(".ssh/known_hosts", "\n".join(known) + "\n", 0o600)


def _random(size: int) -> str:
    return base64.b64encode(secrets.token_bytes(size)).decode()
