"""The last measurement of a watch as text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..engine.errors import ArgumentError

Record = Mapping[str, Any]

LAYERS = ("layer", "kind", "mean", "deviation", "saturated", "dead")
PARAMETERS = ("parameter", "gradient", "weight", "ratio", "quiet")
HEADS = {"gradient": "|gradient|", "weight": "|weight|", "ratio": "update/weight"}


def as_table(records: Sequence[Record], steps: int, step: int | None) -> str:
    """Layers, then parameters, at one step."""
    if not records:
        hint = "; is watch.step() called after optimizer.step()?" if not steps else ""
        return f"Watch: nothing was measured in {steps} steps{hint}"
    step = records[-1]["step"] if step is None else step
    rows = [record for record in records if record["step"] == step]
    if not rows:
        measured = ", ".join(map(str, dict.fromkeys(r["step"] for r in records)))
        raise ArgumentError(f"Watch.table: step {step} was not measured; these were: {measured}")
    parts = [f"step {step} of {steps}"]
    parts += _lines([row for row in rows if "layer" in row], LAYERS)
    weights = [_with_range(row) for row in rows if "parameter" in row]
    if weights:
        columns = (*PARAMETERS, "largest s.v.", "smallest s.v.")
        parts += ["", *_lines(weights, columns if "singular_values" in weights[0] else PARAMETERS)]
    return "\n".join(parts)


def _with_range(row: Record) -> dict[str, Any]:
    values = row.get("singular_values")
    return dict(row) | ({"largest s.v.": values[0], "smallest s.v.": values[-1]} if values else {})


def _lines(rows: Sequence[Record], columns: Sequence[str]) -> list[str]:
    words = {"layer", "kind", "parameter"}
    used = [c for c in columns if c in words or any(row.get(c) is not None for row in rows)]
    table = [[HEADS.get(column, column) for column in used]]
    table += [[_shown(column, row.get(column)) for column in used] for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        "  ".join(
            f"{cell:<{width}}" if column in words else f"{cell:>{width}}"
            for cell, width, column in zip(line, widths, used, strict=True)
        ).rstrip()
        for line in table
    ]


def _shown(column: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if column in ("saturated", "dead", "quiet"):
        return f"{value:.1%}"
    return f"{value:.1e}" if column == "ratio" else f"{value:.3g}"
