"""Backpropagation by hand: do the closed forms of the lecture give what the engine computes?

Claim (CS229, "Deep Learning" notes): for three layers of sigmoids and binary cross-entropy the
gradient at the top is dJ/dz3 = a3 - y, since logarithm and sigmoid cancel, and dJ/dW3 = (a3 - y)
a2^T. Further down most of it has been computed already: dJ/dW2 and dJ/dW1 need the gradient of the
layer above, times its weights, times the slope a (1 - a). Whoever starts again at the top for
every layer computes the same products again and again.

Measured: every quantity of the forward pass, the backward pass and one gradient step, by hand and
by the engine, which knows none of these formulas; the largest difference of an entry is rounding.
As in the notes, examples are columns. J is their average, so the 1/m is in dJ/dz3.

What reuse saves is less than it sounds where the notes show it: with three layers the weights'
gradients take 5 matrix products instead of 6. But the one grows as 2L - 1 and the other as L (L +
1) / 2: with 20 layers it is 39 and 210.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, ORANGE, figure

import tinygrad_cs as tg

RATE = 0.5
FORMULAS = {
    "z1": "W1 x + b1",
    "a1": "sigmoid(z1)",
    "z2": "W2 a1 + b2",
    "a2": "sigmoid(z2)",
    "z3": "W3 a2 + b3",
    "a3": "sigmoid(z3)",
    "J": "-mean(y log a3 + (1 - y) log(1 - a3))",
    "dJ/dz3": "(a3 - y) / m",
    "dJ/dW3": "dJ/dz3 a2^T",
    "dJ/db3": "dJ/dz3 summed over examples",
    "dJ/da2": "W3^T dJ/dz3",
    "dJ/dz2": "dJ/da2 * a2 (1 - a2)",
    "dJ/dW2": "dJ/dz2 a1^T",
    "dJ/db2": "dJ/dz2 summed over examples",
    "dJ/da1": "W2^T dJ/dz2",
    "dJ/dz1": "dJ/da1 * a1 (1 - a1)",
    "dJ/dW1": "dJ/dz1 x^T",
    "dJ/db1": "dJ/dz1 summed over examples",
} | {f"new {name}": f"{name} - rate dJ/d{name}" for name in ("W1", "b1", "W2", "b2", "W3", "b3")}


def problem(seed: int) -> tuple[Any, Any, dict[str, Any]]:
    """12 points of three coordinates as columns, their labels, and the weights of 3-5-4-1."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(3, 12))
    weights = {}
    for layer, (inputs, outputs) in enumerate([(3, 5), (5, 4), (4, 1)], start=1):
        weights[f"W{layer}"] = random.normal(size=(outputs, inputs))
        weights[f"b{layer}"] = random.normal(size=(outputs, 1))
    return x, (x[:1] * x[1:2] > 0).astype(float), weights


def by_hand(x: Any, y: Any, w: dict[str, Any]) -> dict[str, Any]:
    """The formulas above, in NumPy."""
    q: dict[str, Any] = {"a0": x}
    for n in (1, 2, 3):
        q[f"z{n}"] = w[f"W{n}"] @ q[f"a{n - 1}"] + w[f"b{n}"]
        q[f"a{n}"] = 1 / (1 + np.exp(-q[f"z{n}"]))
    q["J"] = -np.mean(y * np.log(q["a3"]) + (1 - y) * np.log(1 - q["a3"]))
    q["dJ/dz3"] = (q["a3"] - y) / y.size
    for n in (3, 2, 1):
        q[f"dJ/dW{n}"] = q[f"dJ/dz{n}"] @ q[f"a{n - 1}"].T
        q[f"dJ/db{n}"] = q[f"dJ/dz{n}"].sum(1, keepdims=True)
        if n > 1:
            a = q[f"a{n - 1}"]
            q[f"dJ/da{n - 1}"] = w[f"W{n}"].T @ q[f"dJ/dz{n}"]
            q[f"dJ/dz{n - 1}"] = q[f"dJ/da{n - 1}"] * a * (1 - a)
    return q | {f"new {name}": value - RATE * q[f"dJ/d{name}"] for name, value in w.items()}


