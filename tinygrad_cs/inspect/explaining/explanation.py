"""`Explanation`: the steps of a backward pass, to print, index, show in a notebook or walk."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TextIO, overload

from ..graph import texts
from .step import Step
from .walking import walk

_COLUMNS = ("step", "value", "g", "to", "rule", "local derivative", "product", "sum so far")


class Explanation(Sequence[Step]):
    """The steps of a backward pass, the root's first. Made by `tg.inspect.explain`.

    Attributes:
        steps: one `Step` for every operation.
        gradients: the gradient of every leaf by name; of leaves with the same name the newest.
    """

    def __init__(self, steps: Iterable[Step], leaves: Iterable[tuple[str, Any]]) -> None:
        self.steps = tuple(steps)
        self._leaves = tuple(leaves)
        self.gradients: dict[str, Any] = {}
        for name, gradient in self._leaves:
            self.gradients.setdefault(name, gradient)

    def __len__(self) -> int:
        return len(self.steps)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | Sequence[Step]:
        """The step at a position (the first is 0), or a tuple of several."""
        return self.steps[index]

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def summary(self) -> str:
        """The line that ends the list: what has arrived at the leaves."""
        parts = [f"{texts.line(name)} {texts.values(gradient)}" for name, gradient in self._leaves]
        return f"Gradients: {', '.join(parts)}"

    def __str__(self) -> str:
        return "\n".join([*map(str, self.steps), self.summary()])

    def __repr__(self) -> str:
        return f"<Explanation of {len(self)} steps; print() it, or .walk()>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{column}</th>" for column in _COLUMNS)
        rows = [row for step in self.steps for row in _rows(step)]
        return (
            "<table style='font-variant-numeric:tabular-nums'>"
            f"<thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            f"<p>{html.escape(self.summary())}</p>"
        )

    def walk(self, keys: Iterable[str] | None = None, out: TextIO | None = None) -> None:
        """Go through the steps in the terminal, forward and backward by the keyboard.

        Right, down, space, enter or n: the next step; left, up, backspace or b: the one before;
        g and G (home and end): the first and the last; q or escape: stop. Where input or output is
        no terminal, everything is printed.

        Args:
            keys: keys instead of the keyboard: characters, or "right", "left", ...
            out: where to write (default: standard output).

        Example:
            >>> import tinygrad_cs as tg
            >>> x = tg.Scalar(3.0)
            >>> tg.inspect.explain(x * x, names={"x": x}).walk(keys="q")
            step 1 of 1
            1. v1 = x * x = 9;  g = 1
                 to x: g * b = 1 × 3 = 3;  sum 3 …
                 to x: g * a = 1 × 3 = 3;  sum 6
            Gradients: x 6
        """
        walk(self.steps, self.summary(), keys, out)


def _rows(step: Step) -> list[str]:
    rows = []
    value = "" if step.value is None else f" = {texts.described(step.value, step.shape)}"
    g = texts.described(step.upstream, step.shape)
    for k, sent in enumerate(step.sent):
        first = (str(step.number), step.formula + value, g) if k == 0 else ("", "", "")
        to, rule, local, product, total = map(html.escape, sent.cells())
        cells = [*map(html.escape, first), to, f"<code>{rule}</code>", local, product, total]
        rows.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return rows
