"""What the clouds' metadata services hand out (decoy/services/metadata.py)."""

from __future__ import annotations

from package_hunter.decoy.forge import BASE62, Forge, aws_pair, jwt, random_text

AWS = "http://169.254.169.254/latest/meta-data/iam/security-credentials/"
GCP = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
AZURE = "http://169.254.169.254/metadata/identity/oauth2/token"


def make(forge: Forge) -> None:
    key, secret = aws_pair("ASIA")
    for kind, value in (
        ("metadata-aws-key-id", key),
        ("metadata-aws-secret", secret),
        ("metadata-aws-token", "IQoJb3JpZ2luX2VjE" + random_text(300, BASE62 + "+/")),
    ):
        forge.canary(kind, AWS, value, ("aws",) if value == key else ())
    forge.canary("metadata-gcp-token", GCP, "ya29.c." + random_text(180, BASE62 + "-_"))
    forge.canary("metadata-azure-token", AZURE, jwt("https://sts.windows.net/", "vmss-runner"))
