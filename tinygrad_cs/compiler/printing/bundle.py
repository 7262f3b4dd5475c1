"""Functions of the library as text that stands alone: with everything they call, and nothing else.

What looks at values cannot be written out as straight-line statements; the program then calls a
function of the library, and its text comes along: without annotations, documentation and
decorators, with the constants it uses, and with the exceptions of the library replaced by the
built-in ones they derive from.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import inspect
import sys
import textwrap
import types
from collections.abc import Iterable
from functools import cache
from typing import Any

from ...engine.errors import CompileError
from ...engine.modes import default_dtype
from ...engine.record import FUNCTIONS, TABLE
from ...engine.types import np
from .syntax import names_in, node_of, plain, renamed, values_of
from .text import literal

_FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)


class Bundle:
    """The texts of functions, each under a name of its own.

    Attributes:
        imports: the modules that they need.
        texts: of functions, classes and constants, in the order in which they need one another.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.imports = {"numpy as np"}
        self.texts: list[str] = []
        self._names: dict[Any, str] = {}
        self._taken = {"np", *taken}

    def name_of(self, function: Any) -> str:
        """The name of a function, whose text is added where it is not there yet."""
        key = id(function)
        if key not in self._names:
            operation = _operations().get(key)
            if operation is not None and operation.keep:
                self._add_first_result(key, function, operation.name)
            else:
                self._add(key, function)
        return self._names[key]

    def _add_first_result(self, key: int, function: Any, wanted: str) -> None:
        inner = self.name_of(inspect.unwrap(function))
        self._names[key] = name = self._free(wanted)
        self.texts.append(f"def {name}(*args, **kwargs):\n    return {inner}(*args, **kwargs)[0]")

    def _add(self, key: int, function: Any) -> None:
        function = inspect.unwrap(function)
        if isinstance(function, type):
            self._add_class(key, function)
            return
        if function is default_dtype:
            self._names[key] = self._free("default_dtype")
            dtype = default_dtype().name
            self.texts.append(f"def default_dtype():\n    return np.dtype(np.{dtype})")
            return
        if not isinstance(function, types.FunctionType):
            raise CompileError(f"compile: no text is known of {function!r}")
        wanted = function.__name__ if function.__name__.isidentifier() else "rule"
        self._names[key] = name = self._free(wanted)
        node = node_of(function)
        values = values_of(function)
        names = {n: self._text_of(n, v) for n, v in values.items() if n in names_in(node)}
        tree = renamed(node, {n: t for n, t in names.items() if t != n})
        if isinstance(tree, ast.Lambda):
            self.texts.append(f"{name} = {ast.unparse(tree)}")
        else:
            tree.name = name
            self.texts.append(ast.unparse(ast.fix_missing_locations(tree)))

    def _add_class(self, key: int, made: type) -> None:
        self._names[key] = name = self._free(made.__name__)
        node = plain(ast.parse(textwrap.dedent(inspect.getsource(made))).body[0])
        values = vars(sys.modules[made.__module__])
        names = {n: self._text_of(n, values[n]) for n in names_in(node) if n in values}
        tree = renamed(node, {n: t for n, t in names.items() if t != n})
        tree.name = name
        self.texts.append(ast.unparse(ast.fix_missing_locations(tree)))

    def _text_of(self, name: str, value: Any) -> str:
        if value is np:
            return "np"
        if isinstance(value, types.ModuleType):
            self.imports.add(value.__name__)
            return value.__name__
        if isinstance(value, type) and issubclass(value, Exception):
            return next(c for c in value.__mro__ if c.__module__ == "builtins").__name__
        if callable(value):
            module, plain = getattr(value, "__module__", "") or "", getattr(value, "__name__", "")
            if module.startswith("numpy") or isinstance(value, np.ufunc):
                return self._of_numpy(module, plain, value)
            if getattr(builtins, plain, None) is value:
                return plain
            if not module.startswith("tinygrad_cs") and isinstance(value, (type, *_FUNCTIONS)):
                self.imports.add(module.strip("_"))
                return f"{module.strip('_')}.{plain}"
            return self.name_of(value)
        return self._constant(name, self.text_of(value))

    def _of_numpy(self, module: str, plain: str, value: Any) -> str:
        if getattr(np, plain, None) is value:
            return f"np.{plain}"
        if getattr(np.linalg, plain, None) is value:
            return f"np.linalg.{plain}"
        self.imports.add(module)
        return f"{module}.{plain}"

    def _constant(self, name: str, text: str) -> str:
        """The name of a constant: two that are called alike need not be equal."""
        key = (name, text)
        if key not in self._names:
            self._names[key] = self._free(name)
            self.texts.append(f"{self._names[key]} = {text}")
        return self._names[key]

    def text_of(self, value: Any) -> str:
        """A constant of the program, with the classes it is made of."""
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            name = self.name_of(type(value))
            return f"{name}({', '.join(self.text_of(part) for part in value)})"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            name = self.name_of(type(value))
            parts = [
                f"{f.name}={self.text_of(getattr(value, f.name))}"
                for f in dataclasses.fields(value)
            ]
            return f"{name}({', '.join(parts)})"
        if isinstance(value, (tuple, list)):
            parts = [self.text_of(part) for part in value]
            inner = ", ".join(parts) + ("," if isinstance(value, tuple) and len(parts) == 1 else "")
            return f"({inner})" if isinstance(value, tuple) else f"[{inner}]"
        return _written_out(value)

    def _free(self, wanted: str) -> str:
        name, k = wanted, 2
        while name in self._taken:
            name, k = f"{wanted}_{k}", k + 1
        self._taken.add(name)
        return name


def _written_out(value: Any) -> str:
    """A constant as text."""
    if isinstance(value, np.ndarray):
        if value.ndim == 1 and value.size > 2 and value.dtype.kind == "i":
            step = value[1] - value[0]
            if step and (np.diff(value) == step).all():
                return f"np.arange({value[0]}, {value[-1] + step}, {step})"
        first = value.flat[0] if value.size else 0
        if value.size > 2 and (value == first).all():
            dtype = f"np.{'bool' if value.dtype == bool else value.dtype.name}"
            shape = value.size if value.ndim == 1 else value.shape
            if first in (0, 1) and value.dtype.kind == "f" and not np.signbit(first):
                return f"np.{'ones' if first else 'zeros'}({shape}, {dtype})"
            return f"np.full({shape}, {literal(value.flat[0].item())}, {dtype})"
        return f"np.array({literal(value.tolist())}, np.{value.dtype.name})"
    if isinstance(value, np.dtype):
        return f"np.dtype({value.name!r})"
    if isinstance(value, dict):
        pairs = (f"{_written_out(k)}: {_written_out(v)}" for k, v in value.items())
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, (set, frozenset)):
        return f"{{{', '.join(map(_written_out, value))}}}"
    return literal(value)


@cache
def _operations() -> dict[int, Any]:
    return {id(FUNCTIONS[name]): operation for name, operation in TABLE.items()}
