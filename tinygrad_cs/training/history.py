"""What happened in every epoch: a table to print, plot, write and read again."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.errors import UnknownNameError
from ..engine.types import np
from . import history_files as files

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["History"]

Row = dict[str, Any]


class History:
    """One row per epoch: its number, loss, metrics, their validation values, `"lr"`, `"seconds"`.

    `history["loss"]` is a column as a list, with None where an epoch has no such value; iterating
    gives the rows as dicts. Printed, it is a table.

    Attributes:
        rows: the rows; values are numbers, or nested lists for metrics with several.
        stopped: why training ended, in words; None while it has not.
        best_epoch: the epoch with the best monitored value; None where nothing was monitored.

    Example:
        >>> import tinygrad_cs as tg
        >>> history = tg.training.History()
        >>> history.append({"epoch": 1, "loss": 2.5, "lr": 0.1})
        >>> history.append({"epoch": 2, "loss": 0.75, "lr": 0.1})
        >>> history
        epoch    loss   lr
            1  2.5000  0.1
            2  0.7500  0.1
        >>> history["loss"]
        [2.5, 0.75]
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]] = ()) -> None:
        self.rows: list[Row] = []
        self.stopped: str | None = None
        self.best_epoch: int | None = None
        for row in rows:
            self.append(row)

    def append(self, row: Mapping[str, Any]) -> None:
        """Add an epoch; NumPy's numbers and arrays become Python's numbers and lists."""
        self.rows.append({name: plain(value) for name, value in row.items()})

    @property
    def columns(self) -> list[str]:
        """The names of all columns, in the order in which they appeared."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def __len__(self) -> int:
        return len(self.rows)

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __getitem__(self, column: str) -> list[Any]:
        if self.rows and column not in self.columns:
            raise UnknownNameError(
                f"History: there is no column {column!r}; there are {', '.join(self.columns)}"
            )
        return [row.get(column) for row in self.rows]

    def __repr__(self) -> str:
        if not self.rows:
            return f"History: no epoch is complete yet{self._ending(', ')}"
        names = [name for name in self.columns if not self._is_wide(name)]
        table = [[name.replace("_", " ") for name in names]]
        table += [[shown(name, row.get(name)) for name in names] for row in self.rows]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True))
            for line in table
        ]
        return "\n".join(lines) + self._ending("\n")

    def _ending(self, before: str) -> str:
        return "" if self.stopped is None else f"{before}{self.stopped}"

    def _is_wide(self, name: str) -> bool:
        """Does this column hold lists? They are for looking at one by one."""
        return any(isinstance(row.get(name), list) for row in self.rows)

    def plot(self, path: str | Path | None = None) -> Figure:
        """Draw losses, metrics and the learning rate over the epochs.

        Args:
            path: where to write the picture as well (.png, .svg, .pdf; default: nowhere).

        Returns the figure of matplotlib, which a notebook shows. Raises `MissingDependency`
        without matplotlib.
        """
        from .curves import draw

        picture = draw(self)
        if path is not None:
            picture.savefig(path)
        return picture

    def to_csv(self, path: str | Path) -> None:
        """Write a comma-separated table; a value with several numbers gets a column for each.

        Numbers are written so that reading them gives the same numbers; missing ones are empty.
        """
        files.write_csv(path, self.rows)

    def to_json_lines(self, path: str | Path) -> None:
        """Write one JSON object per epoch, one a line, and one with the ending.

        Numbers come back exactly; NaN and infinity, which JSON lacks, are written as text.
        """
        ending = {"stopped": self.stopped, "best_epoch": self.best_epoch}
        files.write_json_lines(path, [*self.rows, ending])

    @classmethod
    def from_json_lines(cls, path: str | Path) -> History:
        """Read what `to_json_lines` wrote, also without its last line.

        Raises `HistoryFileError`, which names file, line and reason, for anything else.
        """
        history = cls()
        for row in files.read_json_lines(path):
            if "stopped" in row:
                history.stopped, history.best_epoch = row["stopped"], row.get("best_epoch")
            else:
                history.rows.append(row)
        return history

    def state_dict(self) -> dict[str, Any]:
        """A copy of everything, for `load_state_dict`."""
        return {
            "rows": [dict(row) for row in self.rows],
            "stopped": self.stopped,
            "best_epoch": self.best_epoch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` gave."""
        self.rows = [dict(row) for row in state["rows"]]
        self.stopped, self.best_epoch = state["stopped"], state["best_epoch"]


def plain(value: Any) -> Any:
    """A Python number, or nested lists of them."""
    if type(value) in (float, int):
        return value
    if isinstance(value, (np.ndarray, np.generic)):
        return value.tolist()
    item = getattr(value, "item", None)
    return value if item is None else item()


def shown(name: str, value: Any) -> str:
    """A number as the table and the progress lines show it."""
    if value is None:
        return ""
    if not isinstance(value, float) or not math.isfinite(value):
        return str(value)
    if name == "lr":
        return f"{value:.4g}"
    if name == "seconds":
        return f"{value:.2f}"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.3e}"
