"""`Scalar`: a Python float in the graph, the engine one can follow by hand.

A scalar is its own node. Its rules are the ones tensors use, called with floats.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, ClassVar, Self

from . import column
from .assemble import scalar_plan_for
from .declared import ScalarMethods
from .errors import DTypeError, GraphError
from .modes import CHANGED, PLAIN, current_mode, current_trace
from .node import (
    OPERAND_KINDS,
    RETAIN,
    Hook,
    HookHandle,
    Node,
    hooks_of,
    keep_grad,
    last_overwrite,
    tick,
)
from .record import Operation
from .types import Array, np

_new = object.__new__


class Scalar(ScalarMethods, Node):
    """A number with a gradient; operations on it give `Scalar`s and record how.

    Args:
        value: anything `float()` accepts.
        requires_grad: whether `backward()` fills `.grad` (default True).

    Attributes:
        data: the value, a Python float. Setting it on a leaf changes the value in place.
        grad: the gradient, a float, or None until there is one.

    Raises `DTypeError` for a value that is not a real number.

    Example:
        >>> import tinygrad_cs as tg
        >>> x, w = tg.Scalar(2.0), tg.Scalar(-3.0)
        >>> loss = (x * w + 1.0) ** 2
        >>> loss.backward()
        >>> loss.data, x.grad, w.grad
        (25.0, 30.0, -20.0)
    """

    __slots__ = ("__weakref__", "_data", "cotangent", "requires_grad", "version")

    shape: ClassVar[tuple[int, ...]] = ()  # type: ignore[misc]
    dtype: ClassVar[type] = float  # type: ignore[misc]
    ndim: ClassVar[int] = 0

    _data: float
    cotangent: float | None
    requires_grad: bool

    def __init__(self, value: Any, requires_grad: bool = True) -> None:
        if isinstance(value, (str, bytes)):
            raise DTypeError(f"Scalar: expected a number, got {value!r}")
        try:
            self._data = number(value)
        except (TypeError, ValueError) as error:
            raise DTypeError(
                f"Scalar: expected a real number, got {type(value).__name__}; "
                f"for several numbers use tg.tensor"
            ) from error
        self.requires_grad = requires_grad
        self.plan = None
        self.inputs = ()
        self.order = tick()
        self.version = 0
        self.cotangent = None
        self._grad = None
        self.hooks = None

    @classmethod
    def _of(cls, value: float) -> Self:
        """A constant: no checks, no gradient."""
        self = _new(cls)
        self._data = value
        self.requires_grad = False
        self.plan = None
        self.inputs = ()
        self.cotangent = None
        return self

    @property
    def data(self) -> float:
        """The value, a Python float."""
        if CHANGED and (trace := current_trace()) is not None:
            trace.see((self,))
        return self._data

    @data.setter
    def data(self, value: float) -> None:
        if self.plan is not None:
            raise GraphError(
                f"Scalar: a value computed by {self.plan.op.name} cannot be changed, others may "
                f"have used it; only scalars you made yourself take a new .data"
            )
        if CHANGED and (trace := current_trace()) is not None:
            trace.scalars.changes(self)
        self._data = number(value)
        self.version = last_overwrite[0] = tick()

    @property
    def grad(self) -> float | None:
        """The gradient, a Python float; None until there is one."""
        if CHANGED and (trace := current_trace()) is not None:
            trace.see((self,))
        return getattr(self, "_grad", None)

    @grad.setter
    def grad(self, value: float | None) -> None:
        if CHANGED and (trace := current_trace()) is not None:
            trace.scalars.takes_gradient(self)
        self._grad = value

    def item(self) -> float:
        """The value as a Python float, without its history."""
        return self.data

    def detach(self) -> Scalar:
        """The same value with no history and no gradient."""
        return Scalar._of(self.data)

    def backward(self, gradient: float | None = None, retain_graph: bool = False) -> None:
        """Add d(self)/d(leaf) to `.grad` of every leaf this scalar was computed from.

        Args:
            gradient: what to start from (default 1.0).
            retain_graph: keep the graph for another pass (default: it is freed).

        Raises `GraphError` when nothing here requires a gradient or the graph was freed.
        """
        if not self.requires_grad:
            raise GraphError(
                "backward: this Scalar does not require a gradient: it was made under no_grad, "
                "detached, or computed from constants only"
            )
        column.finish_scalars(self, 1.0 if gradient is None else float(gradient), retain_graph)

    def retain_grad(self) -> None:
        """Keep the gradient of this computed scalar in `.grad` too, not only those of leaves."""
        if self.plan is not None:
            hooks_of(self)[RETAIN] = keep_grad
            self._grad = self.grad

    def register_hook(self, hook: Hook) -> HookHandle:
        """Call `hook(gradient)` when the gradient here is known; what it returns replaces it."""
        return HookHandle(self, hook)

    def last_change(self) -> int:
        """When `.data` was last set."""
        return getattr(self, "version", 0)

    def accumulate(self, cotangent: float) -> None:
        """Add a finished cotangent to `.grad`."""
        grad = self._grad
        self._grad = cotangent if grad is None else grad + cotangent

    def __float__(self) -> float:
        if self.requires_grad and current_mode().recording:
            raise GraphError(
                "float() of a Scalar that requires a gradient would cut it off silently. Write "
                "x.item() for the number; for a function of x use tg.sin, tg.exp, ... instead "
                "of math.sin, math.exp, ..."
            )
        return float(self._data)

    def __bool__(self) -> bool:
        return bool(self._data)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        if self.requires_grad and current_mode().recording:
            raise GraphError(
                "np.asarray of a Scalar that requires a gradient would cut it off silently; "
                "tg.stack makes a tensor of several Scalars, x.item() is the number"
            )
        array: Array = np.asarray(self._data, dtype)
        return array

    def __repr__(self) -> str:
        made = f", made_by={self.plan.op.name}" if self.plan is not None else ""
        grad = "" if self.grad is None else f", grad={self.grad:g}"
        return f"Scalar({self._data:g}{grad}{made})"

    def __format__(self, spec: str) -> str:
        return format(self._data, spec) if spec else repr(self)

    def __reduce__(self) -> tuple[Any, ...]:
        if self.plan is not None:
            raise GraphError(
                "a Scalar with history cannot be copied or pickled; use x.detach() or x.item()"
            )
        return Scalar, (self._data, self.requires_grad)


OPERAND_KINDS[Scalar] = "scalar"


def number(value: Any) -> Any:
    """The value as a Python float; a trace's stand-in for one stays what it is."""
    trace = current_trace()
    return float(value) if trace is None else trace.number_of(value)


