"""The package manager's own install: in a throw-away folder, in namespaces of its own, as a user without rights.

Honest, well-known packages only: their scripts run. The user has a home of its own; the caller's home and the
repository are hidden from it. Registries are those of the host's configuration.
Node.js and npm are those of the box's image: npm chooses other versions for another Node.js.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ci.corpus import gems, trees
from ci.corpus.items import CI, Item
from ci.corpus.registries import expanded
from ci.corpus.trees import Tree

from package_hunter.sandbox.image import find_image
from package_hunter.sandbox.mounts import mount_image

SECONDS = 300
_USER = "65123"
_SETTINGS = (".npmrc", ".config/pip/pip.conf")  # the host's registries, as a scan uses them
_PYTHON = "/usr/bin/python3"
_IMAGE = (
    'mount --bind "$FOLDER" "$IMAGE/mnt"; mount --rbind /dev "$IMAGE/dev"; mount -t tmpfs none "$IMAGE/tmp"; '
    'mount -t proc none "$IMAGE/proc"; unset IMAGE FOLDER; exec "$@"'
)
_HIDE = 'for place in $HIDE; do mount -t tmpfs -o mode=755 none "$place"; done; unset HIDE; exec "$@"'


@dataclass(frozen=True)
class Manager:
    """How a package manager installs a project. ``tools`` are what the corpus installs to have it."""

    command: tuple[str, ...]
    tree: Callable[[Path], Tree]
    tool: str = ""  # "npm/NAME" or "py/NAME" below the folder of tools
    wants: str = ""  # what npm or pip is asked for to have it
    env: Mapping[str, str] = field(default_factory=dict)
    before: tuple[str, ...] = ()  # not counted
    in_image: bool = (
        False  # a manager that hosts may not have: the box's image is its root, the network the host's
    )


def _in_venv(project: Path) -> Tree:
    return trees.python_tree(project / ".venv")


def _both(project: Path) -> Tree:
    return trees.members_tree(project) | _in_venv(project)


def _node(wants: str, *command: str, **env: str) -> Manager:
    return Manager(command, trees.members_tree, f"npm/{wants.replace('/', '_')}", wants, env)


_NPM_QUIET = ("--no-audit", "--no-fund")
_VENV = (_PYTHON, "-m", "venv", ".venv")
MANAGERS: dict[str, Manager] = {
    "npm": Manager(("npm", "install", *_NPM_QUIET), trees.members_tree),
    "npm-ci": Manager(("npm", "ci", *_NPM_QUIET), trees.members_tree),
    "yarn1": _node("yarn@1.22.22", "yarn", "install", "--frozen-lockfile", "--non-interactive"),
    "yarn4": _node("@yarnpkg/cli-dist@4", "yarn", "install", YARN_PNP_ENABLE_INLINING="0"),
    "pnpm7": _node("pnpm@7", "pnpm", "install", "--frozen-lockfile", CI="1"),
    "pnpm8": _node("pnpm@8", "pnpm", "install", "--frozen-lockfile", CI="1"),
    "pnpm9": _node("pnpm@9", "pnpm", "install", "--frozen-lockfile", CI="1"),
    "pnpm10": _node(  # as it is here: the version that packageManager names is not fetched instead
        "pnpm@10",
        "pnpm",
        "install",
        "--frozen-lockfile",
        CI="1",
        npm_config_manage_package_manager_versions="false",
    ),
    "bun": _node("bun", "bun", "install", "--frozen-lockfile"),
    "pip": Manager((".venv/bin/pip", "install", "-r", "requirements.txt"), _in_venv, before=_VENV),
    "uv": Manager(("uv", "sync", "--frozen"), _in_venv, "py/uv", "uv", {"UV_PYTHON_DOWNLOADS": "never"}),
    "uv-pip": Manager(
        ("uv", "pip", "install", "-r", "requirements.txt"),
        _in_venv,
        "py/uv",
        "uv",
        {"UV_PYTHON_DOWNLOADS": "never"},
        _VENV,
    ),
    "poetry": Manager(
        ("poetry", "install", "-n"),
        _in_venv,
        "py/poetry",
        "poetry,poetry-plugin-pypi-mirror",
        # by the simple index, as pip: not every mirror has the JSON that poetry asks for by itself
        {"POETRY_VIRTUALENVS_IN_PROJECT": "1", "POETRY_PYPI_MIRROR_URL": "@PYPI@/simple/"},
    ),
    "pdm": Manager(
        ("pdm", "install"),
        _in_venv,
        "py/pdm",
        "pdm,pdm<2.26,hishel<1,unearth<0.18",  # a set that works together; the newest ones do not
        {"PDM_CHECK_UPDATE": "0"},
        _VENV,
    ),
    "pipenv": Manager(
        ("pipenv", "sync", "--dev"), _in_venv, "py/pipenv", "pipenv", {"PIPENV_VENV_IN_PROJECT": "1"}
    ),
    "bundler": Manager(
        ("bundle", "install"), trees.gem_tree, env={"BUNDLE_PATH": "vendor/bundle"}, in_image=True
    ),
    "npm+pip": Manager(
        ("sh", "-c", "npm ci --no-audit --no-fund && .venv/bin/pip install -r requirements.txt"),
        _both,
        before=_VENV,
    ),
    "pnpm+uv": Manager(
        ("sh", "-c", "pnpm install --frozen-lockfile && uv sync --frozen"),
        _both,
        "npm/pnpm@9 py/uv",
        "pnpm@9 uv",
        {"CI": "1", "UV_PYTHON_DOWNLOADS": "never"},
    ),
}


@dataclass(frozen=True)
class Outcome:
    """Exit status (0: well), seconds and tree of an install, with the manager's last words where it failed."""

    status: int
    seconds: float
    tree: Tree
    words: str = ""


