"""`gradcheck`: the derivatives of operations, layers and losses against differences."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..autograd.operations import OperationReport, check_operation, names_of
from ..engine.errors import ArgumentError, GradientCheckError
from ..engine.record import rows

_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"

OWN = """\
examples:
  python -m tinygrad_cs gradcheck                      every operation, layer and loss
  python -m tinygrad_cs gradcheck --op '*conv*'        some operations
  python -m tinygrad_cs gradcheck --layer 'LSTM*'      some layers or losses
  python -m tinygrad_cs gradcheck --file mine.py       what a file of yours defines

Operations (tg.autograd.operation) that are not elementwise say how operands are drawn by cases=.
Modules are made without arguments and called with an array (4, n). Where that will not do, for
either, the file says what to call with, in a dict of functions of a NumPy generator:

  GRADCHECK = {"MyLayer": lambda rng: (MyLayer(3, 2), rng.normal(size=(4, 3)))}
"""


def add(commands: Any) -> None:
    """Add the command's parser."""
    check = commands.add_parser(
        "gradcheck",
        help="check the derivatives of every operation, layer and loss against differences",
        description="Compare first and second derivatives of every registered operation, and of "
        "every layer and loss by inputs and parameters, with central differences in float64. Exit "
        "status 1 if any fails.",
        epilog=OWN,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument("bare", nargs="?", help=argparse.SUPPRESS)
    what = check.add_mutually_exclusive_group()
    what.add_argument("--op", metavar="NAME", help="only this one, or a pattern: '*conv*'")
    what.add_argument("--layer", metavar="NAME", help="only this layer or loss, or a pattern")
    what.add_argument("--file", type=Path, metavar="FILE", help="a Python file of your own")
    check.add_argument("--order", type=int, choices=(1, 2), default=2, help="default 2")
    check.add_argument("--seed", type=int, default=0, help="of the drawn operands (default 0)")
    check.add_argument("--cases", type=int, default=8, help="drawn per operation (default 8)")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, print a row for each, and return the exit status."""
    if options.bare is not None:
        raise ArgumentError(f"gradcheck: {options.bare} is what? write {_meant(options.bare)}")
    if options.seed < 0 or options.cases < 1:
        raise ArgumentError("gradcheck: --seed must be 0 or more, --cases 1 or more")
    order, seed = options.order, options.seed
    start = time.perf_counter()
    tables: list[tuple[str, int, int, list[OperationReport]]] = []
    if options.file is not None:
        from .own import check_file

        reports = check_file(options.file, seed, options.cases, order)
        width = max(len(report.name) for report in reports)
        tables.append(_table("definition", "definitions", width, reports))
    else:
        if options.layer is None:
            _refuse_functional(options.op)
            names = names_of(options.op)
            tables.append(_checked(
                "operation", "operations", names,
                lambda name: _operation(name, seed, options.cases, order),
            ))  # fmt: skip
        if options.op is None:
            from .layers import check_layer, layers_of

            names = layers_of(options.layer)
            if tables:
                print()
            tables.append(_checked(
                "layer or loss", "layers and losses", names,
                lambda name: check_layer(name, seed, order),
            ))  # fmt: skip
    passed = ", ".join(f"{good} of {count} {what}" for what, count, good, _ in tables)
    print(f"{passed} passed in {time.perf_counter() - start:.1f} s")
    failed = [report for *_, reports in tables for report in reports]
    for report in failed:
        print(f"\n{report.name}: {report.failure}")
    return 1 if failed else 0


def _meant(name: str) -> str:
    """The option that was left out before a name."""
    if name.endswith(".py") or os.path.exists(name):
        return f"--file {name}"
    if name in rows():
        return f"--op {name}"
    return f"--layer {name}" if name[:1].isupper() else f"--op {name} or --layer {name}"


def _refuse_functional(name: str | None) -> None:
    from ..nn import functional

    if name is not None and name not in rows() and hasattr(functional, name):
        raise ArgumentError(
            f"{name} is a function of nn.functional, made of operations; check a call of "
            f"it: tg.autograd.gradcheck(nn.functional.{name}, inputs, order=2)"
        )


def _operation(name: str, seed: int, cases: int, order: int) -> OperationReport:
    try:
        return check_operation(name, seed, cases, order)
    except GradientCheckError as error:  # one that cannot be compared is one that fails
        return OperationReport(name, failure=str(error))


def _checked(
    title: str, plural: str, names: list[str], check: Callable[[str], OperationReport]
) -> tuple[str, int, int, list[OperationReport]]:
    return _table(title, plural, max(map(len, names)), map(check, names))


def _table(
    title: str, plural: str, width: int, reports: Iterable[OperationReport]
) -> tuple[str, int, int, list[OperationReport]]:
    """Print rows as the checks end; what they are, how many, how many passed, and the others."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    width = max(width, len(title))
    print(f"{title:{width}}  {'first order':>11}  {'second order':>12}  derivatives")
    count, failed = 0, []
    for report in reports:
        count += 1
        if report.failure:
            failed.append(report)
        print(_row(report, width, colour), flush=True)
    return plural, count, count - len(failed), failed


def _row(report: OperationReport, width: int, colour: bool) -> str:
    verdict = "FAILED" if report.failure else "ok"
    if colour:
        verdict = f"{_RED if report.failure else _GREEN}{verdict}{_PLAIN}"
    first, second = (
        "-" if error is None else f"{error:.1e}" for error in (report.first, report.second)
    )
    return f"{report.name:{width}}  {first:>11}  {second:>12}  {report.checked:>11}  {verdict}"