INFIX: dict[Any, str] = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.truediv: "/",
}
"""Operators whose two-scalar form is worth a method of its own."""

_BINARY = """\
def method(a, b):
    if (type(b) is Scalar and a.requires_grad and b.requires_grad
            and (not CHANGED or current_mode() is PLAIN)):
        try:
            value = a._data {symbol} b._data
        except (ArithmeticError, ValueError):
            return otherwise(a, b)
        out = new(Scalar)
        out._data = value
        out.requires_grad = True
        out.plan = plan
        out.inputs = (a, b)
        out.order = tick()
        out.cotangent = None
        return out
    return otherwise(a, b)
"""


def recorded(op: Operation, inputs: tuple[Scalar, ...], pattern: int) -> Scalar:
    """An operation without parameters on scalars, in the plain mode: what `apply` comes down to.

    Raises what float arithmetic raises; `apply` then gives the IEEE value.
    """
    compute: Any = op.scalar
    value = compute(*[x._data for x in inputs])
    out = _new(Scalar)
    out._data = value if type(value) is float else float(value)
    out.requires_grad = True
    out.plan = op.plans.get(~pattern) or scalar_plan_for(op, pattern)
    out.inputs = inputs
    out.order = tick()
    out.cotangent = None
    return out


def unary_call(op: Operation, x: Scalar, otherwise: Callable[..., Any]) -> Any:
    """A function of one scalar."""
    if x.requires_grad and (not CHANGED or current_mode() is PLAIN):
        try:
            return recorded(op, (x,), 0b1)
        except (ArithmeticError, ValueError):
            pass
    return otherwise(op, (x,), ())


def with_number(
    op: Operation, call: Callable[[Any, Any], Any], *, reflected: bool = False
) -> Callable[[Any, Any], Any]:
    """The operator of a scalar and a Python number; all else takes the general path."""
    pattern = 0b10 if reflected else 0b01

    def method(a: Any, b: Any) -> Any:
        if (
            (type(b) is float or type(b) is int)
            and a.requires_grad
            and (not CHANGED or current_mode() is PLAIN)
        ):
            number = Scalar._of(float(b))
            try:
                return recorded(op, (number, a) if reflected else (a, number), pattern)
            except (ArithmeticError, ValueError):
                pass
        return call(b, a) if reflected else call(a, b)

    return method


def binary_method(op: Operation, call: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operator of two scalars that both need a gradient, or of one and a number.

    What `apply` does, written out for this case: it halves the cost of a scalar graph.
    """
    names = {
        "Scalar": Scalar,
        "CHANGED": CHANGED,
        "otherwise": with_number(op, call),
        "PLAIN": PLAIN,
        "current_mode": current_mode,
        "new": _new,
        "plan": scalar_plan_for(op, 0b11),
        "tick": tick,
    }
    exec(_BINARY.format(symbol=INFIX[op.scalar]), names)
    method: Callable[[Any, Any], Any] = names["method"]  # type: ignore[assignment]
    return method
