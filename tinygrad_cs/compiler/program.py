"""A program: NumPy statements in the order in which they ran, and what they read and write.

It is straight-line code. A statement gives one value, or changes an array in place, or both; a
value has one name, and the name of an array says whose memory it is a view of, so that later
stages know what a change in place may touch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False, slots=True)
class Var:
    """A value of the program.

    Attributes:
        name: what it is printed as.
        shape, dtype: of an array; None for numbers and generators.
        base: the value whose memory this one is a view of; itself where the memory is its own.
        span: where its memory begins and ends, in the run that was traced.
        order: its axes from the longest stride to the shortest, where that is not as in C; "gaps"
            where its memory is no dense block.
    """

    name: str
    shape: tuple[int, ...] | None = None
    dtype: Any = None
    base: Any = field(default=None, repr=False)
    span: tuple[int, int] = (0, 0)
    order: Any = None

    def __post_init__(self) -> None:
        self.base = self if self.base is None else self.base.base


def order_of(array: Any) -> Any:
    """The `order` of a value like this array."""
    flags = array.flags
    if flags.c_contiguous:
        return None
    axes = tuple(sorted(range(array.ndim), key=lambda i: -array.strides[i]))
    return axes if array.transpose(axes).flags.c_contiguous else "gaps"


def overlap(a: Var, b: Var) -> bool:
    """May a change of one be seen in the other?"""
    if a.base is not b.base:
        return False
    return a is b or (a.span[0] < b.span[1] and b.span[0] < a.span[1])


ARITHMETIC = {"operator", "formula"}
"""Kinds of statements on Python numbers alone; a scalar net has tens of thousands of them."""


@dataclass(eq=False, slots=True)
class Statement:
    """One step: `target = function(*args, **kwargs)`.

    Attributes:
        target: the value it gives, None where it only changes one.
        kind: how it is written: a "call" of a function (`np.where(...)`), a "method", an
            "attribute", an "item" or a "store" (`x[i] = v`), an "operator" or a "formula"
            (`{0} if {0} > 0 else 0.0`) on Python numbers, or a "helper", a function of the
            library whose text is printed along.
        function: what is called; a name for methods, attributes and operators.
        args, kwargs: values, nested in tuples and slices as NumPy takes them, and constants.
        writes: the array that is changed in place, if one is.
        draws: does it draw random numbers?
        part: "forward", "backward" or "update".
        note: what it is, in a few words.
        site: the user's line that it came from.
    """

    target: Var | None
    kind: str
    function: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    writes: Var | None = None
    draws: bool = False
    part: str = "forward"
    note: str = ""
    site: str = ""

    def reads(self) -> list[Var]:
        """The values that it uses, an array that it changes among them."""
        if self.kind in ARITHMETIC:
            return [x for x in self.args if type(x) is Var]
        return [*leaves(self.args), *leaves(self.kwargs)]

    def change(self, change: Callable[[Any], Any]) -> None:
        """Put `change(x)` in the place of everything that it uses or writes to."""
        if self.kind in ARITHMETIC:
            self.args = tuple([change(x) for x in self.args])
        else:
            self.args = mapped(self.args, change)
            self.kwargs = mapped(self.kwargs, change)
            self.writes = change(self.writes)


@dataclass(eq=False)
class Program:
    """Statements with what comes in and what goes out.

    Attributes:
        inputs: values given by the caller, in order.
        captured: those of the inputs that are arrays which the function found outside.
        changing: those that are numbers, generators and arrays that the function replaces, which
            are looked up in every call.
        buffers: working memory, made once.
        memory: sizes in bytes of pieces of memory that buffers share.
        lies_in: the piece in which a buffer lies, if it shares one.
        views: statements that are done once for all calls with the same captured arrays.
        constants: arrays that are part of the program, by the value that stands for them.
        statements: in order.
        output: what the function returns: values, nested as it returned them.
        kept: values that must be there at the end beside the output (gradients).

    Printed, it is what it has come to: between any two stages of the compiler, too.
    """

    name: str
    inputs: list[Var] = field(default_factory=list)
    captured: list[Var] = field(default_factory=list)
    views: list[Statement] = field(default_factory=list)
    changing: list[Var] = field(default_factory=list)
    buffers: list[Var] = field(default_factory=list)
    memory: list[int] = field(default_factory=list)
    lies_in: dict[Var, int] = field(default_factory=dict)
    constants: dict[Var, Any] = field(default_factory=dict)
    statements: list[Statement] = field(default_factory=list)
    output: Any = None
    kept: list[Var] = field(default_factory=list)

    def __str__(self) -> str:
        from .printing.bound import listing

        return listing(self)


def leaves(tree: Any) -> Iterator[Var]:
    """The values in nested arguments."""
    if isinstance(tree, Var):
        yield tree
    elif isinstance(tree, (tuple, list)):
        for part in tree:
            yield from leaves(part)
    elif isinstance(tree, dict):
        yield from leaves(tuple(tree.values()))
    elif isinstance(tree, slice):
        yield from leaves((tree.start, tree.stop, tree.step))


def through(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Arguments or results of a user's function, nested as he likes, with `change` applied."""
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(through(part, change) for part in tree))
    if type(tree) in (tuple, list):
        return type(tree)(through(part, change) for part in tree)
    if isinstance(tree, dict):
        parts = {key: through(part, change) for key, part in tree.items()}
        return parts if type(tree) is dict else type(tree)(parts)
    return change(tree)


def leaves_of(tree: Any) -> list[Any]:
    """What `through` would apply its function to."""
    found: list[Any] = []
    through(tree, found.append)
    return found


def mapped(tree: Any, change: Callable[[Any], Any]) -> Any:
    """Nested arguments with `change` applied to everything that is no nesting."""
    if isinstance(tree, (tuple, list)) and not hasattr(tree, "_fields"):
        return type(tree)(mapped(part, change) for part in tree)
    if isinstance(tree, dict):
        return {key: mapped(part, change) for key, part in tree.items()}
    if isinstance(tree, slice):
        return slice(*(mapped(p, change) for p in (tree.start, tree.stop, tree.step)))
    return change(tree)
