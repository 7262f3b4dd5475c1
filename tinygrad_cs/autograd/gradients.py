"""`tg.autograd.grad`: derivatives as values, without touching any `.grad`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..engine import backward
from ..engine.errors import ArgumentError, GraphError
from ..engine.fit import fit
from ..engine.lift import lift, node_of
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor, cotangent_for
from ..engine.types import np


def wrap(cotangent: Any, like: Any) -> Any:
    """A cotangent as the kind of node it belongs to."""
    if isinstance(cotangent, (Tensor, Scalar)):
        return cotangent
    if isinstance(like, Scalar):
        return Scalar._of(float(cotangent))
    return Tensor._of(np.array(cotangent))


def seed_for(output: Any, cotangent: Any) -> Any:
    """The cotangent a pass starts from at `output`; one where none is given."""
    if isinstance(output, Scalar):
        if cotangent is None:
            return 1.0
        return cotangent if isinstance(cotangent, Scalar) else fit(
            cotangent, output, "autograd.grad", "grad_outputs"
        )  # fmt: skip
    return cotangent_for(output, cotangent, "autograd.grad")


def _as_sequence(value: Any) -> Sequence[Any]:
    return value if isinstance(value, (tuple, list)) else (value,)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    create_graph: bool = False,
    retain_graph: bool | None = None,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The derivatives of the sum of `outputs` with respect to each of `inputs`.

    Args:
        outputs: a tensor or scalar, or several.
        inputs: those to differentiate by: leaves or computed values the outputs came from.
        grad_outputs: one cotangent per output; not needed for outputs with one entry.
        create_graph: record the pass, so that the result can be differentiated again.
        retain_graph: keep the graph (default: only with `create_graph`).
        allow_unused: give None for an input that no output depends on, instead of raising.

    Returns a tuple with one `Tensor` or `Scalar` per input. Raises `GraphError` for inputs that do
    not require a gradient or do not influence the outputs.

    Example:
        >>> import tinygrad_cs as tg
        >>> x = tg.tensor(3.0, requires_grad=True)
        >>> (dx,) = tg.autograd.grad(x**3, x, create_graph=True)
        >>> (ddx,) = tg.autograd.grad(dx, x)
        >>> dx.item(), ddx.item()
        (27.0, 18.0)
    """
    outputs, inputs = _as_sequence(outputs), _as_sequence(inputs)
    cotangents = [None] * len(outputs) if grad_outputs is None else _as_sequence(grad_outputs)
    if len(cotangents) != len(outputs):
        raise ArgumentError(
            f"autograd.grad: {len(outputs)} outputs need as many grad_outputs, "
            f"got {len(cotangents)}"
        )
    seeds: dict[Any, Any] = {}
    for output, cotangent in zip(outputs, cotangents, strict=True):
        node = node_of(output)
        if node is None:
            raise GraphError(
                "autograd.grad: an output does not require a gradient; nothing it was computed "
                "from does, or it was made under no_grad or detached"
            )
        seed = seed_for(output, cotangent)
        seeds[node] = seeds[node] + seed if node in seeds else seed
    nodes = [node_of(x) for x in inputs]
    for position, node in enumerate(nodes):
        if node is None:
            raise GraphError(
                f"autograd.grad: input {position} does not require a gradient; make it with "
                f"requires_grad=True"
            )
    found = backward.run(
        seeds,
        retain=create_graph if retain_graph is None else retain_graph,
        targets=set(nodes),
        lift=lift if create_graph else None,
    )
    missing = [i for i, node in enumerate(nodes) if node not in found]
    if missing and not allow_unused:
        raise GraphError(
            f"autograd.grad: no output depends on input {', '.join(map(str, missing))}; pass "
            f"allow_unused=True to get None there"
        )
    return tuple(
        wrap(found[node], x) if node in found else None
        for node, x in zip(nodes, inputs, strict=True)
    )
