"""What `inspect.watch` adds to a training step, measuring at every tenth, on the digits net.

    python tests/benchmarks/watching.py

MLP 64-128-10 (with --hidden 128 64: 64-128-64-10), batches of 32 out of 1,797 samples, Adam. Blocks
of ten steps, of which one is measured, take turns with blocks that nobody watches; the fastest
block of many counts, so that other programs disturb little. Aim: at most 5 %.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

import tinygrad_cs as tg
from tinygrad_cs import inspect, nn, optim

EVERY, SAMPLES = 10, 1797


def stepping(hidden: list[int], batch: int, activation: str) -> tuple[nn.Module, Callable[[], Any]]:
    """The net, and one step of its training."""
    rng = tg.manual_seed(0)
    images = rng.standard_normal((SAMPLES, 64), np.float32)
    labels = rng.integers(0, 10, SAMPLES)
    layers: list[nn.Module] = []
    for inputs, outputs in zip([64, *hidden], hidden, strict=False):
        layers += [nn.Linear(inputs, outputs), getattr(nn, activation)()]
    model = nn.Sequential(*layers, nn.Linear(hidden[-1], 10))
    loss_function, optimizer = nn.CrossEntropyLoss(), optim.Adam(model.parameters())
    starts = iter(lambda: rng.integers(SAMPLES - batch), None)

    def step() -> None:
        start = next(starts)
        x, y = images[start : start + batch], labels[start : start + batch]
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()
        loss.item()

    return model, step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--blocks", type=int, default=4000)
    parser.add_argument("--hidden", type=int, nargs="+", default=[128])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--activation", default="ReLU")
    options = parser.parse_args()
    alone = stepping(options.hidden, options.batch, options.activation)[1]
    model, step = stepping(options.hidden, options.batch, options.activation)
    watch = inspect.watch(model, EVERY)
    watch.step()  # measurements then begin and end within a block

    def watched() -> None:
        step()
        watch.step()

    best = {"alone": float("inf"), "watched": float("inf")}
    for _ in range(options.blocks):
        for name, one in (("alone", alone), ("watched", watched)):
            start = time.perf_counter()
            for _ in range(EVERY):
                one()
            best[name] = min(best[name], time.perf_counter() - start)
    for name, seconds in best.items():
        print(f"{name:10}{seconds / EVERY * 1e6:8.1f} µs a step")
    print(f"watching adds {best['watched'] / best['alone'] - 1:.1%}")


if __name__ == "__main__":
    main()
