"""What makes the image a developer's machine: an account, its home, dates that have some history."""

from __future__ import annotations

import os
import re
import time
from functools import cache
from importlib import resources
from pathlib import Path

from package_hunter.model.box import DOCKER_GID, HOME, UID, USER
from package_hunter.sandbox.image import keepers

LOCALES = ("en_US.UTF-8", "ru_RU.UTF-8")  # the second for the world of another language
_DAY = 86400.0
_HOME_DIRS_TEXT = """
projects .ssh .config .config/git .config/htop .cache .local .local/bin .local/share .local/state Desktop
Documents Downloads Pictures .npm .vscode .vscode/extensions .gnupg
"""
_HOME_DIRS = _HOME_DIRS_TEXT.split()
_GITCONFIG = """[user]
\tname = Alex Morgan
\temail = alex.morgan@acme.example
[init]
\tdefaultBranch = main
[pull]
\trebase = true
[core]
\teditor = vim
[alias]
\tst = status
\tco = checkout
\tlg = log --oneline --graph
"""
_BASHRC = """
alias gs='git status'
alias dc='docker compose'
export EDITOR=vim
export PATH="$HOME/.local/bin:$PATH"
"""
# Privileges cannot be gained in a box; sudo itself would tell why.
_SUDO = """#!/bin/sh
[ "$1" = -n ] || printf '[sudo] password for %s: ' "$USER" >&2
echo 'sudo: a password is required' >&2
exit 1
"""


def dress(root: Path) -> None:
    """Accounts, host name, locale, the user's home, mount points that boxes use."""
    _accounts(root)
    _stand_ins(root)
    (root / "etc/hostname").write_text("devbox\n", encoding="utf-8")
    (root / "etc/hosts").write_text("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost\n", encoding="utf-8")
    (root / "etc/locale.gen").write_text("".join(f"{name} UTF-8\n" for name in LOCALES), encoding="utf-8")
    (root / "etc/timezone").write_text("Europe/Berlin\n", encoding="utf-8")
    _link(root / "etc/localtime", "/usr/share/zoneinfo/Europe/Berlin")
    (root / "etc/machine-id").write_text("", encoding="utf-8")  # each box gets its own
    (root / "usr/bin/sudo").unlink(missing_ok=True)
    (root / "usr/bin/sudo").write_text(_SUDO, encoding="utf-8")
    (root / "usr/bin/sudo").chmod(0o755)
    # crontab's group cannot be gained either: let the user write there, where it is seen.
    crontabs = root / "var/spool/cron/crontabs"
    crontabs.mkdir(parents=True, exist_ok=True)
    crontabs.chmod(0o1777)
    bundle = root / "etc/ssl/certs/ca-certificates.crt"  # the box's certificate authority is added to it
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.touch()
    _link(root / "etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf", remove_only=True)
    _home(root)
    # Debian marks its Python as externally managed; people who pip install into it have removed that.
    for path in (root / "usr/lib").glob("python3*/EXTERNALLY-MANAGED"):
        path.unlink()


@cache
def stand_ins() -> dict[str, bytes]:
    """Programs that a box cannot have as they are (no service manager, no container engine, no assistant's
    account, no secrets): harmless ones in their place. Name -> content; what they are called with is seen as any
    start of a program is."""
    folder = resources.files("package_hunter.sandbox.image").joinpath("standins")
    plain = {item.name: item.read_bytes() for item in folder.iterdir() if item.is_file()}
    return {**plain, **keepers.programs()}


def _stand_ins(root: Path) -> None:
    for name, content in stand_ins().items():
        path = root / "usr/bin" / name
        path.unlink(missing_ok=True)
        path.write_bytes(content)
        path.chmod(0o755)


def _accounts(root: Path) -> None:
    def append(name: str, line: str) -> None:
        path = root / "etc" / name
        kept = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        number = {"passwd": (UID,), "group": (UID, DOCKER_GID)}.get(name, ())
        taken = {str(one) for one in number}  # another account of that number would give the user its name
        kept = [one for one in kept if not taken & set(one.split(":")[2:3])]
        path.write_text("".join(kept) + line, encoding="utf-8")

    append("passwd", f"{USER}:x:{UID}:{UID}:Alex Morgan,,,:{HOME}:/bin/bash\n")
    append("group", f"{USER}:x:{UID}:\ndocker:x:{DOCKER_GID}:{USER}\n")
    append("shadow", f"{USER}:!:19700:0:99999:7:::\n")
    append("gshadow", f"{USER}:!::\ndocker:!::{USER}\n")
    append("subuid", f"{USER}:100000:65536\n")
    append("subgid", f"{USER}:100000:65536\n")


def _home(root: Path) -> None:
    home = root / HOME.lstrip("/")
    home.mkdir(parents=True, exist_ok=True)
    for name in (".bashrc", ".profile", ".bash_logout"):
        skeleton = root / "etc/skel" / name
        text = skeleton.read_text(encoding="utf-8") if skeleton.exists() else ""
        (home / name).write_text(text + (_BASHRC if name == ".bashrc" else ""), encoding="utf-8")
    for name in _HOME_DIRS:
        (home / name).mkdir(mode=0o700 if name in (".ssh", ".gnupg") else 0o755, exist_ok=True)
    (home / ".gitconfig").write_text(_GITCONFIG, encoding="utf-8")
    _node_headers(root, home)
    (home / ".vimrc").write_text("syntax on\nset number\nset expandtab shiftwidth=2\n", encoding="utf-8")
    home.chmod(0o755)
    for path in [home, *home.rglob("*")]:
        os.chown(path, UID, UID, follow_symlinks=False)


def _node_headers(root: Path, home: Path) -> None:
    """node-gyp finds what it would download where it keeps it after the first native build, for each Node.js; an
    image of somebody else's may have none, or in another place."""
    for header in sorted(root.glob("usr/local/include/node/node_version.h")) + sorted(
        root.glob("usr/local/opt/node*/include/node/node_version.h")
    ):
        version = re.findall(
            r"^#define NODE_(?:MAJOR|MINOR|PATCH)_VERSION (\d+)", header.read_text(encoding="utf-8"), re.M
        )
        kept = home / ".cache/node-gyp" / ".".join(version)
        kept.mkdir(parents=True, exist_ok=True)
        (kept / "include").unlink(missing_ok=True)
        (kept / "include").symlink_to("/" + str(header.parents[1].relative_to(root)))
        (kept / "installVersion").write_text(
            "11", encoding="ascii"
        )  # node-gyp's own mark, since its version 9


def _link(path: Path, target: str, remove_only: bool = False) -> None:
    path.unlink(missing_ok=True)
    if not remove_only:
        path.symlink_to(target)


def age(root: Path, began: float) -> None:
    """Give every file that the build made (its time is not before ``began``) a date of some months ago; the
    user's own files are spread over the weeks after it."""
    installed = began - 210 * _DAY
    home = root / HOME.lstrip("/")
    for directory, names, files in os.walk(root, topdown=False):
        for name in [*files, *names]:
            path = Path(directory, name)
            if path.lstat().st_mtime >= began - 1:
                _touch(path, installed, home)
    _touch(root, installed, home)


def _touch(path: Path, installed: float, home: Path) -> None:
    when = installed
    if path.is_relative_to(home):
        when += (sum(path.name.encode()) * 7919 % 180) * _DAY + sum(path.name.encode()) * 37 % 40000
    os.utime(path, (min(when, time.time()), min(when, time.time())), follow_symlinks=False)
