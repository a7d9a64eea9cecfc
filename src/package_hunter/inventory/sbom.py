"""CycloneDX documents (JSON, 1.2 to 1.7) that are handed in: what components they list.

Only what the inventory keeps is read, and that strictly: a document that says it is CycloneDX and breaks its form
there is refused whole, with the place. Format: the CycloneDX JSON schemas (``bomFormat``, ``specVersion``,
``components[]`` nested to any depth, ``hashes[]``, ``dependencies[]``, ``metadata.component``).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from package_hunter.errors import UsageError
from package_hunter.inventory.lists import MAX_ITEMS, Item
from package_hunter.inventory.names import digests_in, name_in

MAX_BYTES = 32 << 20
_MAX_DEPTH = 40
_MAX_REF = 2_048
_KINDS = {"SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}

Ref = Annotated[str, Field(min_length=1, max_length=_MAX_REF)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Hash(_Part):
    alg: Annotated[str, Field(max_length=32)]
    content: Annotated[
        str,
        Field(
            pattern=r"^([a-fA-F0-9]{32}|[a-fA-F0-9]{40}|[a-fA-F0-9]{64}|[a-fA-F0-9]{96}|[a-fA-F0-9]{128})$"
        ),
    ]


class _Component(_Part):
    type: Annotated[str, Field(max_length=64)]
    name: str
    ref: Annotated[Ref | None, Field(alias="bom-ref")] = None
    purl: Annotated[str, Field(max_length=_MAX_REF)] | None = None
    hashes: list[_Hash] = []
    components: list[_Component] = []


class _Dependency(_Part):
    ref: Ref
    dependsOn: list[Ref] = []


class _Metadata(_Part):
    component: _Component | None = None


class _Document(_Part):
    bomFormat: Literal["CycloneDX"]
    specVersion: Literal["1.2", "1.3", "1.4", "1.5", "1.6", "1.7"]
    metadata: _Metadata | None = None
    components: list[_Component] = []
    dependencies: list[_Dependency] = []


class Sbom:
    """A document that was read. ``name`` is what it is about (for people); ``without_purl``: components that the
    inventory cannot name."""

    def __init__(self, document: _Document) -> None:
        about = document.metadata.component if document.metadata else None
        self.name = about.name if about else "SBOM"
        every = list(_all(document.components))
        asks = _asks(document, about)
        names = {c.ref: c.purl or c.name for c in every if c.ref}
        self.items: list[Item] = []
        self.without_purl = 0
        for component in every:
            name = name_in(component.purl) if component.purl else None
            if name is None:
                self.without_purl += 1
                continue
            by = asks.get(component.ref or "")
            root = about is not None and by == about.ref
            wanted = None if root or by is None else names.get(by)
            self.items.append(Item(name, _digests(component), None, root, wanted_by=wanted))


def read(data: bytes) -> Sbom:
    """What a document lists; UsageError says what is wrong with it, and where."""
    if len(data) > MAX_BYTES:
        raise UsageError(f"The document has more than {MAX_BYTES} bytes.", "Hand in one for each project.")
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise UsageError("The document is no JSON.", "CycloneDX is taken in its JSON form.") from error
    if _deep(value):
        raise UsageError(f"The document is nested deeper than {_MAX_DEPTH} levels.")
    try:
        document = _Document.model_validate(value)
    except (ValidationError, RecursionError) as error:
        raise _wrong(error) from error
    found = Sbom(document)
    if len(found.items) > MAX_ITEMS:
        raise UsageError(f"The document lists more than {MAX_ITEMS} components.", "Hand in parts of it.")
    return found


def _wrong(error: ValidationError | RecursionError) -> UsageError:
    if isinstance(error, RecursionError):
        return UsageError("The document is nested too deeply.")
    first = error.errors(include_input=False, include_url=False, include_context=False)[0]
    where = ".".join(str(part)[:40] for part in first["loc"][:12])
    return UsageError(
        f"The document is no CycloneDX: {where or 'it'}: {first['msg']}.",
        "Versions 1.2 to 1.7 are taken, in JSON.",
    )


def _deep(value: Any) -> bool:
    """Whether it is nested deeper than we follow; without recursion."""
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [inner for one in level for inner in _inner(one)]
        if not level:
            return False
    return True


def _inner(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [one for one in value.values() if isinstance(one, (dict, list))]
    return [one for one in value if isinstance(one, (dict, list))] if isinstance(value, list) else []


def _all(components: list[_Component]) -> Iterator[_Component]:
    for component in components:
        yield component
        yield from _all(component.components)


def _asks(document: _Document, about: _Component | None) -> dict[str, str]:
    """Who asks for each component: the subject itself where it does, else the first that does."""
    first = about.ref if about else None
    found: dict[str, str] = {}
    for dependency in sorted(document.dependencies, key=lambda d: d.ref != first):
        for ref in dependency.dependsOn:
            found.setdefault(ref, dependency.ref)
    return found


def _digests(component: _Component) -> frozenset[str]:
    text = " ".join(f"{_KINDS[h.alg]}:{h.content}" for h in component.hashes if h.alg in _KINDS)
    return digests_in(text)
