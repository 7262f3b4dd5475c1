"""Dropout: units left out at random, so that none can rely on another.

N. Srivastava and others, Dropout: A Simple Way to Prevent Neural Networks from Overfitting, 2014;
"inverted": what stays is scaled up in training, so that nothing changes in evaluation.
"""

from __future__ import annotations

from numbers import Real
from typing import Any

from ... import ops
from ...engine.errors import ArgumentError
from ...engine.modes import generator
from ...engine.types import np

__all__ = ["dropout"]


def dropout(input: Any, p: float = 0.5, training: bool = True) -> Any:
    """Entries set to zero with probability `p`, the others divided by 1 - p.

    Args:
        input: any shape.
        p: probability in [0, 1]; 0 is the identity, 1 gives zeros with gradient zero.
        training: False returns the input unchanged.

    The entries are drawn from the generator that `tg.manual_seed` seeds. Raises `ArgumentError`
    for a `p` that is no probability.

    Example:
        >>> import tinygrad_cs as tg
        >>> _ = tg.manual_seed(0)
        >>> tg.nn.functional.dropout(tg.tensor([1.0, 1.0, 1.0, 1.0]), p=0.5)
        tensor([2., 2., 2., 0.])
    """
    if not isinstance(p, Real) or not 0 <= p <= 1:
        raise ArgumentError(f"dropout: p is a probability from 0 to 1, got {p}")
    if not training or p == 0:
        return input
    shape = np.shape(getattr(input, "_data", input))
    if p == 1:
        return ops.where(np.zeros(shape, bool), input, 0)
    kept = generator().random(shape, np.float32) >= p
    return ops.where(kept, input / (1 - p), 0)
