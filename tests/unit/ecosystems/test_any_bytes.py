"""Whatever bytes a project or a box holds in the files that plans read: there is a plan, or an error of ours."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from package_hunter.ecosystems.base import PlanOptions, stage
from package_hunter.ecosystems.jsontext import loads
from package_hunter.ecosystems.laying import lay
from package_hunter.ecosystems.locked import lock_file
from package_hunter.ecosystems.npm import lock, manifest, yaml_lock, yarn_lock
from package_hunter.ecosystems.purls import purl
from package_hunter.ecosystems.python import installed, requirements
from package_hunter.ecosystems.ruby import lock as gems
from package_hunter.ecosystems.tree import BoxTree, parse_object
from package_hunter.ecosystems.yamltext import load_text
from package_hunter.errors import HunterError, UsageError
from package_hunter.model import toml
from package_hunter.model.scan import Coverage, Package, Phase
from package_hunter.model.wire import to_bytes
from package_hunter.policy import parse_policy

P = "/home/dev/projects/p"
SITE = f"{P}/.venv/lib/python3.11/site-packages"
PROJECT_FILES = (
    "package.json", "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", ".npmrc",
    "pnpm-workspace.yaml", "bun.lock", ".yarnrc.yml", ".yarnrc",
    "pyproject.toml", "poetry.lock", "uv.lock", "Pipfile.lock", "requirements.txt",
    "setup.py", "PKG-INFO", "x-1.dist-info/METADATA", "Gemfile", "Gemfile.lock", "packages/a/package.json",
)  # fmt: skip
BOX_FILES = (
    f"{P}/package.json", f"{P}/node_modules/.package-lock.json", f"{P}/node_modules/a/package.json",
    f"{P}/yarn.lock", f"{P}/pnpm-lock.yaml", f"{P}/Gemfile.lock",
    f"{SITE}/a-1.dist-info/METADATA", f"{SITE}/a-1.dist-info/RECORD",
)  # fmt: skip
OPTIONS = PlanOptions(phases=("install", "import", "exercise"), registry_hosts=frozenset({"r.example"}))
text = st.text(st.characters(exclude_categories=()), max_size=12)
NUMBER = "9" * 5_000
DEEP = "[" * 20_000 + "]" * 20_000
# What a hand would write who wants to hurt: each of it stands where a value may.
HARD_JSON = [
    '"\\ud800"', '"\\udfff\\ud800"', '"\\ud83d\\ude00"', '"a\\u0000b"', '"\u202e\u2066\u200b"', '"\\u001b[2J"', NUMBER,
    f"-{NUMBER}", f"1e{NUMBER}", "NaN", "Infinity", "-Infinity", DEEP, '{"a":' * 20_000 + "1" + "}" * 20_000, '""',
    '" "', "null", "[]", "{}", '{"\\ud800": "\\ud800"}', '{"": ""}', '["\\ud800"]', "1.5", "true", '"../../x"',
]  # fmt: skip
KEYS = ("name", "version", "dependencies", "scripts", "exports", "main", "bin", "workspaces", "overrides",
        "peerDependenciesMeta", "optionalDependencies", "pnpm", "packages", "lockfileVersion", "type")  # fmt: skip
json_texts = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(HARD_JSON), max_size=6).map(
    lambda found: "{" + ",".join(f'"{key}": {value}' for key, value in found.items()) + "}"
)
npm_locks = st.dictionaries(
    st.sampled_from(
        ["", "node_modules/a", "node_modules/a/node_modules/b", "node_modules/\\ud800", "node_modules/ "]
    ),
    json_texts,
).map(lambda found: '{"packages": {' + ",".join(f'"{k}": {v}' for k, v in found.items()) + "}}")
HARD_TOML = [
    '"\\u0000"', '"\u202e"', NUMBER, "nan", "-inf", "[" * 20_000, "{a=" * 20_000, "[]", '[""]', "{}",
    '"9' + NUMBER + '"',
    "2026-13-45", "0x" + "f" * 9_000, '[{name="a"}]', '"^' + NUMBER + '"', '"\\ud800"',
]  # fmt: skip
toml_texts = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "[project]",
                "[[package]]",
                "[tool.poetry]",
                "[tool.poetry.dependencies]",
                "[build-system]",
                "[[waiver]]",
                "[verdicts]",
                "[[rule]]",
                "[" + ".".join("a" * 9_000) + "]",
            ]
        ),
        st.sampled_from(
            ["name", "version", "dependencies", "requires", "source", "expires", "reason", "versions"]
        ),
        st.sampled_from(HARD_TOML),
    ),
    max_size=6,
).map(lambda found: "\n".join(f"{head}\n{key} = {value}" for head, key, value in found))
lines = st.lists(
    st.sampled_from([
        "a==1", "a @ https://[::1", "-r ../x", "-r requirements.txt", "\0", "\ud800", "a" * 9_000, "Name: \ud800",
        "Name: ", "Name: a", "Version: " + NUMBER, "Requires-Dist: b; extra == 'x'",
        "Content-Type: multipart/mixed; boundary=x",
        " folded", "gem 'a'", "GEM", "    a (1)", "      b (" + "(" * 500, "DEPENDENCIES", '"a@1":', "  version",
        "__metadata:",
        "a/b.py,,", '"', 'a,"b', "lockfileVersion: " + NUMBER, "packages:", "  /a@1.0.0:", "&a [*a, *a]", "- ? - ? -",
        "!!python/object/apply:os.system [x]", "importers:", "  \ud800: {}", "@scope/a@npm:b@1:",
        '"\\"' + '\\"' * 3_000,
    ]),
    max_size=12,
).map("\n".join)  # fmt: skip
contents = st.one_of(json_texts, npm_locks, toml_texts, lines, text).map(
    lambda made: made.encode("utf-8", "surrogatepass")
) | st.binary(max_size=60)
slow = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


class Files(BoxTree):
    """A tree that is only in memory."""

    def __init__(self, found: dict[str, bytes]) -> None:
        self.found = found

    def read(self, path: str, limit: int = 1 << 20) -> bytes | None:
        data = self.found.get(path)
        return data if data is None or len(data) <= limit else None

    def kind(self, path: str) -> str:
        below = any(name.startswith(f"{path}/") for name in self.found)
        return "file" if path in self.found else "folder" if below else ""

    def names(self, path: str) -> list[str]:
        starts = f"{path}/"
        return sorted({n[len(starts) :].split("/")[0] for n in self.found if n.startswith(starts)})

    def link_target(self, path: str) -> str | None:
        return None


def source_tree(files: dict[str, bytes], top: str = "") -> Any:
    tree = Files({f"{P}/{name}": data for name, data in files.items()})
    base = stage("p", Path("/nowhere"), top)
    return type(base)("p", P, Path("/nowhere"), top, "ab" * 32, None, tree)


@slow
@given(
    files=st.dictionaries(st.sampled_from(PROJECT_FILES), contents, min_size=1, max_size=4),
    box=st.dictionaries(st.sampled_from(BOX_FILES), contents, max_size=4),
    top=st.sampled_from(["", "package"]),
)
def test_a_plan_or_an_error_of_ours(files: dict[str, bytes], box: dict[str, bytes], top: str) -> None:
    try:
        found = lay(
            source_tree(files, top),
            OPTIONS,
        )
    except HunterError:
        return
    tree = Files({**{f"{P}/{name}": data for name, data in files.items()}, **box})
    for plan in found:
        phases = [plan.fetch, plan.after_fetch(tree, ()), *plan.later(tree)]
        to_bytes(list[Phase], phases)
        to_bytes(list[Package], list(plan.inventory()))
        to_bytes(Coverage, plan.coverage(()))
        for package in plan.inventory()[:3]:
            plan.narrow(package.purl)
            package.purl.encode("utf-8")


@slow
@given(files=st.dictionaries(st.sampled_from(PROJECT_FILES), contents, min_size=1, max_size=3))
def test_a_lock_file_or_none(files: dict[str, bytes]) -> None:
    one = source_tree(files)
    lock_file(one.tree, one.project)
    requirements.build_requires(one.tree, one.project)
    requirements.project_name(one.tree, one.project)


@slow
@given(contents)
def test_each_reader_gives_a_value(data: bytes) -> None:
    given_text = data.decode("utf-8", "replace")
    found = parse_object(data)
    manifest.dependencies(found)
    manifest.scripts(found, True, manifest.ROOT_EVENTS)
    manifest.loader(Files({}), P, found)
    lock.dependency_order(lock.entries(found))
    yarn_lock.parse(given_text)
    for read in (yaml_lock.berry, yaml_lock.pnpm, yaml_lock.pnpm_members, yaml_lock.pnpm_major, load_text):
        read(given_text)
    gems.parse(given_text).order()
    gems.gemfile_names(given_text)
    gems.metadata(gzip.compress(data))
    gems.metadata(data)
    tree = Files({f"{SITE}/a-1.dist-info/{name}": data for name in ("METADATA", "RECORD")})
    installed.distributions(tree, f"{P}/.venv")


@slow
@given(toml_texts | lines)
def test_a_policy_or_a_usage_error(given_text: str) -> None:
    for inside in (True, False):
        try:
            parse_policy(given_text, inside=inside)
        except UsageError as error:
            assert len(error.message) < 1_000


@given(text, text, text)
def test_every_name_has_a_package_url(name: str, version: str, namespace: str) -> None:
    found = purl("npm", name, version, namespace)
    found.encode("utf-8")
    assert found.startswith("pkg:npm/")


@pytest.mark.parametrize("value", HARD_JSON)
def test_what_node_takes_hides_no_script(value: str) -> None:
    data = '{"scripts": {"install": "x"}, "more": ' + value + "}"
    found = parse_object(data.encode("utf-8", "surrogatepass"))
    if value in ("NaN", "Infinity", "-Infinity"):
        assert found == {}, "no JSON for node either"
    else:
        assert found["scripts"] == {"install": "x"}


def test_bytes_that_are_no_utf8_hide_no_script() -> None:
    assert parse_object(b'{"description": "\xff", "scripts": {"install": "x"}}')["scripts"] == {
        "install": "x"
    }


def test_a_lone_surrogate_is_what_node_writes() -> None:
    assert loads(rb'["\ud800", "\\ud800", "\ud83d\ude00", "\\\udfff"]') == [
        "\ufffd",
        "\\ud800",
        "\U0001f600",
        "\\\ufffd",
    ]


nested = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=20,
)


@given(value=nested, blanks=st.sampled_from([None, 1]))
def test_deep_json_is_read_as_shallow_json_is(value: Any, blanks: int | None) -> None:
    data = f'{{"deep": {DEEP}, "value": {json.dumps(value, indent=blanks)}}}'
    assert loads(data.encode())["value"] == value


@pytest.mark.parametrize(
    "broken",
    [
        "{}}",
        '{"a" 1}',
        '{"a": 1,}',
        "[1,]",
        "[1 2]",
        "[,1]",
        "{1: 2}",
        '{"a": }',
        "[",
        "[1]x",
        '["\n"]',
        "[01]",
    ],
)
def test_deep_json_is_refused_as_shallow_json_is(broken: str) -> None:
    for data in (broken, f"[{DEEP},{broken}]"):
        with pytest.raises(ValueError, match=r".+"):
            loads(data.encode())


@pytest.mark.parametrize(
    "given_text",
    [".".join("a" * 100_000) + "=1", '"\\"".' * 50_000 + "a=1", "[" + " . ".join("a" * 50_000) + "]\n"],
)
def test_a_key_of_thousands_of_parts_is_refused_at_once(given_text: str) -> None:
    with pytest.raises(toml.TomlError, match="parts"):
        toml.loads(given_text)


def test_dots_in_text_are_no_key() -> None:
    dots = "Two words. Two more. " * 200 + "." * 500 + "1.2.3.4.5"
    assert toml.loads(f'a = "{dots}"\nb = """\n{dots}\n"""')["a"] == dots
