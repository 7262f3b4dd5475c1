"""What a call has to check, to look up and to change around a program.

A program is true for the arguments it was traced with and for what it met outside: the training
mode, which gradients are there. What comes from outside is written as a `Spot`: an object and the
way from it to the value. `calls.py` makes a function of all this.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..engine.types import np

MISS = object()
"""What a call returns where the program is not for these arguments, or not for this state."""


class Stopped(Exception):
    """A program has met a check on values that came out differently than when it was traced."""


class Otherwise(Exception):
    """The function itself has to run: the program is not for these values.

    Attributes:
        entry: what the program would have read and changed; None where the function is run as
            if it were not compiled.
    """

    def __init__(self, entry: Entry | None) -> None:
        self.entry = entry


@dataclass(frozen=True)
class Spot:
    """Where a value is found: `owner` followed by `path`, as in `owner._node.home.values`."""

    owner: Any
    path: str


@dataclass(frozen=True)
class Result:
    """Where a result of the program belongs in what the function returned, and as what."""

    index: int
    kind: str


class Undone(NamedTuple):
    """What is put back if the program fails halfway.

    Attributes:
        draws: the generators that it draws from?
        arrays: which of the captured arrays.
    """

    draws: bool
    arrays: list[int]


class Entry:
    """What belongs to one program beside its statements.

    Attributes:
        conditions: what must be so, as pairs of a spot and a form: `"{} is None"`.
        layers: the same of attributes of layers, which need no look while none has been set.
        captured, changing: what the program is given: arrays it is bound to; numbers, generators
            and arrays that are replaced, which are looked up in every call.
        changes: lines that put results of the program where they belong, `{r}` for the result.
        received: which of the tensors among the arguments got which result as gradient.
        effects: functions to call at the end.
        refuses: may Python refuse what the program does with numbers (1 / 0.0)? The function
            itself knows what IEEE arithmetic makes of it.
        differentiated: is a result still to be differentiated with respect to an argument? Then
            it takes the graph that the function itself makes.
        names: the objects that the text of a call speaks of.
    """

    def __init__(self) -> None:
        self.conditions: list[tuple[Spot, str]] = []
        self.layers: list[tuple[Spot, str]] = []
        self.captured: list[Spot] = []
        self.changing: list[Spot] = []
        self.changes: list[tuple[Spot, str, int]] = []
        self.received: list[tuple[int, int]] = []
        self.effects: list[Callable[[], None]] = []
        self.refuses = self.differentiated = False
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def value_of(self, spot: Spot) -> Any:
        """What is there now."""
        return eval(self.at(spot), self.names)

    def holds(self, spot: Spot, form: str) -> str:
        """The condition that a form comes out as it does now."""
        text = form.format(self.at(spot))
        now = eval(text, self.names)
        return _is(text, now, lambda: self.name(now))

    def undo(self) -> Callable[[], None]:
        """A function that puts arrays, values and generators back to what they are now."""
        changing = list(map(self.value_of, self.changing))
        found = [*map(self.value_of, self.captured), *changing]
        arrays = [(x, x.copy()) for x in found if isinstance(x, np.ndarray)]
        spots = [*self.captured, *self.changing, *(spot for spot, _, _ in self.changes)]
        values = [(s.owner, s.owner._data) for s in spots if s.path == "._data"]
        drawing = [x.bit_generator for x in changing if draws(x)]
        states = [(bits, bits.state) for bits in drawing]

        def put_back() -> None:
            for owner, value in values:
                owner._data = value
            for array, before in arrays:
                array[...] = before
            for bits, state in states:
                bits.state = state

        return put_back

    def forget(self, owner: Any, path: str) -> None:
        """What is there does not matter after all."""
        self.conditions = [
            (spot, form)
            for spot, form in self.conditions
            if spot.owner is not owner or spot.path != path
        ]

    def name(self, x: Any) -> str:
        """The name of an object in the text."""
        if id(x) not in self._known:
            name = self._known[id(x)] = f"o{len(self.names) + 1}"
            self.names[name] = x
        return self._known[id(x)]

    def at(self, spot: Spot) -> str:
        """The way to a value, as text."""
        return f"{self.name(spot.owner)}{spot.path}"


def draws(x: Any) -> bool:
    """Is this a random generator?"""
    return isinstance(x, np.random.Generator)


def _is(text: str, now: Any, name: Callable[[], str]) -> str:
    if now is None:
        return f"({text}) is None"
    if isinstance(now, bool):
        return f"({text})" if now else f"not ({text})"
    return f"({text}) {'==' if _is_plain(now) else 'is'} {name()}"


def _is_plain(x: Any) -> bool:
    """Can this be compared by its value?"""
    if isinstance(x, tuple):
        return all(map(_is_plain, x))
    return x is None or isinstance(x, (int, float, str))
