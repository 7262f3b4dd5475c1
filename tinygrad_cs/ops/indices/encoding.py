"""Class labels as arrays that one can calculate with."""

from __future__ import annotations

from typing import Any

from ...engine.errors import ArgumentError, IndexOutOfRange
from ...engine.modes import default_dtype
from ...engine.types import Array, np
from ..axes import integers


def one_hot(indices: Any, num_classes: int | None = None, dtype: Any = None) -> Array:
    """A plain array with a new last axis that is 1 at the index and 0 elsewhere.

    Args:
        indices: integers from 0, of any shape.
        num_classes: length of the new axis; None (default) for the largest index plus one.
        dtype: of the result; None (default) for the default dtype.

    Raises `IndexOutOfRange` for an index that is no class.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.one_hot([2, 0])
        array([[0., 0., 1.],
               [1., 0., 0.]], dtype=float32)
    """
    labels = integers("one_hot", indices)
    if num_classes is None:
        if not labels.size:
            raise ArgumentError("one_hot: of no indices, num_classes= must be given")
        num_classes = int(labels.max()) + 1
    classes = np.arange(num_classes)
    if labels.size and not (labels.min() >= 0 and labels.max() < num_classes):
        wrong = np.unique(labels[(labels < 0) | (labels >= num_classes)])
        raise IndexOutOfRange(f"one_hot: classes are 0 to {num_classes - 1}, got {wrong.tolist()}")
    hot: Array = (labels[..., None] == classes).astype(default_dtype() if dtype is None else dtype)
    return hot
