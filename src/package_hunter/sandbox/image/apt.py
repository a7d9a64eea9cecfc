"""Where the image's packages come from: the host's own apt configuration, whatever mirror that names."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from package_hunter.errors import HostError

_APT = Path("/etc/apt")
_COMPONENTS = {"main", "universe"}
_ONE_LINE = re.compile(
    r"^deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<parts>.+)$"
)


@dataclass(frozen=True, slots=True)
class Source:
    """A package source of the host."""

    uri: str
    suite: str
    components: tuple[str, ...]
    signed_by: str | None


def host_sources() -> tuple[Source, ...]:
    """The binary sources of the host's release, in the order that apt reads them. Raises HostError: none."""
    codename = _codename()
    found: list[Source] = []
    for path in [_APT / "sources.list", *sorted((_APT / "sources.list.d").glob("*"))]:
        if path.suffix == ".sources":
            found += _deb822(path.read_text(encoding="utf-8"))
        elif path.suffix == ".list" and path.exists():
            found += _one_line(path.read_text(encoding="utf-8"))
    suites = {codename, f"{codename}-updates", f"{codename}-security"}
    # Debian's and Ubuntu's own archives by their components: other vendors' repositories stay out.
    sources = tuple(s for s in found if s.suite in suites and _COMPONENTS & set(s.components))
    if not any(_is_base(s, codename) for s in sources):
        raise HostError(
            f"The host's apt configuration ({_APT}) names no source for this release ({codename}).",
            "The image is built from the host's Debian or Ubuntu mirror: add it to /etc/apt/sources.list.",
        )
    return sources


def base_source(sources: tuple[Source, ...]) -> Source:
    """The one that debootstrap starts from."""
    codename = _codename()
    return next(s for s in sources if _is_base(s, codename))


def _is_base(source: Source, codename: str) -> bool:
    return source.suite == codename and "main" in source.components


def configure_root(root: Path, sources: tuple[Source, ...]) -> None:
    """Give a new root the host's sources, keys, proxies and certificates, for as long as it is built."""
    lines = []
    for source in sources:
        option = f"[signed-by={source.signed_by}] " if source.signed_by else ""
        lines.append(f"deb {option}{source.uri} {source.suite} {' '.join(source.components)}\n")
        if source.signed_by and not (root / source.signed_by.lstrip("/")).exists():
            _copy(Path(source.signed_by), root)
    (root / "etc/apt/sources.list").write_text("".join(lines), encoding="utf-8")
    options = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True).stdout
    kept = [
        line for line in options.splitlines() if line.startswith("Acquire::") and "::Changelogs" not in line
    ]
    (root / "etc/apt/apt.conf.d/99build").write_text("\n".join([*kept, ""]), encoding="utf-8")
    for path in (Path("/etc/resolv.conf"), Path("/etc/hosts"), Path("/etc/ssl/certs/ca-certificates.crt")):
        if path.exists():
            _copy(path, root)
    for path in (_APT / "auth.conf", *(_APT / "auth.conf.d").glob("*")):
        if path.is_file():
            _copy(path, root)


def forget_host(root: Path) -> None:
    """Take everything of the host out again: the image must not tell where it was built."""
    for name in ("etc/apt/apt.conf.d/99build", "etc/apt/auth.conf", "etc/resolv.conf"):
        (root / name).unlink(missing_ok=True)
    shutil.rmtree(root / "etc/apt/auth.conf.d", ignore_errors=True)
    for pattern in ("var/lib/apt/lists/*", "var/cache/apt/*", "var/log/*.log", "var/log/apt/*"):
        for path in root.glob(pattern):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    example = root / "usr/share/doc/apt/examples/sources.list"  # the distribution's own default
    text = example.read_text(encoding="utf-8") if example.exists() else ""
    (root / "etc/apt/sources.list").write_text(text, encoding="utf-8")


def _copy(path: Path, root: Path) -> None:
    target = root / str(path).lstrip("/")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    shutil.copyfile(path, target)


def _codename() -> str:
    text = Path("/etc/os-release").read_text(encoding="utf-8")
    match = re.search(r"^VERSION_CODENAME=\"?([a-z]+)", text, re.M)
    return match.group(1) if match else ""


def _deb822(text: str) -> list[Source]:
    found = []
    uncommented = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for stanza in re.split(r"\n\s*\n", uncommented):
        fields = {k.lower(): v.strip() for k, v in re.findall(r"^(\S+):\s*(.*(?:\n[ \t]+.*)*)", stanza, re.M)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes") == "no":
            continue
        key = fields.get("signed-by", "")
        signed_by = key if key.startswith("/") else None
        for uri in fields.get("uris", "").split():
            components = tuple(fields.get("components", "").split())
            found += [Source(uri, suite, components, signed_by) for suite in fields.get("suites", "").split()]
    return found


def _one_line(text: str) -> list[Source]:
    found = []
    for line in text.splitlines():
        match = _ONE_LINE.match(line.strip())
        if match:
            key = re.search(r"signed-by=(\S+)", match["options"] or "")
            parts = tuple(match["parts"].split("#")[0].split())
            found.append(Source(match["uri"], match["suite"], parts, key.group(1) if key else None))
    return found
