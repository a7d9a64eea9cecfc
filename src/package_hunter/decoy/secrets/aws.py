"""~/.aws: two profiles."""

from __future__ import annotations

from package_hunter.decoy.forge import Forge, aws_pair


def make(forge: Forge) -> None:
    lines = []
    for profile in ("default", "northwind-prod"):
        key, secret = aws_pair()
        forge.canary("aws-key-id", ".aws/credentials", key, ("aws",))
        forge.canary("aws-secret", ".aws/credentials", secret)
        lines += [f"[{profile}]", f"aws_access_key_id = {key}", f"aws_secret_access_key = {secret}", ""]
    forge.file(".aws/credentials", "\n".join(lines), 0o600)
    forge.file(
        ".aws/config",
        "[default]\nregion = eu-central-1\noutput = json\n\n[profile northwind-prod]\nregion = us-east-1\n",
        0o600,
    )
