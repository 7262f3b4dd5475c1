"""Columns of a table, and how inputs and targets are made of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import Literal, NamedTuple

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.modes import default_dtype
from ...engine.types import Array
from ..samples import Samples


class Column(NamedTuple):
    """A column of a table: numbers, or categories as codes.

    `values` is float64, NaN where missing, or for categories int64: `categories[code]` is the text
    and -1 stands for missing.
    """

    name: str
    kind: Literal["number", "category"]
    values: Array
    categories: tuple[str, ...]
    missing: int

    def __str__(self) -> str:
        parts = [_range(self.values) if self.kind == "number" else _few(self.categories)]
        if self.missing:
            parts.append(f"{self.missing} missing")
        return ", ".join(part for part in parts if part)


class Table:
    r"""The columns of a table by name, all of one length: `table["age"]`; iterable in their order.

    Printed, it is a report: the kind of each column, its range or its categories, how many values
    are missing. `read_csv` makes it.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import tinygrad_cs as tg
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "table.csv")
        ...     _ = path.write_text("age,sex\n30,f\n41,m\n")
        ...     table = tg.data.read_csv(path)
        >>> len(table), table["age"].values.tolist(), table["sex"].categories
        (2, [30.0, 41.0], ('f', 'm'))
    """

    def __init__(self, columns: Iterable[Column]) -> None:
        self.columns = {column.name: column for column in columns}

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())).values)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns.values())

    def __getitem__(self, name: str) -> Column:
        if name not in self.columns:
            near = get_close_matches(str(name), self.columns, n=1)
            raise ArgumentError(
                f"Table: no column {name!r}; "
                + (f"did you mean {near[0]!r}?" if near else f"there are {_few(self.columns)}")
            )
        return self.columns[name]

    def __str__(self) -> str:
        width = max(len(name) for name in self.columns)
        lines = [f"{len(self)} rows, {len(self.columns)} columns"]
        lines += [f"{c.name:<{width}}  {c.kind:<8}  {c}" for c in self]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"Table({_few(self.columns)}; {len(self)} rows)"

    def samples(
        self,
        target: str,
        features: Sequence[str] | None = None,
        incomplete: Literal["keep", "drop"] = "keep",
        max_categories: int = 100,
    ) -> Samples:
        r"""Inputs x (n, features) and targets y, in the default dtype (float32).

        A column of numbers is a column of x; one of categories becomes a column for each, named
        "column=category", 1 where it is that category and else 0. A target of categories gives
        labels (n,) int64 with `class_names`, one of numbers gives y of shape (n, 1).

        Missing inputs are NaN, also in each column of a missing category, and NaN in a batch makes
        every weight NaN: fill them with numbers found on the training part alone, or leave these
        rows out. Shuffle before splitting: tables are often sorted.

        Args:
            target: name of the column to predict.
            features: names of the columns to predict it from; None takes all others.
            incomplete: "drop" leaves out rows where one of these columns is missing.
            max_categories: more in a single column raise: names and identifiers say nothing.

        Raises `ArgumentError` for columns that do not exist, a target among the features, missing
        targets (with the number of the row), no rows left, and numbers beyond the default dtype.

        Example:
            >>> import tempfile
            >>> from pathlib import Path
            >>> import tinygrad_cs as tg
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = Path(folder, "flats.csv")
            ...     _ = path.write_text("area;town;rent\n50;Ulm;700\n80;Bonn;\n60;Bonn;900\n")
            ...     table = tg.data.read_csv(path)
            >>> flats = table.samples("rent", incomplete="drop")
            >>> flats.feature_names, flats.x.tolist(), flats.y.tolist()
            (('area', 'town=Bonn', 'town=Ulm'),
             [[50.0, 0.0, 1.0], [60.0, 1.0, 0.0]], [[700.0], [900.0]])
        """
        aim = self[target]
        if features is None:
            features = [name for name in self.columns if name != target]
        if not len(features) or target in features or isinstance(features, str):
            raise ArgumentError(
                f"Table.samples: expected features, a list of columns other than the target "
                f"{target!r}, got {features!r}"
            )
        chosen = [self[name] for name in features]
        if incomplete not in ("keep", "drop"):
            raise ArgumentError(
                f'Table.samples: expected incomplete "keep" or "drop", got {incomplete!r}'
            )
        keep = np.ones(len(self), bool)
        if incomplete == "drop":
            keep = ~np.any([_absent(column) for column in [aim, *chosen]], axis=0)
        _check_target(aim, keep)
        blocks, names = [], []
        for column in chosen:
            if len(column.categories) > max_categories:
                raise ArgumentError(
                    f"Table.samples: {column.name!r} has {len(column.categories)} categories, more "
                    f"than max_categories={max_categories}; leave it out of features="
                )
            blocks.append(_block(column, keep))
            names += [f"{column.name}={text}" for text in column.categories]
            names += [column.name] if column.kind == "number" else []
        y = aim.values[keep] if aim.kind == "category" else _block(aim, keep)
        return Samples(np.concatenate(blocks, axis=1), y, names, aim.categories)


def _absent(column: Column) -> Array:
    return np.isnan(column.values) if column.kind == "number" else column.values < 0


def _check_target(aim: Column, keep: Array) -> None:
    if not keep.any():
        raise ArgumentError("Table.samples: every row misses a value, nothing is left")
    absent = np.flatnonzero(_absent(aim) & keep)
    if absent.size:
        raise ArgumentError(
            f"Table.samples: the target {aim.name!r} is missing in {absent.size} rows, first in "
            f'row {absent[0] + 1}; write incomplete="drop" or complete the file'
        )


def _block(column: Column, keep: Array) -> Array:
    """The columns (n, k) of x that a column of the table becomes."""
    values, dtype = column.values[keep], default_dtype()
    if column.kind == "number":
        largest = np.max(np.abs(values), initial=0, where=~np.isnan(values))
        if largest > np.finfo(dtype).max:
            raise ArgumentError(
                f"Table.samples: {column.name!r} has {largest:g}, more than {dtype} can hold; "
                f'change the unit or write tg.set_default_dtype("float64")'
            )
        return values[:, None].astype(dtype)
    block = np.zeros((len(values), len(column.categories)), dtype)
    known = np.flatnonzero(values >= 0)
    block[known, values[known]] = 1
    block[values < 0] = np.nan
    return block


def _range(values: Array) -> str:
    known = values[~np.isnan(values)]
    return f"{known.min():g} to {known.max():g}" if known.size else ""


def _few(names: Iterable[str]) -> str:
    names = [name if len(name) <= 40 else name[:37] + "..." for name in names]
    rest = f", ... ({len(names)} in all)" if len(names) > 8 else ""
    return ", ".join(names[:8]) + rest
