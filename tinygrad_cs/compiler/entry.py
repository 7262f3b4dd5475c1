"""What a call does around the program, as Python: is it for these arguments, what does it read?

A program is true for the arguments it was traced with and for what it met outside: the training
mode, which gradients are there. Asking for that with functions took as long as a small net's whole
step, so it is written out instead, one line each:

    def call(args, kwargs):
        x, y = args
        if not isinstance(x, ndarray) or x.shape != (32, 2) or x.dtype != float32: return MISS
        if o1.training is not True or o2._node._grad is not None: return MISS
        ...

What comes from outside is written as a `Spot`: an object and the way from it to the value.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine.modes import PLAIN, current_mode, default_dtype
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
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


class Entry:
    """The lines of one `call`, with the objects that they speak of.

    Attributes:
        conditions: what must be so, as pairs of a spot and a form: `"{} is None"`.
        captured, changing: what the program is given: arrays it is bound to; numbers, generators
            and arrays that are replaced, which are looked up in every call.
        changes: lines that put results of the program where they belong, `{r}` for the result.
        received: which of the tensors among the arguments got which result as gradient.
        effects: functions to call at the end.
        refuses: may Python refuse what the program does with numbers (1 / 0.0)? The function
            itself knows what IEEE arithmetic makes of it.
        differentiated: is a result still to be differentiated with respect to an argument? Then
            it takes the graph that the function itself makes.
    """

    def __init__(self) -> None:
        self.conditions: list[tuple[Spot, str]] = []
        self.captured: list[Spot] = []
        self.changing: list[Spot] = []
        self.changes: list[tuple[Spot, str, int]] = []
        self.received: list[tuple[int, int]] = []
        self.effects: list[Callable[[], None]] = []
        self.refuses = self.differentiated = False
        self._tensors: list[str] = []
        self.text = ""
        self._names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def value_of(self, spot: Spot) -> Any:
        """What is there now."""
        return eval(self._at(spot), self._names)

    def holds(self, spot: Spot, form: str) -> str:
        """The condition that a form comes out as it does now."""
        text = form.format(self._at(spot))
        now = eval(text, self._names)
        return _is(text, now, lambda: self.name(now))

    def undo(self) -> Callable[[], None]:
        """A function that puts arrays, values and generators back to what they are now."""
        changing = list(map(self.value_of, self.changing))
        found = [*map(self.value_of, self.captured), *changing]
        arrays = [(x, x.copy()) for x in found if isinstance(x, np.ndarray)]
        values = [(s.owner, s.owner._data) for s, _, _ in self.changes if s.path == "._data"]
        drawing = [x.bit_generator for x in changing if _draws(x)]
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
            name = self._known[id(x)] = f"o{len(self._names) + 1}"
            self._names[name] = x
        return self._known[id(x)]

    def _at(self, spot: Spot) -> str:
        return f"{self.name(spot.owner)}{spot.path}"

    def made(
        self,
        bind: Callable[..., Any],
        args: Any,
        kwargs: Any,
        out: Any,
        careful: bool,
        explain: Callable[[Exception], str],
    ) -> Callable[[Any, Any], Any]:
        """The function `call(args, kwargs)` that these lines make.

        Args:
            bind: gives the program for the captured arrays.
            args, kwargs: those of the call that was traced.
            out: what the function returned, with `Result`s in it.
            careful: may the program stop halfway? Generators are then put back.
            explain: a note for an error that the program raises.
        """
        given: list[str] = []
        inside = [
            *(self._checked("args", args, given) + self._checked("kwargs", kwargs, given)),
            f"if not ({self._conditions()}): return MISS",
            f"now = ({' '.join(f'{self._at(spot)},' for spot in self.captured)})",
        ]
        bound = [f"c{i}" for i in range(len(self.captured))]
        same = [f"now[{i}] is {c}" for i, c in enumerate(bound)]
        lines = [
            "def call(args, kwargs):",
            f"    nonlocal {', '.join(['program', *bound])}",
            "    try:",
            *(f"        {line}" for line in inside),
            "    except (AttributeError, KeyError, IndexError, TypeError): return MISS",
            *(["    raise Otherwise(None)"] if self.differentiated else []),
            f"    if program is None or not ({' and '.join(same) or True}):",
            *(f"        {c} = now[{i}]" for i, c in enumerate(bound)),
            f"        program = silently(bind({', '.join(bound)}))",
            *self._run([*given, *map(self._at, self.changing)], careful),
            *(f"    {line}" for line in self._afterwards()),
            f"    return {self._returned(out)}",
        ]
        first = [f"{c} = None" for c in ["program", *bound]]
        self.text = "\n".join(["def make():", *(f"    {x}" for x in [*first, *lines])])
        self.text += "\n    return call\n"
        self._names |= {
            "MISS": MISS,
            "alone": threading.Lock(),
            "entry": self,
            "Otherwise": Otherwise,
            "Stopped": Stopped,
            "REFUSED": (Stopped, ArithmeticError, ValueError),
            "REFUSED_BY_NUMPY": (Stopped, IndexError, np.linalg.LinAlgError),
            "Tensor": Tensor,
            "tensor_of": Tensor._of,
            "Scalar": Scalar,
            "scalar_of": Scalar._of,
            "ndarray": np.ndarray,
            "asarray": np.asarray,
            "bind": bind,
            "explain": explain,
            "silently": np.errstate(all="ignore"),
        }
        exec(self.text, self._names)
        call: Callable[[Any, Any], Any] = self._names["make"]()
        return call

    def _conditions(self) -> str:
        holds = dict.fromkeys(self.holds(spot, form) for spot, form in self.conditions)
        mode, dtype = self.name(current_mode), self.name(default_dtype)
        plain = f"{mode}() == {self.name(current_mode())}"
        if current_mode() is PLAIN:
            plain = f"{mode}() is {self.name(PLAIN)}"
        return " and ".join([plain, f"{dtype}() is {self.name(default_dtype())}", *holds])

    def _checked(self, at: str, x: Any, given: list[str]) -> list[str]:
        """Lines that return `MISS` unless what is at `at` is like x; its values join `given`."""
        if type(x) in (tuple, list) or isinstance(x, dict) or hasattr(x, "_fields"):
            return self._checked_nesting(at, x, given)
        if type(x) is Scalar:
            self._tensors.append(at)
            given.append(f"{at}._data")
            asks = f"{at}.requires_grad is {x.requires_grad}"
            return [_unless(f"type({at}) is Scalar and {asks}")]
        if type(x) is float:
            given.append(at)
            return [_unless(f"type({at}) is float and {'' if x else 'not '}{at}")]
        if not isinstance(x, (Tensor, np.ndarray)):
            known = self.name(x)
            same = f"{at} is {known} or (type({at}) is {self.name(type(x))} and {at} == {known})"
            return [_unless(same)]
        array, lines = at, []
        if isinstance(x, Tensor):
            leaf = f"{at}._node is None"
            if x._node is not None:
                leaf = f"{at}._node is not None and {at}._node.plan is None"
            lines = [_unless(f"isinstance({at}, Tensor) and {leaf}")]
            self._tensors.append(f"{at}._node")
            array = f"a{len(given)}"
            lines.append(f"{array} = {at}._data")
            x = x._data
        else:
            lines = [_unless(f"isinstance({at}, ndarray)")]
        given.append(array)
        dtype = self.name(x.dtype)
        same_dtype = f"({array}.dtype is {dtype} or {array}.dtype == {dtype})"
        return [*lines, _unless(f"{array}.shape == {x.shape} and {same_dtype}")]

    def _checked_nesting(self, at: str, x: Any, given: list[str]) -> list[str]:
        kind = f"type({at}) is {self.name(type(x))}"
        lines = []
        if isinstance(x, dict):
            lines.append(_unless(f"{kind} and tuple({at}) == {self.name(tuple(x))}"))
            parts: Any = x.items()
        else:
            lines.append(_unless(f"{kind} and len({at}) == {len(x)}"))
            parts = enumerate(x)
        for i, (key, part) in enumerate(parts):
            name = f"{at}_{i}"
            lines.append(f"{name} = {at}[{self.name(key) if isinstance(x, dict) else key}]")
            lines += self._checked(name, part, given)
        return lines

    def _run(self, given: list[str], careful: bool) -> list[str]:
        """The lines that run the program; a careful one puts the generators back if it fails."""
        generators = [s for s in self.changing if careful and _draws(self.value_of(s))]
        before = [f"    g{i} = {self._at(s)}.bit_generator" for i, s in enumerate(generators)]
        before += [f"    s{i} = g{i}.state" for i in range(len(generators))]
        back = [f"        g{i}.state = s{i}" for i in range(len(generators))]
        return [
            *before,
            # (the buffers are those of one call at a time)
            "    try:",
            f"        with alone: r = program({', '.join(given)})",
            f"    except {'REFUSED' if self.refuses else 'REFUSED_BY_NUMPY'}:",
            *back,
            "        raise Otherwise(entry) from None",
            "    except Exception as error:",
            *back,
            "        error.add_note(explain(error))",
            "        raise",
        ]

    def _afterwards(self) -> list[str]:
        lines = [f"{self._at(spot)}{form.format(r=f'r[{i}]')}" for spot, form, i in self.changes]
        lines += [f"{self._tensors[i]}.accumulate(r[{k}])" for i, k in self.received]
        return lines + [f"{self.name(effect)}()" for effect in self.effects]

    def _returned(self, out: Any) -> str:
        if isinstance(out, Result):
            value = f"r[{out.index}]"
            kinds = {"tensor": f"tensor_of(asarray({value}))", "scalar": f"scalar_of({value})"}
            return kinds.get(out.kind, value)
        if isinstance(out, dict):
            inside = ", ".join(f"{self.name(k)}: {self._returned(v)}" for k, v in out.items())
            return f"{{{inside}}}" if type(out) is dict else f"{self.name(type(out))}({{{inside}}})"
        inside = ", ".join(map(self._returned, out)) if isinstance(out, (tuple, list)) else ""
        if isinstance(out, tuple) and hasattr(out, "_fields"):
            return f"{self.name(type(out))}({inside})"
        if type(out) in (tuple, list):
            return f"[{inside}]" if isinstance(out, list) else f"({inside}{',' if inside else ''})"
        if isinstance(out, np.ndarray):  # a constant, which the caller may change
            return f"{self.name(out)}.copy()"
        if isinstance(out, Tensor) and out._node is None:
            return f"tensor_of({self.name(out._data)}.copy())"
        return self.name(out)


def _draws(x: Any) -> bool:
    return isinstance(x, np.random.Generator)


def _unless(condition: str) -> str:
    return f"if not ({condition}): return MISS"


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
