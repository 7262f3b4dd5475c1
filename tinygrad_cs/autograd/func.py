"""`tg.func`: derivatives as functions of functions, nested at will.

Each derivative starts from fresh places in the graph (leaves, or aliases of nodes that an outer
derivative follows), so nested derivatives cannot be confused: d/dx (x d/dy (x + y)) = 1. Inner
passes are recorded exactly when something outside could differentiate them.

Values come back as the kind of thing that went in: floats for floats, arrays for arrays, nodes
where an argument is a node or the result still depends on one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from ..engine.errors import ArgumentError, GraphError, ShapeError
from ..engine.record import FUNCTIONS
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np
from . import trees
from .swapping import functional_call
from .trace import Function, Trace, as_given, tangent_for


def _positions(argnums: int | Sequence[int], count: int) -> list[int]:
    numbers = [argnums] if isinstance(argnums, int) else list(argnums)
    if any(not -count <= i < count for i in numbers):
        raise ArgumentError(f"func: argnums {argnums} with {count} positional arguments")
    return [i % count for i in numbers]


def _named(what: str, f: Function, derived: Function) -> Function:
    """Let a derivative take the arguments of `f` by their names, and say what it is."""
    functools.update_wrapper(derived, f)
    name = getattr(f, "__name__", "")
    derived.__name__ = derived.__qualname__ = f"{what}_of_{name}" if name.isidentifier() else what
    derived.__doc__ = f"{derived.__name__}: see tinygrad_cs.func.{what}."
    return derived


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """A function that returns (f(...), derivative) in one evaluation.

    Args:
        f: returns one number (a scalar, or a tensor with one entry).
        argnums: position of the argument to differentiate by, or several; each may be a number,
            an array, a node, or nested tuples, lists and dicts of them.

    Raises `ShapeError` when `f` returns several numbers.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.func.value_and_grad(lambda x: x**3)(2.0)
        (8.0, 12.0)
    """

    def derived(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, _positions(argnums, len(args)), kwargs)
        if len(trace.outputs) != 1 or trace.outputs[0].shape not in ((), (1,), (1, 1)):
            shapes = ", ".join(str(y.shape) for y in trace.outputs)
            raise ShapeError(
                f"func.grad: the function must return one number, got shape {shapes}; reduce it "
                f"(sum, mean), or use func.jacobian"
            )
        gradients = trace.as_argument(trace.pull([None], retain=False))
        return trace.value(), gradients[0] if isinstance(argnums, int) else tuple(gradients)

    return _named("value_and_grad", f, derived)


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The derivative of a function that returns one number, as a function.

    Args:
        f: returns one number (a scalar, or a tensor with one entry).
        argnums: position of the argument to differentiate by, or several (then a tuple returns).

    An argument that does not influence the result has derivative zero. Raises `ShapeError` when
    `f` returns several numbers.

    Example:
        >>> import tinygrad_cs as tg
        >>> d = tg.func.grad
        >>> d(d(d(lambda x: x**4)))(1.0)
        24.0
        >>> d(lambda x: x * d(lambda y: x + y)(2.0))(5.0)
        1.0
    """
    both = value_and_grad(f, argnums)
    return _named("grad", f, lambda *args, **kwargs: both(*args, **kwargs)[1])


