"""The calling path: every operation, on whatever operands, goes through `apply`.

It returns the kind of thing it was given: arrays for arrays and floats for floats (that is how
rules run in a normal backward pass: at NumPy's speed, nothing recorded), nodes for nodes.
"""

from __future__ import annotations

from typing import Any

import numpy

from .arrays import to_array
from .assemble import plan_for, scalar_plan_for
from .debugging import Site, watch_forward
from .errors import (
    ArgumentError,
    AxisError,
    DTypeError,
    IndexOutOfRange,
    LinearAlgebraError,
    ShapeError,
    TinygradError,
)
from .modes import CHANGED, PLAIN, current_mode, current_trace, default_dtype
from .node import NOTHING, OPERAND_KINDS, ArrayNode, tick
from .record import ELEMENTWISE, Operation
from .scalar import Scalar, number
from .tensor import Tensor
from .types import np

_new = object.__new__
_kind_of = OPERAND_KINDS.get
_ndarray = numpy.ndarray


def apply(op: Operation, operands: Any, params: tuple[Any, ...]) -> Any:
    """The value of an operation, as a node where an operand is one; recorded where it matters."""
    mode = current_mode() if CHANGED else PLAIN
    value_of = compute
    if mode.trace is not None:
        mode.trace.see(operands)
        value_of = mode.trace.compute
    values = []
    inputs = []
    pattern = 0
    bit = 1
    tensors = arrays = scalars = False
    for x in operands:
        kind = _kind_of(type(x))
        node: Any = NOTHING
        if kind == "tensor":
            tensors = True
            values.append(x._data)
            node = x._node or NOTHING
        elif kind == "array":
            arrays = True
            values.append(x)
        elif kind == "number":
            values.append(x)
        elif kind == "scalar":
            scalars = True
            values.append(x._data)
            if x.requires_grad:
                node = x
        else:
            x = _operand(op, x, operands)
            arrays = arrays or isinstance(x, _ndarray)
            values.append(x)
        inputs.append(node)
        if node is not NOTHING:
            pattern |= bit
        bit <<= 1
    if not tensors:
        # parameters may be arrays too: the condition of `where`, the bounds of `clip`
        several = arrays or (params and op.scalar is not None and _any_array(params))
        if scalars and not several and op.scalar is not None:
            return _apply_scalar(op, operands, values, params)
        if not scalars:
            if several or op.scalar is None:
                out = value_of(op, values, params)
                return out[0] if op.keep else out
            return _compute_float(op, values, params)
        if not arrays:
            values = [np.asarray(v, default_dtype()) for v in values]
    if mode.debugging:
        # the watch below says more than NumPy's warning would
        with np.errstate(all="ignore"):
            out = value_of(op, values, params)
    else:
        out = value_of(op, values, params)
    result = recorded(op, pattern if mode.recording else 0, inputs, values, params, out)
    if mode.trace is not None:
        mode.trace.made(op, result)
    if mode.debugging:
        watch_forward(op, values, result._data)
        if result._node is not None:
            result._node.made_at = Site(result._node.saved)
    return result


def recorded(
    op: Operation, pattern: int, inputs: Any, values: Any, params: tuple[Any, ...], out: Any
) -> Tensor:
    """A value as a tensor, with a node if the bits of `pattern` name operands that need one."""
    kept: Any = ()
    if op.keep:
        out, *kept = out
    if type(out) is not _ndarray:
        out = np.asarray(out)
    result = _new(Tensor)
    result._data = out
    if pattern and out.dtype.kind == "f":
        plan = op.plans.get(pattern) or plan_for(op, pattern)
        node = _new(ArrayNode)
        node.order = tick()
        node.plan = plan
        node.inputs = inputs
        node.saved = plan.save(values, params, out, kept)
        node.shape = out.shape
        node.dtype = out.dtype
        result._node = node
    else:
        result._node = None
    return result


def _apply_scalar(op: Operation, operands: Any, values: list[Any], params: Any) -> Scalar:
    value = number(_compute_float(op, values, params))
    out = Scalar._of(value)
    mode = current_mode()
    if mode.debugging:
        watch_forward(op, values, value)
    if not mode.recording:
        return out
    inputs = [x if type(x) is Scalar else Scalar._of(number(x)) for x in operands]
    pattern = sum(1 << i for i, x in enumerate(inputs) if x.requires_grad)
    if pattern:
        plan = scalar_plan_for(op, pattern)
        out.requires_grad = True
        out.plan = plan
        out.inputs = tuple(inputs)
        out.saved = plan.save(values, params, value, ())
        out.order = tick()
        if mode.debugging:
            out.made_at = Site()
    return out


