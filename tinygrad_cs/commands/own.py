"""Gradient checks of what a user's file defines: operations and modules.

What an operation or a module is to be called with, the file says where it cannot be guessed:

    GRADCHECK = {
        "my_product": lambda rng: (rng.normal(size=(2, 3)), rng.normal(size=3)),
        "MyLayer": lambda rng: (MyLayer(3, 2), rng.normal(size=(4, 3))),
    }
"""

from __future__ import annotations

import importlib.util
import inspect
import sys
from pathlib import Path
from typing import Any

from ..autograd.gradcheck import gradcheck
from ..autograd.operations import OperationReport, check_operation
from ..engine.errors import ArgumentError, TinygradError
from ..engine.record import FUNCTIONS, TABLE
from ..engine.types import np
from ..nn.module import Module
from .examples import Example, normal
from .layers import check_examples

TABLE_NAME = "GRADCHECK"


def check_file(path: Path, seed: int, cases: int, order: int) -> list[OperationReport]:
    """Run a file and check every operation and module that it defines.

    Raises `ArgumentError` for a file that is not there, fails, or defines none.
    """
    module = _loaded(path)
    given = getattr(module, TABLE_NAME, {})
    operations = [name for name, op in TABLE.items() if op.module == module.__name__]
    classes = [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, Module)
        and value.__module__ == module.__name__
        and value.forward is not Module.forward
    ]
    unknown = [name for name in given if name not in (*operations, *classes)]
    if unknown:
        raise ArgumentError(
            f"{path}: {TABLE_NAME} names {', '.join(unknown)}, but the file defines only "
            f"{', '.join([*operations, *classes]) or 'other things'}"
        )
    if not operations and not classes:
        raise ArgumentError(
            f"{path} defines no operation (tg.autograd.operation) and no nn.Module to check"
        )
    reports = []
    for name in operations:
        if name in given:
            reports.append(_operation(name, given[name], seed, order))
        else:
            reports.append(check_operation(name, seed, cases, order))
    for name in classes:
        reports.append(_module(getattr(module, name), given.get(name), seed, order))
    return reports


def _loaded(path: Path) -> Any:
    name = f"checked_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path) if path.exists() else None
    if spec is None or spec.loader is None:
        raise ArgumentError(f"cannot read {path}: expected a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ArgumentError(f"{path} fails itself: {type(error).__name__}: {error}") from error
    finally:
        sys.path.pop(0)
    return module


def _operation(name: str, draw: Any, seed: int, order: int) -> OperationReport:
    report = OperationReport(name)
    try:
        found = gradcheck(
            FUNCTIONS[name],
            tuple(draw(np.random.default_rng(seed))),
            order=order,
            seed=seed,
            raise_exception=False,
        )
    except TinygradError as error:
        report.failure = f"{type(error).__name__}: {error}"
        return report
    first = [o.error for o in found.operands if not o.name.endswith("second order")]
    second = [o.error for o in found.operands if o.name.endswith("second order")]
    report.first, report.second = max(first, default=0.0), max(second, default=None)
    report.checked = found.checked
    report.failure = "" if found else str(found)
    return report


def _module(cls: type[Module], draw: Any, seed: int, order: int) -> OperationReport:
    name = cls.__name__
    if draw is not None:
        return check_examples(name, [_given(cls, draw)], seed, order)
    try:
        parameters = list(cls().parameters())
    except Exception as error:
        return OperationReport(name, failure=_say_how(cls, f"{type(error).__name__}: {error}"))
    # what a layer multiplies with its weights mostly ends in one of their lengths
    sizes = dict.fromkeys([*(n for p in parameters for n in reversed(p.shape)), 3])
    error_text = ""
    for size in sizes:
        example = Example(cls, normal((4, size)))
        try:
            cls()(np.random.default_rng(seed).normal(size=(4, size)))
        except Exception as error:
            error_text = error_text or f"{type(error).__name__}: {error}"
            continue
        return check_examples(name, [example], seed, order)
    return OperationReport(name, failure=_say_how(cls, error_text))


def _given(cls: type[Module], draw: Any) -> Example:
    """An example from an entry of the table: inputs, after the module where that is first."""

    def make() -> Module:
        first = next(iter(draw(np.random.default_rng(0))))
        return first if isinstance(first, Module) else cls()

    def inputs(rng: np.random.Generator) -> tuple[Any, ...]:
        drawn = tuple(draw(rng))
        return drawn[1:] if isinstance(drawn[0], Module) else drawn

    return Example(make, inputs)


def _say_how(cls: type[Module], why: str) -> str:
    signature = str(inspect.signature(cls)).partition(" ->")[0]
    return (
        f"how to make or call it is unknown ({why.splitlines()[0]}); write in the file "
        f'{TABLE_NAME} = {{"{cls.__name__}": lambda rng: ({cls.__name__}(...), '
        f"rng.normal(size=(4, 3)))}} with the arguments {signature}"
    )
