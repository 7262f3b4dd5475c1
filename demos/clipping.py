"""Clipping: does it keep a recurrent net alive whose gradients explode?

Claim (CS231n, "Recurrent Neural Networks", after Pascanu et al. 2013): a gradient that runs back
through many steps is multiplied by the recurrent weights again and again, so it explodes if these
are large; scaling it down to a norm that it must not exceed lets training go on.

Measured: a tanh RNN reads 20 pairs (number, mark) and says the sum of the two marked numbers. Its
recurrent weights start at twice an orthogonal matrix. The same net is trained with and without
clipping to norm 1; saying 1 all the time has a loss of 1/6. Clipping keeps the net alive, no more:
its loss stays near 1/6. What carries a number over 20 chaotic steps is another cell, not a clip.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg
from tinygrad_cs import nn

LENGTH, HIDDEN, MAXIMUM, RATE = 20, 32, 1.0, 0.05


class Adder(nn.Module):
    """Reads (length, batch, 2), says one number for each sequence."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn = nn.RNN(2, HIDDEN)
        self.head = nn.Linear(HIDDEN, 1)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain=2.0)

    def forward(self, x: Any) -> Any:
        states, _ = self.rnn(x)
        return self.head(states[-1])


def sequences(random: np.random.Generator, batch: int = 32) -> tuple[Any, Any]:
    """Numbers from [0, 1] with two marks in each sequence, and the sums (batch, 1)."""
    numbers = random.random((LENGTH, batch))
    marks = random.random((LENGTH, batch)).argsort(axis=0) < 2
    x = np.stack([numbers, marks], axis=-1).astype("float32")
    return x, (numbers * marks).sum(axis=0)[:, None].astype("float32")


def train(clip: bool, steps: int, seed: int) -> tuple[Any, Any]:
    """Losses and norms of the gradients (before clipping), by step."""
    random = tg.manual_seed(seed)
    model = Adder()
    optimizer = tg.optim.SGD(model.parameters(), lr=RATE)
    losses, norms = [], []
    with np.errstate(all="ignore"):  # overflow is what is measured here
        for _ in range(steps):
            x, y = sequences(random)
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            losses.append(loss.item())
            norms.append(np.hypot.reduce([np.linalg.norm(p.grad) for p in model.parameters()]))
            if not np.isfinite(norms[-1]):
                break
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), MAXIMUM)
            optimizer.step()
    return np.array(losses), np.array(norms)


@cache
def measure(quick: bool, seed: int) -> dict[bool, tuple[Any, Any]]:
    return {clip: train(clip, 400 if quick else 1500, seed) for clip in (False, True)}


def finding(quick: bool, seed: int) -> dict[str, float]:
    """How long it lives; losses and norms of the gradients."""
    found = {}
    for clip, (losses, norms) in measure(quick, seed).items():
        name = "with clipping" if clip else "without"
        found[f"steps with finite gradients, {name}"] = int(np.isfinite(norms).sum())
        found[f"mean loss, last third, {name}"] = float(losses[-len(losses) // 3 :].mean())
        found[f"largest finite loss, {name}"] = float(losses[np.isfinite(losses)].max())
        found[f"largest finite norm, {name}"] = float(norms[np.isfinite(norms)].max())
        found[f"median norm of a gradient, {name}"] = float(np.median(norms))
    return found


def draw(quick: bool, seed: int) -> Figure:
    picture, ((left, right),) = figure(12, 4.4, columns=2)
    for clip, (losses, norms) in measure(quick, seed).items():
        look = dict(color=BLUE if clip else ORANGE, lw=1, alpha=0.9)
        label = f"clipped to norm {MAXIMUM:g}" if clip else "not clipped"
        left.loglog(range(1, len(losses) + 1), losses, label=label, **look)
        right.loglog(range(1, len(norms) + 1), norms, label=label, **look)
    left.axhline(1 / 6, color="black", linestyle=":", label="always saying 1")
    right.axhline(MAXIMUM, color="black", linestyle=":", label="largest norm let through")
    left.set(title="Loss", xlabel="step", ylabel="mean squared error")
    right.set(title="Gradient before clipping", xlabel="step", ylabel="norm")
    left.legend()
    right.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("clipping", __doc__, finding, draw))
