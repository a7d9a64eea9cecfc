"""Runs in the box, before any package's code can: uv resolves what a project asks for, and installs its wheels.

    resolve.py JOB RESULT                # both JSON, see ``Resolver``; exit status 0: the tree in RESULT is whole
    resolve.py --build UV PYTHON ARG...  # later, when foreign code may run: `uv pip install ARG...`

Nothing foreign runs here. uv reads what an index says of a package and what its archive says in plain words; where
it would have to run a build to learn more, it cannot make the folder that it builds in, says for which package, and
that package is left to be built later. A package that cannot be had is left out, and the others are installed.

A file of its own, with nothing but the standard library: it is no part of the program that scans.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MAX_LEFT_OUT = 200
_MOST_STARTERS = 20  # of one package
_START_SECONDS = 10
# as in starts.py
_FILE = "import site, sys; sys.path.append(sys.argv[1]); site.addpackage(sys.argv[1], sys.argv[2], set())"
_MODULE = (
    "import runpy, sys; sys.path.append(sys.argv[1]); "
    "runpy.run_path(sys.argv[1] + '/' + sys.argv[2], run_name=sys.argv[2][:-3])"
)
_CUSTOM = ("sitecustomize", "usercustomize")
_STARTERS = ("*.pth", *(f"{name}{end}" for name in _CUSTOM for end in (".py", "/__init__.py")))
_NAME = r"([A-Za-z0-9][A-Za-z0-9._-]*)"
_TO_BUILD = re.compile(rf"(?:[Ff]ailed to (?:download and )?build|[Bb]uild) `{_NAME}==([A-Za-z0-9.!+_-]+)`")
_MISSING = (
    re.compile(rf"Because (?:only )?{_NAME}(?:\[[^\]]*\])? was not found in "),
    re.compile(rf"Because there (?:is|are) no versions? of {_NAME}(?:\[[^\]]*\])?[=<>!~ ]"),
    re.compile(rf"Because {_NAME}(?:\[[^\]]*\])?==\S+ has no (?:wheels|usable wheels|source distribution)"),
    re.compile(rf"Because only {_NAME}(?:\[[^\]]*\])?[=<>!~]"),
    re.compile(rf"{_NAME}==\S+ (?:can't|cannot) be installed because it (?:has no|doesn't have)"),
)


def normal(name: str) -> str:
    """As the index compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


