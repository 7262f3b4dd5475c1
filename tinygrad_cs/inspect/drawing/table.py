"""A picture as a table of text, for terminals."""

from __future__ import annotations

from ..graph import texts
from .picture import LAYER, OPERATION, Picture

HEADER = ("name", "operation", "of", "value", "gradient")
LONGEST = 40


def to_table(picture: Picture) -> str:
    """One row for each node, operands above what is computed from them."""
    operands: dict[object, list[str]] = {}
    for arrow in picture.arrows:
        operands.setdefault(arrow.target, []).append(arrow.source.name)
    rows = [HEADER]
    for box in picture.boxes:
        made = box.operation if box.kind in (OPERATION, LAYER) else box.kind
        # a constant is named by its value
        value = box.value or (box.name if box.kind not in (OPERATION, LAYER) else "")
        cells = (box.name, made, ", ".join(operands.get(box, [])), value, box.gradient)
        rows.append(tuple(_cell(c) for c in cells))  # type: ignore[arg-type]
    widths = [max(len(row[k]) for row in rows) for k in range(len(HEADER))]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def _cell(value: str) -> str:
    value = texts.line(value)
    return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
