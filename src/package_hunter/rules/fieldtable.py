"""The table of fields in docs/rules.md, made from the catalogue (`python -m package_hunter.rules.fieldtable`)."""

from __future__ import annotations

from pathlib import Path

from package_hunter.model.fields import FieldSpec, field_catalogue

BEGIN, END = "<!-- fields: made by package_hunter.rules.fieldtable -->", "<!-- end of fields -->"
_ARGUMENT = {
    "none": "",
    "key": "[name]",
    "key?": "[name], optional",
    "index": "[N]",
    "index?": "[N], optional",
}


def table() -> str:
    """The table in Markdown."""
    rows = [_row(spec) for spec in field_catalogue().values()]
    return "\n".join(["| field | argument | type | meaning | supported |", "|---|---|---|---|---|", *rows])


def _row(spec: FieldSpec) -> str:
    notes = [word for word, given in (("list", spec.is_list), ("both ends", spec.sided)) if given]
    kind = spec.type.value + (f" ({', '.join(notes)})" if notes else "")
    limits = "conditions only" if spec.filter_only else "yes"
    if spec.deprecated and not spec.unsupported:
        limits += ", deprecated in Falco"
    supported = f"no: {spec.unsupported}" if spec.unsupported else limits
    cells = (f"`{spec.name}`", _ARGUMENT[spec.arg], kind, spec.doc.replace("|", "\\|"), supported)
    return "| " + " | ".join(cells) + " |"


def update(text: str) -> str:
    """A document with the table between the marks made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


def main() -> None:
    """Write docs/rules.md of the checkout."""
    path = Path(__file__).resolve().parents[3] / "docs/rules.md"
    path.write_text(update(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
