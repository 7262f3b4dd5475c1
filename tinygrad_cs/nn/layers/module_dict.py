"""Modules by name: `ModuleDict`."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any

from ...engine.errors import ArgumentError, UnknownNameError
from ..module import Module
from .containers import check_key

__all__ = ["ModuleDict"]


class ModuleDict(Module):
    """Modules by name, found and trained; in a Python dict they would not be.

    Args:
        modules: a dict, or pairs of name and module (default: none).

    It has a dict's interface and computes nothing itself. Names are attributes, so they must not be
    those of methods (`"forward"`, `"keys"`) nor contain a dot. Raises `ArgumentError` for such
    names and for values that are not modules, `UnknownNameError` (which is also a `KeyError`) for
    a key that is not there.

    Example:
        >>> from tinygrad_cs import nn
        >>> heads = nn.ModuleDict({"mean": nn.Linear(4, 1), "spread": nn.Linear(4, 1)})
        >>> list(heads), heads["mean"].out_features
        (['mean', 'spread'], 1)
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] = ()) -> None:
        self.update(modules)

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Hold these modules too, in place of those of the same names."""
        for name, module in dict(modules).items():
            self[name] = module

    def keys(self) -> KeysView[str]:
        """The names, in the order in which they were set."""
        return dict(self._every_child()).keys()

    def values(self) -> ValuesView[Module]:
        """The modules, in the same order."""
        return dict(self._every_child()).values()

    def items(self) -> ItemsView[str, Module]:
        """Name and module, in the same order."""
        return dict(self._every_child()).items()

    def pop(self, key: str) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for name in list(self):
            del self[name]

    def __len__(self) -> int:
        return len(dict(self._every_child()))

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __contains__(self, key: object) -> bool:
        return key in self.keys()

    def __getitem__(self, key: str) -> Module:
        found = dict(self._every_child())
        if key not in found:
            raise MissingKey(
                f"ModuleDict: there is no module {key!r}; there are {', '.join(found) or 'none'}"
            )
        return found[key]

    def __setitem__(self, key: str, module: Module) -> None:
        check_key(self, key)
        if not isinstance(module, Module):
            given = module.__name__ if isinstance(module, type) else type(module).__name__
            raise ArgumentError(
                f"ModuleDict: expected modules such as nn.ReLU(), {key!r} is {given}"
            )
        setattr(self, key, module)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Raises: which module is called when is for you to say."""
        raise ArgumentError(
            "ModuleDict holds modules and computes nothing; call its modules in your forward: "
            "self.heads['mean'](x)"
        )


class MissingKey(UnknownNameError, KeyError):
    """A name under which a `ModuleDict` holds nothing."""
