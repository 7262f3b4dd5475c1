"""The same values as something else: another dtype, another node, a tensor or a scalar."""

from __future__ import annotations

from typing import Any

from ...engine.define import operation
from ...engine.errors import ArgumentError, DTypeError
from ...engine.node import ArrayNode
from ...engine.record import FUNCTIONS, MOVE, same
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import T, np
from ..families import Case, Draw, one_array
from .shaping import reshape

__all__ = ["astype"]


def _astype_cases(draw: Draw) -> Case:
    return [draw.array(draw.shape())], {"dtype": np.float64}


@operation(MOVE, numpy=np.astype, cases=_astype_cases, dx=same)
def astype(x: T, dtype: Any) -> T:
    """Values converted to `dtype`; the gradient is converted back.

    Raises `DTypeError` for a dtype of anything but real numbers.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.astype(tg.tensor([1.5]), "float64").dtype
        dtype('float64')
    """
    out = np.asarray(x).astype(dtype)
    if out.dtype.kind not in "fiub":
        raise DTypeError(f"astype: expected a dtype of real numbers, as 'float32', got {out.dtype}")
    return out


@operation(MOVE, scalar=lambda x: x, cases=one_array, reference=np.asarray, dx=same)
def alias(x: T) -> T:
    """The same values as a node of its own: where an inner derivative starts.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.alias(tg.tensor([1.0]))
        tensor([1.])
    """
    return x


@operation(MOVE, cases=lambda draw: ([draw.array(())], {}), reference=np.asarray, dx=same)
def to_tensor(x: Any) -> Any:
    """A `Scalar` as a tensor with no axes.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.to_tensor(tg.Scalar(2.0, requires_grad=False)).shape
        ()
    """
    return np.asarray(x)


@operation(
    MOVE,
    name="to_scalar",
    cases=lambda draw: ([draw.array(draw.choice([(), (1,), (1, 1)]))], {}),
    reference=lambda x: x.reshape(()),
    dx=lambda g, x_shape: reshape(to_tensor(g), x_shape),
)
def _one_entry(x: Any) -> Any:
    if np.size(x) != 1:
        raise ArgumentError(f"to_scalar: expected one entry, got shape {np.shape(x)}")
    return np.reshape(x, ())


def to_scalar(x: Any) -> Any:
    """A tensor with one entry as a `Scalar`, its history kept.

    Example:
        >>> import tinygrad_cs as tg
        >>> tg.ops.to_scalar(tg.tensor([2.0]))
        Scalar(2)
    """
    if isinstance(x, Scalar):
        return x
    out = _one_entry(x)
    if not isinstance(out, Tensor):
        return float(out)
    scalar = Scalar._of(float(out._data))
    node = out._node
    if isinstance(node, ArrayNode):
        scalar.requires_grad = True
        scalar.plan, scalar.inputs = node.plan, node.inputs
        scalar.saved, scalar.order = node.saved, node.order
    return scalar


FUNCTIONS["to_scalar"] = to_scalar
