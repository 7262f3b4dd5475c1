"""The gradient checker: analytic derivatives against differences.

Everything runs in float64 on copies. Small functions are compared derivative by derivative (the
full Jacobian), large ones along random directions with random cotangents, so that an output that
is constant by construction (the sum of a softmax) cannot hide an error. Where the two disagree,
the entry is looked at again: with a smaller step, and from both sides, because a step that is too
large and a kink are faults of the difference and not of the rule.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine.errors import ArgumentError, DTypeError, GradientCheckError
from ..engine.lift import node_of
from ..engine.modes import default_dtype, enable_grad, no_grad, set_default_dtype
from ..engine.types import Array
from .comparison import DIRECTIONS, Comparison
from .forward import push
from .numeric import STEP
from .report import GradientReport, OperandReport
from .subject import Subject, flat, pulled, shape_of

FULL = 4096
"""Jacobians with at most this many entries are compared in full."""


@contextmanager
def _in_float64() -> Iterator[None]:
    before = default_dtype()
    set_default_dtype(np.float64)
    try:
        yield
    finally:
        set_default_dtype(before)


def gradcheck(
    f: Callable[..., Any],
    inputs: Any = (),
    *,
    module: Any = None,
    order: int = 1,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    step: float = STEP,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradientReport:
    """Compare the derivatives of `f` with central differences, in float64.

    Args:
        f: a function of tensors and scalars that returns one or several of them, or a `Module`,
            whose parameters are then checked too.
        inputs: a tuple of arguments, or the only one. Floating ones are checked; integers are
            passed on. The caller's data is not touched.
        module: a module that `f` calls, whose parameters should be checked as well.
        order: 2 checks second derivatives as well.
        rtol, atol: a derivative passes if |analytic - numeric| <= atol + rtol * size, where size
            is that of the two values and, for atol, of the largest derivative of the operand.
        step: of the differences, relative to entries larger than 1.
        seed: for random cotangents and directions.
        raise_exception: raise on failure (default), or return a report that is false.

    Returns a `GradientReport`, true if all derivatives agree. Raises `GradientCheckError` whose
    message says operand, index, both values, the step and what the error looks like.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> bool(tg.autograd.gradcheck(lambda x: tg.tanh(x * x), np.array([0.5, -1.0])))
        True
        >>> @tg.autograd.operation("elementwise", dx=lambda g, x: g * x)  # should be 2 x
        ... def wrong_square(x):
        ...     return x * x
        >>> print(tg.autograd.gradcheck(wrong_square, 1.5, raise_exception=False))
        gradient check FAILED (full Jacobian, worst relative error 5.0e-01)
          input 0 (): 1 derivatives: FAILED
            at index (), output 0: analytic 1.5, numeric 3 (step 9.1e-06, relative error 5.0e-01)
            looks like a missing factor: analytic = 0.5 x numeric everywhere
    """
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if order not in (1, 2):
        raise ArgumentError(f"gradcheck: order must be 1 or 2, got {order}")
    if module is None and hasattr(f, "named_parameters"):
        module = f
    with _in_float64():
        report = _check(Subject(f, arguments, module), rtol, atol, step, seed)
    if not report and raise_exception:
        raise GradientCheckError(str(report))
    if order == 2 and report:
        second = gradgradcheck(
            f, arguments, module=module, rtol=max(rtol, 1e-4), atol=atol, step=step, seed=seed,
            raise_exception=raise_exception,
        )  # fmt: skip
        second.operands = [*report.operands, *second.operands]
        return second
    return report


def gradgradcheck(
    f: Callable[..., Any],
    inputs: Any = (),
    *,
    module: Any = None,
    rtol: float = 1e-5,
    atol: float = 1e-8,
    step: float = STEP,
    seed: int = 0,
    raise_exception: bool = True,
) -> GradientReport:
    """Compare the second derivatives of `f` with central differences of its first.

    The function checked is x -> J(x)^T v for a random cotangent v. Arguments, result and errors
    are those of `gradcheck`.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> bool(tg.autograd.gradgradcheck(tg.tanh, np.array([0.5, -1.0])))
        True
    """
    arguments = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    if module is None and hasattr(f, "named_parameters"):
        module = f
    with _in_float64():
        subject = Subject(f, arguments, module)
        report = _check(subject.derivative(seed), rtol, atol, step, seed)
    report.order = 2
    if not report and raise_exception:
        raise GradientCheckError(str(report))
    return report


def _check(subject: Subject, rtol: float, atol: float, step: float, seed: int) -> GradientReport:
    with enable_grad():
        nodes, outputs = subject.call(subject.arrays, track=True)
    values = flat(outputs)
    for y in outputs:
        if getattr(getattr(y, "_data", None), "dtype", np.float64) == np.float32:
            raise DTypeError(
                "gradcheck: the function computed in float32 although its inputs are float64 "
                "(a cast, or captured float32 tensors only); differences of float32 numbers are "
                "too coarse to check against"
            )
    with no_grad():
        again = subject.values(subject.arrays)
        # (not to the last bit: the recorded evaluation and the plain one differ by one unit in the
        # last place for the derivatives of softplus, gelu_tanh and sigmoid_cross_entropy)
        if not np.allclose(values, again, rtol=1e-12, atol=1e-12, equal_nan=True):
            raise GradientCheckError(
                "gradcheck: two evaluations at the same point differ: the function is random or "
                "keeps state; fix the seed inside it, or put the module in eval() mode"
            )
        entries = sum(a.size for a in subject.arrays)
        full = entries * values.size <= FULL
        report = GradientReport(method="full Jacobian" if full else "random directions")
        rng = np.random.default_rng(seed)
        cotangents = np.eye(values.size) if full else rng.normal(size=(DIRECTIONS, values.size))
        analytic = pulled(nodes, outputs, cotangents)
        for which, name in enumerate(subject.names):
            check = Comparison(subject, which, cotangents, analytic[which], rtol, atol, step)
            found = check.in_full() if full else check.along_directions(rng)
            found.name = name
            report.operands.append(found)
        if report.kinks and not report.checked:
            raise GradientCheckError(
                f"gradcheck: nothing could be compared, all {report.kinks} derivatives look like "
                f"kinks; check at inputs away from kinks, or does the function compute in float32 "
                f"inside (a cast)? Differences of float32 numbers are too coarse"
            )
        if report:
            report.operands += _check_tangents(subject, nodes, outputs, cotangents, analytic, rng)
    return report


def _check_tangents(
    subject: Subject,
    nodes: list[Any],
    outputs: list[Any],
    cotangents: Array,
    analytic: list[Array],
    rng: np.random.Generator,
) -> list[OperandReport]:
    """Forward mode against reverse mode: <v, J t> = <J^T v, t>; a report where they differ."""
    weights = rng.normal(size=len(cotangents))
    tangents = [rng.normal(size=a.shape) for a in subject.arrays]
    pushed = push(
        {
            node_of(x): float(t) if kind == "scalar" else t
            for x, t, kind in zip(nodes, tangents, subject.kinds, strict=True)
        },
        [node_of(y) for y in outputs],
        recorded=False,
    )
    parts = [
        np.zeros(shape_of(y)) if t is None else t for y, t in zip(outputs, pushed, strict=True)
    ]
    forward = float(weights @ cotangents @ flat(parts))
    terms = [np.reshape(t, -1) @ a @ weights for t, a in zip(tangents, analytic, strict=True)]
    reverse, size = float(sum(terms)), float(sum(np.abs(terms)))
    error = abs(forward - reverse)
    if not error > 1e-8 * (1.0 + size):  # NaN at a kink says nothing
        return []
    return [
        OperandReport(
            "forward mode",
            (),
            checked=1,
            error=error / max(size, abs(forward)),
            analytic=reverse,
            numeric=forward,
            likely="a wrong kind in the operation's record: its rule is right for cotangents, but "
            "tangents travel as its kind says (analytic: reverse mode, numeric: forward mode)",
        )
    ]
