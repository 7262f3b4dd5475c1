"""Hearing what a layer returns, without a word to the layer.

A module has no list of hooks. While somebody listens, it belongs to a subclass of its class whose
`forward` passes on what went in and came out; before and after, it is what it was and costs
nothing. It is the class that changes and not an attribute, because modules look at what their
attributes are, and so that copies and files of the model know nothing of it.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

Heard = Callable[[tuple[Any, ...], Any], None]


class Ear:
    """Calls `heard(arguments, result)` after each call of `method`, while it is open.

    Several may be open on one object, and be closed in any order.

    Args:
        owner: a module, or another object with a method.
        heard: what to call.
        method: the name of the method (default "forward").
    """

    def __init__(self, owner: Any, heard: Heard, method: str = "forward") -> None:
        self.owner = owner
        self.heard = heard
        self.is_open = False
        kind = type(owner)
        self._class = _listening(getattr(kind, "_plain_class", kind), method)

    def open(self) -> None:
        """Hear from now on."""
        if self.is_open:
            return
        self.is_open = True
        kind = type(self.owner)
        if "_ears" not in vars(kind):
            kind = self._class
            object.__setattr__(self.owner, "__class__", kind)
        kind._ears.append(self.heard)

    def close(self) -> None:
        """Hear no more; the last one gives the object its class back."""
        if not self.is_open:
            return
        self.is_open = False
        kind = type(self.owner)
        kind._ears.remove(self.heard)
        if not kind._ears:
            object.__setattr__(self.owner, "__class__", kind._plain_class)


def _listening(kind: Any, method: str) -> Any:
    """A class for one object, like its own, whose method is heard."""
    ears: list[Heard] = []
    plain = getattr(kind, method)

    def heard_method(self: Any, *args: Any, **kwargs: Any) -> Any:
        out = plain(self, *args, **kwargs)
        given = (*args, *kwargs.values()) if kwargs else args
        for heard in ears:
            heard(given, out)
        return out

    def reduced(self: Any, protocol: Any) -> Any:
        # a copy, or what a file brings back, is of the plain class
        function, args, *rest = kind.__reduce_ex__(self, protocol)
        if function is copyreg.__newobj__:  # type: ignore[attr-defined]
            function = _anew  # pickle insists that the other one makes an object of this class
        return (function, tuple(kind if arg is type(self) else arg for arg in args), *rest)

    own = {
        method: heard_method,
        "__reduce_ex__": reduced,
        "__module__": kind.__module__,
        "__qualname__": kind.__qualname__,
        "_ears": ears,
        "_plain_class": kind,
    }
    return type(kind.__name__, (kind,), own)


def _anew(kind: Any, *args: Any) -> Any:
    return kind.__new__(kind, *args)
