"""Stand-ins for Python numbers: arithmetic on them becomes arithmetic in the program."""

from __future__ import annotations

import operator
from typing import Any

from ...engine.node import OPERAND_KINDS
from ..program import Var
from .stand_in import StandIn, ValueNeeded, ufunc_called


class TracedNumber(StandIn):
    """A Python number of the program: a scalar, a learning rate, a count, one entry of an array.

    A `steady` one comes from outside, and the trace holds only while its truth is the same.
    """

    __slots__ = ("steady",)
    __hash__ = object.__hash__

    shape: tuple[int, ...] = ()
    dtype = float

    def __init__(self, example: Any, var: Var, recorder: Any, steady: bool = False) -> None:
        super().__init__(example, var, recorder)
        self.steady = steady

    # who asks whether this is a float is told that it is
    __class__ = property(lambda self: type(self.example))

    __array_ufunc__ = ufunc_called

    def __bool__(self) -> bool:
        decided: bool = bool(self.example) if self.steady else self.recorder.decide(self)
        return decided

    def _needed(self, *args: Any, **kwargs: Any) -> Any:
        raise ValueNeeded("a number that changes from call to call decides")

    __float__ = __int__ = __index__ = __array__ = __round__ = _needed

    def __pos__(self) -> Any:
        return self

    def __repr__(self) -> str:
        return f"<the number {self.stands_for.name} of a program>"

    def __format__(self, spec: str) -> str:
        return repr(self)

    def __neg__(self) -> Any:
        return self.recorder.number("formula", "-{0}", (self,), -self.example)

    def __abs__(self) -> Any:
        return self.recorder.number("formula", "abs({0})", (self,), abs(self.example))


_NUMBERS = (int, float, TracedNumber)


def _operator(symbol: str, function: Any) -> tuple[Any, Any]:
    adds = symbol == "+"

    def forward(self: TracedNumber, other: Any) -> Any:
        if not isinstance(other, _NUMBERS):
            return NotImplemented
        if type(other) is TracedNumber:
            result = function(self.example, other.example)
        elif adds and other == 0:
            return self
        else:
            result = function(self.example, other)
        return self.recorder.number("operator", symbol, (self, other), result)

    def backward(self: TracedNumber, other: Any) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        if adds and other == 0:
            return self
        result = function(other, self.example)
        return self.recorder.number("operator", symbol, (other, self), result)

    return forward, backward


for _symbol, _name in [
    ("+", "add"),
    ("-", "sub"),
    ("*", "mul"),
    ("/", "truediv"),
    ("//", "floordiv"),
    ("%", "mod"),
    ("**", "pow"),
]:
    _forward, _backward = _operator(_symbol, getattr(operator, _name))
    setattr(TracedNumber, f"__{_name}__", _forward)
    setattr(TracedNumber, f"__r{_name}__", _backward)

for _symbol, _name in [
    ("<", "lt"),
    ("<=", "le"),
    (">", "gt"),
    (">=", "ge"),
    ("==", "eq"),
    ("!=", "ne"),
]:
    setattr(TracedNumber, f"__{_name}__", _operator(_symbol, getattr(operator, _name))[0])


OPERAND_KINDS[TracedNumber] = "number"