class Resolver:
    """One job: ``python`` (the environment's), ``uv`` (the program), ``cache`` (a folder to be made), ``inputs``
    (requirements files), ``constraints`` (likewise), ``lock`` (whether a uv.lock is exported first, from the working
    directory), ``locked`` (inputs list everything), ``skipped`` (names that are not to be asked for), ``needed``
    (names without which all is in vain), ``hashes`` (``NAME==VERSION`` -> digests, any of which a file must have),
    ``formats`` (``sources``, ``wheels``: names; ``rest``: which of them the others are, if any), ``prereleases``
    (whether those are taken), ``folders`` (options that name the project's own folders of archives)."""

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = job
        self._cache = Path(job["cache"])
        self.builds: dict[str, str] = {}
        self.missing: dict[str, str] = {}
        self.words = ""
        self._left_out = set(map(normal, job["skipped"]))
        self._env = {**_environment(job["python"]), "UV_CACHE_DIR": job["cache"]}

    def run(self) -> list[str] | None:
        """The tree, as requirement lines with digests; None where uv could not tell."""
        self._cache.mkdir(parents=True, exist_ok=True)
        (self._cache / "builds-v0").touch()  # where uv would make the folders that it builds in
        try:
            inputs: list[str] = self._export() if self._job["lock"] else self._job["inputs"]
            locked = self._as_locked(inputs)
            return locked if locked is not None else self._resolved(inputs)
        finally:
            shutil.rmtree(self._cache, ignore_errors=True)

    def _resolved(self, inputs: list[str]) -> list[str] | None:
        lines = self._until(lambda: self._compile(inputs))
        if lines is None:
            return None
        self._put_builds_aside(lines)
        return lines if self._until(lambda: self._install(lines)) is not None else None

    def _as_locked(self, inputs: list[str]) -> list[str] | None:
        """What a lock file lists, installed as it stands there: to resolve it first would ask for all of it twice.
        None where it does not say enough for that: a line without a digest, versions that uv takes for a contradiction,
        something that is to come from its source."""
        asked, texts = self._job["formats"], [Path(name).read_text() for name in inputs]
        lines = [line for text in texts for line in text.splitlines() if re.match(_NAME, line)]
        lines = [self._with_digests(" ".join(line.split())) for line in lines]
        if not self._job["locked"] or asked["sources"] or asked["rest"] == "sources":
            return None
        if not lines or not all("--hash=" in line for line in lines):
            return None
        left_out = set(self._left_out)
        there: set[tuple[str, str]] = set()
        if self._until(lambda: self._install(lines)) is not None:
            there = {*self._installed(), *(_pin(pin) for pin in self.builds.values())}
        chosen = [line for line in lines if _pin(line) in there]
        known = {_name(line) for line in chosen} | self._left_out
        if not there or not {name for name, _ in there} <= known:
            self.builds, self.missing, self._left_out = {}, {}, left_out
            return None
        return [re.sub(r"\s*;.*?(?=\s--hash=)", "", line) for line in chosen]

    def _installed(self) -> set[tuple[str, str]]:
        """Normal names and versions of what lies in the environment, but for what it began with."""
        found = Path(self._job["python"]).parent.parent.glob("lib/python3*/site-packages/*.dist-info")
        parts = (path.stem.rpartition("-") for path in found)
        return {(normal(name), version) for name, _, version in parts}

    def _export(self) -> list[str]:
        """What uv.lock lists for this interpreter: everything that goes together, else what a plain sync takes."""
        target = self._cache / "exported.txt"
        whole = ("--all-packages", "--all-groups", "--all-extras")
        for more in (whole, whole[:1], ()):
            argv = ["export", "--frozen", "--no-header", "--no-annotate", "--no-emit-local", "--quiet", *more]
            if self._uv([*argv, "--output-file", str(target)]):
                _keep_names_only(target)
                return [str(target)]
        listed: list[str] = self._job["inputs"]
        return listed

    def _until(self, step: Callable[[], list[str] | None]) -> list[str] | None:
        """Again and again, each time without what stood in the way; None where that is not known."""
        for _ in range(_MAX_LEFT_OUT):
            found = step()
            if found is not None:
                return found
            if not self._leave_out():
                return None
        return None

    def _leave_out(self) -> bool:
        """Whether uv said for which package it could not go on, and it may be left out."""
        text = " ".join(self.words.split())
        build = _TO_BUILD.search(text)
        hits = [build] if build else [hit for one in _MISSING if (hit := one.search(text))]
        name = normal(hits[0][1]) if hits else ""
        if not name or name in self._left_out or (not build and name in self._job["needed"]):
            return False
        self._left_out.add(name)
        if build:
            self.builds[name] = f"{build[1]}=={build[2]}"
        else:
            self.missing[name] = self.words[-1000:]
        return True

    def _compile(self, inputs: list[str]) -> list[str] | None:
        left_out, target = self._cache / "left-out.txt", self._cache / "tree.txt"
        left_out.write_text("".join(f"{name}\n" for name in sorted(self._left_out)))
        argv = ["pip", "compile", "--quiet", "--python", self._job["python"], "--no-header", "--no-annotate"]
        argv += [
            "--generate-hashes",
            "--no-strip-extras",
            "--excludes",
            str(left_out),
            "--output-file",
            str(target),
        ]
        argv += ["--no-deps"] if self._job["locked"] else []
        argv += ["--prerelease", "allow"] if self._job["prereleases"] else []
        for file in self._job["constraints"]:
            argv += ["--constraints", file]
        if not self._uv([*argv, *inputs]):
            return None
        text = target.read_text().replace("\\\n", " ")
        return [" ".join(line.split()) for line in text.splitlines() if re.match(_NAME, line)]

    def _put_builds_aside(self, lines: list[str]) -> None:
        """What is to come from its source archive is built later, even where there is a wheel."""
        asked = self._job["formats"]
        for line in lines:
            name = _name(line)
            rest = asked["rest"] == "sources" and name not in asked["wheels"]
            if name in asked["sources"] or rest:
                self.builds[name] = re.sub(r"\[.*?\]", "", line.split(" ")[0])

    def _install(self, lines: list[str]) -> list[str] | None:
        lines[:] = map(self._with_digests, lines)
        kept = [line for line in lines if _name(line) not in {*self.builds, *self._left_out}]
        if not kept:
            return []
        # a folder of archives, and some indexes, tell no digests
        proven = [line for line in kept if "--hash=" in line]
        plain = [line for line in kept if "--hash=" not in line]
        done = self._take(proven, "--require-hashes") and self._take(plain)
        return kept if done else None

    def _take(self, lines: list[str], *options: str) -> bool:
        """Whether these are installed."""
        if not lines:
            return True
        source = self._cache / "install.txt"
        source.write_text("".join(f"{line}\n" for line in [*self._job["folders"], *lines]))
        argv = ["pip", "install", "--quiet", "--python", self._job["python"], "--no-deps"]
        return self._uv([*argv, *options, "--requirement", str(source)])

    def _with_digests(self, line: str) -> str:
        """The line with the lock file's digests where it has some, in place of the index's."""
        name, version = _pin(line)
        own = self._job["hashes"].get(f"{name}=={version}")
        head = re.split(r"\s--hash=", line, maxsplit=1)[0]
        return f"{head} {' '.join(f'--hash={text}' for text in own)}" if own else line

    def _uv(self, argv: list[str]) -> bool:
        done = subprocess.run(
            [self._job["uv"], *argv],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=self._env,
        )  # fmt: skip
        self.words = done.stdout.decode("utf-8", "replace")[-8000:]
        print(self.words, end="", flush=True)
        return done.returncode == 0


