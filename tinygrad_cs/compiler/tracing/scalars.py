"""Scalars that a traced function finds outside: their values and gradients come and go by name."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType
from typing import Any

from ...engine.node import last_overwrite, tick
from ...engine.scalar import Scalar
from ...engine.tensor import Tensor
from ..entry import Spot
from .traced_number import TracedNumber


class Scalars:
    """What a trace knows of the scalars it met.

    Attributes:
        met: those that are leaves of the graph and were there before the trace.
        must_be_finite: does the program hold only where all its results are finite?
    """

    def __init__(self, trace: Any) -> None:
        self._trace = trace
        self._start = tick()
        self.met: dict[Scalar, Any] = {}
        self.must_be_finite = False
        self._names: dict[Any, str] = {}
        self._with_gradient: set[Scalar] = set()
        self._changed: set[Scalar] = set()

    def named_after(self, f: Any) -> None:
        """Take names from the variables in which a function finds its scalars: `w`, `w_0_1`."""
        code = getattr(f, "__code__", None)
        if code is None:
            return
        cells = zip(code.co_freevars, f.__closure__ or (), strict=True)
        held = {name: f.__globals__[name] for name in code.co_names if name in f.__globals__}
        held |= {name: cell.cell_contents for name, cell in cells if is_filled(cell)}
        for name, value in held.items():
            self._name(value, name, 6)

    def _name(self, x: Any, name: str, depth: int) -> None:
        if isinstance(x, (Scalar, Tensor)):
            self._names.setdefault(x, name)
        elif depth and isinstance(x, (list, tuple)):
            for i, part in enumerate(x):
                self._name(part, f"{name}_{i}", depth - 1)
        elif depth and isinstance(x, dict):
            for key, part in x.items():
                self._name(part, f"{name}_{key}", depth - 1)
        elif depth and hasattr(x, "__dict__") and not isinstance(x, (type, ModuleType)):
            for key, part in list(vars(x).items()):
                self._name(part, f"{name}_{key}", depth - 1)

    def name_of(self, x: Any) -> str:
        """What the function calls it, if it has a name there."""
        return self._names.get(x, "captured")

    def capture(self, x: Scalar) -> None:
        """Put stand-ins in the place of a scalar's value and gradient, until the trace ends."""
        if x in self.met or x.plan is not None or getattr(x, "order", self._start) >= self._start:
            return
        self._capture_value(x)
        if x not in self._with_gradient:
            self._with_gradient.add(x)
            self._trace.fixed(x, "._grad", "{} is None")
            if x._grad is None:
                self._trace.replace(x, "_grad", None)
            else:
                name = f"d_{self._names.get(x, 'x')}"
                grad = self._trace.number(x._grad, name, Spot(x, "._grad"))
                self._trace.replace(x, "_grad", grad)

    def _capture_value(self, x: Scalar) -> None:
        if x not in self.met:
            name = self._names.get(x, "x")
            value = self._trace.number(x._data, name, Spot(x, "._data"))
            self._trace.call_it(x, value.stands_for.name)
            value.steady = False
            self._trace.replace(x, "_data", value)
            self._trace.replace(x, "version", x.version)
            self.met[x] = value

    def takes_gradient(self, x: Scalar) -> None:
        """The function is about to set the gradient itself: what it was does not matter."""
        if getattr(x, "order", self._start) < self._start and x.plan is None:
            if x not in self._with_gradient:
                self._with_gradient.add(x)
                self._trace.replace(x, "_grad", x._grad)
            self._capture_value(x)

    def changes(self, x: Scalar) -> None:
        """The function is about to set the value."""
        self.capture(x)
        self._changed.add(x)

    def guard(self, results: Iterable[Any]) -> None:
        """Stop the program where a branch not taken could have sent infinity or NaN."""
        numbers = [*results, *(x._grad for x in self.met)]
        traced = tuple(dict.fromkeys(x for x in numbers if isinstance(x, TracedNumber)))
        if self.must_be_finite and traced:
            recorder = self._trace.recorder
            total = " + ".join(f"{{{i}}}" for i in range(len(traced)))
            finite = recorder.number("formula", f"math.isfinite({total})", traced, True)
            recorder.record("guard", True, (finite,), {}, None)

    def note_changes(self, note: Any) -> None:
        """Tell what is other than before, by `note(spot, form, value)`."""
        changed = tuple(x for x in self.met if x in self._changed)
        for x, before in self.met.items():
            if x in self._changed and x._data is not before:
                note(Spot(x, "._data"), " = {r}", x._data)
            note(Spot(x, "._grad"), " = None" if x._grad is None else " = {r}", x._grad)
        if changed:
            self._trace.after_call(lambda: _date(changed))


def _date(scalars: tuple[Scalar, ...]) -> None:
    """Graphs recorded before refuse to use the old values."""
    now = last_overwrite[0] = tick()
    for x in scalars:
        x.version = now


def is_filled(cell: Any) -> bool:
    """Has a variable of an outer function got its value?"""
    try:
        cell.cell_contents  # noqa: B018 - reading it is the question
    except ValueError:
        return False
    return True
