"""einsum: every contraction, and its derivative, which is again an einsum.

For `ij,jk->ik` the cotangent of the first operand is `ik,jk->ij`: the output's indices and those
of the other operands in, the operand's own out. An index that stands nowhere else was summed
away, so its cotangent is copied along it (a factor of ones); an index that stands twice in one
operand picked a diagonal, so its cotangent goes to the diagonal (a factor of the identity).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from ...engine.define import operation
from ...engine.errors import ArgumentError
from ...engine.record import LINEAR, MOVE
from ...engine.types import Shape, np
from ..families import Case, Draw
from .contraction_order import contract
from .subscripts import LETTERS, from_lists, read

__all__ = ["einsum"]


@lru_cache(maxsize=4096)
def _transposed(
    subscripts: str, i: int, shapes: tuple[Shape, ...]
) -> tuple[str, tuple[int, ...], tuple[int, ...]]:
    """The einsum of operand i's cotangent, and which factors it needs beside g and the others.

    Returns its subscripts, the lengths of the identities and the lengths of the ones.
    """
    terms, output = read(subscripts, shapes)
    others = [t for k, t in enumerate(terms) if k != i]
    spare = iter(c for c in LETTERS if c not in "".join([*terms, output]))
    wanted = ""
    identities: list[tuple[str, int]] = []
    ones: list[tuple[str, int]] = []
    for c, n in zip(terms[i], shapes[i], strict=True):
        if c in wanted:
            twin = next(spare)
            identities.append((c + twin, n))
            c = twin
        elif c not in output and n > _longest(c, i, terms, shapes):
            ones.append((c, n))
        wanted += c
    factors = [*others, *(t for t, _ in identities), *(t for t, _ in ones)]
    text = f"{','.join([output, *factors])}->{wanted}"
    return text, tuple(n for _, n in identities), tuple(n for _, n in ones)


def _longest(c: str, i: int, terms: Sequence[str], shapes: Sequence[Shape]) -> int:
    """The length of index c in the operands other than i; -1 where none has it."""
    others = [(t, s) for k, (t, s) in enumerate(zip(terms, shapes, strict=True)) if k != i]
    return max((s[t.index(c)] for t, s in others if c in t), default=-1)


def _cotangent(g: Any, i: int, operands: Sequence[Any], shapes: Any, subscripts: str) -> Any:
    text, identities, ones = _transposed(subscripts, i, shapes)
    others = [a for k, a in enumerate(operands) if k != i]
    constants = [np.eye(n, dtype=g.dtype) for n in identities]
    constants += [np.ones(n, dtype=g.dtype) for n in ones]
    return _contracted([g, *others, *constants], text)


def _contracted(operands: Sequence[Any], subscripts: str) -> Any:
    """One operand alone is only rearranged and summed, so that what is cut off stays cut off."""
    if len(operands) == 1:
        return rearranged(operands[0], subscripts)
    return _einsum(operands, subscripts)


_EXAMPLES: list[tuple[str, list[Shape]]] = [
    ("ij,jk->ik", [(2, 3), (3, 2)]),
    ("ij,jk", [(2, 3), (3, 2)]),
    ("i,j->ij", [(2,), (3,)]),
    ("ii->i", [(3, 3)]),
    ("ii", [(3, 3)]),
    ("iij->j", [(2, 2, 3)]),
    ("ij->", [(2, 3)]),
    ("ij->j", [(2, 3)]),
    ("ij->ji", [(2, 3)]),
    ("...ij,...jk->...ik", [(2, 2, 3), (3, 2)]),
    ("...i,...i->...", [(2, 3), (1, 3)]),
    ("bij,bjk,k->bi", [(2, 2, 3), (2, 3, 2), (2,)]),
    ("i,i,i->", [(3,), (3,), (3,)]),
    ("ij,j->i", [(2, 3), (1,)]),
    ("ij->i", [(2, 0)]),
    (",i->i", [(), (3,)]),
    ("ij,jk,kl->li", [(11, 2), (2, 10), (10, 12)]),
    ("bxy,cxb->ycx", [(4, 3, 12), (16, 3, 4)]),
]
"""The last two are large enough for matrix products."""


def _einsum_cases(draw: Draw) -> Case:
    subscripts, shapes = draw.choice(_EXAMPLES)
    return [[draw.array(s) for s in shapes]], {"subscripts": subscripts}


@operation(
    LINEAR,
    name="einsum",
    variadic=True,
    cases=_einsum_cases,
    reference=lambda operands, subscripts: np.einsum(subscripts, *operands),
    doperands=lambda g, i, operands, operands_shape, subscripts: _cotangent(
        g, i, operands, operands_shape, subscripts
    ),
)
def _einsum(operands: Sequence[Any], subscripts: str) -> Any:
    terms, output = read(subscripts, tuple([np.shape(a) for a in operands]))
    return contract(terms, output, operands)


def _rearranged_cases(draw: Draw) -> Case:
    alone = [(text, shapes) for text, shapes in _EXAMPLES if len(shapes) == 1]
    subscripts, (shape,) = draw.choice(alone)
    return [draw.array(shape)], {"subscripts": subscripts}


@operation(
    MOVE,
    cases=_rearranged_cases,
    reference=lambda x, subscripts: np.einsum(subscripts, x),
    dx=lambda g, x_shape, subscripts: _cotangent(g, 0, [None], (x_shape,), subscripts),
)
def rearranged(x: Any, subscripts: str) -> Any:
    """An einsum of one operand: transposed, its diagonal taken, summed.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.contractions.contraction.rearranged(tg.tensor([[1.0, 2.0], [3.0, 4.0]]), "ii->i")
        tensor([1., 4.])
    """
    terms, output = read(subscripts, (np.shape(x),))
    return contract(terms, output, [x])


def einsum(subscripts: str, *operands: Any) -> Any:
    """Sum of products over named indices, after Einstein.

    Implicit and explicit form, repeated indices, ellipsis, broadcasting. Three operands and more
    are multiplied two at a time, in an order chosen by their shapes.

    Args:
        subscripts: such as `"ij,jk->ik"`.
        *operands: one array per comma-separated term. NumPy's other form, with every operand
            followed by a list of its indices, is read too: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.

    Raises `ArgumentError` for subscripts that cannot be read or count other operands,
    `ShapeError` for axes that do not match.

    Example:
        >>> import tinygrad_cs as tg
        >>> a = tg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
        >>> tg.einsum("ii", a).backward()
        >>> a.grad
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    if not isinstance(subscripts, str):
        if len(operands) < 1:
            raise ArgumentError(
                f"einsum: the first argument is the subscripts, such as 'ij,jk->ik'; "
                f"got {type(subscripts).__name__}"
            )
        subscripts, operands = from_lists((subscripts, *operands))
    return _contracted(operands, subscripts)
