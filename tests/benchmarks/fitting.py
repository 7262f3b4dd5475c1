"""What `training.fit` adds to the loop one writes by hand, on the digits net.

    python tests/benchmarks/fitting.py

MLP 64-128-64-10, batches of 64 out of 1,797 samples, Adam. All forms run in turn in one process,
20 epochs at a time, and the fastest of many rounds counts. Aim: `fit` adds at most 3 %.
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
from tinygrad_cs import data, nn, optim, training

SAMPLES, BATCH, EPOCHS = 1797, 64, 20


def prepared() -> tuple[nn.Module, Any, optim.Optimizer, data.DataLoader]:
    """Model, loss, optimizer and loader, the same each time."""
    rng = tg.manual_seed(0)
    x = rng.standard_normal((SAMPLES, 64), np.float32)
    y = rng.integers(0, 10, SAMPLES)
    model = nn.Sequential(
        nn.Linear(64, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 10)
    )
    loader = data.DataLoader(data.TensorDataset(x, y), BATCH, shuffle=True)
    return model, nn.CrossEntropyLoss(), optim.Adam(model.parameters()), loader


def by_hand() -> Callable[[], Any]:
    model, loss_function, optimizer, loader = prepared()

    def train() -> None:
        for _ in range(EPOCHS):
            for x, y in loader:
                optimizer.zero_grad()
                loss = loss_function(model(x), y)
                loss.backward()
                optimizer.step()
                loss.item()

    return train


def fitted(**options: Any) -> Callable[[], Any]:
    model, loss, optimizer, loader = prepared()

    def train() -> None:
        training.fit(
            model, loader, loss=loss, optimizer=optimizer, epochs=EPOCHS, progress=False, **options
        )

    return train


FORMS = {
    "by hand": by_hand,
    "fit": fitted,
    "by hand, again": by_hand,
    "fit, metrics='accuracy'": lambda: fitted(metrics="accuracy"),
    "fit, clip_norm=1.0": lambda: fitted(clip_norm=1.0),
    "fit, ema=0.999": lambda: fitted(ema=0.999),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    rounds = parser.parse_args().rounds
    forms = {name: make() for name, make in FORMS.items()}
    best = dict.fromkeys(forms, float("inf"))
    for _ in range(rounds):
        for name, train in forms.items():
            start = time.perf_counter()
            train()
            best[name] = min(best[name], time.perf_counter() - start)
    batches = EPOCHS * -(-SAMPLES // BATCH)
    for name, seconds in best.items():
        more = seconds / best["by hand"] - 1
        print(f"{name:26}{seconds / batches * 1e6:8.1f} µs a batch  {more:+7.1%}")


if __name__ == "__main__":
    main()
