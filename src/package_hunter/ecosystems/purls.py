"""Package URLs of what untrusted files name: whatever the name is, there is one."""

from __future__ import annotations

from urllib.parse import quote

from packageurl import PackageURL

from package_hunter.model.text import well_formed


def purl(kind: str, name: str, version: str, namespace: str = "") -> str:
    """``pkg:KIND/…``; a name that the standard has no form for (blanks only) stands there percent-encoded."""
    name, version, namespace = well_formed(name), well_formed(version), well_formed(namespace)
    try:
        return PackageURL(kind, namespace or None, name, version or None).to_string()
    except (ValueError, TypeError):
        parts = [quote(part, safe="") for part in (namespace, name or "unnamed") if part]
        return f"pkg:{kind}/{'/'.join(parts)}" + (f"@{quote(version, safe='')}" if version else "")
