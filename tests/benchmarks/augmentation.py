"""Augmenting batches of 128 colour images of 32 by 32 pixels: microseconds an image, on one core.

Alone it prints images a second for every case; to reach are 20,000 for crop, flip and jitter:

    OPENBLAS_NUM_THREADS=1 python tests/benchmarks/augmentation.py
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

BATCH = 128
CASES = {
    f"{name}-{dtype}": (name, dtype)
    for name in ("standard", "shift", "affine", "resized", "noise", "mixup", "cutmix", "cutout")
    for dtype in ("float32", "uint8")
}


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that augments one batch and returns a number of it."""
    return PEERS[peer](*CASES[case])


def ours(name: str, dtype: str) -> Callable[[], float]:
    from tinygrad_cs import data

    steps = {
        "standard": [
            data.RandomCrop(32, padding=4),
            data.RandomHorizontalFlip(),
            data.ColorJitter(0.4, 0.4, 0.4, 0.1),
        ],
        "shift": [data.RandomCrop(32, padding=4), data.RandomHorizontalFlip()],
        "affine": [data.RandomAffine(10, (0.1, 0.1))],
        "resized": [data.RandomResizedCrop(32, scale=(0.5, 1))],
        "noise": [data.GaussianNoise(0.05)],
        "mixup": [data.Mixup(num_classes=10)],
        "cutmix": [data.CutMix(num_classes=10)],
        "cutout": [data.Cutout(16)],
    }
    augment = data.Compose(steps[name], generator=0)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH, 3, 32, 32), dtype=np.uint8)
    if dtype == "float32":
        images = (images / 255).astype(np.float32)
    labels = rng.integers(0, 10, BATCH)

    def call() -> float:
        changed, _ = augment(images, labels)
        return float(changed[0, 0, 0, 0])

    return call


PEERS: dict[str, Callable[[str, str], Callable[[], float]]] = {"ours": ours}


def main(seconds: float = 0.5) -> None:
    """Print how many images a second each case makes: the median call."""
    for case in CASES:
        call = make(case, "ours")
        call()
        times = []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            start = time.perf_counter()
            call()
            times.append(time.perf_counter() - start)
        print(f"{case:18} {BATCH / np.median(times):10,.0f} images a second")


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:1])
    main()
