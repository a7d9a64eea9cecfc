"""What the corpus holds: projects out of projects.toml, and packages out of the two offline lists."""

from __future__ import annotations

import json
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ci.corpus import gems
from ci.corpus.registries import copied

CI = Path(__file__).resolve().parent.parent
PROJECTS = CI / "projects"
BATCH = {"script": 6, "sdist": 5}  # packages that are installed together, until something is off


@dataclass(frozen=True)
class Item:
    """One thing to install twice. ``group`` is project, script or sdist; ``packages`` of lists only."""

    name: str
    group: str
    manager: str  # a key of `ci.corpus.bare.MANAGERS`
    kind: str = ""
    source: str = ""  # whose project has this shape; "": written here
    packages: tuple[str, ...] = ()
    install: tuple[str, ...] = ()  # words for the manager instead of its usual ones
    scripts: bool = False  # whether packages with install scripts are among its dependencies
    sample: bool = False  # one of those that CI installs
    gems: tuple[str, ...] = ()  # "NAME VERSION [NEEDED,...]": what the local gem server has
    # "partly": the box says what it cannot have (a reason), and has the rest; "more": what the lock file lists for
    # extras and further groups is scanned too, which a plain install leaves out
    expect: str = "same"

    def lay(self, folder: Path) -> None:
        """Write it into ``folder``."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.group == "project":
            copied(PROJECTS / self.name, folder)
            if self.gems:
                gems.publish(self.gems, folder)
        elif self.group == "script":
            wanted = dict(package.rsplit("@", 1) for package in self.packages)
            manifest = {"name": "corpus-app", "version": "1.0.0", "private": True, "dependencies": wanted}
            (folder / "package.json").write_text(json.dumps(manifest, indent=2))
        else:
            lines = [f"--no-binary {package.partition('==')[0]}" for package in self.packages]
            (folder / "requirements.txt").write_text("\n".join([*lines, *self.packages, ""]))

    def halves(self) -> list[Item]:
        """The same packages as two items; none where it is one already."""
        if len(self.packages) < 2:
            return []
        middle = len(self.packages) // 2
        return [self._of(self.packages[:middle]), self._of(self.packages[middle:])]

    def _of(self, packages: tuple[str, ...]) -> Item:
        return replace(self, name=name_of(self.group, packages), packages=packages)


def name_of(group: str, packages: tuple[str, ...]) -> str:
    """How packages that are installed together are called in the results."""
    return f"{group}:{'+'.join(packages)}"


def projects(listed: Path = CI / "projects.toml") -> Iterator[Item]:
    """The rows of projects.toml.

    Raises TypeError where a row has a key that no item has.
    """
    for name, row in tomllib.loads(listed.read_text(encoding="utf-8")).items():
        install, offered = tuple(shlex.split(row.pop("install", ""))), tuple(row.pop("gems", ()))
        yield Item(name=name, group="project", install=install, gems=offered, **row)


def packages(group: str) -> Iterator[Item]:
    """The packages of a list in the order of downloads, some at a time."""
    lines = (CI / f"packages_{group}.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split("#")[0].strip() for line in lines]
    names = [name for name in names if name]
    alone = {line.split("#")[0].strip() for line in lines if "# alone" in line}
    together = [name for name in names if name not in alone]
    for start in range(0, len(together), BATCH[group]):
        yield _batch(group, tuple(together[start : start + BATCH[group]]))
    for name in names:
        if name in alone:
            yield _batch(group, (name,))


def _batch(group: str, names: tuple[str, ...]) -> Item:
    manager = "npm" if group == "script" else "pip"
    return Item(name_of(group, names), group, manager, packages=names, scripts=True)


def corpus() -> list[Item]:
    """All of it: projects first, then what has install scripts, then source archives."""
    return [*projects(), *packages("script"), *packages("sdist")]
