"""The gradient checker: analytic derivatives against differences.

Everything runs in float64 on copies. Small functions are compared derivative by derivative (the
full Jacobian), large ones along random directions with random cotangents, so that an output that
is constant by construction (the sum of a softmax) cannot hide an error. Where the two disagree,
the entry is looked at again: with a smaller step, and from both sides, because a step that is too
large and a kink are faults of the difference and not of the rule.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..engine import backward
from ..engine.errors import ArgumentError, DTypeError, GradientCheckError
from ..engine.lift import node_of
from ..engine.modes import default_dtype, enable_grad, no_grad, set_default_dtype
from ..engine.scalar import Scalar
from ..engine.tensor import Tensor
from ..engine.types import Array
from . import func, trees
from .diagnosis import diagnose
from .numeric import STEP, along, difference, has_kink, jacobian_rows, step_at
from .report import GradientReport, OperandReport
from .swapping import swapped

FULL = 4096
"""Jacobians with at most this many entries are compared in full."""

DIRECTIONS = 4


class _Subject:
    """The function under test, as a function of float64 arrays with its outputs laid end to end."""

    def __init__(self, f: Callable[..., Any], inputs: Sequence[Any], module: Any) -> None:
        self.f = f
        self.inputs = list(inputs)
        self.module = module
        self.names: list[str] = []
        self.kinds: list[str] = []
        self.arrays: list[Array] = []
        self.places: list[int] = []
        for i, x in enumerate(self.inputs):
            if isinstance(x, (float, Scalar)) and not isinstance(x, np.floating):
                self._add(f"input {i}", "scalar", np.array(getattr(x, "_data", x), np.float64), i)
            else:
                array = np.asarray(x._data if isinstance(x, Tensor) else x)
                if array.dtype.kind == "f":
                    self._add(f"input {i}", "tensor", array.astype(np.float64), i)
        if module is not None:
            for name, p in module.named_parameters():
                self._add(name, "parameter", p.data.astype(np.float64), -1)
        if not self.arrays:
            raise ArgumentError(
                "gradcheck: there is nothing to check: no input is floating; pass float arrays, "
                "tensors, scalars, or a module with parameters"
            )

    def _add(self, name: str, kind: str, array: Array, place: int) -> None:
        self.names.append(name)
        self.kinds.append(kind)
        self.arrays.append(array)
        self.places.append(place)

    def call(self, arrays: Sequence[Array], track: bool) -> tuple[list[Any], list[Any]]:
        """Operand nodes and output nodes of one evaluation."""
        nodes = [self._node(k, a, track) for k, a in zip(self.kinds, arrays, strict=True)]
        called = list(self.inputs)
        parameters = {}
        for name, place, node in zip(self.names, self.places, nodes, strict=True):
            if place < 0:
                parameters[name] = node
            else:
                called[place] = node
        if self.module is None:
            out = self.f(*called)
        else:
            with swapped(self.module, parameters):
                out = self.f(*called)
        outputs = list(trees.leaves(out))
        for y in outputs:
            if not isinstance(y, (Tensor, Scalar, float, np.ndarray, np.generic)):
                raise ArgumentError(
                    f"gradcheck: the function must return tensors or scalars, "
                    f"got {type(y).__name__}"
                )
        return nodes, outputs

    def _node(self, kind: str, array: Array, track: bool) -> Any:
        if kind == "scalar":
            return Scalar(float(array), requires_grad=track)
        node = Tensor._of(array)
        node.requires_grad = track
        return node

    def values(self, arrays: Sequence[Array]) -> Array:
        """All outputs in one float64 vector."""
        return _flat(self.call(arrays, track=False)[1])


def _flat(outputs: Sequence[Any]) -> Array:
    if len(outputs) == 1:
        only = getattr(outputs[0], "_data", outputs[0])
        return np.array(only, np.float64).reshape(-1)
    raw = [np.asarray(getattr(y, "_data", y), np.float64).reshape(-1) for y in outputs]
    return np.concatenate(raw) if raw else np.zeros(0)


def _shape(y: Any) -> tuple[int, ...]:
    return np.shape(getattr(y, "_data", y))


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
        report = _check(_Subject(f, arguments, module), rtol, atol, step, seed)
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
        subject = _Subject(f, arguments, module)
        report = _check(_second(subject, seed), rtol, atol, step, seed)
    report.order = 2
    if not report and raise_exception:
        raise GradientCheckError(str(report))
    return report


def _second(subject: _Subject, seed: int) -> _Subject:
    """The first derivative of a subject, as a subject."""
    with no_grad():
        _, outputs = subject.call(subject.arrays, track=False)
    rng = np.random.default_rng(seed)
    cotangents = tuple(
        float(rng.normal()) if isinstance(y, (Scalar, float)) else rng.normal(size=_shape(y))
        for y in outputs
    )

    def first(*nodes: Any) -> Any:
        def rerun(*fresh: Any) -> Any:
            called = list(subject.inputs)
            parameters = {}
            for name, place, node in zip(subject.names, subject.places, fresh, strict=True):
                if place < 0:
                    parameters[name] = node
                else:
                    called[place] = node
            if subject.module is None:
                return tuple(trees.leaves(subject.f(*called)))
            with swapped(subject.module, parameters):
                return tuple(trees.leaves(subject.f(*called)))

        return func.vjp(rerun, *nodes)[1](cotangents)

    starts: list[Any] = [
        float(a) if kind == "scalar" else a
        for kind, a in zip(subject.kinds, subject.arrays, strict=True)
    ]
    derived = _Subject(first, starts, None)
    derived.names = [f"{name}, second order" for name in subject.names]
    return derived


def _check(subject: _Subject, rtol: float, atol: float, step: float, seed: int) -> GradientReport:
    with enable_grad():
        nodes, outputs = subject.call(subject.arrays, track=True)
    values = _flat(outputs)
    for y in outputs:
        if getattr(getattr(y, "_data", None), "dtype", np.float64) == np.float32:
            raise DTypeError(
                "gradcheck: the function computed in float32 although its inputs are float64 "
                "(a cast, or captured float32 tensors only); differences of float32 numbers are "
                "too coarse to check against"
            )
    with no_grad():
        again = subject.values(subject.arrays)
        if not np.array_equal(values, again, equal_nan=True):
            raise GradientCheckError(
                "gradcheck: two evaluations at the same point differ: the function is random or "
                "keeps state; fix the seed inside it, or put the module in eval() mode"
            )
        entries = sum(a.size for a in subject.arrays)
        full = entries * values.size <= FULL
        report = GradientReport(method="full Jacobian" if full else "random directions")
        rng = np.random.default_rng(seed)
        cotangents = np.eye(values.size) if full else rng.normal(size=(DIRECTIONS, values.size))
        analytic = _pulled(nodes, outputs, cotangents)
        for which, name in enumerate(subject.names):
            check = _Operand(subject, which, cotangents, analytic[which], rtol, atol, step)
            found = check.in_full() if full else check.along_directions(rng)
            found.name = name
            report.operands.append(found)
    return report


def _pulled(nodes: list[Any], outputs: list[Any], cotangents: Array) -> list[Array]:
    """The gradient of each operand for each cotangent: arrays (entries, cotangents)."""
    places = [node_of(x) for x in nodes]
    results = [np.zeros((math.prod(x.shape), len(cotangents))) for x in nodes]
    for k, cotangent in enumerate(cotangents):
        seeds: dict[Any, Any] = {}
        start = 0
        for y in outputs:
            size = math.prod(_shape(y))
            end = node_of(y)
            if end is not None:
                piece = cotangent[start : start + size]
                seed = float(piece[0]) if isinstance(y, Scalar) else piece.reshape(y.shape)
                seeds[end] = seeds[end] + seed if end in seeds else seed
            start += size
        found = backward.run(seeds, targets=set(places), retain=True)
        for result, place in zip(results, places, strict=True):
            if place in found:
                result[:, k] = np.asarray(found[place]).reshape(-1)
    return results


class _Operand:
    """The comparison for one operand."""

    def __init__(
        self, subject: _Subject, which: int, cotangents: Array, analytic: Array,
        rtol: float, atol: float, step: float,
    ) -> None:  # fmt: skip
        self.f = subject.values
        self.arrays = subject.arrays
        self.which = which
        self.cotangents = cotangents
        self.analytic = analytic
        self.rtol, self.atol, self.step = rtol, atol, step
        self.shape = subject.arrays[which].shape
        self.lengths = {n for a in subject.arrays for n in a.shape} | {cotangents.shape[1]}
        self.report = OperandReport("", self.shape)

    def in_full(self) -> OperandReport:
        """Every derivative of every output."""
        rows = list(jacobian_rows(self.f, self.arrays, self.which, self.step))
        if rows and self.cotangents.size:
            self._compare(np.array(rows), np.arange(len(rows)))
        return self.report

    def along_directions(self, rng: np.random.Generator) -> OperandReport:
        """A few random directions; if one disagrees, the entries it is made of."""
        array = self.arrays[self.which]
        if not array.size:
            return self.report
        worst = 0.0
        for _ in range(DIRECTIONS):
            t = np.asarray(rng.normal(size=array.shape))
            t = np.divide(t, np.linalg.norm(t))
            h = step_at(float(np.abs(array).max()), self.step)
            numeric = self.cotangents @ along(self.f, self.arrays, self.which, t, h)
            analytic = t.reshape(-1) @ self.analytic
            size = np.maximum(np.abs(numeric), np.abs(analytic)).max()
            error = np.abs(numeric - analytic)
            self.report.checked += len(numeric)
            if size:
                worst = max(worst, float(error.max() / size))
            if (error > self._noise(size) + self.rtol * size).any():
                count = min(array.size, 256)
                chosen = np.sort(rng.choice(array.size, count, replace=False))
                self.report.checked = 0
                self._compare_entries(chosen)
                return self.report
        self.report.error = worst
        return self.report

    def _compare_entries(self, chosen: Array) -> None:
        flat = self.arrays[self.which].reshape(-1)
        rows = [
            self.cotangents
            @ difference(self.f, self.arrays, self.which, int(i), step_at(flat[i], self.step))
            for i in chosen
        ]
        self._compare(np.array(rows), chosen)

    def _noise(self, size: float) -> float:
        return self.atol * max(1.0, float(size))

    def _wrong(self, numeric: Array, analytic: Array) -> Array:
        size = np.maximum(np.abs(numeric), np.abs(analytic))
        tolerance = self._noise(np.abs(numeric).max(initial=0.0)) + self.rtol * size
        wrong: Array = ~(np.abs(numeric - analytic) <= tolerance)
        return wrong

    def _compare(self, numeric: Array, chosen: Array) -> None:
        analytic = self.analytic[chosen]
        wrong = self._wrong(numeric, analytic)
        kinks = np.zeros_like(wrong)
        for row in np.flatnonzero(wrong.any(axis=1)).tolist():
            kinks[row] = self._reconsider(row, int(chosen[row]), numeric, analytic)
        wrong = self._wrong(numeric, analytic) & ~kinks
        report = self.report
        report.checked += int((~kinks).sum())
        report.kinks += int(kinks.sum())
        scale = max(1e-3 * np.abs(numeric[~kinks]).max(initial=0.0), 1e3 * self.atol)
        size = np.maximum(np.maximum(np.abs(numeric), np.abs(analytic)), scale)
        error = np.where(kinks, 0.0, np.abs(numeric - analytic) / size)
        error = np.where(np.isnan(error), np.inf, error)
        if not error.size:
            return
        where = np.where(wrong, error, -1) if wrong.any() else error
        row, column = divmod(int(np.argmax(where)), error.shape[1])
        x = float(self.arrays[self.which].reshape(-1)[chosen[row]])
        report.error = float(error[row, column])
        report.index = tuple(int(i) for i in np.unravel_index(int(chosen[row]), self.shape))
        report.output = int(column)
        report.analytic, report.numeric = float(analytic[row, column]), float(numeric[row, column])
        report.step = step_at(x, self.step)
        if wrong.any():
            smooth = ~kinks.any(axis=1)
            shape = self.shape if smooth.all() and len(chosen) == len(self.analytic) else ()
            report.likely = diagnose(analytic[smooth], numeric[smooth], shape, self.lengths)

    def _reconsider(self, row: int, entry: int, numeric: Array, analytic: Array) -> Array:
        """Look again at an entry that disagrees: smaller steps, then both sides.

        Puts the better difference into `numeric`; returns which outputs have a kink here.
        """
        x = float(self.arrays[self.which].reshape(-1)[entry])
        h = step_at(x, self.step)
        for smaller in (h / 16, h / 256):
            row_values = self.cotangents @ difference(
                self.f, self.arrays, self.which, entry, smaller
            )
            # A smaller step has more rounding error: agree within what that explains.
            rounding = 64 * np.finfo(float).eps / smaller
            close = np.abs(row_values - analytic[row]) <= (
                rounding + self.rtol * np.abs(analytic[row])
            )
            better = close & self._wrong(numeric[row], analytic[row])
            numeric[row] = np.where(better, analytic[row], numeric[row])
        kinked = has_kink(self.f, self.arrays, self.which, entry, h)
        result: Array = (np.abs(self.cotangents) @ kinked > 0) & self._wrong(
            numeric[row], analytic[row]
        )
        return result
