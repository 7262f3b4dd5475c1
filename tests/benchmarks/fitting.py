"""What `training.fit` adds to the loop one writes by hand, on the digits net.

    python tests/benchmarks/fitting.py

MLP 64-128-64-10, batches of 64 out of 1,797 samples, Adam. A call trains for five epochs and
returns the mean loss of the last; making the run, and tracing where it is compiled, is part of it.
Alone all forms run in one process, in another order each round; what counts is the median over the
rounds of a form's time divided by that of the loop by hand in the same round. Aim: `fit` adds at
most 3 %.
"""

from __future__ import annotations

import argparse
import os
import random
import time
from collections.abc import Callable
from statistics import median
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

SAMPLES, BATCH, EPOCHS = 1797, 64, 5


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that trains for some epochs and returns the mean loss of the last one."""
    return PEERS[peer]()


def prepared() -> tuple[Any, Any, Any, Any]:
    """Model, loss, optimizer and loader, the same each time."""
    import tinygrad_cs as tg
    from tinygrad_cs import data, nn, optim

    rng = tg.manual_seed(0)
    x = rng.standard_normal((SAMPLES, 64), np.float32)
    y = rng.integers(0, 10, SAMPLES)
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    loader = data.DataLoader(data.TensorDataset(x, y), BATCH, shuffle=True)
    return model, nn.CrossEntropyLoss(), optim.Adam(model.parameters()), loader


def by_hand() -> Callable[[], float]:
    model, loss_function, optimizer, loader = prepared()

    def train() -> float:
        for _ in range(EPOCHS):
            total = 0.0
            for x, y in loader:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)
                loss.backward()
                optimizer.step()
                total += loss.item() * len(y)
        return total / SAMPLES

    return train


def fitted(**options: Any) -> Callable[[], float]:
    from tinygrad_cs import training

    model, loss, optimizer, loader = prepared()

    def train() -> float:
        history = training.fit(
            model, loader, loss=loss, optimizer=optimizer, epochs=EPOCHS, progress=False, **options
        )
        return float(history["loss"][-1])

    return train


PEERS: dict[str, Callable[[], Callable[[], float]]] = {
    "ours": fitted,
    "by-hand": by_hand,
    "ours-compiled": lambda: fitted(compile=True),
    "ours-accuracy": lambda: fitted(metrics="accuracy"),
    "ours-clipped": lambda: fitted(clip_norm=1e9),
    "ours-averaged": lambda: fitted(ema=0.999, ema_use="validation"),
}


def main() -> None:
    """Print the median time of each form, and what it adds to the loop by hand."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=60)
    rounds = parser.parse_args().rounds
    forms = {name: form() for name, form in PEERS.items()} | {"by-hand, again": by_hand()}
    seconds: dict[str, list[float]] = {name: [] for name in forms}
    order = list(forms)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            forms[name]()
            seconds[name].append(time.perf_counter() - start)
    batches = EPOCHS * -(-SAMPLES // BATCH)
    for name, times in seconds.items():
        more = median(a / b for a, b in zip(times, seconds["by-hand"], strict=True)) - 1
        print(f"{name:26}{median(times) / batches * 1e6:8.1f} µs a batch  {more:+7.1%}")


if __name__ == "__main__":
    main()
