"""NumPy as the front door: `np.exp(t)`, `np.ones(3) * t`, `np.concatenate([t, a])`.

NumPy hands a call with a node among its arguments to the node (`__array_ufunc__` and
`__array_function__`); here the record is found by the NumPy function. A function without a
record raises where it would silently drop a gradient.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from ..engine.errors import ArgumentError, NoDerivativeError
from ..engine.modes import current_mode
from ..engine.record import BY_NUMPY, TABLE
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np
from .contraction import einsum

_ADVICE = {
    "floor": "its derivative is 0 everywhere",
    "sign": "its derivative is 0 everywhere; use x.data",
    "copyto": "values in a graph are not changed; build a new tensor",
    "square": "write x * x or x ** 2",
    "dot": "write a @ b (tg.matmul)",
}
"""What to write instead, where the nearest name in the table would not tell."""

_SAME_DEFAULTS: dict[str, Any] = {
    "out": None,
    "dtype": None,
    "initial": np._NoValue,
    "where": np._NoValue,
    "keepdims": np._NoValue,
    "mean": np._NoValue,
    "order": ("C", "K"),
    "casting": "same_kind",
    "copy": (None, True),
    "subok": False,
    "optimize": (False, True),
    "ddof": 0,
    "correction": np._NoValue,
    "a_min": np._NoValue,
    "a_max": np._NoValue,
    "min": np._NoValue,
    "max": np._NoValue,
    "newshape": None,
    "device": None,
}
"""NumPy's own defaults: an argument that has this value was not given."""

_RENAMED = {
    "a": "x",
    "array": "x",
    "tup": "arrays",
    "seq": "arrays",
    "newshape": "shape",
    "ddof": "correction",
    "a_min": "min",
    "a_max": "max",
    "x1": "a",
    "x2": "b",
    "x": "a",
    "y": "b",
}
"""NumPy's argument names where the Array API standard has others."""


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


_VALUES = frozenset(
    [
        "shape",
        "ndim",
        "size",
        "argmax",
        "argmin",
        "argsort",
        "array_equal",
        "array_equiv",
        "allclose",
        "isclose",
        "all",
        "any",
        "count_nonzero",
        "nonzero",
        "flatnonzero",
        "isnan",
        "isinf",
        "isfinite",
        "zeros_like",
        "ones_like",
        "full_like",
        "empty_like",
        "result_type",
        "can_cast",
        "may_share_memory",
        "shares_memory",
        "array2string",
        "array_repr",
        "array_str",
        "save",
        "savez",
        "savetxt",
        "searchsorted",
        "digitize",
        "bincount",
        "histogram",
        "unique",
        "isin",
        "greater",
        "greater_equal",
        "less",
        "less_equal",
        "equal",
        "not_equal",
        "signbit",
        "logical_and",
        "logical_or",
        "logical_not",
        "logical_xor",
        "isreal",
        "iscomplex",
        "isrealobj",
        "iscomplexobj",
    ]
)
"""Functions whose result carries no derivative by nature: they get and give plain values."""


def call_numpy(function: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """What a NumPy function means for nodes: our operation, plain values, or a refusal."""
    name = function.__name__
    ours = BY_NUMPY.get(function)
    if function is np.where and len(args) == 1:
        return np.nonzero(_plain(args[0]))
    if ours is not None:
        arguments, more = _translate(function, ours, args, kwargs)
        return ours(*arguments, **more)
    if function is np.einsum:
        return einsum(*args, **_given(name, kwargs))
    plain_args, plain_kwargs = _plain(tuple(args)), {k: _plain(v) for k, v in kwargs.items()}
    if name in _VALUES:
        return function(*plain_args, **plain_kwargs)
    if current_mode().recording and _needs_gradient([*args, *kwargs.values()]):
        raise NoDerivativeError(
            f"{_path(function)} has no derivative here, and a tensor that requires a gradient was "
            f"passed: {_advice(name)}. For values without gradient pass t.data"
        )
    result = function(*plain_args, **plain_kwargs)
    return Tensor._of(result) if isinstance(result, np.ndarray) else result


def _path(function: Any) -> str:
    module = getattr(function, "__module__", None) or "numpy"
    return f"{module.replace('numpy', 'np', 1)}.{function.__name__}"


def _advice(name: str) -> str:
    if name in _ADVICE:
        return _ADVICE[name]
    # A name that contains another means something like it; one spelt alike (sort, sqrt) need not.
    near = max((row for row in TABLE if row in name), key=len, default="")
    hint = f"the nearest operation is tg.{near}; " if near else ""
    return f"{hint}define it with tg.autograd.operation, or compose it from operations in tg.ops"


@cache
def _signature(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def _translate(
    function: Any, ours: Callable[..., Any], args: Any, kwargs: Mapping[str, Any]
) -> tuple[Any, dict[str, Any]]:
    """NumPy's arguments under our names; arguments we do not have are refused, not ignored."""
    if not kwargs and len(args) == 1:
        return args, {}
    if isinstance(function, np.ufunc):
        return args, _given(function.__name__, kwargs)
    accepted = inspect.signature(ours).parameters
    names = _signature(function)
    if names is None:  # np.concatenate before NumPy 2.4
        positional, named = args, dict(kwargs)
    else:
        try:
            positional, named = (), names.bind(*args, **kwargs).arguments
        except TypeError as error:
            raise ArgumentError(f"np.{function.__name__}: {error}") from error
    first = None if names is None else next(iter(names.parameters))
    given: dict[str, Any] = {}
    for name, value in named.items():
        target = name if name in accepted else _RENAMED.get(name, name)
        if name == first:
            target = next(iter(accepted))
        if value is np._NoValue:
            continue
        if target in accepted:
            given[target] = value
        elif not _is_default(name, value):
            raise ArgumentError(_refused(function.__name__, name))
    return positional, given


def _is_default(name: str, value: Any) -> bool:
    default = _SAME_DEFAULTS.get(name)
    if isinstance(default, tuple):
        return value in default
    return value is default or (isinstance(value, (int, str)) and value == default)


def _given(function: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in kwargs.items():
        if not _is_default(name, value):
            raise ArgumentError(_refused(function, name))
    return {}


def _refused(function: str, argument: str) -> str:
    reason = {
        "out": "results are new tensors, values in a graph are not changed",
        "where": "write tg.where(condition, result, other)",
        "dtype": "write result.astype(dtype)",
    }.get(argument, "it has no counterpart here")
    return f"np.{function}: the argument {argument}= is not supported on tensors: {reason}"


def _array_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
    if method != "__call__":
        reductions = {"add": "tg.sum", "maximum": "tg.max", "minimum": "tg.min"}
        if _needs_gradient(inputs):
            hint = reductions.get(ufunc.__name__, "the operations in tg.ops")
            raise NoDerivativeError(
                f"np.{ufunc.__name__}.{method} has no derivative here; use {hint}"
            )
        return getattr(ufunc, method)(*_plain(inputs), **kwargs)
    if "out" in kwargs:
        raise ArgumentError(_refused(ufunc.__name__, "out"))
    return call_numpy(ufunc, inputs, kwargs)


def _array_function(self: Any, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
    return call_numpy(function, args, kwargs)


for _name, _method in (("ufunc", _array_ufunc), ("function", _array_function)):
    for _node in (Tensor, Scalar):
        setattr(_node, f"__array_{_name}__", _method)
