"""Gradient checks of registered operations, on cases drawn from their records."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.record import ELEMENTWISE, Composition, Operation, evaluate, rows
from ..ops.families import Draw, case_for, domain_of
from .gradcheck import gradcheck, gradgradcheck
from .report import GradientReport


@dataclass
class OperationReport:
    """What the checks of one operation found.

    Attributes:
        name: of the operation.
        first, second: worst relative error of first and second derivatives; None if not checked.
        checked: how many derivatives were compared.
        failure: the report of the first failing check, or why none was possible; empty if passed.
    """

    name: str
    first: float | None = None
    second: float | None = None
    checked: int = 0
    failure: str = ""


def check_operation(name: str, seed: int = 0, cases: int = 8, order: int = 2) -> OperationReport:
    """Check the derivatives of one operation on arrays, and on scalars where it serves them.

    Args:
        name: as registered.
        seed: of the drawn cases.
        cases: how many are drawn.
        order: 1 for first derivatives only.
    """
    op = rows()[name]
    report = OperationReport(name)
    for i in range(cases):
        draw = Draw(seed * 1000 + i)
        case = case_for(op, draw)
        if case is None:
            report.failure = (
                f"no cases: an operation that is not elementwise says how checks draw its "
                f"operands (cases= in the definition of {name})"
            )
            return report
        operands, params = case
        f = _function(op, params)
        inputs = tuple(operands[0]) if op.variadic else tuple(operands)
        if not _record(report, f, inputs, order, seed):
            return report
        if op.scalar is not None and op.kind is ELEMENTWISE and op.cases is None:
            numbers = tuple(float(draw.array((), domain_of(op, n), op.kinks)) for n in op.operands)
            if not _record(report, f, numbers, order, seed):
                return report
    return report


def _function(op: Operation | Composition, params: dict[str, Any]) -> Callable[..., Any]:
    if op.variadic:
        return lambda *arrays: evaluate(op, [list(arrays)], params)
    return lambda *operands: evaluate(op, list(operands), params)


def _record(
    report: OperationReport, f: Callable[..., Any], inputs: Any, order: int, seed: int
) -> bool:
    """Add what one case showed; False when it failed."""
    first = gradcheck(f, inputs, seed=seed, raise_exception=False)
    report.first = max(report.first or 0.0, first.error)
    report.checked += first.checked
    found: GradientReport = first
    if first and order == 2:
        found = gradgradcheck(f, inputs, seed=seed, raise_exception=False)
        report.second = max(report.second or 0.0, found.error)
        report.checked += found.checked
    if not found:
        report.failure = str(found)
    return bool(found)


def names_of(pattern: str | None) -> list[str]:
    """The registered operations in order, or those whose name fits a pattern such as `*conv*`.

    Raises `ArgumentError` where none does.
    """
    names = fnmatch.filter(rows(), pattern or "*")
    if not names:
        assert pattern is not None
        near = difflib.get_close_matches(pattern, rows(), cutoff=0.5)
        raise ArgumentError(
            f"no operation {pattern!r}; near it are {', '.join(near)}"
            if near
            else f"no operation {pattern!r}; without --op all are listed"
        )
    return names
