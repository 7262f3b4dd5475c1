"""Blocks with a shortcut around them, always there or left out at random."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...engine.errors import ArgumentError, ShapeError
from ...engine.modes import generator
from ...engine.types import np
from .. import functional
from ..functional.dropout import check_mode, check_probability
from ..module import Module

__all__ = ["Residual", "StochasticDepth", "linear_decay"]


class Residual(Module):
    """x + block(x): the block learns what to change, and gradients pass beside it.

    K. He and others, Deep Residual Learning for Image Recognition, 2016.

    Args:
        block: a module or function; its result has the shape of the shortcut's.
        shortcut: a module or function in place of the identity, for a block that changes the shape:
            a projection, such as a `Linear` or a 1x1 convolution with the block's stride.

    Raises `ShapeError` where the two shapes differ, `ArgumentError` for what cannot be called.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> block = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> nn.Residual(block)(np.ones((5, 3), "float32")).shape
        (5, 3)
    """

    def __init__(
        self, block: Callable[[Any], Any], shortcut: Callable[[Any], Any] | None = None
    ) -> None:
        where = type(self).__name__
        for name, part in (("block", block), ("shortcut", shortcut)):
            if isinstance(part, type) or not (part is None or callable(part)) or block is None:
                came = part.__name__ if isinstance(part, type) else repr(part)
                raise ArgumentError(f"{where}: {name} must be a module or function, got {came}")
        self.block = block
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        """The shape of `x`, or that of the shortcut's result."""
        return self._joined(x, self.block(x))

    def _beside(self, x: Any) -> Any:
        return x if self.shortcut is None else self.shortcut(x)

    def _joined(self, x: Any, branch: Any) -> Any:
        beside = self._beside(x)
        shape, other = _shape_of(branch), _shape_of(beside)
        if shape != other:
            if self.shortcut is None:
                way = (
                    "give shortcut= a projection to the block's shape, such as nn.Linear or a 1x1 "
                    "convolution with the block's stride"
                )
            else:
                way = "give both the same sizes and strides"
            name = "input" if self.shortcut is None else "shortcut"
            raise ShapeError(
                f"{type(self).__name__}: block and {name} are added, so they must have the same "
                f"shape; the block gave {shape}, the {name} {other}; {way}"
            )
        return beside + branch


class StochasticDepth(Residual):
    """`Residual` whose block is left out with probability `p` in training: x alone is left then.

    G. Huang and others, Deep Networks with Stochastic Depth, 2016. Inverted: in training
    x + block(x) / (1 - p) or x, in evaluation x + block(x), which is the expected value of the
    former. (The paper scales by 1 - p in evaluation instead.)

    Args:
        block: the branch alone, as for `Residual`: the shortcut is added here.
        p: probability in [0, 1] that the block is left out; `linear_decay` gives one for each
            block of a net.
        shortcut: as for `Residual`; it is always used.
        mode: `"batch"` (default) draws once for all samples, and a block that is left out is not
            computed, which saves its time; `"row"` draws for each sample, which is less noisy.

    State dicts are those of `Residual`. What goes wrong: parameters of a block that was left out
    have no gradient in that step (None); with `"row"`, a batch normalisation inside the block
    still sees all samples. Raises `ArgumentError` for what is no probability or mode and for a
    `Residual` as block, `ShapeError` as `Residual`.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> layer = nn.StochasticDepth(nn.Linear(3, 3), p=1.0)
        >>> layer(np.ones((1, 3), "float32"))
        array([[1., 1., 1.]], dtype=float32)
    """

    def __init__(
        self,
        block: Callable[[Any], Any],
        p: float,
        shortcut: Callable[[Any], Any] | None = None,
        mode: str = "batch",
    ) -> None:
        p = check_probability(p, "StochasticDepth")
        check_mode(mode, "StochasticDepth")
        if isinstance(block, Residual):
            raise ArgumentError(
                "StochasticDepth: it adds the shortcut itself, and a Residual as block would add "
                "another; write StochasticDepth(residual.block, p, residual.shortcut)"
            )
        super().__init__(block, shortcut)
        self.p = p
        self.mode = mode

    def forward(self, x: Any) -> Any:
        """The shape of `x`, or that of the shortcut's result."""
        p = self.p
        if not self.training or p == 0:
            return self._joined(x, self.block(x))
        if self.mode == "row" and p != 1:
            return self._joined(x, functional.stochastic_depth(self.block(x), p, "row"))
        if generator().random() < p:
            return self._beside(x)
        return self._joined(x, self.block(x) * (1 / (1 - p)))

    def extra_repr(self) -> str:
        """Probability and mode."""
        return f"p={self.p}, mode={self.mode!r}"


def linear_decay(blocks: int, final_survival: float = 0.5) -> list[float]:
    """The probability of each of `blocks` blocks to be left out: l / L (1 - final_survival).

    G. Huang and others, Deep Networks with Stochastic Depth, 2016: early blocks, on which all
    others build, nearly always survive; the last survives with probability `final_survival`.

    Args:
        blocks: L, how many there are.
        final_survival: probability in [0, 1] of the last to survive (default 0.5).

    Returns one minus the survival probabilities, which is what `StochasticDepth` takes. Raises
    `ArgumentError` for a number below 1 and for what is no probability.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.linear_decay(4)
        [0.125, 0.25, 0.375, 0.5]
        >>> net = [nn.StochasticDepth(nn.Linear(2, 2), p) for p in nn.linear_decay(4)]
    """
    if not isinstance(blocks, (int, np.integer)) or blocks < 1:
        raise ArgumentError(
            f"linear_decay: blocks must be a whole number of 1 or more, got {blocks!r}"
        )
    final_survival = check_probability(final_survival, "linear_decay")
    return [block / blocks * (1 - final_survival) for block in range(1, blocks + 1)]


def _shape_of(x: Any) -> Any:
    return np.shape(getattr(x, "_data", x))
