"""`operation`: turns a forward function and its derivative rules into an operation.

The library's own operations and those of users are defined by the same call.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .caller import caller
from .errors import ArgumentError
from .record import (
    BY_NUMPY,
    COMPOSITIONS,
    ELEMENTWISE,
    FUNCTIONS,
    GENERAL,
    TABLE,
    Composition,
    Kind,
    Operation,
    check_record,
)
from .types import Rule

F = TypeVar("F", bound=Callable[..., Any])


def operation(
    kind: Kind | str = GENERAL,
    *,
    name: str | None = None,
    scalar: Callable[..., float] | None = None,
    numpy: Any = (),
    keep: Mapping[str, Callable[..., Any]] | None = None,
    variadic: bool = False,
    cuts: bool = False,
    domain: Any = (-2.0, 2.0),
    kinks: tuple[float, ...] = (),
    cases: Callable[..., Any] | None = None,
    reference: Callable[..., Any] | None = None,
    **rules: Rule,
) -> Callable[[F], F]:
    """Define a differentiable operation: decorate its value on NumPy arrays with its derivatives.

    Args:
        kind: `"elementwise"`, `"linear in each operand"`, `"moves data"` or `"general"`
            (default), which says how tangents travel.
        name: how it is registered (default: the function's name).
        scalar: the value on Python floats, if the operation makes sense on one number.
        numpy: the NumPy function (or several) that should find this operation.
        keep: intermediates the function returns after its output, each with its formula.
        variadic: the first argument is a sequence of arrays; the rule also gets `i`.
        cuts: a zero in the rule's result means the position is not connected (as in `where`).
        domain: `(low, high)` from which gradient checks draw operands.
        kinks: operand values that gradient checks stay away from.
        cases: how checks draw operands: a function of a `Draw`, see `tinygrad_cs.ops.families`.
        reference: the same value in plain NumPy, for tests.
        **rules: `d<operand>=` a function giving that operand's cotangent, written with Python
            operators and this library's operations. Its parameter names say what it needs: `g`,
            operands, `out`, parameters, `<operand>_shape`, kept intermediates.

    Arguments of the function without a rule are parameters, not operands. Defining a name again in
    the same module replaces it. Raises `ArgumentError` for a name that is taken elsewhere and for a
    rule that asks for something that does not exist.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> @tg.autograd.operation("elementwise", dx=lambda g, x: g * 3 * x**2)
        ... def cube(x):
        ...     return x * x * x
        >>> x = tg.tensor([2.0], requires_grad=True)
        >>> cube(x).sum().backward()
        >>> x.grad
        array([12.], dtype=float32)
        >>> tg.func.grad(tg.func.grad(lambda x: cube(x).sum()))(np.array([2.0]))
        array([12.])
    """
    chosen = kind if isinstance(kind, Kind) else _kind(kind)

    def define(function: F) -> F:
        signature = inspect.signature(function)
        names = list(signature.parameters)
        _refuse_stars(function, signature)
        operands = tuple(n for n in names if f"d{n}" in rules)
        strangers = [r for r in rules if not (r.startswith("d") and r[1:] in names)]
        if strangers:
            raise ArgumentError(
                f"operation {function.__name__!r}: {', '.join(strangers)} is neither an option "
                f"nor d<argument> of an argument; the arguments are {', '.join(names)}"
            )
        params = tuple(n for n in names if n not in operands)
        label = name or function.__name__
        if label in TABLE:
            if _is_library(function) or TABLE[label].module != function.__module__:
                raise ArgumentError(f"operation {label!r} is already defined; choose another name=")
            undefine(label)  # a notebook cell that is run again
        op = Operation(
            name=label,
            kind=chosen,
            forward=_in_record_order(function, names, operands + params),
            scalar=scalar or (function if not keep and _serves_floats(chosen, function) else None),
            operands=operands,
            params=params,
            module=function.__module__,
            rules={r[1:]: rule for r, rule in rules.items()},
            keep=keep or {},
            variadic=variadic,
            cuts=cuts,
            numpy=numpy if isinstance(numpy, tuple) else (numpy,),
            domain=domain,
            kinks=kinks,
            cases=cases,
            reference=reference,
        )  # fmt: skip
        check_record(op)
        call: F = functools.wraps(function)(caller(op, signature, function))  # type: ignore[assignment]
        TABLE[label] = op
        FUNCTIONS[label] = call
        for source in op.numpy:
            BY_NUMPY[source] = call
        return call

    return define


def composition(
    *operands: str,
    name: str | None = None,
    numpy: Any = (),
    variadic: bool = False,
    cases: Callable[..., Any],
    reference: Callable[..., Any] | None = None,
) -> Callable[[F], F]:
    """Register a function that is written in operations, for NumPy's protocols and the checks.

    Args:
        *operands: names of the arguments that may carry gradients.
        name: how it is registered (default: the function's name).
        numpy: the NumPy function (or several) that should find it.
        variadic: the one operand is a sequence of arrays, or `*arrays`.
        cases: how checks draw operands: a function of a `Draw`, see `tinygrad_cs.ops.families`.
        reference: the same value in plain NumPy, for tests; the first of `numpy` by default.

    The function itself is returned. Raises `ArgumentError` for a name that is taken.
    """

    def register(function: F) -> F:
        label = name or function.__name__
        if label in FUNCTIONS:
            raise ArgumentError(f"composition {label!r} is already defined; choose another name=")
        names = inspect.signature(function).parameters
        sources = numpy if isinstance(numpy, tuple) else (numpy,)
        COMPOSITIONS[label] = Composition(
            name=label,
            call=function,
            operands=operands,
            params=tuple(n for n in names if n not in operands),
            module=function.__module__,
            variadic=variadic,
            numpy=sources,
            cases=cases,
            reference=reference,
        )
        FUNCTIONS[label] = function
        for source in sources:
            BY_NUMPY[source] = function
        return function

    return register


def undefine(name: str) -> None:
    """Take an operation out of the table again."""
    op = TABLE.pop(name)
    del FUNCTIONS[name]
    for source in op.numpy:
        del BY_NUMPY[source]


def _kind(text: str) -> Kind:
    try:
        return Kind(text)
    except ValueError as error:
        allowed = ", ".join(repr(k.value) for k in Kind)
        raise ArgumentError(f"operation: kind must be one of {allowed}, got {text!r}") from error


def _refuse_stars(function: Callable[..., Any], signature: inspect.Signature) -> None:
    for p in signature.parameters.values():
        if p.kind is not p.POSITIONAL_OR_KEYWORD:
            raise ArgumentError(
                f"operation {function.__name__!r}: argument {p} is not a plain argument; write "
                f"each operand and parameter as one (a sequence of operands: variadic=True)"
            )


def _serves_floats(kind: Kind, function: Callable[..., Any]) -> bool:
    """A user's elementwise NumPy function works on one float; ours name a faster one."""
    return kind is ELEMENTWISE and not _is_library(function)


def _is_library(function: Callable[..., Any]) -> bool:
    return function.__module__.startswith("tinygrad_cs.")


def _in_record_order(
    function: Callable[..., Any], names: list[str], order: tuple[str, ...]
) -> Callable[..., Any]:
    """The function with operands before parameters, as the calling path passes them."""
    if tuple(names) == order:
        return function
    text = f"lambda {', '.join(order)}: function({', '.join(names)})"
    reordered: Callable[..., Any] = eval(text, {"function": function})
    return reordered
