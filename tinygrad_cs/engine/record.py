"""The operation record: everything the library knows of one operation, in one place.

Evaluation, both NumPy protocols, reverse mode, forward mode, the gradient-check command and the
tests read records; none of them has a list of operations of its own.
"""

from __future__ import annotations

import enum
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .errors import ArgumentError
from .types import Rule


class Kind(enum.Enum):
    """How an operation depends on its operands, which is what forward mode and marks need."""

    ELEMENTWISE = "elementwise"
    """Entry i of the output depends on entry i of each operand: its Jacobian is diagonal, so the
    rule that pulls a cotangent back also pushes a tangent forward."""

    LINEAR = "linear in each operand"
    """Pushing a tangent forward is the operation itself with the tangent in the operand's place."""

    MOVE = "moves data"
    """Linear, and each entry of a cotangent only travels (copies, sums of copies): marks of dead
    positions travel by the same rule."""

    GENERAL = "general"
    """None of these; forward mode transposes the rule."""


ELEMENTWISE, LINEAR, MOVE, GENERAL = Kind.ELEMENTWISE, Kind.LINEAR, Kind.MOVE, Kind.GENERAL


def same(g: Any) -> Any:
    """The rule of an operand with derivative one: the cotangent passes unchanged."""
    return g


@dataclass(slots=True, eq=False)
class Operation:
    """One row of the table of derivatives.

    Attributes:
        name: the name it is registered and reported under.
        kind: how the output depends on the operands.
        forward: the value, on NumPy arrays.
        scalar: the value, on Python floats; None where an operation has no meaning on one number.
        operands: names of the arguments that may carry gradients, in order.
        params: names of the other arguments.
        module: where it was defined.
        rules: one rule per differentiable operand. A rule's parameter names say what it needs: `g`
            (the cotangent of the output), an operand, `out`, a parameter, `x_shape` for the shape
            of operand `x`, or a kept intermediate. The engine keeps exactly those alive.
        keep: intermediates that `forward` returns after its output, each with the formula in the
            library's operations that derivatives of higher order use instead.
        variadic: the single operand is a sequence of arrays; its rule also gets `i`, the position.
        cuts: the operation cuts positions off (`where`, indexing, `relu`), so that a zero in its
            cotangent means "not connected" rather than "happens to be zero".
        numpy: the NumPy functions that find this record.
        domain: interval from which checks draw operands, or one interval per operand name.
        kinks: operand values that checks stay away from.
        cases: how checks draw operands and parameters: a function of a `Draw`.
        reference: the value in plain NumPy, for the tests; the first of `numpy` where that is it.
    """

    name: str
    kind: Kind
    forward: Callable[..., Any]
    scalar: Callable[..., float] | None
    operands: tuple[str, ...]
    params: tuple[str, ...]
    module: str
    rules: Mapping[str, Rule]
    keep: Mapping[str, Callable[..., Any]]
    variadic: bool
    cuts: bool
    numpy: tuple[Any, ...]
    domain: Any
    kinks: tuple[float, ...]
    cases: Callable[..., Any] | None
    reference: Callable[..., Any] | None
    plans: dict[int, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<operation {self.name}({', '.join(self.operands + self.params)})>"

    @property
    def carries_marks(self) -> bool:
        """Do marks of dead positions pass through this operation's rules?"""
        return self.kind is ELEMENTWISE or self.kind is MOVE or self.cuts


@dataclass(slots=True, eq=False)
class Composition:
    """A function written in operations. It has no rules of its own, but checks like theirs.

    Attributes: as those of an `Operation`; `call` is the function. It may return several nodes.
    """

    name: str
    call: Callable[..., Any]
    operands: tuple[str, ...]
    params: tuple[str, ...]
    module: str
    variadic: bool
    numpy: tuple[Any, ...]
    cases: Callable[..., Any] | None
    reference: Callable[..., Any] | None
    domain: Any = (-2.0, 2.0)
    kinks: tuple[float, ...] = ()
    kind: Kind = GENERAL
    scalar: None = None

    def __repr__(self) -> str:
        return f"<composition {self.name}({', '.join(self.operands + self.params)})>"


TABLE: dict[str, Operation] = {}
"""Every registered operation by name."""

COMPOSITIONS: dict[str, Composition] = {}
"""Every registered composition by name."""

FUNCTIONS: dict[str, Callable[..., Any]] = {}
"""The calling function of every registered operation and composition, by name."""

BY_NUMPY: dict[Any, Callable[..., Any]] = {}
"""The calling function for a NumPy function: how `np.tanh(t)` finds the row of `tanh`."""


def rows() -> dict[str, Operation | Composition]:
    """Everything that is checked and listed, by name."""
    return {**TABLE, **COMPOSITIONS}


def evaluate(row: Operation | Composition, operands: list[Any], params: Mapping[str, Any]) -> Any:
    """The value of a row on operands as its case maker draws them, called as users call it.

    Several outputs are joined, so that checks have one value to differentiate.
    """
    call = FUNCTIONS[row.name]
    first, *_ = inspect.signature(call).parameters.values()
    if first.kind is first.VAR_POSITIONAL:
        out = call(*operands[0], **params)
    else:
        out = call(**dict(zip(row.operands, operands, strict=True)), **params)
    return joined(out)


def joined(out: Any) -> Any:
    """Several outputs as one vector; a single one as it is."""
    if not isinstance(out, (tuple, list)):
        return out
    return FUNCTIONS["concat"]([FUNCTIONS["reshape"](part, (-1,)) for part in out])


def parameter_names(rule: Rule) -> tuple[str, ...]:
    """What a rule asks for, read from its signature; called once per rule, not per operation."""
    code = getattr(rule, "__code__", None)
    if code is not None:
        return tuple(code.co_varnames[: code.co_argcount])
    return tuple(inspect.signature(rule).parameters)


def check_record(op: Operation) -> None:
    """Refuse a record whose rules name something that does not exist."""
    known = {"g", "out", *op.operands, *op.params, *op.keep}
    known |= {f"{name}_shape" for name in op.operands}
    if op.variadic:
        known.add("i")
    if not op.rules:
        raise ArgumentError(f"operation {op.name!r}: at least one rule (d<operand>=...) is needed")
    for operand, rule in op.rules.items():
        unknown = [name for name in parameter_names(rule) if name not in known]
        if unknown:
            raise ArgumentError(
                f"operation {op.name!r}: the rule d{operand} asks for {', '.join(unknown)}; "
                f"a rule may name {', '.join(sorted(known))}"
            )
