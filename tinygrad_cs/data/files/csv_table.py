"""Tables from CSV files: every column a number or a category, missing values known."""

from __future__ import annotations

import math
from array import array
from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from .csv_rows import CsvRows
from .table import Column, Table

MISSING = ("", "?", "NA", "N/A", "NaN", "nan", "null", "NULL", "None")


def read_csv(
    path: Any,
    *,
    header: bool = True,
    delimiter: str | None = None,
    categories: Collection[str] = (),
    missing: Collection[str] = MISSING,
    encoding: str = "utf-8",
    like: Table | None = None,
) -> Table:
    r"""The columns of a CSV file: print them to see what they hold, then pick inputs and target.

    A column whose values are all numbers is one of numbers (float64), any other one of categories:
    codes of its different texts, in their order (numbers by size). `Table.samples(target)` makes
    inputs and targets of them.

    Args:
        path: the file. Quotes may enclose delimiters and line breaks; blank lines are passed over.
        header: whether the first row has the names of the columns; otherwise they are "column 0",
            "column 1", ..., as are columns whose name is empty.
        delimiter: the sign between fields; None lets the `csv` module guess among , ; | and tab.
        categories: names of columns to take as categories although they are numbers, such as
            labels and postal codes.
        missing: texts that stand for a missing value.
        encoding: of the file; UTF-8 with or without byte order mark by default.
        like: the table of the training data, when this is the test data of the same columns: they
            then have the same kinds and codes, and a category that the training data lacks raises.

    Raises `DataFileError` for a file that is missing, empty, no text or without rows, for a row of
    another length than the first (with its number), a number that is not finite, and columns of
    the same name; `ArgumentError` for names in `categories` that no column has.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "pets.csv")
        ...     _ = path.write_text("weight,coat,kind\n3.5,short,cat\n12,long,dog\n,short,cat")
        ...     table = tg.data.read_csv(path)
        >>> print(table)
        3 rows, 3 columns
        weight  number    3.5 to 12, 1 missing
        coat    category  long, short
        kind    category  cat, dog
        >>> x, y = table.samples("kind")
        >>> x.tolist(), y.tolist()
        ([[3.5, 0.0, 1.0], [12.0, 1.0, 0.0], [nan, 0.0, 1.0]], [0, 1, 0])
    """
    rows = CsvRows(path, delimiter, encoding)
    names, first_row = _names(rows, header)
    known = {} if like is None else {column.name: column for column in like}
    if like is not None and list(known) != names:
        raise rows.fail(
            f"expected the columns of the other table, {', '.join(known)[:200]}, got "
            f"{', '.join(names)[:200]}"
        )
    forced = set(categories)
    if forced - set(names):
        raise ArgumentError(
            f"read_csv: no column {sorted(forced - set(names))} for categories; there are {names}"
        )
    forced |= {name for name, column in known.items() if column.kind == "category"}
    absent = frozenset(missing)
    numbers: dict[int, array[float]] = {
        k: array("d") for k, name in enumerate(names) if name not in forced
    }
    count = 0
    for fields in _rows(rows, names, first_row):
        count += 1
        for k, values in list(numbers.items()):
            value = math.nan if fields[k] in absent else _number(fields[k])
            if value is not None:
                if not math.isfinite(value) and fields[k] not in absent:
                    raise rows.fail(
                        f"row {count}: expected a finite number in {names[k][:40]!r}, got "
                        f"{fields[k][:40]!r}; if it stands for a missing one, name it in missing="
                    )
                values.append(value)
            elif names[k] in known:
                raise rows.fail(
                    f"row {count}: expected a number in {names[k]!r} as in the other table, "
                    f"got {fields[k][:40]!r}"
                )
            else:
                # Its numbers are forgotten here, and read again as texts below.
                del numbers[k]
    if not count:
        raise rows.fail("expected at least one row of data, got none")
    texts = _texts(rows, names, first_row, numbers, absent, count)
    return Table(
        _number_column(name, numbers[k])
        if k in numbers
        else _category_column(rows, texts[k], known.get(name), name)
        for k, name in enumerate(names)
    )


def _names(rows: CsvRows, header: bool) -> tuple[list[str], int]:
    """Names of the columns, and the row where the data begins."""
    first = next(iter(rows), None)
    if first is None:
        raise rows.fail("expected rows of fields, got an empty file")
    names = [(name if header else "") or f"column {k}" for k, name in enumerate(first)]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise rows.fail(
            f"expected different names of columns, got {twice[:40]!r} twice; rename one, or write "
            f"header=False if the first row is data"
        )
    return names, 2 if header else 1


def _rows(rows: CsvRows, names: list[str], first_row: int) -> Iterator[list[str]]:
    for fields in rows:
        if len(fields) != len(names):
            raise rows.fail(
                f"row {rows.row - first_row + 1} has {len(fields)} fields, expected "
                f"{len(names)}: {', '.join(names)[:200]}"
            )
        if rows.row >= first_row:
            yield fields


def _number(text: str) -> float | None:
    # Python reads 1_000 as a number; in a table that is rather a name.
    try:
        return float(text) if "_" not in text else None
    except ValueError:
        return None


def _texts(
    rows: CsvRows,
    names: list[str],
    first_row: int,
    numbers: dict[int, Any],
    absent: frozenset[str],
    count: int,
) -> dict[int, tuple[dict[str, int], array[int]]]:
    """For each column of categories its texts, in order of appearance, and their codes."""
    texts: dict[int, tuple[dict[str, int], array[int]]] = {
        k: ({}, array("q")) for k in range(len(names)) if k not in numbers
    }
    if texts:
        for fields in _rows(rows, names, first_row):
            for k, (seen, codes) in texts.items():
                text = fields[k]
                codes.append(-1 if text in absent else seen.setdefault(text, len(seen)))
        if any(len(codes) != count for _, codes in texts.values()):
            raise rows.fail("the file changed while it was read")
    return texts


def _number_column(name: str, values: array[float]) -> Column:
    data = np.array(values)
    return Column(name, "number", data, (), int(np.count_nonzero(np.isnan(data))))


def _category_column(
    rows: CsvRows, texts: tuple[dict[str, int], array[int]], known: Column | None, name: str
) -> Column:
    seen, codes = texts
    categories: Sequence[str] = _ordered(seen) if known is None else known.categories
    position = {text: code for code, text in enumerate(categories)}
    unknown = [text for text in seen if text not in position]
    if unknown:
        raise rows.fail(
            f"{name!r} has {unknown[0][:40]!r}, which the other table lacks; it knows "
            f"{', '.join(categories)[:200]}"
        )
    # One entry more, for code -1: a missing value.
    renumbered = np.array([*(position[text] for text in seen), -1], np.int64)
    data = renumbered[np.array(codes)]
    return Column(name, "category", data, tuple(categories), int(np.count_nonzero(data < 0)))


def _ordered(texts: Collection[str]) -> list[str]:
    """In the order of the alphabet; where all are numbers, by size."""
    values = {text: _number(text) for text in texts}
    if all(value is not None and math.isfinite(value) for value in values.values()):
        return sorted(texts, key=lambda text: (values[text], text))
    return sorted(texts)
