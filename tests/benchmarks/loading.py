"""An epoch of shuffled batches of 32, out of arrays in memory: the time a batch takes.

The loop does nothing with the batches, so this is the loader alone. `numpy-by-hand` gathers the
same batches in a bare loop: the difference to ours is what the loader adds.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

import numpy as np

CASES = {"digits": (1797, 64), "mnist": (60000, 784)}
BATCH = 32


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that goes through one epoch and returns the seconds a batch took."""
    samples, features = CASES[case]
    x = np.random.default_rng(0).random((samples, features), np.float32)
    epoch = PEERS[peer](x, np.arange(samples))

    def call() -> float:
        start = perf_counter()
        batches = epoch()
        return (perf_counter() - start) / batches

    return call


def ours(x: np.ndarray, y: np.ndarray) -> Callable[[], int]:
    return _ours(x, y)


def ours_in_threads(x: np.ndarray, y: np.ndarray) -> Callable[[], int]:
    return _ours(x, y, num_workers=2)


def ours_transformed(x: np.ndarray, y: np.ndarray) -> Callable[[], int]:
    return _ours(x, y, transform=lambda batch: batch)


def _ours(x: np.ndarray, y: np.ndarray, **options: object) -> Callable[[], int]:
    from tinygrad_cs import data

    dataset = data.TensorDataset(x, y)
    loader = data.DataLoader(dataset, BATCH, shuffle=True, generator=0, **options)
    return lambda: sum(1 for _ in loader)


def torch_loader(x: np.ndarray, y: np.ndarray) -> Callable[[], int]:
    import torch
    from torch.utils import data

    dataset = data.TensorDataset(torch.from_numpy(x), torch.from_numpy(y))
    loader = data.DataLoader(dataset, BATCH, shuffle=True)
    return lambda: sum(1 for _ in loader)


def by_hand(x: np.ndarray, y: np.ndarray) -> Callable[[], int]:
    rng = np.random.default_rng(0)

    def epoch() -> int:
        order = rng.permutation(len(x))
        starts = range(0, len(x), BATCH)
        for start in starts:
            chosen = order[start : start + BATCH]
            _ = x.take(chosen, axis=0), y.take(chosen, axis=0)
        return len(starts)

    return epoch


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], Callable[[], int]]] = {
    "ours": ours,
    "ours-threads": ours_in_threads,
    "ours-transform": ours_transformed,
    "torch": torch_loader,
    "numpy-by-hand": by_hand,
}


def main() -> None:
    """Print the best of five epochs for every case and peer."""
    for case in CASES:
        for peer in PEERS:
            call = make(case, peer)
            print(f"{case:8} {peer:16} {min(call() for _ in range(5)) * 1e6:8.1f} µs a batch")


if __name__ == "__main__":
    main()
