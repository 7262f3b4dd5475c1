"""NumPy as the front door: `np.exp(t)`, `np.ones(3) * t`, `np.concatenate([t, a])`.

NumPy hands a call with a node among its arguments to the node (`__array_ufunc__` and
`__array_function__`); here the record is found by the NumPy function. A function without a
record raises where it would silently drop a gradient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...engine.errors import NoDerivativeError
from ...engine.modes import current_mode
from ...engine.record import BY_NUMPY
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ...engine.types import np
from ..contractions.contraction import einsum
from ..shapes.shaping import reshape
from .numpy_arguments import refuse_options, translate
from .numpy_values import PLAIN, WRITING

_ADVICE = {
    "block": "tg.concat to join the parts",
    "convolve": "tg.nn.functional.conv1d with a flipped kernel",
    "correlate": "tg.nn.functional.conv1d",
    "eig": "tg.linalg.eigh for symmetric matrices",
    "eigvals": "tg.linalg.eigvalsh for symmetric matrices",
    "gradient": "tg.diff",
    "histogram": "np.histogram(t.data), whose counts have no derivative",
    "insert": "tg.concat to join the parts",
    "interp": "tg.nn.functional.interpolate for regular grids",
    "lstsq": "tg.linalg.pinv(a) @ b",
    "nancumprod": "tg.cumulative_prod(tg.where(np.isnan(t), 1, t))",
    "nancumsum": "tg.cumulative_sum(tg.where(np.isnan(t), 0, t))",
    "nanmedian": "tg.median(t[~np.isnan(t)])",
    "partition": "tg.sort",
    "resize": "tg.tile or tg.reshape",
    "tensorinv": "tg.linalg.inv of the reshaped array",
    "tensorsolve": "tg.linalg.solve of the reshaped arrays",
    "unique": "np.unique(t.data), or tg.sort, which has a derivative",
}
"""What to write instead."""


def _plain(value: Any) -> Any:
    """Nodes replaced by their values, inside sequences too."""
    if isinstance(value, (Tensor, Scalar)):
        return value._data
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(v) for v in value)
    return value


def _needs_gradient(values: Any) -> bool:
    for value in values:
        if isinstance(value, (list, tuple)):
            if _needs_gradient(value):
                return True
        elif isinstance(value, (Tensor, Scalar)) and value.requires_grad:
            return True
    return False


def call_numpy(function: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What a NumPy function means for nodes: our operation, plain values, or a refusal."""
    ours = BY_NUMPY.get(function)
    if ours is not None:
        arguments, more = translate(function, ours, args, kwargs)
        return ours(*arguments, **more)
    if function is np.einsum:
        refuse_options(function, kwargs)
        return einsum(*args)
    if function in WRITING:
        raise NoDerivativeError(
            f"{_path(function)} changes its first argument, and values in a graph do not change; "
            f"build a new tensor: t.at[index].set(values), tg.where(condition, a, b)"
        )
    plain_args, plain_kwargs = _plain(tuple(args)), {k: _plain(v) for k, v in kwargs.items()}
    if function in PLAIN:
        return function(*plain_args, **plain_kwargs)
    if current_mode().recording and _needs_gradient([*args, *kwargs.values()]):
        raise NoDerivativeError(
            f"{_path(function)} has no derivative here, and a tensor that requires a gradient was "
            f"passed: {_advice(function.__name__)}. For values without gradient pass t.data"
        )
    result = function(*plain_args, **plain_kwargs)
    return Tensor._of(result) if isinstance(result, np.ndarray) else result


def _path(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__}"


def _advice(name: str) -> str:
    general = "compose it from operations in tg, or define it with tg.autograd.operation"
    return f"use {_ADVICE[name]}; or {general}" if name in _ADVICE else general


_REDUCTIONS = {np.add: np.sum, np.multiply: np.prod, np.maximum: np.max, np.minimum: np.min}
_SCANS = {np.add: np.cumsum, np.multiply: np.cumprod}


def _reduce(ufunc: Any, x: Any, axis: Any = 0, **kwargs: Any) -> Any:
    return call_numpy(_REDUCTIONS[ufunc], (x,), {"axis": axis, **kwargs})


def _accumulate(ufunc: Any, x: Any, axis: int = 0, **kwargs: Any) -> Any:
    return call_numpy(_SCANS[ufunc], (x,), {"axis": axis, **kwargs})


def _outer(ufunc: Any, a: Any, b: Any, **kwargs: Any) -> Any:
    rows = reshape(a, np.shape(_plain(a)) + (1,) * np.ndim(_plain(b)))
    return call_numpy(ufunc, (rows, b), kwargs)


def _array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    out = kwargs.get("out")
    if out is not None:
        refuse_options(ufunc, {"out": out})
    if method == "__call__":
        return call_numpy(ufunc, inputs, kwargs)
    if method == "reduce" and ufunc in _REDUCTIONS:
        return _reduce(ufunc, *inputs, **kwargs)
    if method == "accumulate" and ufunc in _SCANS:
        return _accumulate(ufunc, *inputs, **kwargs)
    if method == "outer" and ufunc in BY_NUMPY:
        return _outer(ufunc, *inputs, **kwargs)
    if method == "at" or (ufunc not in PLAIN and _needs_gradient(inputs)):
        raise NoDerivativeError(
            f"np.{ufunc.__name__}.{method} has no derivative here: compose it from operations in "
            f"tg. For values without gradient pass t.data"
        )
    return getattr(ufunc, method)(*_plain(inputs), **kwargs)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    return call_numpy(function, args, kwargs)


for _name, _method in (("ufunc", _array_ufunc), ("function", _array_function)):
    for _node in (Tensor, Scalar):
        setattr(_node, f"__array_{_name}__", _method)
