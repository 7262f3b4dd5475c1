"""What `init.apply` did, as a table."""

from __future__ import annotations

from typing import NamedTuple

from ...engine.tensor import Tensor
from ...engine.types import np


class Drawn(NamedTuple):
    """One parameter: its dotted name, the rule that filled it, and the resulting spread."""

    name: str
    rule: str
    std: float


class Report(list[Drawn]):
    """A list of `Drawn`, printed as a table."""

    def __repr__(self) -> str:
        rows = [("parameter", "rule", "std")]
        rows += [(name, rule, f"{std:.4g}") for name, rule, std in self]
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        return "\n".join(
            f"{name:{widths[0]}}  {rule:{widths[1]}}  {std}" for name, rule, std in rows
        )


def spread(parameter: Tensor) -> float:
    """The standard deviation, exactly 0 for equal numbers."""
    values = parameter.data
    constant = values.size == 0 or values.min() == values.max()
    return 0.0 if constant else float(values.std(dtype=np.float64))
