"""CycloneDX in: documents of the library's own making, and hostile ones."""

from __future__ import annotations

import json
from typing import Any

import pytest
from packageurl import PackageURL

from package_hunter.errors import UsageError
from package_hunter.inventory import sbom
from tests.support.requires import needs_module


def document(**changes: Any) -> bytes:
    return json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1} | changes).encode()


def test_a_document_that_the_library_made_is_read_whole() -> None:
    needs_module("cyclonedx")
    from cyclonedx.model import HashAlgorithm, HashType
    from cyclonedx.model.bom import Bom
    from cyclonedx.model.component import Component, ComponentType
    from cyclonedx.output import make_outputter
    from cyclonedx.schema import OutputFormat, SchemaVersion

    root = Component(name="shop", type=ComponentType.APPLICATION, bom_ref="root")
    left = Component(
        name="left",
        version="1.0.0",
        bom_ref="left",
        purl=PackageURL("npm", None, "left", "1.0.0"),
        hashes=[
            HashType(alg=HashAlgorithm.SHA_256, content="ab" * 32),
            HashType(alg=HashAlgorithm.MD5, content="ab" * 16),
        ],
    )
    deep = Component(name="deep", version="2", bom_ref="deep", purl=PackageURL("pypi", None, "deep", "2"))
    unnamed = Component(name="internal", bom_ref="x")
    bom = Bom(components=[left, deep, unnamed])
    bom.metadata.component = root
    bom.register_dependency(root, [left])
    bom.register_dependency(left, [deep])
    for version in (SchemaVersion.V1_4, SchemaVersion.V1_5, SchemaVersion.V1_6):
        found = sbom.read(make_outputter(bom, OutputFormat.JSON, version).output_as_string().encode())
        assert (found.name, found.without_purl) == ("shop", 1)
        items = {item.name.base: item for item in found.items}
        assert items["pkg:npm/left"].digests == {f"sha256:{'ab' * 32}"}
        assert (items["pkg:npm/left"].direct, items["pkg:npm/left"].wanted_by) == (True, None)
        assert (items["pkg:pypi/deep"].direct, items["pkg:pypi/deep"].wanted_by) == (
            False,
            "pkg:npm/left@1.0.0",
        )


def test_components_within_components_count() -> None:
    inner = {"type": "library", "name": "in", "purl": "pkg:npm/in@1"}
    found = sbom.read(document(components=[{"type": "library", "name": "out", "components": [inner]}]))
    assert [i.name.base for i in found.items] == ["pkg:npm/in"]


PLAIN = {"type": "library", "name": "a"}
DEEP = b'{"a":' * 100_000 + b"1" + b"}" * 100_000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "no JSON"),
        (b"<bom/>", "no JSON"),
        (b"\xff\xfe", "no JSON"),
        (DEEP, "no JSON|nested"),
        (b"[" * 30 + b"]" * 30, "no CycloneDX"),
        (b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "nested deeper"),
        (b"[]", "no CycloneDX"),
        (document(bomFormat="SPDX"), "bomFormat"),
        (document(specVersion="9.9"), "specVersion"),
        (document(components={}), "components"),
        (document(components=[{"name": "a"}]), "components.0.type"),
        (document(components=[{"type": "library", "name": 7}]), "components.0.name"),
        (document(components=[{"type": "library", "name": "a", "purl": "x" * 3_000}]), "components.0.purl"),
        (
            document(
                components=[{"type": "library", "name": "a", "hashes": [{"alg": "SHA-256", "content": "zz"}]}]
            ),
            "content",
        ),
        (document(dependencies=[{"ref": "a", "dependsOn": "b"}]), "dependsOn"),
    ],
)
def test_what_is_no_document_is_refused_with_the_place(data: bytes, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        sbom.read(data)


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    many = document(components=[{"type": "library", "name": "a", "purl": f"pkg:npm/a@{n}"} for n in range(9)])
    monkeypatch.setattr(sbom, "MAX_ITEMS", 8)
    with pytest.raises(UsageError, match="more than 8 components"):
        sbom.read(many)
    monkeypatch.setattr(sbom, "MAX_BYTES", 100)
    with pytest.raises(UsageError, match="more than 100 bytes"):
        sbom.read(many)


def test_hostile_names_stay_out_or_harmless() -> None:
    odd = ["pkg:npm/a%00b@1", "javascript:alert(1)", "pkg:npm/a\u202eb@1"]
    listed = [{"type": "library", "name": "\0<script>", "purl": purl} for purl in odd]
    found = sbom.read(
        document(components=listed, metadata={"component": {"type": "application", "name": "\0\n"}})
    )
    for item in found.items:
        assert item.name.base.isprintable()