def by_engine(x: Any, y: Any, w: dict[str, Any]) -> dict[str, Any]:
    """The same quantities from `backward()` and an optimizer."""
    leaves = {name: tg.tensor(value, requires_grad=True) for name, value in w.items()}
    a, places = x, dict(leaves)
    for n in (1, 2, 3):
        places[f"z{n}"] = leaves[f"W{n}"] @ a + leaves[f"b{n}"]
        places[f"a{n}"] = a = tg.sigmoid(places[f"z{n}"])
    for name in ("z1", "a1", "z2", "a2", "z3", "a3"):
        places[name].retain_grad()
    cost = tg.nn.functional.binary_cross_entropy(a, y)
    cost.backward()
    tg.optim.SGD(leaves.values(), lr=RATE).step()
    q = {name: place.data for name, place in places.items()} | {"J": cost.data}
    q |= {f"dJ/d{name}": place.grad for name, place in places.items()}
    return q | {f"new {name}": leaf.data for name, leaf in leaves.items()}


def products(layers: int, reuse: bool) -> int:
    """Matrix products for all weights' gradients, counted; without reuse each starts at the top."""
    weights, a, count = [np.eye(2)] * layers, np.full((2, 1), 0.5), 0
    above = None
    for n in reversed(range(layers)):
        dz, top = (above, n + 1) if reuse and above is not None else (a, layers - 1)
        for m in range(top, n, -1):
            dz, count = weights[m].T @ dz * a * (1 - a), count + 1
        _, count = dz @ a.T, count + 1
        above = dz
    return count


@cache
def measure(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both sets of quantities."""
    return by_hand(*problem(seed)), by_engine(*problem(seed))


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Largest difference of every quantity, the cost before and after the step, the products."""
    hand, engine = measure(seed)
    found = {}
    for name, formula in FORMULAS.items():
        shape = " x ".join(map(str, np.shape(hand[name]))) or "number"
        difference = float(np.abs(hand[name] - engine[name]).max())
        found[f"{name:6} {shape:6}  = {formula}: difference"] = difference
    x, y, _ = problem(seed)
    after = by_hand(x, y, {name[4:]: hand[name] for name in hand if name.startswith("new ")})
    found |= {"J before the step": float(hand["J"]), "J after the step": float(after["J"])}
    for layers in (3, 20):
        for how, reuse in (("with", True), ("without", False)):
            found[f"matrix products, {layers} layers, {how} reuse"] = products(layers, reuse)
    return found


def draw(quick: bool, seed: int) -> Figure:
    """dJ/dz on its way down, and the products that reuse saves."""
    hand, _ = measure(seed)
    picture, (cells,) = figure(13, 4, columns=4)
    titles = {3: "(a3 - y) / m", 2: "W3ᵀ dJ/dz3 * a2 (1 - a2)", 1: "W2ᵀ dJ/dz2 * a1 (1 - a1)"}
    for cell, (n, title) in zip(cells, titles.items(), strict=False):
        dz = hand[f"dJ/dz{n}"]
        size = np.abs(dz).max()
        image = cell.imshow(dz, cmap="RdBu_r", vmin=-size, vmax=size, aspect="auto")
        cell.set_title(f"dJ/dz{n} = {title}", fontsize=10)
        cell.set(xlabel="example", ylabel=f"unit of layer {n}", yticks=range(len(dz)))
        cell.grid(False)
        picture.colorbar(
            image, ax=cell, orientation="horizontal", ticks=[-size, 0, size], format="%.2g"
        )
    depths = np.arange(1, 21)
    for reuse, colour, line in ((False, ORANGE, "s--"), (True, BLUE, "o-")):
        counts = [products(layers, reuse) for layers in depths.tolist()]
        label = "with reuse" if reuse else "from the top for each layer"
        cells[3].plot(depths, counts, line, color=colour, markersize=4, label=label)
    cells[3].set(title="Matrix products", xlabel="layers")
    cells[3].legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("backprop_by_hand", __doc__, finding, draw))