def vjp(f: Function, *primals: Any) -> tuple[Any, Callable[..., Any]]:
    """f(*primals), and the function that pulls cotangents of the output back to the arguments.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> value, pull = tg.func.vjp(lambda x: x * x, np.array([1.0, 3.0]))
        >>> value, pull(np.array([1.0, 10.0]))
        (array([1., 9.]), (array([ 2., 60.]),))
    """
    trace = Trace(f, primals, range(len(primals)), {})

    def pull(*cotangents: Any) -> tuple[Any, ...]:
        given = [c for tree in cotangents for c in trees.leaves(tree)]
        if len(given) != len(trace.outputs):
            raise ArgumentError(
                f"func.vjp: {len(trace.outputs)} outputs need as many cotangents, got {len(given)}"
            )
        return tuple(trace.as_argument(trace.pull(given, retain=True)))

    return trace.value(), pull


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f(*primals), and the derivative of it along `tangents`, by forward mode.

    Raises `ShapeError` where a tangent has another shape than its primal.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.func.jvp(lambda x, y: x * y, (2.0, 3.0), (1.0, 10.0))
        (6.0, 23.0)
    """
    if not isinstance(primals, (tuple, list)) or len(primals) != len(tangents):
        raise ArgumentError("func.jvp: primals and tangents must be tuples of the same length")
    trace = Trace(f, primals, range(len(primals)), {})
    flat = [t for tree in tangents for t in trees.leaves(tree)]
    if len(flat) != len(trace.inputs):
        raise ArgumentError("func.jvp: tangents must be nested like the primals")
    matched = [tangent_for(t, x) for t, x in zip(flat, trace.inputs, strict=True)]
    pushed = trace.push(matched)
    nodes_given = any(isinstance(x, (Tensor, Scalar)) for x in [*flat, *trees.leaves(primals)])
    like = [Tensor._of(np.zeros(0)) if nodes_given else None] * len(pushed)
    results = iter(trace.finish(pushed, like))
    return trace.value(), trees.rebuild(trace.out, results)


def jacobian(f: Function, argnums: int = 0) -> Function:
    """The matrix of all derivatives, of shape output.shape + input.shape, as a function.

    Uses forward mode where the input has fewer entries than the output, else reverse mode.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.func.jacobian(lambda x: x * x)(np.array([1.0, 3.0]))
        array([[2., 0.],
               [0., 6.]])
    """

    def derived(*args: Any, **kwargs: Any) -> Any:
        trace = Trace(f, args, _positions(argnums, len(args)), kwargs)
        if len(trace.inputs) != 1 or len(trace.outputs) != 1:
            raise GraphError("func.jacobian: one array in, one array out; got several")
        x, y = trace.inputs[0], trace.outputs[0]
        n, m = int(np.prod(x.shape)), int(np.prod(y.shape))
        if n < m:
            columns = [trace.push([_basis(x, i)])[0] for i in range(n)]
            result = _stacked(columns, len(y.shape), y.shape, x.shape)
        else:
            rows = [trace.pull([_basis(y, i)], retain=True)[0] for i in range(m)]
            result = _stacked(rows, 0, x.shape, y.shape)
        return as_given(result, trace.given[0][0])

    return _named("jacobian", f, derived)


def _basis(like: Any, i: int) -> Any:
    if isinstance(like, Scalar):
        return 1.0
    unit = np.zeros(like.shape, like.dtype)
    unit.reshape(-1)[i] = 1
    return unit


def _stacked(parts: list[Any], axis: int, one: tuple[int, ...], several: tuple[int, ...]) -> Any:
    if len(parts) == 1 and one == () == several:
        return parts[0]
    if not parts:
        shape = (*one, *several) if axis else (*several, *one)
        return Tensor._of(np.zeros(shape))
    together = FUNCTIONS["stack"](parts, axis)
    shape = (*one, *several) if axis == len(one) and axis else (*several, *one)
    return together if together.shape == shape else together.reshape(shape)


def hessian(f: Function, argnums: int = 0) -> Function:
    """The matrix of second derivatives of a function that returns one number.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.func.hessian(lambda x: (x**3).sum())(np.array([1.0, 2.0]))
        array([[ 6.,  0.],
               [ 0., 12.]])
    """
    return jacobian(grad(f, argnums), argnums)


def hvp(f: Function, primals: Any, tangents: Any) -> Any:
    """Hessian times vector, without the Hessian: the gradient pushed along `tangents`.

    Args:
        f: returns one number.
        primals, tangents: one value each, or tuples of the same length (then a tuple returns).

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> tg.func.hvp(lambda x: (x**3).sum(), np.array([1.0, 2.0]), np.array([1.0, 0.0]))
        array([6., 0.])
    """
    if not isinstance(primals, tuple):
        return jvp(grad(f), (primals,), (tangents,))[1]
    return jvp(grad(f, tuple(range(len(primals)))), primals, tangents)[1]


__all__ = [
    "functional_call",
    "grad",
    "hessian",
    "hvp",
    "jacobian",
    "jvp",
    "value_and_grad",
    "vjp",
]
