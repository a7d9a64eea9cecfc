"""The registries that package managers have built in, read out of their own code."""

from __future__ import annotations

from pathlib import Path

from package_hunter.sandbox.image import built_in_file_hosts, built_in_registries

_FILES = {
    "usr/local/lib/node_modules/npm/node_modules/@npmcli/config/lib/definitions/definitions.js": (
        "  'replace-registry-host': new Definition('replace-registry-host', {\n    default: 'npmjs',\n"
        "  registry: new Definition('registry', {\n    default: 'https://one.example/',\n"
    ),
    "usr/local/lib/node_modules/yarn/lib/cli.js": (
        "var YARN_REGISTRY = exports.YARN_REGISTRY = 'https://two.example';\n"
    ),
    "usr/lib/python3/dist-packages/pip/_internal/models/index.py": (
        'TestPyPI = PackageIndex(\n    "https://no.example/", file_storage_domain="no-files.example"\n)\n'
        'PyPI = PackageIndex("https://py.example/", file_storage_domain="py-files.example")\n'
    ),
    "usr/lib/ruby/vendor_ruby/rubygems/defaults.rb": (
        "  def self.default_sources\n    %w[https://gems.example/]\n  end\n"
    ),
}


def _image(root: Path, *left_out: str) -> Path:
    for name, text in _FILES.items():
        path = root / name
        if not any(word in name for word in left_out):
            path.parent.mkdir(parents=True)
            path.write_text(text)
    return root


def test_each_manager_names_its_registry(tmp_path: Path) -> None:
    assert built_in_registries(_image(tmp_path)) == {
        "npm": ("https://one.example/", "https://two.example/"),
        "pypi": ("https://py.example/simple/",),
        "gem": ("https://gems.example/",),
    }


def test_a_manager_that_is_not_there_has_no_say(tmp_path: Path) -> None:
    assert built_in_registries(_image(tmp_path, "yarn", "ruby")) == {
        "npm": ("https://one.example/",),
        "pypi": ("https://py.example/simple/",),
    }


def test_pip_says_where_its_index_has_its_files(tmp_path: Path) -> None:
    assert built_in_file_hosts(_image(tmp_path)) == {"py-files.example"}
    assert built_in_file_hosts(_image(tmp_path / "other", "dist-packages")) == frozenset()
