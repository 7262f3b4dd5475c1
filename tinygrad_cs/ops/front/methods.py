"""The operators and methods of `Tensor` and `Scalar`, filled in from the table.

`engine/declared.py` declares them for type checkers and editors; a test holds the two together.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from typing import Any

from ...engine.errors import DTypeError, GraphError, ShapeError
from ...engine.record import TABLE
from ...engine.scalar import INFIX, Scalar, binary_method, with_number
from ...engine.tensor import Tensor
from ...engine.types import np
from ..contractions import products
from ..elementwise import arithmetic, powers, rounding, selection, signs
from ..indices import taking
from ..indices.at import At
from ..indices.indexing import getitem
from ..reductions import cumulative, positions, product, reductions
from ..shapes import conversion, diagonals, ordering, rearranging, shaping
from ..shapes.shaping import permute_dims, reshape


def _reflected(call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda self, other: call(other, self)


_ARITHMETIC = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "floordiv": rounding.floor_divide,
    "mod": rounding.remainder,
    "pow": powers.power,
    "matmul": products.matmul,
}

for _name, _call in _ARITHMETIC.items():
    setattr(Tensor, f"__{_name}__", _call)
    setattr(Tensor, f"__r{_name}__", _reflected(_call))
    _row = TABLE[_call.__name__]
    if _row.scalar is None:
        setattr(Scalar, f"__{_name}__", _call)
        setattr(Scalar, f"__r{_name}__", _reflected(_call))
    else:
        _method = binary_method if _row.scalar in INFIX else with_number
        setattr(Scalar, f"__{_name}__", _method(_row, _call))
        setattr(Scalar, f"__r{_name}__", with_number(_row, _call, reflected=True))


def _in_place(symbol: str) -> Callable[[Any, Any], Any]:
    """`t -= x` makes a new tensor, which for a leaf that is to be trained would be lost."""

    def method(self: Tensor, other: Any) -> Any:
        node = self._node
        if node is not None and node.plan is None:
            raise GraphError(
                f"t {symbol}= x: values in a graph are not changed, so this would make a new "
                f"tensor and leave the one that requires a gradient as it was; write "
                f"t.data {symbol}= x to change its values (x as an array, as p.grad is), or "
                f"t = t {symbol} x for a new tensor"
            )
        return NotImplemented  # Python then takes t = t - x

    return method


for _name, _symbol in {"add": "+", "sub": "-", "mul": "*", "truediv": "/"}.items():
    setattr(Tensor, f"__i{_name}__", _in_place(_symbol))

_UNARY: dict[str, Any] = {
    "neg": arithmetic.negative,
    "pos": lambda self: self,
    "abs": signs.abs,
}

for _name, _unary in _UNARY.items():
    for _node in (Tensor, Scalar):
        setattr(_node, f"__{_name}__", _unary)


def _divmod(a: Any, b: Any) -> tuple[Any, Any]:
    return rounding.floor_divide(a, b), rounding.remainder(a, b)


for _name, _call in (("divmod", _divmod), ("rdivmod", _reflected(_divmod))):
    for _node in (Tensor, Scalar):
        setattr(_node, f"__{_name}__", _call)


def _comparison(compare: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Comparisons give plain booleans: they have no derivative."""

    def method(self: Any, other: Any) -> Any:
        value = getattr(other, "_data", other)
        try:
            return compare(self._data, value)
        except ValueError as error:
            raise ShapeError(
                f"{compare.__name__}: cannot compare shapes {self.shape} and {np.shape(value)}"
            ) from error

    return method


for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    for _node in (Tensor, Scalar):
        setattr(_node, f"__{_name}__", _comparison(getattr(operator, _name)))


def _iterate(self: Tensor) -> Iterator[Tensor]:
    if not self.ndim:
        raise DTypeError("a tensor with no axes cannot be iterated over; t.item() is its value")
    return (getitem(self, i) for i in range(len(self)))


def _from_arguments(args: tuple[Any, ...]) -> Any:
    """`t.reshape(2, 3)` and `t.reshape((2, 3))` are the same."""
    return args[0] if len(args) == 1 and not isinstance(args[0], int) else args


def _reshape(self: Tensor, *shape: Any) -> Any:
    """The same entries, row by row, in another shape, in which -1 stands for what is left."""
    return reshape(self, _from_arguments(shape))


def _transpose(self: Tensor, *axes: Any) -> Any:
    """The axes in the order of the arguments; without arguments in reverse."""
    return permute_dims(self, _from_arguments(axes) if axes else None)


def _flatten(self: Tensor) -> Any:
    """All entries along one axis, row by row."""
    return reshape(self, (-1,))


def _astype(self: Tensor, dtype: Any) -> Any:
    """The tensor in another dtype, as "float64"; the gradient comes back in its own."""
    return self if self.dtype == dtype else conversion.astype(self, dtype)


_METHODS: dict[str, Any] = {
    "__getitem__": getitem,
    "__iter__": _iterate,
    "reshape": _reshape,
    "transpose": _transpose,
    "astype": _astype,
    "squeeze": shaping.squeeze,
    "flatten": _flatten,
    "ravel": _flatten,
    "swapaxes": shaping.swapaxes,
    "diagonal": diagonals.diagonal,
    "repeat": rearranging.repeat,
    "take": taking.take,
    "argsort": ordering.argsort,
    "sum": reductions.sum,
    "mean": reductions.mean,
    "max": reductions.max,
    "min": reductions.min,
    "var": reductions.var,
    "std": reductions.std,
    "prod": product.prod,
    "cumsum": cumulative.cumsum,
    "cumprod": cumulative.cumprod,
    "clip": selection.clip,
    "round": rounding.round,
    "all": positions.all,
    "any": positions.any,
    "argmax": positions.argmax,
    "argmin": positions.argmin,
    "nonzero": positions.nonzero,
    "at": property(
        At, doc="`t.at[index].set(v)`, `.add(v)` and others: changes that make a new tensor."
    ),
    "T": property(permute_dims, doc="The tensor with its axes reversed."),
    "mT": property(products.matrix_transpose, doc="The transpose of every matrix in a stack."),
}

for _name, _method in _METHODS.items():
    setattr(Tensor, _name, _method)