def _pin(line: str) -> tuple[str, str]:
    """Normal name and version of a requirement of one version."""
    name, _, version = re.sub(r"\[.*?\]", "", re.split(r"[\s;]", line, maxsplit=1)[0]).partition("==")
    return normal(name), version


def _name(line: str) -> str:
    return normal(re.sub(r"[^A-Za-z0-9._-].*", "", line))


def _keep_names_only(path: Path) -> None:
    """The requirements by name: what comes from elsewhere is asked for apart."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    kept = [line for line in lines if re.match(_NAME, line) and " @ " not in line.split(";")[0]]
    path.write_text("".join(f"{line}\n" for line in kept))


def _environment(python: str) -> dict[str, str]:
    """uv asks the indexes that pip is set up for, and heeds no file of the user or the project: a .python-version
    may name a program of the project's as the interpreter, which uv would start."""
    env = {
        **os.environ, "UV_NO_CONFIG": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON": python,
        "UV_KEYRING_PROVIDER": "disabled", "UV_NO_PROGRESS": "1", "UV_INDEX_STRATEGY": "unsafe-best-match",
        "VIRTUAL_ENV": str(Path(python).parent.parent),
    }  # fmt: skip
    pairs = {
        "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
        "PIP_EXTRA_INDEX_URL": "UV_INDEX",
        "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    }
    return {**env, **{uvs: os.environ[pips] for pips, uvs in pairs.items() if os.environ.get(pips)}}


def main(job_path: str, result_path: str) -> int:
    """Exit status 0: the tree is whole, but for what RESULT names."""
    resolver = Resolver(json.loads(Path(job_path).read_text()))
    lines = resolver.run()
    result = {
        "frozen": lines or [],
        "builds": sorted(resolver.builds.values()),
        "missing": resolver.missing,
    }
    Path(result_path).write_text(json.dumps(result))
    folder = Path(result_path).with_name(
        "build"
    )  # a file for each of them, since pip takes digests from files only
    folder.mkdir(exist_ok=True)
    for line in lines or []:
        pin = resolver.builds.get(_name(line))
        if pin is not None:
            (folder / f"{pin}.txt").write_text(f"{line}\n")
    return 0 if lines is not None else 1


def build(uv: str, python: str, *argv: str) -> int:
    """Build and install as asked, with uv's own exit status; then start what this put there to run at every start."""
    before = _starters(python)
    code = subprocess.run(
        [uv, "pip", "install", "--python", python, *argv], env=_environment(python)
    ).returncode
    for one in [one for one in _starters(python) if one not in before][:_MOST_STARTERS]:
        _start_alone(python, *one)
    return code


def _starters(python: str) -> list[tuple[str, str]]:
    """The start-up files of an environment: the folder of its packages, and their names in it."""
    sites = Path(python).parent.parent.glob("lib/python3*/site-packages")
    found = ((site, path) for site in sites for name in _STARTERS for path in site.glob(name))
    return sorted((str(site), str(path.relative_to(site))) for site, path in found)


def _start_alone(python: str, site: str, name: str) -> None:
    """Run one start-up file in a process of its own, before the next package's install runs it with all others: one
    that acts once only then acts as its own package's. What does not end is left to itself, and watched."""
    argv = [python, "-I", "-S", "-c", _MODULE if name.endswith(".py") else _FILE, site, name]
    started = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        started.wait(_START_SECONDS)
    except subprocess.TimeoutExpired:
        print(f"{name} runs for longer than {_START_SECONDS} s", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(build(*sys.argv[2:]) if sys.argv[1] == "--build" else main(sys.argv[1], sys.argv[2]))
