"""Gradient checks of modules: parameters and inputs, in training and in evaluation."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Sequence
from contextvars import copy_context
from typing import Any

from .. import nn
from ..autograd.gradcheck import gradcheck, gradgradcheck
from ..autograd.operations import OperationReport
from ..engine.errors import ArgumentError, TinygradError
from ..engine.modes import generator, manual_seed, set_default_dtype
from ..engine.tensor import overwrite
from ..engine.types import np
from .examples import EXAMPLES, Example


def exported() -> list[str]:
    """The names of all layers and losses, in alphabetical order."""
    found = (name for name in nn.__all__ if isinstance(getattr(nn, name), type))
    modules = (n for n in found if issubclass(getattr(nn, n), nn.Module) and n != "Module")
    return sorted(modules, key=str.lower)


def layers_of(pattern: str | None) -> list[str]:
    """Those whose name fits a pattern such as `*Norm*`; raises `ArgumentError` if none does."""
    names = [name for name in exported() if fnmatch.fnmatchcase(name, pattern or "*")]
    if not names:
        assert pattern is not None
        near = difflib.get_close_matches(pattern, exported(), cutoff=0.5)
        raise ArgumentError(
            f"no layer or loss {pattern!r}; near it are {', '.join(near)}"
            if near
            else f"no layer or loss {pattern!r}; without --layer all are listed"
        )
    return names


def check_layer(name: str, seed: int = 0, order: int = 2) -> OperationReport:
    """Check one layer or loss of `nn` on its examples; one without examples fails."""
    examples = EXAMPLES.get(name)
    if not examples:
        return OperationReport(name, failure=f"no example in commands/examples.py for nn.{name}")
    return check_examples(name, examples, seed, order)


def check_examples(
    name: str, examples: Sequence[Example], seed: int = 0, order: int = 2
) -> OperationReport:
    """Check first and second derivatives of modules by their inputs and parameters."""
    report = OperationReport(name)
    for example in examples:
        # a context of its own keeps the seed and the default dtype from the caller
        copy_context().run(_check, report, example, seed, order)
        if report.failure:
            break
    return report


def _check(report: OperationReport, example: Example, seed: int, order: int) -> None:
    set_default_dtype(np.float64)
    manual_seed(seed)
    try:
        module = example.make()
        inputs = example.inputs(np.random.default_rng(seed))
        for training in (True, False):
            module.train(training)
            call = _repeatable(module, example)
            found = gradcheck(call, inputs, module=module, seed=seed, raise_exception=False)
            report.first = max(report.first or 0.0, found.error)
            report.checked += found.checked
            if found and order == 2:
                found = gradgradcheck(call, inputs, module=module, seed=seed, raise_exception=False)
                report.second = max(report.second or 0.0, found.error)
                report.checked += found.checked
            if not found:
                report.failure = f"in {'training' if training else 'evaluation'}: {found}"
                return
    except TinygradError as error:
        report.failure = f"{type(error).__name__}: {error}"


def _repeatable(module: Any, example: Example) -> Any:
    """The module as a function: the same draws and the same buffers in every call."""
    state = generator().bit_generator.state
    before = [np.array(buffer.data) for buffer in module.buffers()]
    run = module if example.call is None else lambda *inputs: example.call(module, *inputs)  # type: ignore[misc]

    def call(*inputs: Any) -> Any:
        generator().bit_generator.state = state
        for buffer, value in zip(module.buffers(), before, strict=True):
            overwrite(buffer, value)
        return run(*inputs)

    return call
