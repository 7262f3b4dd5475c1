"""Modules that hold modules: one after the other, in a list."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

from ...engine.errors import ArgumentError, IndexOutOfRange, TinygradError
from ...engine.types import np
from ..module import Module
from ..parameter import Parameter

__all__ = ["ModuleList", "ParameterList", "Sequential"]

Layer = Callable[..., Any]


class _List(Module):
    """Python's list interface to what stands in the attributes "0", "1", ..."""

    _what = "modules"

    def _check(self, name: str, value: Any) -> Any:
        """The value, if it may be held under this name or number."""
        if isinstance(value, type):
            raise ArgumentError(
                f"{type(self).__name__}: argument {name} is the class {value.__name__}; write "
                f"nn.{value.__name__}()"
            )
        if not isinstance(value, Module):
            raise ArgumentError(
                f"{type(self).__name__}: expected modules, argument {name} is "
                f"{type(value).__name__}"
            )
        return value

    _keys: tuple[str, ...] = ()
    """Names beside the numbers under which it holds something."""

    def _entries(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in vars(self).items()
            if callable(value) and (name.isdecimal() or name in self._keys)
        }

    def _hold(self, values: Iterable[Any]) -> None:
        """Hold these instead of the present ones, numbered anew."""
        values = [self._check(str(i), value) for i, value in enumerate(values)]
        for name in self._entries():
            delattr(self, name)
        self._keys = ()
        for i, value in enumerate(values):
            setattr(self, str(i), value)

    def _name(self, index: Any) -> str:
        names = list(self._entries())
        if not isinstance(index, (int, np.integer)) or not -len(names) <= index < len(names):
            raise IndexOutOfRange(
                f"{type(self).__name__}: it holds {len(names)} {self._what}, numbered from 0; "
                f"got the index {index!r}"
            )
        return names[index]

    def append(self, module: Any) -> Self:
        """Hold one module more, at the end."""
        entries = self._entries()
        free = len(entries)
        while str(free) in entries:  # a slice of a Sequential keeps its numbers
            free += 1
        setattr(self, str(free), self._check(str(free), module))
        return self

    def extend(self, modules: Iterable[Any]) -> Self:
        """Hold several modules more, at the end."""
        for module in list(modules):
            self.append(module)
        return self

    def insert(self, index: int, module: Any) -> None:
        """Hold one module more, before the one at `index`; the later ones are renumbered."""
        values = list(self)
        values.insert(index, module)
        self._hold(values)

    def pop(self, index: int = -1) -> Any:
        """Take one module out and return it; the later ones are renumbered."""
        module = self[index]
        del self[index]
        return module

    def __len__(self) -> int:
        return len(self._entries())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._entries().values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)._of(dict(list(self._entries().items())[index]))
        return vars(self)[self._name(index)]

    @classmethod
    def _of(cls, entries: dict[str, Any]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Any) -> None:
        name = self._name(index)
        setattr(self, name, self._check(name, module))

    def __delitem__(self, index: int | slice) -> None:
        values = list(self)
        if not isinstance(index, slice):
            self._name(index)
        del values[index]
        self._hold(values)