def install(item: Item, tools: Path) -> Outcome:
    """Install it outside of any box.

    Raises CalledProcessError where the manager itself cannot be had.
    """
    manager = MANAGERS[item.manager]
    image = mount_image(find_image())
    path = [*(str(place) for place in have(manager, tools)), str(image / "usr/local/bin")]
    with _folder() as folder:
        project = folder / "project"
        item.lay(project)
        subprocess.run(["chown", "-R", f"{_USER}:{_USER}", str(folder)], check=True)
        env = {**_environment(folder, path), **{k: expanded(v) for k, v in manager.env.items()}}
        env["npm_config_nodedir"] = str(image / "usr/local")
        if item.gems:
            env |= {**gems.environment(folder / "home"), "HOME": "/mnt/home"}
        if manager.before:
            _run(manager.before, project, env)
        started = time.perf_counter()
        done = _run(item.install or manager.command, project, env, image if manager.in_image else None)
        seconds = time.perf_counter() - started
        return Outcome(done.returncode, seconds, manager.tree(project), _last_words(done))


def have(manager: Manager, tools: Path) -> Iterator[Path]:
    """The folders with the programs, which are installed where they are not there yet."""
    for tool, wanted in zip(manager.tool.split(), manager.wants.split(), strict=True):
        place = tools / tool
        if tool.startswith("npm/"):
            if not (place / "node_modules/.bin").is_dir():
                subprocess.run(["npm", "install", *_NPM_QUIET, "--prefix", str(place), wanted], check=True)
            yield place / "node_modules/.bin"
        else:
            packages = wanted.split(",")
            if not (place / "bin" / packages[0]).exists():
                subprocess.run([_PYTHON, "-m", "venv", str(place)], check=True)
                subprocess.run([str(place / "bin/pip"), "install", "-q", *packages], check=True)
            yield place / "bin"


@contextmanager
def _folder() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="corpus-bare-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        for settings in _SETTINGS:
            own = Path.home() / settings
            if own.exists():
                (folder / "home" / settings).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(own, folder / "home" / settings)
        (folder / "home").mkdir(exist_ok=True)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path, path: list[str]) -> dict[str, str]:
    """The host's, as far as it tells where registries and certificates are."""
    keep = (
        "PIP_",
        "UV_",
        "NPM_CONFIG_",
        "npm_config_",
        "SSL_",
        "REQUESTS_",
        "CURL_",
        "NODE_EXTRA_",
        "LANG",
        "LC_",
    )
    kept = {k: v for k, v in os.environ.items() if k.startswith(keep)}
    programs = ":".join([*path, "/usr/local/bin", "/usr/bin", "/bin"])
    return {**kept, "HOME": str(folder / "home"), "PATH": programs, "USER": "dev", "TERM": "dumb"}


def _run(
    command: tuple[str, ...], project: Path, env: Mapping[str, str], image: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """A command as a user without rights; its end is waited for `SECONDS`, then it is killed with all it started."""
    hidden = {str(Path.home()), "/" + CI.parts[1]} - {"/", "/var", "/usr"}
    spaces = ["unshare", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc"]
    user = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--clear-groups"]
    rights = ["--no-new-privs", "--bounding-set=-all"]
    words = [*spaces, "sh", "-c", _HIDE, "sh", *user, *rights, *command]
    if image is not None:
        into = ["setpriv", "--no-new-privs", "/usr/sbin/chroot", f"--userspec={_USER}:{_USER}", str(image)]
        words = [*spaces, "sh", "-c", _IMAGE, "sh", *into, "env", "-C", f"/mnt/{project.name}", *command]
        env = {**env, "IMAGE": str(image), "FOLDER": str(project.parent)}
    with subprocess.Popen(
        words,
        cwd=project,
        env={**env, "HIDE": " ".join(sorted(hidden))},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        try:
            said, _ = process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the namespace's first process among them: all of it ends
            process.communicate()
            return subprocess.CompletedProcess(words, 124, f"no end within {SECONDS} s".encode())
    return subprocess.CompletedProcess(words, process.returncode, said)


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode == 0:
        return ""
    lines = [line for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    return "\n".join(lines[-6:])[-800:]
