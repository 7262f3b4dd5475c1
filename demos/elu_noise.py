"""ELU and its relatives: means nearer zero, saturation against noise, no dead units?

Claim (CS231n, "Activation Functions", after Clevert and others 2016): ELU has the benefits of ReLU,
outputs of mean nearer zero, and a plateau on the left that adds some robustness to noise. A leaky
ReLU does not die (dead_relu.py trains with it). GELU is nearly what its tanh form gives.

Measured: the mean of ELU is 0.16 for standard normal numbers, where ReLU's is 0.40, and in trained
nets it is lower too. Of noise around -5 ELU lets 0.8 % pass, little less than leaky ReLU's 1 %;
around -1 it lets 44 % pass, and ReLU 8 %: what is robust on the left is to be flat there, and ReLU
is flatter. Trained nets read noisy digits about equally well with all four, within two standard
errors. The two GELUs differ by 4.7e-4 at most, at +-2.7.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import lesson
import numpy as np
from matplotlib.figure import Figure
from style import BLUE, GREEN, ORANGE, PINK, figure

import tinygrad_cs as tg
from tinygrad_cs import data, nn

F = nn.functional
ACTIVATIONS: dict[str, Any] = {
    "ReLU": F.relu,
    "leaky ReLU": F.leaky_relu,
    "ELU": F.elu,
    "GELU": F.gelu,
}
LINES = {"ReLU": "-", "leaky ReLU": "--", "ELU": "-.", "GELU": ":"}
NOISES = [0.0, 0.5, 1.0, 1.5, 2.0]


def slope(function: Any, x: float) -> float:
    place = tg.tensor(np.array(x), requires_grad=True)
    function(place).backward()
    return float(place.grad)


class Activation(nn.Module):
    """One of the functions as a layer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def forward(self, x: Any) -> Any:
        return ACTIVATIONS[self.name](x)


@cache
def digits() -> tuple[Any, Any]:
    images, labels = data.load_digits()
    order = np.random.default_rng(0).permutation(len(images))
    return ((images - 8) / 8)[order], labels[order]


def train(name: str, steps: int, seed: int) -> dict[str, float]:
    """A net of three hidden layers after training: its activations, and how it bears noise."""
    random = tg.manual_seed(seed)
    layers: list[nn.Module] = []
    for inputs in (64, 64, 64):
        layers += [nn.Linear(inputs, 64), Activation(name)]
    model = nn.Sequential(*layers, nn.Linear(64, 10))
    optimizer = tg.optim.Adam(model.parameters(), lr=1e-3)

    @tg.compile
    def step(x: Any, y: Any) -> None:
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()

    x, y = digits()
    for _ in range(steps):
        rows = random.integers(1000, size=50)
        step(x[rows], y[rows])
    with tg.no_grad():
        inside = [model[: 2 * k](x[1000:]).data for k in (1, 2, 3)]
        noise = np.random.default_rng(seed).standard_normal(x[1000:].shape, "float32")
        found = {"mean / deviation": float(np.mean([abs(a.mean()) / a.std() for a in inside]))}
        for amount in NOISES:
            answers = model(x[1000:] + amount * noise).data.argmax(axis=1)
            found[f"accuracy, noise {amount}"] = float(np.mean(answers == y[1000:]))
    return found


def left_of_zero(function: Any, middle: float, seed: int) -> float:
    """How much of a noise of deviation 0.5 passes at `middle`: the deviation of the outputs."""
    x = middle + 0.5 * np.random.default_rng(seed).normal(size=100_000)
    return float(np.std(function(x)) / 0.5)


@cache
def measure(quick: bool, seed: int) -> dict[str, tuple[dict[str, float], dict[str, float]]]:
    """Averages over nets and their standard errors, by activation."""
    table = {}
    for name in ACTIVATIONS:
        runs = [train(name, 150 if quick else 500, seed + r) for r in range(2 if quick else 8)]
        values = {key: np.array([run[key] for run in runs]) for key in runs[0]}
        means = {key: float(v.mean()) for key, v in values.items()}
        errors = {key: float(v.std(ddof=1) / len(v) ** 0.5) for key, v in values.items()}
        table[name] = means, errors
    return table


def finding(quick: bool, seed: int) -> dict[str, float]:
    """Means, slopes and noise on the left for the functions, and for trained nets; GELU's two."""
    x = np.random.default_rng(seed).normal(size=1_000_000)
    found: dict[str, float] = {}
    for name, function in ACTIVATIONS.items():
        found[f"{name}: mean for standard normal numbers"] = float(np.mean(function(x)))
        for place in (-1.0, -5.0):
            found[f"{name}: slope at {place:g}"] = slope(function, place)
            found[f"{name}: noise that passes at {place:g}"] = left_of_zero(function, place, seed)
        means, errors = measure(quick, seed)[name]
        found |= {f"{name}, trained: {key}": value for key, value in means.items()}
        found[f"{name}, trained: standard error of the last"] = errors[
            f"accuracy, noise {NOISES[-1]}"
        ]
    grid = np.linspace(-8, 8, 160_001)
    gap = np.abs(F.gelu(grid) - F.gelu(grid, approximate="tanh"))
    found["GELU, exact - tanh form: at most"] = float(gap.max())
    found["GELU, exact - tanh form: largest at +-"] = float(abs(grid[gap.argmax()]))
    return found


def draw(quick: bool, seed: int) -> Figure:
    table = measure(quick, seed)
    picture, ((left, middle, right),) = figure(14, 4.4, columns=3)
    colours = dict(zip(ACTIVATIONS, (BLUE, GREEN, ORANGE, PINK), strict=True))
    x = np.linspace(-5, 2, 400)
    for name, function in ACTIVATIONS.items():
        line, colour = LINES[name], colours[name]
        left.plot(x, function(x), line, color=colour, label=name)
        places = np.arange(-6, 2.1, 0.25)
        passes = [left_of_zero(function, place, seed) for place in places]
        middle.semilogy(places, np.maximum(passes, 1e-6), line, color=colour)
        means, errors = table[name]
        keys = [f"accuracy, noise {amount}" for amount in NOISES]
        values, spread = ([part[key] for key in keys] for part in (means, errors))
        right.errorbar(NOISES, values, spread, linestyle=line, color=colour, label=name)
    left.set(title="The functions", xlabel="x")
    middle.set(title="Share of noise that passes", xlabel="x", ylim=(1e-5, 2))
    right.set(title="Trained nets", xlabel="noise on the pixels", ylabel="share read correctly")
    left.legend()
    return picture


if __name__ == "__main__":
    raise SystemExit(lesson.run("elu_noise", __doc__, finding, draw))
