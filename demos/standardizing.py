"""Zero-centring and scaling the data: how many iterations do they save?

Claim (CS231n, "Data Preprocessing"; CS229, lecture 2): features that are not centred, or live on
different scales, stretch the bowl that gradient descent walks down; then a rate small enough for
the steep direction is far too small for the flat one.

Measured: a logistic regression on tumours (30 features of sizes from 0.001 to 4000) by full
gradient steps, each with the best rate of the same grid, until the loss reaches 0.15. What the
theory says about it is the condition number of the Hessian at the start: steep over flat. It gets
the order wrong in one place: centring alone leaves it as large as it was, and yet helps a lot,
since what matters is the curvature along the way to the target, not along the flattest direction.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

TARGET = 0.15
PREPARED = {
    "raw": lambda x: x,
    "centred": lambda x: data.Center().fit_transform(x),
    "scaled, not centred": lambda x: x / x.std(axis=0),
    "centred and scaled": lambda x: data.Standardizer().fit_transform(x),
}


def condition(x: Any) -> float:
    """Largest over smallest curvature of the loss for weights 0: X'X / 4n, with the bias."""
    x = np.concatenate([x, np.ones((len(x), 1))], axis=1).astype("float64")
    return float(np.linalg.cond(x) ** 2)


def descend(x: Any, y: Any, rate: float, limit: int) -> Any:
    """The losses, up to the first at the target."""
    model = nn.Linear(x.shape[1], 1)
    nn.init.zeros_(model.weight)
    optimizer = tg.optim.SGD(model.parameters(), lr=rate)

    @tg.compile
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    losses = []
    with np.errstate(all="ignore"):  # too high a rate overflows
        for _ in range(limit):
            losses.append(step(x, y).item())
            # Too high a rate, or far too slow.
            if losses[-1] <= TARGET or not losses[-1] < 50:
                break
    return np.array(losses)


@cache
def measure(quick: bool) -> dict[str, tuple[float, Any, float]]:
    """For each preparation: the rate that arrives first (or ends lowest), losses, condition."""
    x, y = data.load_breast_cancer()
    y = y[:, None].astype("float32")
    limit = 300 if quick else 3000
    found = {}
    for name, prepare in PREPARED.items():
        z = np.asarray(prepare(x), "float32")
        # 1 / largest curvature is the rate that theory recommends; the grid lies around it.
        rates = 4 * len(z) / np.linalg.norm(z, 2) ** 2 * 10.0 ** np.arange(-1, 2.1, 0.5)
        runs = [(rate, descend(z, y, rate, limit)) for rate in rates]
        arrived = [run for run in runs if run[1][-1] <= TARGET]
        rate, losses = (
            min(arrived, key=lambda run: len(run[1]))
            if arrived
            else min((r for r in runs if len(r[1]) == limit), key=lambda run: run[1][-1])
        )
        found[name] = float(rate), losses, condition(z)
    return found


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Iterations to the target (inf: never), condition numbers; nothing is random."""
    found = {}
    for name, (rate, losses, number) in measure(quick).items():
        found |= {
            f"iterations, {name}": len(losses) if losses[-1] <= TARGET else np.inf,
            f"loss at the end, {name}": float(losses[-1]),
            f"best rate, {name}": rate,
            f"condition number, {name}": number,
        }
    return found


def draw(quick: bool, seed: int) -> Figure:
    picture, ((cell,),) = figure(9, 5)
    for (name, (rate, losses, number)), line in zip(
        measure(quick).items(), ("-", "--", "-.", ":"), strict=True
    ):
        label = f"{name}: rate {rate:.1g}, condition {number:.0e}"
        cell.loglog(np.arange(1, len(losses) + 1), losses, line, label=label, lw=1.5)
    cell.axhline(TARGET, color="black", lw=1, label="target")
    cell.set(title="Logistic regression on tumours", xlabel="iteration", ylabel="cross-entropy")
    cell.set_ylim(0.1, 10)
    cell.legend(fontsize=9)
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("standardizing", __doc__, finding, draw))
