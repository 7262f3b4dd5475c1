"""One step of a backward pass: a node, the gradient that arrived, and what it sends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..graph import texts
from ..graph.survey import Constant


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What one operand gets in one step.

    Attributes:
        operand: its name in the operation.
        to: the name of the value that is this operand.
        rule: the formula of the rule; `g` is the upstream gradient, `out` the operation's value.
        local: the local derivative, a float between `Scalar`s, otherwise None.
        product: upstream gradient times local derivative, as the rule computes it.
        total: the sum of what has arrived at `to` so far, this included.
        complete: has everything arrived that will?
    """

    operand: str
    to: str
    rule: str
    local: float | None
    product: Any
    total: Any
    complete: bool

    def cells(self) -> tuple[str, ...]:
        """Receiver, rule, local derivative, product and sum as text."""
        local = "" if self.local is None else texts.number(self.local)
        total = texts.values(self.total) + ("" if self.complete else " …")
        return (texts.line(self.to), self.rule, local, _value(self.product), total)


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A node whose gradient is complete, and what it sends to its operands.

    Attributes:
        number: 1 for the first step.
        name: of the node.
        operation: which made it.
        formula: name, operation and operands.
        value: of the node, None where the graph does not keep it.
        shape: of the node, () for numbers.
        upstream: the gradient of the root with respect to this node.
        before_hooks: the gradient as it arrived, where a hook has replaced it; otherwise None.
        sent: what goes to each operand that needs a gradient.
    """

    number: int
    name: str
    operation: str
    formula: str
    value: Any
    shape: tuple[int, ...]
    upstream: Any
    before_hooks: Any
    sent: tuple[Sent, ...]

    def head(self) -> str:
        """The step without what it sends."""
        known = f" = {texts.described(self.value, self.shape)}"
        if self.value is None:
            known = f", {texts.shape(self.shape)}"
        hooked = ""
        if self.before_hooks is not None:
            hooked = f" (a hook made it of {texts.values(self.before_hooks)})"
        return f"{self.number}. {self.formula}{known};  g = {_value(self.upstream)}{hooked}"

    def lines(self) -> list[str]:
        """The step as text: the node, then a line for every operand."""
        result = [self.head()]
        for sent in self.sent:
            to, rule, local, product, total = sent.cells()
            local = "" if sent.local is None else f" = {texts.number(self._g())} × {local}"
            if rule == "g" and sent.local is None:
                local = ""
            result.append(f"     to {to}: {rule}{local} = {product};  sum {total}")
        return result

    def _g(self) -> float:
        return float(self.upstream)

    def __str__(self) -> str:
        return "\n".join(self.lines())


def _value(value: Any) -> str:
    return texts.described(value, getattr(value, "shape", ()))


def formula(name: str, operation: str, operands: list[str]) -> str:
    """What a node is: `y = tanh(x)`; arithmetic with its sign.

    Example:
        >>> formula("v1", "multiply", ["w", "x"])
        'v1 = w * x'
    """
    sign = SIGNS.get(operation)
    if sign and len(operands) == 2:
        return f"{name} = {operands[0]} {sign} {operands[1]}"
    return f"{name} = {operation}({', '.join(operands)})"


SIGNS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "matmul": "@",
}


def name_of(names: dict[Any, str], operand: Any) -> str:
    """The name of an operand; data without one is described."""
    if operand in names:
        return names[operand]
    assert isinstance(operand, Constant)
    return "data" if operand.value is not None or operand.shape else "constant"
