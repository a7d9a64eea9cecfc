"""Which addresses name a runtime's release."""

from __future__ import annotations

import pytest

from package_hunter.decoy.services.runtimes import runtime_of


@pytest.mark.parametrize(
    ("path", "runtime"),
    [
        ("/oven-sh/bun/releases/latest/download/bun-linux-x64.zip", "Bun"),
        ("/mirror/bun-linux-x64-baseline.zip", "Bun"),
        ("/denoland/deno/releases/download/v2.1.4/deno-x86_64-unknown-linux-gnu.zip", "Deno"),
        ("/dist/v22.11.0/node-v22.11.0-linux-x64.tar.xz", "Node.js"),
        ("/-/binary/node/v18.20.4/node-v18.20.4-linux-x64.tar.gz", "Node.js"),
        ("/x/cpython-3.12.7+20241016-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz", "Python"),
        ("/dist/v22.11.0/node-v22.11.0-headers.tar.gz", None),
        ("/dist/v22.11.0/node-v22.11.0-win-x64.zip", None),
        ("/bun-darwin-aarch64.zip", None),
        ("/bun-linux-x64.zip/more", None),
        ("/", None),
    ],
)
def test_the_name_tells(path: str, runtime: str | None) -> None:
    assert runtime_of(path) == runtime
