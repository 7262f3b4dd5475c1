"""The function around a program, as Python: is it for these arguments, what does it read?

Asking for what an `Entry` lists with functions took as long as a small net's whole step, so it is
written out instead, one line each:

    def call(args, kwargs):
        x, y = args
        if not isinstance(x, ndarray) or x.shape != (32, 2) or x.dtype != float32: return MISS
        if o1.training is not True or o2._node._grad is not None: return MISS
        ...
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

from ..engine.changes import LAST
from ..engine.modes import PLAIN, current_mode, default_dtype
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import np
from .entry import MISS, Entry, Otherwise, Result, Spot, Stopped, Undone, draws


class CallText:
    """The lines of the function `call` for one program."""

    def __init__(self, entry: Entry) -> None:
        self.entry = entry
        self._at, self._name = entry.at, entry.name
        self._tensors: list[str] = []

    def made(
        self,
        bind: Callable[..., Any],
        args: Any,
        kwargs: Any,
        out: Any,
        undone: Undone,
        explain: Callable[[Exception], str],
    ) -> tuple[Callable[[Any, Any], Any], Callable[[], None]]:
        """The function `call(args, kwargs)` that these lines make, and one that frees its buffers.

        Args:
            bind: gives the program for the captured arrays.
            args, kwargs: those of the call that was traced.
            out: what the function returned, with `Result`s in it.
            undone: what is put back if the program fails.
            explain: a note for an error that the program raises.
        """
        given: list[str] = []
        inside = [
            *(self._checked("args", args, given) + self._checked("kwargs", kwargs, given)),
            f"if not ({self._conditions()}): return MISS",
            "if changes[0] != seen:",
            "    last = changes[0]",
            f"    if not ({self._holding(self.entry.layers)}): return MISS",
            "    seen = last",
            f"now = ({' '.join(f'{self._at(spot)},' for spot in self.entry.captured)})",
        ]
        bound = [f"c{i}" for i in range(len(self.entry.captured))]
        same = [f"now[{i}] is {c}" for i, c in enumerate(bound)]
        lines = [
            "def call(args, kwargs):",
            f"    nonlocal {', '.join(['program', 'seen', *bound])}",
            "    try:",
            *(f"        {line}" for line in inside),
            "    except (AttributeError, KeyError, IndexError, TypeError): return MISS",
            *(["    raise Otherwise(None)"] if self.entry.differentiated else []),
            "    run = program",
            f"    if run is None or not ({' and '.join(same) or True}):",
            *(f"        {c} = now[{i}]" for i, c in enumerate(bound)),
            f"        run = program = _silent(bind({', '.join(bound)}))",
            *self._run([*given, *map(self._at, self.entry.changing)], undone),
            *(f"    {line}" for line in self._afterwards()),
            f"    return {self._returned(out)}",
            "def free():",
            "    nonlocal program",
            "    program = None",
        ]
        first = [f"{c} = None" for c in ["program", "seen", *bound]]
        text = "\n".join(["def make():", *(f"    {x}" for x in [*first, *lines])])
        text += "\n    return call, free\n"
        self.entry.names |= {
            "MISS": MISS,
            "changes": LAST,
            "alone": threading.Lock(),
            "entry": self.entry,
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
            "_silent": _silent,
        }
        exec(text, self.entry.names)
        made: tuple[Callable[[Any, Any], Any], Callable[[], None]] = self.entry.names["make"]()
        return made

    def _conditions(self) -> str:
        mode, dtype = self._name(current_mode), self._name(default_dtype)
        plain = f"{mode}() == {self._name(current_mode())}"
        if current_mode() is PLAIN:
            plain = f"{mode}() is {self._name(PLAIN)}"
        same_dtype = f"{dtype}() is {self._name(default_dtype())}"
        return f"{plain} and {same_dtype} and {self._holding(self.entry.conditions)}"

    def _holding(self, conditions: list[tuple[Spot, str]]) -> str:
        """That all of them hold, each asked once."""
        holds = dict.fromkeys(self.entry.holds(spot, form) for spot, form in conditions)
        return " and ".join(holds) or "True"

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
        if isinstance(x, np.floating):
            given.append(at)
            return [_unless(f"type({at}) is {self._name(type(x))}")]
        if not isinstance(x, (Tensor, np.ndarray)):
            known = self._name(x)
            same = f"{at} is {known} or (type({at}) is {self._name(type(x))} and {at} == {known})"
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
        dtype = self._name(x.dtype)
        same_dtype = f"({array}.dtype is {dtype} or {array}.dtype == {dtype})"
        return [*lines, _unless(f"{array}.shape == {x.shape} and {same_dtype}")]

    def _checked_nesting(self, at: str, x: Any, given: list[str]) -> list[str]:
        kind = f"type({at}) is {self._name(type(x))}"
        lines = []
        if isinstance(x, dict):
            lines.append(_unless(f"{kind} and tuple({at}) == {self._name(tuple(x))}"))
            parts: Any = x.items()
        else:
            lines.append(_unless(f"{kind} and len({at}) == {len(x)}"))
            parts = enumerate(x)
        for i, (key, part) in enumerate(parts):
            name = f"{at}_{i}"
            lines.append(f"{name} = {at}[{self._name(key) if isinstance(x, dict) else key}]")
            lines += self._checked(name, part, given)
        return lines

    def _run(self, given: list[str], undone: Undone) -> list[str]:
        """The lines that run the program, and put back what it has done if it fails."""
        changing = self.entry.changing if undone.draws else []
        generators = [s for s in changing if draws(self.entry.value_of(s))]
        before = [f"    g{i} = {self._at(s)}.bit_generator" for i, s in enumerate(generators)]
        before += [f"    s{i} = g{i}.state" for i in range(len(generators))]
        back = [f"        g{i}.state = s{i}" for i in range(len(generators))]
        alone = [f"        with alone: r = run({', '.join(given)})"]
        if undone.arrays:
            alone = [
                "        with alone:",
                *(f"            b{i} = c{i}.copy()" for i in undone.arrays),
                f"            try: r = run({', '.join(given)})",
                "            except BaseException:",
                *(f"                c{i}[...] = b{i}" for i in undone.arrays),
                "                raise",
            ]
        return [
            *before,
            # (the buffers are those of one call at a time)
            "    try:",
            *alone,
            f"    except {'REFUSED' if self.entry.refuses else 'REFUSED_BY_NUMPY'}:",
            *back,
            "        raise Otherwise(entry) from None",
            "    except Exception as error:",
            *back,
            "        error.add_note(explain(error))",
            "        raise",
        ]

    def _afterwards(self) -> list[str]:
        lines = [
            f"{self._at(spot)}{form.format(r=f'r[{i}]')}" for spot, form, i in self.entry.changes
        ]
        lines += [f"{self._tensors[i]}.accumulate(r[{k}])" for i, k in self.entry.received]
        return lines + [f"{self._name(effect)}()" for effect in self.entry.effects]

    def _returned(self, out: Any) -> str:
        if isinstance(out, Result):
            value = f"r[{out.index}]"
            kinds = {"tensor": f"tensor_of(asarray({value}))", "scalar": f"scalar_of({value})"}
            return kinds.get(out.kind, value)
        if isinstance(out, dict):
            inside = ", ".join(f"{self._name(k)}: {self._returned(v)}" for k, v in out.items())
            return (
                f"{{{inside}}}" if type(out) is dict else f"{self._name(type(out))}({{{inside}}})"
            )
        inside = ", ".join(map(self._returned, out)) if isinstance(out, (tuple, list)) else ""
        if isinstance(out, tuple) and hasattr(out, "_fields"):
            return f"{self._name(type(out))}({inside})"
        if type(out) in (tuple, list):
            return f"[{inside}]" if isinstance(out, list) else f"({inside}{',' if inside else ''})"
        if isinstance(out, np.ndarray):  # a constant, which the caller may change
            return f"{self._name(out)}.copy()"
        if isinstance(out, Tensor) and out._node is None:
            return f"tensor_of({self._name(out._data)}.copy())"
        return self._name(out)


def _silent(program: Callable[..., Any]) -> Callable[..., Any]:
    """The program without NumPy's warnings: a context is entered sooner than an errstate."""
    context = copy_context()
    context.run(np.seterr, all="ignore")
    return partial(context.run, program)


def _unless(condition: str) -> str:
    return f"if not ({condition}): return MISS"
