"""Statements as NumPy text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...engine.types import np
from ..program import Statement, Var

_OPERATORS = {
    np.add: "+", np.subtract: "-", np.multiply: "*", np.divide: "/", np.power: "**",
    np.matmul: "@", np.greater: ">", np.less: "<", np.greater_equal: ">=", np.less_equal: "<=",
    np.equal: "==", np.not_equal: "!=", np.remainder: "%", np.floor_divide: "//",
}  # fmt: skip


_inside: dict[Var, Statement] = {}
"""Values that are shown as the expression that gives them, while `showing` lasts."""

_aliases: dict[str, str] | None = None
"""Short names of the functions that are called, while they are collected."""

_names: dict[Any, str] = {}
"""What functions of the library are called meanwhile."""

_reading = False
"""Is the text made for reading, at present?"""


@contextmanager
def showing(inside: dict[Var, Statement], names: dict[Any, str] | None = None) -> Iterator[None]:
    """Show these values as expressions, and call these functions by these names."""
    global _reading
    before, names_before, reading_before = dict(_inside), dict(_names), _reading
    _reading = True
    _inside.update(inside)
    _names.update(names or {})
    try:
        yield
    finally:
        _inside.clear()
        _inside.update(before)
        _names.clear()
        _names.update(names_before)
        _reading = reading_before


def is_shown(x: Any) -> bool:
    """Is this value shown as an expression?"""
    return x in _inside


def is_nameless(name: str) -> bool:
    """Is this a name that nobody chose?"""
    return name.startswith("t_") and name[2:].isdigit()


def literal(x: Any) -> str:
    """A constant, or a value by its name, as it stands in the text."""
    if isinstance(x, Var):
        return expression(_inside[x]) if x in _inside else x.name
    if isinstance(x, tuple):
        return f"({', '.join(map(literal, x))}{',' if len(x) == 1 else ''})"
    if isinstance(x, list):
        return f"[{', '.join(map(literal, x))}]"
    if isinstance(x, np.dtype):
        return f"np.{x.name}" if hasattr(np, x.name) else repr(x)
    if isinstance(x, type) and x.__module__ == "numpy":
        return f"np.{x.__name__}"
    if isinstance(x, np.generic):
        return f"np.{type(x).__name__}({literal(x.item())})"
    if x is Ellipsis:
        return "..."
    if isinstance(x, slice):
        inside = ", ".join(map(literal, (x.start, x.stop, x.step)))
        return f"np.s_[{_index(x)}]" if _reading else f"slice({inside})"
    if isinstance(x, float) and x in (float("inf"), float("-inf")):
        return "np.inf" if x > 0 else "-np.inf"
    if isinstance(x, float) and x != x:
        return "np.nan"
    return repr(x)


_RANKS = {"**": 5, "*": 3, "/": 3, "%": 3, "//": 3, "@": 3, "+": 2, "-": 2}
"""What binds how strongly; the sign of a number stands between `*` and `**`."""

_NAME, _SIGN, _COMPARISON = 9, 4, 1


def operand(x: Any, beside: str = ".", right: bool = False) -> str:
    """The same, in parentheses where it is an operation that binds less than what it is beside."""
    shown = literal(x)
    if isinstance(x, Var):
        symbol = _symbol(_inside[x]) if x in _inside else ""
    else:
        symbol = "sign" if isinstance(x, (int, float)) and x < 0 else ""
    if not symbol:
        return shown
    own = _SIGN if symbol == "sign" else _RANKS.get(symbol, _COMPARISON)
    rank = _RANKS.get(beside, _COMPARISON if beside != "." else _NAME)
    alone = own > rank or (
        own == rank and not right and rank in (2, 3) and "@" not in (symbol, beside)
    )
    return shown if alone else f"({shown})"


def _symbol(s: Statement) -> str:
    """The operator of an operation; empty for a call, an item or a method."""
    if s.kind == "formula":
        return "" if s.function.startswith("math.") else "if"
    if s.kind == "operator":
        symbol: str = s.function
        return symbol
    if s.kind == "method" and s.function == "dot" and _of_matrices(s):
        return "@"
    if s.kind != "call" or s.kwargs:
        return ""
    if s.function is np.negative:
        return "sign"
    if s.function is np.square:
        return "**"
    return _OPERATORS.get(s.function, "") if len(s.args) == 2 else ""


def _of_matrices(s: Statement) -> bool:
    return len(s.args[0].shape) == len(s.args[1].shape) == 2


def _index(x: Any) -> str:
    if isinstance(x, tuple) and x:
        return ", ".join(map(_index, x)) + ("," if len(x) == 1 else "")
    if isinstance(x, slice):
        parts = ["" if p is None else literal(p) for p in (x.start, x.stop)]
        step = "" if x.step is None else f":{literal(x.step)}"
        return ":".join(parts) + step
    return "None" if x is None else literal(x)


def _arguments(args: Any, kwargs: Any) -> str:
    return ", ".join([*map(literal, args), *(f"{k}={literal(v)}" for k, v in kwargs.items())])


def helper_name(function: Any) -> str:
    """What a function of the library is called in the text."""
    if function in _names:
        return _names[function]
    name = function.__name__
    return f"{name}_" if name.isidentifier() else f"rule_{id(function)}"


def function_name(function: Any) -> str:
    """How a function of NumPy or `math` is called in the text."""
    name = _full_name(function)
    if _aliases is None:
        return name
    return _aliases.setdefault(name, name.replace(".", "_"))


def _full_name(function: Any) -> str:
    if isinstance(function, np.ufunc):
        return f"np.{function.__name__}"
    owner = getattr(function, "__self__", None)
    if isinstance(owner, np.ufunc):
        return f"np.{owner.__name__}.{function.__name__}"
    if "linalg" in (getattr(function, "__module__", "") or ""):
        return f"np.linalg.{function.__name__}"
    return f"np.{function.__name__}"


def _binary(symbol: str, a: Any, b: Any) -> str:
    return f"{operand(a, symbol)} {symbol} {operand(b, symbol, True)}"


def expression(statement: Statement) -> str:
    """The right-hand side."""
    s = statement
    if s.kind == "operator":
        return _binary(s.function, *s.args)
    if s.kind == "formula":
        template: str = s.function
        is_call = template.startswith("math.")
        return template.format(*map(literal if is_call else operand, s.args))
    if s.kind == "attribute":
        return f"{operand(s.args[0])}.{s.function}"
    if s.kind == "item":
        return f"{operand(s.args[0])}[{_index(s.args[1])}]"
    if s.kind == "method" and s.function == "dot" and _of_matrices(s):
        return _binary("@", *s.args)
    if s.kind in ("method", "draw"):
        return f"{operand(s.args[0])}.{s.function}({_arguments(s.args[1:], s.kwargs)})"
    if s.kind == "masked":
        return f"np.where({_arguments(s.args, {})}, 0)"
    if s.kind == "kernel":
        return f"{s.function.__name__}({_arguments(s.args, {})})"
    if s.kind == "helper":
        return f"{helper_name(s.function)}({_arguments(s.args, s.kwargs)})"
    if s.function in _OPERATORS and not s.kwargs and len(s.args) == 2:
        return _binary(_OPERATORS[s.function], *s.args)
    if s.function is np.square and not s.kwargs:
        return _binary("**", s.args[0], 2)
    if s.function is np.negative and not s.kwargs:
        return f"-{operand(s.args[0], '*', True)}"
    args, kwargs = s.args, s.kwargs
    if s.function is np.dot and not _reading:
        given = [*args[1:], *kwargs.values()]
        return f"{operand(args[0])}.dot({_arguments(given, {})})"  # np.dot asks all arguments first
    if _reading:
        return _called_for_reading(s.function, args, kwargs)
    if "out" in kwargs:
        args, kwargs = _positional(s.function, args, kwargs)
    return f"{function_name(s.function)}({_arguments(args, kwargs)})"


_SHORT = {np.add: "sum", np.maximum: "max", np.minimum: "min", np.multiply: "prod"}


def _called_for_reading(function: Any, args: Any, kwargs: dict[str, Any]) -> str:
    """`x.sum(axis=0)` for `np.add.reduce(x, axis=0)`, which it calls."""
    owner = getattr(function, "__self__", None)
    reduces = isinstance(owner, np.ufunc) and function.__name__ == "reduce" and owner in _SHORT
    if reduces and len(args) == 1 and isinstance(args[0], Var) and args[0].shape is not None:
        more = {"axis": 0, **kwargs}
        if more.get("keepdims") is False:
            del more["keepdims"]
        if more["axis"] is None or (more["axis"] == 0 and len(args[0].shape) == 1):
            del more["axis"]
        return f"{operand(args[0])}.{_SHORT[owner]}({_arguments((), more)})"
    return f"{_full_name(function)}({_arguments(args, kwargs)})"


def _positional(function: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """`out` by position, which NumPy takes faster."""
    out = kwargs["out"]
    rest = {k: v for k, v in kwargs.items() if k != "out"}
    if function in (np.maximum, np.minimum):
        return args, kwargs  # NumPy is about to take a third position for something else
    if isinstance(function, np.ufunc) or function is np.dot:
        rest.pop("order", None)  # that of the array that is given
        return (*args, out), rest
    axis = rest.pop("axis", 0)
    keepdims = rest.pop("keepdims", None)
    more = (keepdims,) if keepdims else ()
    return ((*args, axis, None, out, *more), rest) if len(args) == 1 else ((*args,), kwargs)


def block_name(whole: Statement) -> str:
    """What the function for a block of a run is called."""
    return f"block_{whole.args[1]}_of_{whole.function[0].kwargs['out'].name}"


def line(statement: Statement) -> str:
    """One line of the program, without its comment."""
    s = statement
    if s.kind == "guard":
        wrong = "not " if s.function else ""
        return f"if {wrong}{literal(s.args[0])}: raise Stopped"
    if s.kind == "blocks":
        return f"in_blocks({block_name(s)}, {s.args[0]})"
    if s.kind == "forget":
        return f"del {_arguments(s.args, {})}"
    if s.kind == "store":
        return f"{literal(s.args[0])}[{_index(s.args[1])}] = {literal(s.args[2])}"
    if s.target is None:
        return expression(s)
    return f"{s.target.name} = {expression(s)}"


@contextmanager
def short_names() -> Iterator[dict[str, str]]:
    """Call `np_add` what is `np.add`: looking it up took a tenth of a small net's step."""
    global _aliases
    _aliases = {}
    try:
        yield _aliases
    finally:
        _aliases = None