def _any_array(params: tuple[Any, ...]) -> bool:
    return any(isinstance(p, (_ndarray, list, tuple, Tensor)) for p in params)


def _operand(op: Operation, x: Any, operands: Any) -> Any:
    """Lists, NumPy numbers and the like; objects and strings are refused.

    Lists of Python floats are weak: beside arrays of floats they take their dtype.
    """
    if isinstance(x, (bool, np.number, np.bool_)):
        return x
    if isinstance(x, (np.ma.MaskedArray, np.matrix)):
        raise DTypeError(
            f"{op.name}: expected a plain array, got {type(x).__name__}, whose rules would be "
            f"lost; write x.filled(...), or np.asarray(x)"
        )
    if isinstance(x, _ndarray):
        return np.asarray(x)
    if hasattr(x, "__array__") or isinstance(x, (list, tuple, range)):
        beside = [o.dtype for o in operands if getattr(o, "ndim", 0) and o.dtype.kind == "f"]
        return to_array(x, weak=np.result_type(*beside) if beside else None)
    raise DTypeError(
        f"{op.name}: expected a tensor, Scalar, array or number, got {type(x).__name__}"
    )


def compute(op: Operation, values: list[Any], params: tuple[Any, ...]) -> Any:
    """The value on arrays; what NumPy raises is raised as an error of this library."""
    try:
        return op.forward(values, *params) if op.variadic else op.forward(*values, *params)
    except TinygradError:
        raise
    except np.exceptions.AxisError as error:  # an IndexError and a ValueError
        raise AxisError(_explain(op, values, error)) from error
    except IndexError as error:
        raise IndexOutOfRange(_explain(op, values, error)) from error
    except np.linalg.LinAlgError as error:  # a ValueError too
        raise LinearAlgebraError(_explain(op, values, error)) from error
    except ValueError as error:
        # NumPy says ValueError of shapes, and of integers to a negative power
        kind = ArgumentError if "integer powers" in str(error) else ShapeError
        raise kind(_explain(op, values, error)) from error
    except TypeError as error:
        raise DTypeError(_explain(op, values, error)) from error


def _compute_float(op: Operation, values: list[Any], params: tuple[Any, ...]) -> Any:
    """On Python floats; where those raise (log(0.0)), the value IEEE arithmetic gives."""
    assert op.scalar is not None
    if CHANGED and (trace := current_trace()) is not None:
        return trace.compute_number(op, values, params)
    return float_value(op, values, params)


def float_value(op: Operation, values: list[Any], params: tuple[Any, ...]) -> Any:
    """The same by the record alone."""
    assert op.scalar is not None
    try:
        return op.scalar(*values, *params)
    except (ArithmeticError, ValueError):
        with np.errstate(all="ignore"):
            return float(op.forward(*[np.float64(v) for v in values], *params))


def _explain(op: Operation, values: list[Any], error: Exception) -> str:
    names = op.operands if not op.variadic else [f"{op.operands[0]}[{i}]" for i in range(99)]
    arrays = [np.asarray(v) for v in values]
    shapes = ", ".join(
        f"{name} {a.shape}" + ("" if a.dtype.kind == "f" else f" {a.dtype}")
        for name, a in zip(names, arrays, strict=False)
    )
    return f"{op.name}: {error}; operands: {shapes}{_mismatch(op, values)}"


def _mismatch(op: Operation, values: list[Any]) -> str:
    """Which axes of two operands do not broadcast; NumPy itself names those of other operations."""
    if len(values) != 2 or op.kind is not ELEMENTWISE:
        return ""
    a, b = (np.shape(v) for v in values)
    pairs = [
        (-i, m, n)
        for i, (m, n) in enumerate(zip(reversed(a), reversed(b), strict=False), 1)
        if m != n and 1 not in (m, n)
    ]
    return "".join(f"; axis {axis}: {m} against {n}" for axis, m, n in pairs)
