"""Wrong gradients: what does a gradient check say of the usual mistakes?

Claim (CS231n, "Gradient checks"): a relative error above 1e-2 means that the gradient is probably
wrong, below 1e-7 one may be happy; and a check in float32 makes a right gradient look wrong.

Measured: a layer f(x W' + b) with rules written by hand, once right and five times with a mistake:
the sum over the batch forgotten, a factor missing, a matrix transposed, the sign of a kink's other
side, float32. Four are wrong by a third or more, far above the threshold, so the error says that
something is wrong and not what. What is wrong shows in a picture of the gradient against its
differences: another slope (a factor), two lines (a sign), one operand off and the others right (its
own rule). `tg.autograd.gradcheck` reads the same patterns out of the whole Jacobian. It names three
of the mistakes; of the transposed matrix it says only which operand is wrong. The fifth gradient is
right and is off by 4e-3 all the same: the differences of a float32 function are what is wrong, and
the checker refuses them.

Patterns are read from whole Jacobians: small operands (5 x 4 here) give better diagnoses than large
ones, which are checked along random directions.
"""

from __future__ import annotations

import textwrap
from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, figure

import tinygrad_cs as tg

OPERANDS = ("x", "W", "b")


def square(z: Any) -> Any:
    return z * z


def twice(z: Any) -> Any:
    return 2 * z


def layer(
    name: str,
    value: Any = square,
    slope: Any = twice,
    to_bias: Any = lambda dz: tg.sum(dz, axis=0),
    to_inputs: Any = lambda dz, w: dz @ w,
) -> Any:
    """The operation f(x W' + b), with f = `value`, its derivative `slope`, and the rules around."""

    def dz(g: Any, x: Any, w: Any, b: Any) -> Any:
        return g * slope(x @ w.T + b)

    @tg.autograd.operation(
        name=f"lesson: {name}",
        dx=lambda g, x, w, b: to_inputs(dz(g, x, w, b), w),
        dw=lambda g, x, w, b: dz(g, x, w, b).T @ x,
        db=lambda g, x, w, b: to_bias(dz(g, x, w, b)),
    )
    def made(x: Any, w: Any, b: Any) -> Any:
        return value(x @ w.T + b)

    return made


def layers() -> dict[str, Any]:
    """The right one, and five mistakes."""
    return {
        "right": layer("right"),
        "sum over the batch forgotten": layer("sum", to_bias=lambda dz: dz[0]),
        "factor missing": layer("factor", slope=lambda z: z),
        "wrong transpose": layer("transpose", to_inputs=lambda dz, w: dz @ w.T),
        "wrong sign at a kink": layer("sign", abs, lambda z: tg.where(z > 0, 1, 1)),
        "right, but in float32": layer("float32", lambda z: square(z.astype("float32"))),
    }


def both(function: Any, operands: Any, weights: Any) -> list[tuple[Any, Any]]:
    """Gradient and central differences of sum(weights * function), for each operand."""

    def total(*arrays: Any) -> Any:
        return (function(*arrays) * weights).sum()

    analytic = tg.func.grad(total, argnums=(0, 1, 2))(*operands)
    pairs, step = [], 6e-6
    for which, operand in enumerate(operands):
        numeric = np.empty_like(operand)
        for place in np.ndindex(operand.shape):
            sides = []
            for sign in (1, -1):
                moved = [array.copy() for array in operands]
                moved[which][place] += sign * step
                sides.append(float(total(*moved)))
            numeric[place] = (sides[0] - sides[1]) / (2 * step)
        pairs.append((numeric, np.asarray(analytic[which])))
    return pairs


def checked(function: Any, operands: Any) -> str:
    """What the checker says of the first operand that fails."""
    try:
        report = tg.autograd.gradcheck(function, operands, raise_exception=False)
    except tg.TinygradError as error:
        return f"refuses: {str(error).removeprefix('gradcheck: ')}"
    for name, operand in zip(OPERANDS, report.operands, strict=False):
        if operand.likely:
            return f"d{name}: {operand.likely}"
    return "passes"


@cache
def measure(quick: bool, seed: int) -> dict[str, tuple[str, Any, float]]:
    """For each layer: the diagnosis, gradients beside differences, the largest relative error."""
    random = np.random.default_rng(seed)
    batch, size = 5, 4
    operands = tuple(random.normal(size=shape) for shape in [(batch, size), (size, size), (size,)])
    weights = random.normal(size=(batch, size))
    norm, found = np.linalg.norm, {}
    for name, made in layers().items():
        pairs = both(made, operands, weights)
        error = max(norm(a - n) / (norm(a) + norm(n)) for n, a in pairs)
        found[name] = checked(made, operands), pairs, float(error)
    return found


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The relative error of each, after what the checker says."""
    found = {}
    for name, (diagnosis, _, error) in measure(quick, seed).items():
        found[f"{name} ({textwrap.shorten(diagnosis, 56, placeholder='...')})"] = error
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Each entry of each gradient against its difference, with the diagnosis below."""
    picture, cells = figure(12, 8.6, rows=2, columns=3)
    for cell, (name, (diagnosis, pairs, error)) in zip(
        cells.flat, measure(quick, seed).items(), strict=True
    ):
        for operand, (numeric, analytic), colour, mark in zip(
            OPERANDS, pairs, (BLUE, ORANGE, GREEN), "os^", strict=True
        ):
            cell.plot(numeric.ravel(), analytic.ravel(), mark, color=colour, alpha=0.7)
            cell.plot([], [], mark, color=colour, label=f"d{operand}")
        cell.axline((0, 0), slope=1, color="0.6", linewidth=1, zorder=0)
        cell.set_title(f"{name}: {error:.0e}", fontsize=11)
        told = textwrap.fill(textwrap.shorten(diagnosis, 150, placeholder=" ..."), 52)
        cell.set_xlabel(f"differences\n\n{told}", fontsize=9)
        cell.set_ylabel("gradient")
    cells[0, 0].legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("wrong_gradients", __doc__, finding, draw))
