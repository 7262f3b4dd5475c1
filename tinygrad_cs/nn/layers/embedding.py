"""A learned table of vectors: `Embedding`."""

from __future__ import annotations

from typing import Any

from ...engine.arrays import to_array
from ...engine.errors import ArgumentError, DTypeError, ShapeError
from ...engine.modes import default_dtype
from ...engine.tensor import overwrite
from ...engine.types import np
from .. import functional, init
from ..functional.arguments import per_axis
from ..module import Module
from ..parameter import Parameter

__all__ = ["Embedding"]


class Embedding(Module):
    """The vectors of words, or of anything else that is counted from 0.

    Args:
        num_embeddings: how many there are; indices go from 0 to one less.
        embedding_dim: length of each vector.
        padding_idx: an index whose vector is zeros and gets no gradient; a negative one is counted
            from the end. None (default) for no such index.

    Attributes:
        weight: (num_embeddings, embedding_dim), normal with variance 1, as PyTorch's; transformers
            use less, such as 0.02 squared.

    The same as a one-hot vector times `weight`, without the multiplications. Only rows that were
    looked up get a gradient other than zero, so rare words are learned slowly; Adam moves the
    others too, by what it remembers. Raises `ArgumentError` for sizes below 1, `IndexOutOfRange`
    for an index beyond the table, `DTypeError` for indices that are not integers.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> nn.Embedding(100, 16)(np.array([[3, 14, 15], [9, 2, 6]])).shape
        (2, 3, 16)
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        (self.num_embeddings,) = per_axis(num_embeddings, 1, "num_embeddings", "Embedding")
        (self.embedding_dim,) = per_axis(embedding_dim, 1, "embedding_dim", "Embedding")
        if padding_idx is not None:
            if (
                not isinstance(padding_idx, (int, np.integer))
                or not -num_embeddings <= padding_idx < num_embeddings
            ):
                raise ArgumentError(
                    f"Embedding: padding_idx must be an index below num_embeddings="
                    f"{num_embeddings}, got {padding_idx!r}"
                )
            padding_idx = int(padding_idx) % num_embeddings
        self.padding_idx = padding_idx
        self.weight = Parameter(np.zeros((num_embeddings, embedding_dim), default_dtype()))
        init.normal_(self.weight)
        if padding_idx is not None:
            values = self.weight.data.copy()
            values[padding_idx] = 0
            overwrite(self.weight, values)

    @classmethod
    def from_pretrained(
        cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None
    ) -> Embedding:
        """An embedding with a given table, by default frozen.

        Args:
            embeddings: (num_embeddings, embedding_dim), floating; copied.
            freeze: are the vectors left as they are in training (default True)?
            padding_idx: an index whose vector gets no gradient; it is not set to zeros.

        Example:
            >>> import numpy as np
            >>> from tinygrad_cs import nn
            >>> nn.Embedding.from_pretrained(np.array([[1.0, 2.0], [3.0, 4.0]]))([1]).data
            array([[3., 4.]])
        """
        table = to_array(embeddings)
        if table.ndim != 2:
            raise ShapeError(
                f"Embedding.from_pretrained: expected a table of shape (num_embeddings, "
                f"embedding_dim), got {table.shape}"
            )
        if table.dtype.kind != "f":
            raise DTypeError(
                f"Embedding.from_pretrained: expected a floating table, got {table.dtype}"
            )
        made = cls(table.shape[0], table.shape[1], padding_idx)
        made.weight = Parameter(table, requires_grad=not freeze)
        return made

    def forward(self, input: Any) -> Any:
        """Integers of any shape (*) give (*, embedding_dim)."""
        return functional.embedding(input, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        """The sizes."""
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
