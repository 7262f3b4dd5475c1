"""Gradient checking: which step is right for a numerical derivative?

Claim (CS231n, "Gradient checks"): the central difference (f(x + h) - f(x - h)) / 2h is wrong by
h^2 f'''/6, so a smaller h is better - until the rounding of f, divided by h, takes over. The
error against h is a V; its bottom lies near h = eps^(1/3) and is about eps^(2/3) deep, so a check
in float32 cannot be as strict as one in float64. Where a step crosses a kink, the numerical
derivative itself is wrong, and a correct gradient looks like a mistake.

Measured on tanh at random points in both precisions, against backpropagation in float64; and on
ReLU at points within 0.001 of its kink, in float64. There larger steps are wrong by tens of
percent however exact the arithmetic, and the error falls only as fewer and fewer steps reach over
the kink: by a smaller h, or by checking fewer points. (`wrong_gradients.py` shows what a check says
when it is the gradient that is wrong.)
"""

from __future__ import annotations

from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg

CASES = {
    "tanh, float32": (tg.tanh, "float32", 1.0, "o-"),
    "tanh, float64": (tg.tanh, "float64", 1.0, "s-"),
    "ReLU near its kink, float64": (tg.relu, "float64", 1e-3, "^--"),
}


def relative_error(function: Any, points: Any, dtype: str, step: float) -> float:
    """|analytic - numeric| / (|analytic| + |numeric|), with norms over all points."""
    x = tg.tensor(points, requires_grad=True)
    function(x).sum().backward()
    above, below = ((points + sign * step).astype(dtype) for sign in (1, -1))
    with tg.no_grad():
        rise = function(tg.tensor(above)) - function(tg.tensor(below))
    numeric = rise.numpy().astype("float64") / (2 * step)
    norm = np.linalg.norm
    return float(norm(x.grad - numeric) / (norm(x.grad) + norm(numeric)))


def measure(case: str, quick: bool, seed: int) -> tuple[Any, Any]:
    """The steps, large to small, and the relative error with each."""
    function, dtype, reach, _ = CASES[case]
    points = np.random.default_rng(seed).uniform(-reach, reach, 100 if quick else 1000)
    steps = np.logspace(0, -6 if dtype == "float32" else -12, 13 if quick else 49)
    return steps, np.array([relative_error(function, points, dtype, step) for step in steps])


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Where the V has its bottom, how deep it is, what a kink does to a usual step."""
    found = {}
    for case in ("tanh, float32", "tanh, float64"):
        steps, errors = measure(case, quick, seed)
        eps = float(np.finfo(CASES[case][1]).eps)
        found[f"{case}: best step"] = float(steps[errors.argmin()])
        found[f"{case}: eps^(1/3)"] = eps ** (1 / 3)
        found[f"{case}: error at the best step"] = float(errors.min())
        found[f"{case}: eps^(2/3)"] = eps ** (2 / 3)
        # Between the rounding and the curvature of higher orders: where h^2 should be all.
        right = (steps < 0.5) & (steps > 5 * steps[errors.argmin()])
        power = np.polyfit(np.log(steps[right]), np.log(errors[right]), 1)[0]
        found[f"{case}: error grows as h to the power"] = float(power)
    steps, errors = measure("ReLU near its kink, float64", quick, seed)
    for step in (1e-2, 1e-4, 1e-6):
        nearest = np.abs(np.log(steps / step)).argmin()
        found[f"ReLU near its kink: error with h = {step:g}"] = float(errors[nearest])
    return found


def draw(quick: bool, seed: int) -> Figure:
    """The two Vs, and what a kink does."""
    picture, ((cell,),) = figure(6.6, 3.4)
    for case, (*_, line) in CASES.items():
        steps, errors = measure(case, quick, seed)
        cell.loglog(steps, np.where(errors > 0, errors, np.nan), line, markersize=4, label=case)
    cell.set(title="A numerical derivative against backpropagation")
    cell.set(xlabel="step h", ylabel="relative error")
    cell.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("gradient_check", __doc__, finding, draw))
