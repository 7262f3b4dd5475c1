"""einsum: every contraction, and its derivative, which is again an einsum.

For `ij,jk->ik` the cotangent of the first operand is `ik,jk->ij`: the output's indices and those
of the other operands in, the operand's own out. An index that stands nowhere else was summed
away, so its cotangent is copied along it (a factor of ones); an index that stands twice in one
operand picked a diagonal, so its cotangent goes to the diagonal (a factor of the identity).
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from typing import Any

from ..engine.define import operation
from ..engine.errors import ArgumentError, ShapeError
from ..engine.record import LINEAR
from ..engine.types import Shape, np
from .families import Case, Draw


def explicit(subscripts: str, dims: Sequence[int]) -> tuple[list[str], str]:
    """One term per operand and the output's, ellipses replaced by letters of their own."""
    text = subscripts.replace(" ", "")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(dims):
        raise ArgumentError(f"einsum: {subscripts!r} names {len(terms)} operands, got {len(dims)}")
    strange = set(text) - set(string.ascii_letters) - set(",.->")
    if strange or text.replace("...", "").count(".") or right.count(","):
        raise ArgumentError(f"einsum: cannot read the subscripts {subscripts!r}")
    free = [c for c in string.ascii_letters if c not in text]
    extra = [n - len(t.replace("...", "")) for t, n in zip(terms, dims, strict=True)]
    for i, (term, more) in enumerate(zip(terms, extra, strict=True)):
        if more < 0 or (more and "..." not in term):
            raise ShapeError(
                f"einsum: operand {i} has {dims[i]} axes, but its subscripts {term!r} name "
                f"{len(term.replace('...', ''))}"
            )
    widest = max((m for t, m in zip(terms, extra, strict=True) if "..." in t), default=0)
    letters = "".join(free[:widest])
    full = [
        t.replace("...", letters[widest - more :] if more else "")
        for t, more in zip(terms, extra, strict=True)
    ]
    if arrow:
        output = right.replace("...", letters)
    else:
        named = left.replace(",", "").replace("...", "")
        output = letters + "".join(sorted(c for c in set(named) if named.count(c) == 1))
    return full, output


def _contract(terms: Sequence[str], output: str, operands: Sequence[Any]) -> Any:
    return _einsum(list(operands), f"{','.join(terms)}->{output}")


def _cotangent(g: Any, i: int, operands: Sequence[Any], shapes: Any, subscripts: str) -> Any:
    terms, output = explicit(subscripts, [len(s) for s in shapes])
    others = [t for k, t in enumerate(terms) if k != i]
    factors = [a for k, a in enumerate(operands) if k != i]
    spare = iter(c for c in string.ascii_letters if c not in "".join([*terms, output]))
    wanted = ""
    for c, n in zip(terms[i], shapes[i], strict=True):
        if c in wanted:
            twin = next(spare)
            others.append(c + twin)
            factors.append(np.eye(n, dtype=g.dtype))
            c = twin
        elif c not in output and (
            n > _longest(c, i, terms, shapes) or not any(c in t for t in others)
        ):
            others.append(c)
            factors.append(np.ones(n, dtype=g.dtype))
        wanted += c
    return _contract([output, *others], wanted, [g, *factors])


def _longest(c: str, i: int, terms: Sequence[str], shapes: Sequence[Shape]) -> int:
    """The length of index c in the operands other than i; 0 where none has it."""
    others = [(t, s) for k, (t, s) in enumerate(zip(terms, shapes, strict=True)) if k != i]
    return max((s[t.index(c)] for t, s in others if c in t), default=0)


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
    (",i->i", [(), (3,)]),
]


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
    return np.einsum(subscripts, *operands, optimize=len(operands) > 2)


def _refuse_unequal(subscripts: str, terms: Sequence[str], shapes: Sequence[Shape]) -> None:
    """Raise `ShapeError` for an index with two lengths, unless one of them is 1."""
    seen: dict[str, tuple[int, int]] = {}
    for i, (term, shape) in enumerate(zip(terms, shapes, strict=True)):
        for c, n in zip(term, shape, strict=True):
            m, first = seen.setdefault(c, (n, i))
            if m == 1:
                seen[c] = (n, i)
            elif n not in (1, m):
                raise ShapeError(
                    f"einsum: in {subscripts!r} index {c!r} has length {m} in operand {first} and "
                    f"{n} in operand {i}; got shapes {', '.join(map(str, shapes))}"
                )


def einsum(subscripts: str, *operands: Any) -> Any:
    """Sum of products over named indices, after Einstein.

    Implicit and explicit form, repeated indices, ellipsis, broadcasting.

    Args:
        subscripts: such as `"ij,jk->ik"`.
        *operands: one array per comma-separated term.

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
        raise ArgumentError(
            f"einsum: the first argument is the subscripts, such as 'ij,jk->ik'; "
            f"got {type(subscripts).__name__}"
        )
    shapes = [np.shape(getattr(a, "_data", a)) for a in operands]
    terms, _ = explicit(subscripts, [len(shape) for shape in shapes])
    _refuse_unequal(subscripts, terms, shapes)
    return _einsum(operands, subscripts)