class Sequential(_List):
    """Modules (or plain functions) one after the other.

    Args:
        *modules: called in this order, each on the result of the one before; or one dict of them,
            whose keys name them in the `state_dict` (otherwise they are numbered).

    A list in most respects: `net[0]`, `net[1:3]` (the same modules, not copies), `len`, `append`,
    `insert`, `pop`. Raises `ArgumentError` for what cannot be called, and for classes: `nn.ReLU`
    instead of `nn.ReLU()`.

    Example:
        >>> from tinygrad_cs import nn
        >>> nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        Sequential(
          0: Linear(in_features=2, out_features=3)  # 9
          1: ReLU()
          2: Linear(in_features=3, out_features=1)  # 4
        )
        13 parameters
        >>> list(nn.Sequential({"hidden": nn.Linear(2, 3), "act": nn.Tanh()}).state_dict())
        ['hidden.weight', 'hidden.bias']
    """

    def __init__(self, *modules: Layer | Mapping[str, Layer]) -> None:
        first = modules[0] if len(modules) == 1 else None
        if isinstance(first, Mapping):
            for name, module in first.items():
                check_key(self, name)
                self._add(name, module)
        else:
            self._hold(modules)

    @classmethod
    def _of(cls, entries: dict[str, Any]) -> Sequential:
        return Sequential(entries)

    def _add(self, name: str, module: Any) -> None:
        setattr(self, name, self._check(name, module))
        if not name.isdecimal() and name not in self._keys:
            self._keys = (*self._keys, name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Call one module more, after the others, under this name."""
        check_key(self, name)
        self._add(name, module)

    def _check(self, name: str, value: Any) -> Any:
        if callable(value) and not isinstance(value, type):
            return value
        return super()._check(name, value)

    def forward(self, x: Any) -> Any:
        """The last module's output."""
        keys, name = self._keys, None
        try:
            for name, layer in vars(self).items():
                if callable(layer) and (name.isdecimal() or name in keys):
                    x = layer(x)
        except (TinygradError, AttributeError, TypeError, ValueError) as error:
            if isinstance(x, tuple):
                raise self._got_a_tuple(x, name) from error
            raise
        return x

    def _got_a_tuple(self, x: tuple[Any, ...], name: Any) -> ArgumentError:
        names = list(self._entries())
        place = names.index(name)
        kind = type(vars(self)[names[place - 1]]).__name__ if place else ""
        giver = f"which layer {names[place - 1]!r} ({kind}) returned; " if place else ""
        return ArgumentError(
            f"Sequential: layer {name!r} got a tuple of {len(x)}, {giver}each layer here takes "
            f"one tensor; put a function such as lambda out: out[0] between them, or write a "
            f"module with a forward of its own: out, state = self.lstm(x)"
        )


class ModuleList(_List):
    """A list of modules that are found and trained; in a Python list they would not be.

    Args:
        modules: any iterable of modules (default: none).

    It computes nothing itself: loop over it in `forward`. A slice is a new list of the same
    modules, numbered from 0. Raises `ArgumentError` for entries that are not modules.

    Example:
        >>> from tinygrad_cs import nn
        >>> class Deep(nn.Module):
        ...     def __init__(self, depth):
        ...         self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(depth))
        ...     def forward(self, x):
        ...         for layer in self.layers:
        ...             x = x + layer(x)
        ...         return x
        >>> [name for name, _ in Deep(2).named_parameters()]
        ['layers.0.weight', 'layers.0.bias', 'layers.1.weight', 'layers.1.bias']
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        self._hold(modules)

    @classmethod
    def _of(cls, entries: dict[str, Any]) -> ModuleList:
        return ModuleList(entries.values())

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    __iadd__ = _List.extend

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raises: which module comes after which is for you to say."""
        raise ArgumentError(
            "ModuleList holds modules and computes nothing; loop over it in your forward, or use "
            "nn.Sequential, which calls them one after the other"
        )


class ParameterList(_List):
    """A list of parameters that are found and trained; in a Python list they would not be.

    Args:
        values: any iterable of parameters; tensors and arrays become parameters (default: none).

    It computes nothing itself: use its entries in `forward`. Their names are their numbers.

    Example:
        >>> import numpy as np
        >>> from tinygrad_cs import nn
        >>> weights = nn.ParameterList([np.zeros((2, 3)), nn.Parameter([1.0])])
        >>> [(name, w.shape) for name, w in weights.named_parameters()]
        [('0', (2, 3)), ('1', (1,))]
    """

    _what = "parameters"

    def __init__(self, values: Iterable[Any] = ()) -> None:
        self._hold(values)

    def _check(self, name: str, value: Any) -> Any:
        if isinstance(value, (Module, type)):
            raise ArgumentError(
                f"ParameterList: argument {name} is the module {type(value).__name__}; modules go "
                f"into an nn.ModuleList"
            )
        return value if isinstance(value, Parameter) else Parameter(value)

    def _entries(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name.isdecimal()}

    @classmethod
    def _of(cls, entries: dict[str, Any]) -> ParameterList:
        return ParameterList(entries.values())

    def __add__(self, other: Iterable[Any]) -> ParameterList:
        return ParameterList([*self, *other])

    __iadd__ = _List.extend

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raises: what is done with the parameters is for you to say."""
        raise ArgumentError(
            "ParameterList holds parameters and computes nothing; use them in your forward: "
            "self.weights[0]"
        )

    def extra_repr(self) -> str:
        """The shapes."""
        return ", ".join(str(p.shape) for p in self)


def check_key(owner: Module, key: Any) -> None:
    """Raise unless a module may be held under this name."""
    if not isinstance(key, str) or not key or "." in key or hasattr(type(owner), key):
        raise ArgumentError(
            f"{type(owner).__name__}: {key!r} cannot name a module; a name is a non-empty string "
            f"without dots that is no method or attribute of {type(owner).__name__}"
        )
