"""`diagnose`: what went wrong in a training, judged by its history, its watch and its data."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from ..engine.errors import ArgumentError
from ..engine.types import Array, np
from ..training.errors import NonFiniteLossError
from ..training.history import History
from .course import Course, at_chance, overfitting, rate_too_high, rate_too_low, underfitting
from .data_signs import chance_of, labels_shuffled, not_normalised, scale_of, unusual
from .findings import Finding, Report
from .inner_signs import Inside, dead, exploding, first_bad, saturated, vanishing
from .watcher import Watch

__all__ = ["Finding", "Report", "diagnose"]


def diagnose(
    history: History | NonFiniteLossError | Sequence[float],
    watch: Watch | None = None,
    *,
    data: tuple[Any, Any] | None = None,
    chance: float | None = None,
) -> Report:
    """Say what went wrong in a training that is over, or failed, and what to try.

    Looked for are: "non-finite" (with the first bad layer), "inputs not normalised", "labels
    shuffled", "learning rate too high", "exploding gradients", "vanishing gradients", "dead units",
    "saturated units", "loss at chance", "learning rate too low", "underfitting", "overfitting". A
    finding is a suspicion with its numbers, no proof; and what is not looked at is not found: the
    inside of the net needs a watch, guessing a chance, a course five epochs or more.

    Args:
        history: what `fit` returned, the error it raised, or losses, one per epoch.
        watch: that of the training (default: none, and nothing is said about layers).
        data: inputs and targets of the training, as they were given to the model (default: none).
        chance: the loss of guessing, for a mean squared error the variance of the targets
            (default: for integer targets in `data` the entropy of the classes, the cross-entropy of
            guessing by frequency; else unknown).

    Returns a `Report`, false if nothing is suspicious. Raises `ArgumentError` for other arguments.

    Example:
        >>> import tinygrad_cs as tg
        >>> losses = [2.31, 2.302, 2.304, 2.303, 2.302, 2.303]
        >>> report = tg.inspect.diagnose(losses, chance=2.303)
        >>> report.names
        ['loss at chance']
        >>> print(report)
        1. loss at chance: the lowest training loss is 2.302, that of guessing 2.303
        ...
    """
    error = history if isinstance(history, NonFiniteLossError) else None
    told = _history(history if error is None else error.history)
    arrays = None if data is None else _arrays(data)
    if watch is not None and not isinstance(watch, Watch):
        raise ArgumentError(f"diagnose: watch must be a Watch, got {type(watch).__name__}")
    if chance is not None:
        chance = _chance(chance)
    elif arrays is not None:
        chance = chance_of(arrays[1])
    course = Course(told, chance)
    inside = None if watch is None else Inside(watch)
    return Report(_findings(course, inside, error, arrays))


def _findings(
    course: Course,
    inside: Inside | None,
    error: NonFiniteLossError | None,
    data: tuple[Array, Array] | None,
) -> Iterator[Finding]:
    yield from _non_finite(course, inside, error)
    signs = [] if data is None else list(scale_of(data[0]))
    if inside is not None and not signs:
        row = next(iter(inside.watch.records), None)
        if row is not None and row.get("mean") is not None and math.isfinite(row["mean"]):
            signs = list(unusual(row["mean"], row["deviation"]))
    yield from not_normalised(signs)
    yield from labels_shuffled(course, data)
    ratio = None if inside is None else inside.ratio()
    high = list(rate_too_high(course, ratio))
    yield from high
    if inside is not None:
        for sign in (exploding, vanishing, dead):
            yield from sign(inside)
        yield from saturated(inside, course.learned())
    yield from at_chance(course)
    if not high:
        slow = list(rate_too_low(course, ratio))
        yield from slow or underfitting(course)
    yield from overfitting(course)


def _non_finite(
    course: Course, inside: Inside | None, error: NonFiniteLossError | None
) -> Iterator[Finding]:
    if error is not None:
        yield _as_finding(error)
        return
    losses = course.history["loss"] if "loss" in course.history.columns else []
    bad = [i for i, v in enumerate(losses, 1) if v is not None and not math.isfinite(v)]
    layer = None if inside is None else first_bad(inside.watch)
    if bad or layer:
        signs = [f"the loss is {losses[bad[0] - 1]} from epoch {bad[0]} on"] if bad else []
        signs += [f"first layer with such an output: {layer}"] if layer else []
        at_input = bool(layer and layer.startswith("(input)"))
        yield Finding(
            "non-finite",
            "; ".join(signs),
            "the data" if at_input else "steps that are too long, or a logarithm, root or "
            "division at 0",
            "np.isfinite(x).all()" if at_input else "training.fit, which stops at once and names "
            "batch, layer and gradient; a smaller learning rate; clip_norm=1.0",
        )  # fmt: skip


def _as_finding(error: NonFiniteLossError) -> Finding:
    """What training found already, in one line."""
    known = error.diagnosis
    signs = [f"the {known.what} became infinite or NaN in {known.place}"]
    if known.inputs:
        signs.append(known.inputs)
    if known.layer:
        signs.append(f"first layer with such an output: {known.layer}")
    if known.losses:
        signs.append(f"losses before: {', '.join(f'{loss:.4g}' for loss in known.losses[-3:])}")
    if known.gradient:
        name, largest, weight = known.gradient
        signs.append(f"largest gradient {largest:.3g} in {name}, largest weight {weight:.3g}")
    grew = bool(known.losses) and known.losses[-1] > 10 * max(1e-12, min(known.losses))
    if known.inputs:
        cause = "the data"
    elif grew or (known.gradient and not known.gradient[1] < 1e3):
        cause = "an explosion: steps, or weights, that are too large"
    else:
        cause = "a logarithm, root or division at 0, or values beyond the dtype"
    return Finding("non-finite", "; ".join(signs), cause, "; ".join(known.advice))


def _history(value: Any) -> History:
    if isinstance(value, History):
        return value
    try:
        rows = [{"epoch": i, "loss": float(loss)} for i, loss in enumerate(value, 1)]
    except (TypeError, ValueError):
        raise ArgumentError(
            f"diagnose: expected a History, the error of fit, or a list of losses, got "
            f"{type(value).__name__}"
        ) from None
    return History(rows)


def _chance(value: Any) -> float:
    try:
        chance = float(value)
    except (TypeError, ValueError):
        chance = math.nan
    if not 0 < chance < math.inf:
        raise ArgumentError(
            f"diagnose: chance must be the loss of guessing, a number above 0 such as ln 10 = "
            f"2.303 for ten classes, got {value!r}; leave it out where there is no such number"
        )
    return chance


def _arrays(data: Any) -> tuple[Array, Array]:
    arrays = getattr(data, "arrays", data)
    if not isinstance(arrays, (tuple, list)) or len(arrays) != 2:
        raise ArgumentError("diagnose: data must be (x, y), or a TensorDataset of two arrays")
    x, y = (np.asarray(getattr(value, "_data", value)) for value in arrays)
    if not x.ndim or not y.ndim or len(x) != len(y):
        raise ArgumentError(
            f"diagnose: data must be as many inputs as targets, got shapes {x.shape} and {y.shape}"
        )
    return x, y
