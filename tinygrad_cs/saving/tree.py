"""A nested state as a flat list of arrays and a description of what was where, in JSON, and back.

Values that JSON has stand for themselves; everything else is an object with one entry that says
what it is: `{"tuple": [...]}`, `{"array": "0.weight"}`, `{"float": "nan"}`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError, DTypeError
from ..engine.tensor import Tensor
from ..engine.types import Array

DEPTH = 100
"""Containers in containers: more is rather a cycle than a state."""
_LONG = 2**4096  # Python refuses to write and read much longer integers in decimals


class StructureError(ValueError):
    """A description that does not describe anything."""


def flatten(state: Any) -> tuple[str, dict[str, Array]]:
    """The description of `state`, and its arrays by name: the dotted path to each."""
    writer = _Writer()
    description = writer.describe(state, ())
    return json.dumps(description, separators=(",", ":"), allow_nan=False), writer.arrays


class _Writer:
    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}

    def describe(self, value: Any, path: tuple[str, ...]) -> Any:
        if len(path) > DEPTH:
            raise ArgumentError(
                f"save: {_place(path[:4])} is nested more than {DEPTH} deep; does it "
                f"contain itself?"
            )
        if isinstance(value, np.generic) and not isinstance(value, np.str_):
            return {"scalar": self._array(np.asarray(value), path)}
        if isinstance(value, Tensor):
            return self._array(value._data, path)
        if isinstance(value, np.ndarray):
            return self._array(value, path)
        if value is None or isinstance(value, (bool, str)):
            return value if value is None or isinstance(value, bool) else str(value)
        if isinstance(value, int):
            return int(value) if abs(value) < _LONG else {"int": hex(value)}
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": repr(float(value))}
        if isinstance(value, complex):
            return {"complex": [self.describe(part, path) for part in (value.real, value.imag)]}
        if isinstance(value, Mapping):
            return self._mapping(value, path)
        if type(value) in (list, tuple):
            entries = [self.describe(v, (*path, str(k))) for k, v in enumerate(value)]
            return entries if type(value) is list else {"tuple": entries}
        raise ArgumentError(
            f"save: {_place(path)} is of type {type(value).__name__}; expected arrays, numbers, "
            f"strings, None, and dicts, lists and tuples of them{_advice(value)}"
        )

    def _mapping(self, value: Mapping[Any, Any], path: tuple[str, ...]) -> Any:
        if all(type(key) is str for key in value):
            return {"dict": {k: self.describe(v, (*path, k)) for k, v in value.items()}}
        pairs = []
        for key, entry in value.items():
            if not isinstance(key, (str, int, float, tuple, type(None))):
                raise ArgumentError(
                    f"save: {_place(path)} has a key of type {type(key).__name__}; expected "
                    f"strings, numbers and tuples of them"
                )
            place = (*path, str(key))
            pairs.append([self.describe(key, place), self.describe(entry, place)])
        return {"pairs": pairs}

    def _array(self, array: Array, path: tuple[str, ...]) -> Any:
        if array.dtype.kind not in "biufc" or array.dtype.char in "gG":
            raise DTypeError(
                f"save: {_place(path)} has dtype {array.dtype}; expected booleans, integers, or "
                f"real or complex numbers of at most 64 bits a part"
            )
        plain = ".".join(path).encode("utf-8", "backslashreplace").decode() or "array"
        name, count = plain, 1
        # "a.b" is a name of its own and the path to b in a.
        while name in self.arrays or name == "__metadata__":
            name, count = f"{plain}~{count}", count + 1
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
        if array.dtype.kind == "c":
            # The format's readers know real numbers: real and imaginary part along a last axis.
            parts = array.reshape(-1).view(array.real.dtype)
            self.arrays[name] = parts.reshape((*array.shape, 2))
            return {"complex array": name}
        self.arrays[name] = array
        return {"array": name}


def _place(path: tuple[str, ...]) -> str:
    return "state" + "".join(f"[{key!r}]" for key in path)


def _advice(value: Any) -> str:
    if hasattr(value, "state_dict"):
        return "; write .state_dict()"
    if isinstance(value, np.random.Generator):
        return "; write .bit_generator.state"
    if isinstance(value, tuple):
        return "; write tuple(...)"
    if isinstance(value, (set, frozenset)):
        return "; write sorted(...)"
    return ""


def unflatten(description: str, arrays: dict[str, Array]) -> Any:
    """The state that `flatten` described; raises `StructureError` for descriptions of nothing."""
    remaining = dict(arrays)
    try:
        state = _build(json.loads(description, object_pairs_hook=unique), remaining)
    except RecursionError as error:
        raise StructureError("it is nested too deep") from error
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise StructureError(f"it cannot be understood: {error}") from error
    if remaining:
        raise StructureError(f"it does not mention the tensor {next(iter(remaining))!r}")
    return state


def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, refused where a name comes twice: readers disagree on which one counts."""
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the name {next(n for n in names if names.count(n) > 1)!r} comes twice")
    return found


def _build(node: Any, arrays: dict[str, Array]) -> Any:
    if isinstance(node, list):
        return [_build(entry, arrays) for entry in node]
    if not isinstance(node, dict):
        return node
    ((kind, content),) = node.items()
    if kind == "dict":
        return {key: _build(entry, arrays) for key, entry in content.items()}
    return _KINDS[kind](content, arrays)


def _take(name: str, arrays: dict[str, Array]) -> Array:
    return arrays.pop(name)


def _complex(name: str, arrays: dict[str, Array]) -> Array:
    parts = _take(name, arrays)
    if parts.dtype.kind != "f" or parts.dtype.itemsize < 4 or parts.shape[-1:] != (2,):
        raise ValueError(f"{name!r} holds no complex numbers")
    return parts.reshape(-1).view(f"c{2 * parts.dtype.itemsize}").reshape(parts.shape[:-1])


def _pairs(content: Any, arrays: dict[str, Array]) -> dict[Any, Any]:
    return {_build(key, arrays): _build(entry, arrays) for key, entry in content}


_KINDS: dict[str, Callable[[Any, dict[str, Array]], Any]] = {
    "tuple": lambda content, arrays: tuple([_build(entry, arrays) for entry in content]),
    "pairs": _pairs,
    "array": _take,
    "complex array": _complex,
    "scalar": lambda content, arrays: _build(content, arrays)[()],
    "int": lambda content, arrays: int(content, 16),
    "float": lambda content, arrays: float(content),
    "complex": lambda content, arrays: complex(*[_build(part, arrays) for part in content]),
}
