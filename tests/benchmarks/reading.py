"""Reading MNIST-sized files: `data.read_idx` against `np.fromfile`, which checks nothing.

    python tests/benchmarks/reading.py

The files are written to a temporary folder and read from the file cache, in turn; medians.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from tinygrad_cs import data

SHAPE = (60_000, 28, 28)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21, help="readings of each kind (21)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        for name, ours, plain in cases(Path(folder)):
            seconds: tuple[list[float], list[float]] = [], []
            for _ in range(rounds):
                for times, call in zip(seconds, (ours, plain), strict=True):
                    times.append(timed(call))
            mine, theirs = map(median, seconds)
            print(f"{name:<34} {mine * 1e3:8.2f} ms {theirs * 1e3:8.2f} ms {mine / theirs:6.2f}")


def cases(folder: Path) -> list[tuple[str, Callable[[], Any], Callable[[], Any]]]:
    """Name, our reader and the plain reading it is compared with."""
    random = np.random.default_rng(0)
    # Mostly blank, as digits are, so that the packed file is of a realistic size.
    images = np.where(random.random(SHAPE) < 0.2, random.integers(0, 256, SHAPE), 0).astype("u1")
    content = bytes([0, 0, 8, 3]) + np.array(SHAPE, ">u4").tobytes() + images.tobytes()
    (folder / "train-images-idx3-ubyte").write_bytes(content)
    labels = bytes([0, 0, 8, 1]) + np.array(SHAPE[:1], ">u4").tobytes() + bytes(SHAPE[0])
    (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    packed = folder / "images.gz"
    packed.write_bytes(gzip.compress(content, compresslevel=1))
    file = folder / "train-images-idx3-ubyte"
    np.save(folder / "images.npy", images)
    np.savez(folder / "images.npz", images=images)
    return [
        ("read_idx, np.fromfile", lambda: data.read_idx(file), lambda: np.fromfile(file, "u1")),
        (
            "read_mnist, np.fromfile",
            lambda: data.read_mnist(folder),
            lambda: np.fromfile(file, "u1"),
        ),
        (
            "read_idx packed, gzip.decompress",
            lambda: data.read_idx(packed),
            lambda: gzip.decompress(packed.read_bytes()),
        ),
        (
            "read_npy, np.load",
            lambda: data.read_npy(folder / "images.npy"),
            lambda: np.load(folder / "images.npy"),
        ),
        (
            "read_npz, np.load",
            lambda: data.read_npz(folder / "images.npz"),
            lambda: dict(np.load(folder / "images.npz")),
        ),
    ]


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    del result
    return seconds


if __name__ == "__main__":
    main()
