"""Rows of values as a table of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..training.history import shown


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows below their names: the first column to the left, all others to the right."""
    cells = [[name.replace("_", " ") for name in rows[0]]]
    cells += [[shown(name, value) for name, value in row.items()] for row in rows]
    sizes = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join([line[0].ljust(sizes[0]), *map(str.rjust, line[1:], sizes[1:])]) for line in cells
    )
