"""`gradcheck`: the derivatives of every operation against differences."""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import Any

from ..autograd.operations import OperationReport, check_operation, names_of
from ..engine.errors import ArgumentError
from ..engine.record import rows
from ..nn import functional

_GREEN, _RED, _PLAIN = "\033[32m", "\033[31m", "\033[0m"


def add(commands: Any) -> None:
    """Add the command's parser."""
    check = commands.add_parser(
        "gradcheck",
        help="check the derivatives of every operation against differences",
        description="Compare first and second derivatives of every registered operation with "
        "central differences in float64. Exit status 1 if any fails.",
    )
    check.add_argument("--op", metavar="NAME", help="only this one, or a pattern: '*conv*'")
    check.add_argument("--order", type=int, choices=(1, 2), default=2, help="default 2")
    check.add_argument("--seed", type=int, default=0, help="of the drawn operands (default 0)")
    check.add_argument("--cases", type=int, default=8, help="drawn per operation (default 8)")
    check.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Check, print a row for each operation, and return the exit status."""
    colour = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    if options.op not in rows() and hasattr(functional, options.op or ""):
        raise ArgumentError(
            f"{options.op} is a function of nn.functional, made of operations; check a call of "
            f"it: tg.autograd.gradcheck(nn.functional.{options.op}, inputs, order=2)"
        )
    names = names_of(options.op)
    width = max(len(name) for name in names)
    print(f"{'operation':{max(width, 9)}}  {'first order':>11}  {'second order':>12}  derivatives")
    start = time.perf_counter()
    failed: list[OperationReport] = []
    for name in names:
        report = check_operation(name, options.seed, options.cases, options.order)
        if report.failure:
            failed.append(report)
        print(_row(report, max(width, 9), colour), flush=True)
    seconds = time.perf_counter() - start
    print(f"{len(names) - len(failed)} of {len(names)} operations passed in {seconds:.1f} s")
    for report in failed:
        print(f"\n{report.name}: {report.failure}")
    return 1 if failed else 0


def _row(report: OperationReport, width: int, colour: bool) -> str:
    verdict = "FAILED" if report.failure else "ok"
    if colour:
        verdict = f"{_RED if report.failure else _GREEN}{verdict}{_PLAIN}"
    first, second = (
        "-" if error is None else f"{error:.1e}" for error in (report.first, report.second)
    )
    return f"{report.name:{width}}  {first:>11}  {second:>12}  {report.checked:>11}  {verdict}"
