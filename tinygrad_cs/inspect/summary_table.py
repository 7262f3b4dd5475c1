"""What a summary consists of: a row for each layer, totals, and how it is printed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from ..engine.errors import ArgumentError
from ..engine.types import Shape
from ..nn.module import Module


class LayerSummary(NamedTuple):
    """One row of a `Summary`.

    Attributes:
        name: dotted name, "" for the model itself.
        kind: name of the class.
        calls: how often the layer was called.
        shape: of its output in the last call, the first one if there are several; None without.
        parameters: entries of its own parameters, without those below it and those that a row
            above has counted.
        multiply_adds: of its own, over all calls; None where that is not known.
        activations: bytes of its outputs, over all calls; of layers that hold no others, and
            without outputs that are views of inputs.
    """

    name: str
    kind: str
    calls: int
    shape: Shape | None
    parameters: int
    multiply_adds: int | None
    activations: int


class Summary(Sequence[LayerSummary]):
    """A sequence of `LayerSummary`, printed as a table with totals.

    Attributes:
        parameters: entries of all parameters, shared ones once.
        trainable: those that are not frozen.
        parameter_bytes: memory of the parameters; a gradient takes as much again.
        buffer_bytes: memory of the buffers, such as running means.
        activation_bytes: memory of the outputs of all layers, most of which training keeps for the
            backward pass. What stateless functions compute in between is not seen.
        multiply_adds: the sum of those that are known.
        unknown: names of layers with parameters whose multiply-adds are not known.
    """

    def __init__(self, model: Module, rows: Sequence[LayerSummary]) -> None:
        self.rows = list(rows)
        parameters = list(model.parameters())
        self.parameters = sum(p.size for p in parameters)
        self.trainable = sum(p.size for p in parameters if p.requires_grad)
        self.parameter_bytes = sum(p._data.nbytes for p in parameters)
        self.buffer_bytes = sum(b._data.nbytes for b in model.buffers())
        self.activation_bytes = sum(row.activations for row in rows)
        self.multiply_adds = sum(row.multiply_adds or 0 for row in rows)
        self.unknown = [row.name for row in rows if row.multiply_adds is None]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """The row of a number, or of a layer's dotted name."""
        if isinstance(index, str):
            found = [row for row in self.rows if row.name == index]
            if not found:
                names = ", ".join(row.name or '""' for row in self.rows)
                raise ArgumentError(f"Summary: there is no layer {index!r}; there are {names}")
            return found[0]
        return self.rows[index]

    def __repr__(self) -> str:
        head = ("layer", "class", "output", "parameters", "multiply-adds")
        table = [head, *(_cells(row) for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = [
            "  ".join(
                f"{cell:<{width}}" if i < 3 else f"{cell:>{width}}"
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        ]
        frozen = self.parameters - self.trainable
        lines += [
            "",
            f"parameters: {self.parameters:,}" + (f", of them frozen {frozen:,}" if frozen else ""),
            f"multiply-adds: {'at least ' if self.unknown else ''}{self.multiply_adds:,}",
            f"memory: parameters {_bytes(self.parameter_bytes)}, "
            + (f"buffers {_bytes(self.buffer_bytes)}, " if self.buffer_bytes else "")
            + f"activations {_bytes(self.activation_bytes)}",
        ]
        if self.unknown:
            lines.append(f"multiply-adds not known of: {', '.join(self.unknown)}")
        return "\n".join(lines)

    __str__ = __repr__


def _cells(row: LayerSummary) -> tuple[str, ...]:
    calls = f" × {row.calls}" if row.calls > 1 else ""
    shape = "not called" if not row.calls else "" if row.shape is None else str(row.shape)
    products = "?" if row.multiply_adds is None else f"{row.multiply_adds:,}"
    return (
        row.name,
        row.kind,
        shape + calls,
        f"{row.parameters:,}" if row.parameters else "",
        products if row.multiply_adds != 0 else "",
    )


def _bytes(count: int) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g} {unit}" if unit != "B" else f"{count} B"
        count = count / 1024  # type: ignore[assignment]
    return f"{count:.3g} GiB"
