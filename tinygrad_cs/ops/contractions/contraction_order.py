"""How an einsum is computed: operands two by two in a cheap order, large pairs by BLAS.

NumPy's einsum on its own loops over all indices at once: right for a few numbers, slow for
matrices. Its `optimize=` finds a good order, but again on every call. Here the order, and how each
pair becomes a matrix product, is worked out once for each subscripts and shapes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from ...engine.types import Shape, np

_SMALL = 512
"""Multiplications below which one loop over all indices is fastest (measured)."""

_BLAS = (np.dtype(np.float32), np.dtype(np.float64))


def contract(terms: tuple[str, ...], output: str, operands: Sequence[Any]) -> Any:
    """The sum of products of arrays, as einsum of `terms` -> `output` defines it."""
    arrays = [np.asarray(a) for a in operands]
    for step in _steps(terms, output, tuple(a.shape for a in arrays)):
        chosen = [arrays.pop(k) for k in step.positions]
        if step.product is not None and all(a.dtype in _BLAS for a in chosen):
            arrays.append(step.product(*chosen))
        else:
            arrays.append(np.einsum(step.subscripts, *chosen))
    return arrays[0]


class _Step(NamedTuple):
    """Operands to take out of the list (largest position first), and what replaces them."""

    positions: tuple[int, ...]
    subscripts: str
    product: Callable[[Any, Any], Any] | None


@lru_cache(maxsize=4096)
def _steps(terms: tuple[str, ...], output: str, shapes: tuple[Shape, ...]) -> list[_Step]:
    path: list[tuple[int, ...]] = [tuple(range(len(terms)))]
    if len(terms) > 2 and math.prod(_lengths(terms, shapes).values()) > _SMALL:
        models = [np.broadcast_to(0.0, s) for s in shapes]
        found, _ = np.einsum_path(f"{','.join(terms)}->{output}", *models, optimize="greedy")
        path = found[1:]
    steps = []
    left, left_shapes = list(terms), list(shapes)
    for positions in path:
        order = tuple(sorted(positions, reverse=True))
        taken = [left.pop(k) for k in order]
        taken_shapes = [left_shapes.pop(k) for k in order]
        wanted = set(output).union(*left)
        result = output if not left else "".join(sorted(wanted & set("".join(taken))))
        product = _matrix_product(taken, taken_shapes, result) if len(taken) == 2 else None
        steps.append(_Step(order, f"{','.join(taken)}->{result}", product))
        lengths = _lengths(taken, taken_shapes)
        left.append(result)
        left_shapes.append(tuple(lengths[c] for c in result))
    return steps


def _lengths(terms: Sequence[str], shapes: Sequence[Shape]) -> dict[str, int]:
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for c, n in zip(term, shape, strict=True):
            lengths[c] = n if lengths.get(c, 1) == 1 else lengths[c]
    return lengths


def _matrix_product(
    terms: Sequence[str], shapes: Sequence[Shape], output: str
) -> Callable[[Any, Any], Any] | None:
    """A pair as a stack of matrix products; None where that does not fit or does not pay.

    Indices of a pair are of four kinds: in all three terms (the stack), summed, of the left
    operand alone, of the right one alone.
    """
    a, b = terms
    lengths = _lengths(terms, shapes)
    broadcast = any(
        n != lengths[c]
        for t, s in zip(terms, shapes, strict=True)
        for c, n in zip(t, s, strict=True)
    )
    diagonal = len(set(a)) < len(a) or len(set(b)) < len(b)
    if broadcast or diagonal or math.prod(lengths.values()) <= _SMALL:
        return None
    summed = [c for c in a if c in b and c not in output]
    rows = [c for c in a if c not in b and c in output]
    columns = [c for c in b if c not in a and c in output]
    stack = [c for c in output if c in a and c in b]
    if len(a) != len(stack + rows + summed) or len(b) != len(stack + summed + columns):
        return None  # an index of one operand alone is summed
    if not summed or not (rows or columns):
        return None

    def size(group: Sequence[str]) -> int:
        return math.prod(lengths[c] for c in group)

    stacked = tuple(lengths[c] for c in stack)
    left_axes = tuple(a.index(c) for c in stack + rows + summed)
    right_axes = tuple(b.index(c) for c in stack + summed + columns)
    left_shape = (*stacked, size(rows), size(summed))
    right_shape = (*stacked, size(summed), size(columns))
    made = stack + rows + columns
    made_shape = tuple(lengths[c] for c in made)
    made_axes = tuple(made.index(c) for c in output)

    def product(x: Any, y: Any) -> Any:
        x = x.transpose(left_axes).reshape(left_shape)
        y = y.transpose(right_axes).reshape(right_shape)
        return np.matmul(x, y).reshape(made_shape).transpose(made_axes)

    return product
