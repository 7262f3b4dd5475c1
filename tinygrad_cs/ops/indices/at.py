"""`t.at[index]`: changes to a tensor that make a new one, in the form JAX has given them."""

from __future__ import annotations

from typing import Any

from .updating import add_at, maximum_at, minimum_at, multiply_at, put


class At:
    """`t.at[index]`, with everything that indexing accepts, and then what shall happen there.

    Values broadcast to the shape of `t[index]`. Gradients reach the tensor and the values.
    """

    def __init__(self, tensor: Any, index: Any = ...) -> None:
        self._tensor = tensor
        self._index = index

    def __getitem__(self, index: Any) -> At:
        return At(self._tensor, index)

    def get(self) -> Any:
        """The entries at the index, as `t[index]`.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[1].get()
            tensor(2.)
        """
        return self._tensor[self._index]

    def set(self, values: Any) -> Any:
        """The tensor with `values` at the index; what was there is no longer connected.

        Raises `ArgumentError` where the index takes a position twice.

        Example:
            >>> import tinygrad_cs as tg
            >>> x = tg.tensor([1.0, -2.0, -3.0])
            >>> x.at[x < 0].set([5.0, 6.0])
            tensor([1., 5., 6.])
        """
        return put(self._tensor, values, self._index)

    def add(self, values: Any) -> Any:
        """The tensor with `values` added at the index; at a repeated position all are.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[[0, 0]].add(5.0)
            tensor([11.,  2.])
        """
        return add_at([self._tensor, values], self._index)

    def multiply(self, values: Any) -> Any:
        """The tensor with entries at the index multiplied; at a repeated position by all values.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[[1, 1]].multiply([3.0, 4.0])
            tensor([ 1., 24.])
        """
        return multiply_at(self._tensor, values, self._index)

    def min(self, values: Any) -> Any:
        """The tensor with the smaller of entry and value at the index; ties share the gradient.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[[1, 1]].min([1.5, 0.5])
            tensor([1. , 0.5])
        """
        return minimum_at(self._tensor, values, self._index)

    def max(self, values: Any) -> Any:
        """The tensor with the larger of entry and value at the index; ties share the gradient.

        Example:
            >>> import tinygrad_cs as tg
            >>> tg.tensor([1.0, 2.0]).at[:].max(1.5)
            tensor([1.5, 2. ])
        """
        return maximum_at(self._tensor, values, self._index)
