"""Look-up in a table: words as rows of numbers, classes as rows with a single 1."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...engine.errors import ArgumentError, DTypeError, IndexOutOfRange, ShapeError
from ...engine.tensor import Tensor, asarray
from ...engine.types import Array, np
from ..foreign import with_shape

__all__ = ["embedding", "one_hot"]


def _rows(input: Any, count: int, where: str) -> Array:
    """`input` as integers from 0 to `count` - 1."""
    rows: Array = np.asarray(getattr(input, "_data", input))
    if rows.dtype.kind not in "iu":
        if rows.size:
            raise DTypeError(f"{where}: expected integers from 0 on, got dtype {rows.dtype}")
        rows = rows.astype(np.int64)
    if rows.size and (rows.min() < 0 or rows.max() >= count):
        wrong = np.unique(rows[(rows < 0) | (rows >= count)])
        raise IndexOutOfRange(
            f"{where}: expected indices from 0 to {count - 1}, got {wrong[:5].tolist()}"
        )
    return rows


def embedding(input: Any, weight: Any, padding_idx: int | None = None) -> Any:
    """The rows of `weight` that the indices in `input` name; a row used twice gets both gradients.

    Args:
        input: integers of any shape (*).
        weight: table of shape (num_embeddings, embedding_dim).
        padding_idx: a row that gets no gradient, a negative one counted from the end; None
            (default) for no such row.

    The result has shape (*, embedding_dim). Raises `DTypeError` for indices that are not integers,
    `IndexOutOfRange` for a row that does not exist (negative ones too: -1 is rather a mistake than
    the last word), `ShapeError` for a table that is no matrix.

    Example:
        >>> import tinygrad_cs as tg
        >>> table = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        >>> tg.nn.functional.embedding([1, 1], table).sum().backward()
        >>> table.grad
        array([[0., 0.],
               [2., 2.]], dtype=float32)
    """
    weight = with_shape(weight)
    if weight.ndim != 2:
        raise ShapeError(
            f"embedding: expected a table of shape (num_embeddings, embedding_dim), "
            f"got {weight.shape}"
        )
    count = weight.shape[0]
    rows = _rows(input, count, "embedding")
    found = ops.getitem(weight, rows)
    if padding_idx is None:
        return found
    if not -count <= padding_idx < count:
        raise ArgumentError(f"embedding: padding_idx {padding_idx} is no row of {count}")
    padding = (rows == padding_idx % count)[..., None]
    return ops.where(padding, getattr(found, "_data", found), found)


def one_hot(input: Any, num_classes: int = -1) -> Tensor:
    """Vectors that are 1 at the class and 0 elsewhere, without a gradient.

    Args:
        input: integers from 0 of any shape (*).
        num_classes: length of the new last axis; -1 (default) for the largest class plus one.

    The result has shape (*, num_classes) and the default dtype, so that it multiplies and compares
    with predictions. Raises `IndexOutOfRange` for a class that does not exist.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.nn.functional.one_hot([0, 2])
        tensor([[1., 0., 0.],
                [0., 0., 1.]])
    """
    return asarray(ops.one_hot(input, None if num_classes == -1 else num_classes))
