"""Powers of scale: why is depth so sensitive to the size of the weights?

Claim (CS229, "Exploding and vanishing gradients"; CS231n, "Gradient flow" of recurrent nets): in
a deep linear net whose layers all are 1.5 times the identity, L layers multiply the input by
1.5^L: it explodes. With 0.5 it is 0.5^L: it vanishes. Gradients do the same on their way back.

Measured: outputs and input gradients of such nets, and of nets with random weights of variance
scale^2 / width, which multiply a vector by the scale on average. The identities agree to the
precision of float32. The random nets follow the power law only roughly, tens of percent off after
30 layers, and the same for every scale: it is the same random matrices. The wider the layers, the
less. And the limits are near: float32 holds neither 219 layers of 1.5 nor 150 of 0.5.
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

SCALES = {1.5: "o", 1.0: "s", 0.5: "^"}


def stack(scale: float, depth: int, width: int, identity: bool) -> nn.Sequential:
    """`depth` linear layers that multiply by `scale`, each exactly or on average."""
    layers = [nn.Linear(width, width, bias=False) for _ in range(depth)]
    for layer in layers:
        if identity:
            nn.init.eye_(layer.weight)
            layer.weight.data *= scale
        else:
            nn.init.normal_(layer.weight, std=scale / width**0.5)
    return nn.Sequential(*layers)


@cache
def measure(scale: float, identity: bool, quick: bool, seed: int) -> Any:
    """For 1 to 30 layers: what output and input gradient are in multiples of what went in."""
    random = tg.manual_seed(seed)
    width = 100 if quick else 400
    net = stack(scale, 30, width, identity)
    ratios = []
    for depth in range(1, len(net) + 1, 5 if quick else 1):
        x = tg.tensor(random.normal(size=(1, width)), requires_grad=True)
        upstream = random.normal(size=(1, width)).astype("float32")
        y = net[:depth](x)
        y.backward(upstream)
        norm = np.linalg.norm
        ratios.append((depth, norm(y.data) / norm(x.data), norm(x.grad) / norm(upstream)))
    return np.array(ratios)


def layers_until(scale: float, gone: Any) -> int:
    """How many layers it takes until `gone(output)`."""
    layer = stack(scale, 1, 2, identity=True)
    x = tg.tensor([[1.0, 1.0]])
    depth = 0
    with tg.no_grad(), np.errstate(over="ignore", under="ignore"):
        while not gone(x.data).all():
            x = layer(x)
            depth += 1
    return depth


def finding(quick: bool, seed: int) -> dict[str, float]:
    """The largest deviations from scale^L, and where float32 ends."""
    found = {}
    for scale in SCALES:
        for identity, kind in ((True, "identity"), (False, "random")):
            depth, output, gradient = measure(scale, identity, quick, seed).T
            name = f"{kind} times {scale}"
            power = np.exp(np.polyfit(depth, np.log(output), 1)[0])
            worst = max(abs(r / scale**depth - 1).max() for r in (output, gradient))
            found[f"{name}: factor per layer"] = float(power)
            found[f"{name}: largest deviation from scale^L"] = float(worst)
    found["layers of 1.5 until float32 is inf"] = layers_until(1.5, np.isinf)
    found["layers of 0.5 until float32 is 0"] = layers_until(0.5, lambda x: x == 0)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """Random nets as points on the lines of the power law."""
    picture, cells = figure(11, 4.5, columns=2)
    for scale, marker in SCALES.items():
        depth, *both = measure(scale, False, quick, seed).T
        for cell, ratios in zip(cells[0], both, strict=True):
            points = cell.semilogy(depth, ratios, marker, markersize=5, label=f"scale {scale}")
            cell.semilogy(depth, scale**depth, "-", color=points[0].get_color(), linewidth=1)
    for cell, what in zip(cells[0], ("output", "gradient of the input"), strict=True):
        cell.set(title=f"Random linear nets: {what}", xlabel="layers L")
        cell.set_ylabel("multiple of what went in (line: scale^L)")
        cell.legend(loc="upper left")
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("powers_of_scale", __doc__, finding, draw))
