"""A differential equation solved by a net: can it find the sine without ever seeing one?

Claim (Lagaris, Likas and Fotiadis 1998; the lectures' universal approximation at work): a net is a
smooth function, and backpropagation differentiates it not only by its weights but by its input,
twice if need be. So it can be trained to satisfy an equation instead of fitting data.

Here y'' = -y with y(0) = 0 and y'(0) = 1, on 0 <= t <= 5. The trial solution
y(t) = t + t^2 net(t) starts right whatever the weights are; the loss is the mean of the squared
residual (y'' + y)^2 in points drawn anew at every step. Nobody tells the net about the sine: the
distance to it is measured afterwards, as is what happens outside the interval, where no residual
was asked for. There the net is wrong: it has learned an interval, not a law.
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

END, BATCH = 5.0, 64


class Solution(nn.Module):
    """y(t) = t + t^2 net(t): y(0) = 0 and y'(0) = 1 for any net."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        layers = [nn.Linear(1, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh()]
        self.net = nn.Sequential(*layers, nn.Linear(width, 1))
        nn.init.apply(self)

    def forward(self, t: Any) -> Any:
        # The net sees times from -1 to 1, like any standardised input.
        return t + t * t * self.net(t * (2 / END) - 1)


def residual(solution: nn.Module, t: Any) -> Any:
    """y'' + y at the times t (n, 1)."""
    # Each y depends on its own t alone, so the gradient of their sum holds all the derivatives.
    slope = tg.func.grad(lambda t: solution(t).sum())
    curvature = tg.func.grad(lambda t: slope(t).sum())
    return curvature(t) + solution(t)


@cache
def measure(quick: bool, seed: int) -> tuple[Any, nn.Module]:
    """The losses by step, and the solution."""
    random = tg.manual_seed(seed)
    solution = Solution()
    steps = 500 if quick else 4000
    optimizer = tg.optim.Adam(solution.parameters(), lr=5e-3)
    schedule = tg.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=steps)
    losses = []
    for _ in range(steps):
        t = END * random.random((BATCH, 1), "float32")
        optimizer.zero_grad()
        loss = (residual(solution, t) ** 2).mean()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return np.array(losses), solution


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Residuals before and after, and the distance to the sine within and beyond the interval."""
    losses, solution = measure(quick, seed)
    inside = np.linspace(0, END, 200, dtype="float32")[:, None]
    beyond = np.linspace(END, 2 * END, 200, dtype="float32")[:, None]
    distance = {
        name: float(np.abs(solution(t).data - np.sin(t)).max())
        for name, t in [("inside", inside), ("beyond", beyond)]
    }
    return {
        "loss at the start": float(losses[0]),
        "loss at the end": float(losses[-50:].mean()),
        "largest distance to the sine, 0 to 5": distance["inside"],
        "largest distance to the sine, 5 to 10": distance["beyond"],
    }


def draw(quick: bool, seed: int) -> Figure:
    losses, solution = measure(quick, seed)
    picture, ((left, right),) = figure(12, 4.4, columns=2)
    t = np.linspace(0, 1.6 * END, 300, dtype="float32")[:, None]
    left.plot(t, np.sin(t), color="black", lw=1, label="sin t")
    left.plot(t, solution(t).data, "--", color=ORANGE, label="the net's y(t)")
    left.axvspan(0, END, color="0.92", zorder=0, label="where residuals were asked for")
    left.set(title="y'' = -y", xlabel="time t", ylabel="y(t)", ylim=(-2, 2.6))
    left.legend(loc="upper right", fontsize=9)
    right.semilogy(losses, color=BLUE, lw=0.8)
    right.set(title="Loss", xlabel="step", ylabel="mean of (y'' + y)^2")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("sine_ode", __doc__, finding, draw))
