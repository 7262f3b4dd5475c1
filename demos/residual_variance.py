"""Residual nets: does He's initialisation still keep the scale?

Claim (CS231n, "Weight Initialization"): no. A block whose output F(x) has the variance of its
input gives Var(x + F(x)) > Var(x), so the variance grows from block to block, geometrically. Start
the last layer of every block at zero, and x + F(x) is x: the variance stays. (Zhang, Dauphin and
Ma, Fixup Initialization, 2019.)

Measured with blocks Linear, ReLU, Linear on the shortcut. The lecture's picture is a doubling;
He's weights everywhere triple: they make up for a ReLU that does not follow the last layer of
a block, so Var(F(x)) is 2 Var(x). Xavier's weights in the last layer give the doubling.
Zero has a price that the lecture does not mention: in the first step all layers but the last of
a block have gradient 0. After that step the last layers are not zero any more and everything
learns.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import figure

import tinygrad_cs as tg
from tinygrad_cs import nn

LAST = {
    "He everywhere": (nn.init.kaiming_normal_, "o-"),
    "Xavier last": (nn.init.xavier_normal_, "s--"),
    "zero last": (nn.init.zeros_, "^:"),
}


def residual_net(last: str, blocks: int, width: int) -> nn.Sequential:
    """`Linear` starts with He's weights; the last layer of each block is drawn anew."""
    net = []
    for _ in range(blocks):
        block = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width))
        LAST[last][0](block[2].weight)
        net.append(nn.Residual(block))
    return nn.Sequential(*net)


@cache
def variances(last: str, quick: bool, seed: int) -> Any:
    """The variance before the first block and after each."""
    random = tg.manual_seed(seed)
    rows, width = (50, 100) if quick else (200, 300)
    x = tg.tensor(random.normal(size=(rows, width)))
    found = [x.data.var()]
    with tg.no_grad():
        for block in residual_net(last, 10 if quick else 20, width):
            x = block(x)
            found.append(x.data.var())
    return np.array(found)


def share_without_gradient(steps: int, seed: int) -> float:
    """Share of the weights of a zero-last net whose gradient is exactly 0 after `steps` steps."""
    random = tg.manual_seed(seed)
    net = residual_net("zero last", 4, 20)
    optimizer = tg.optim.SGD(net.parameters(), lr=0.01)
    x, y = random.normal(size=(2, 50, 20)).astype("float32")
    for _ in range(steps + 1):
        optimizer.zero_grad()
        nn.functional.mse_loss(net(x), y).backward()
        gradients = np.concatenate([p.grad.ravel() for p in net.parameters()])
        optimizer.step()
    return float((gradients == 0).mean())


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The factor per block, and the price of zeros."""
    found = {}
    for last in LAST:
        values = variances(last, quick, seed)
        growth = np.polyfit(np.arange(len(values)), np.log(values), 1)[0]
        found[f"{last}: variance per block times"] = float(np.exp(growth))
        found[f"{last}: variance after {len(values) - 1} blocks"] = float(values[-1])
    for steps in (0, 1):
        name = f"zero last: share of weights without gradient after {steps} steps"
        found[name] = share_without_gradient(steps, seed)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Straight lines on a logarithmic axis: geometric growth."""
    picture, ((cell,),) = figure(8, 5)
    for last, (_, line) in LAST.items():
        cell.semilogy(variances(last, quick, seed), line, markersize=5, label=last)
    cell.set(title="Variance along a residual net", xlabel="blocks passed", ylabel="variance")
    cell.xaxis.get_major_locator().set_params(integer=True)
    cell.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("residual_variance", __doc__, finding, draw))
