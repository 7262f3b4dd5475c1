"""Reading MNIST-sized files: the readers of `tg.data` against plain ones, which check nothing.

    python tests/benchmarks/reading.py

The files are written to a temporary folder and read from the file cache, alone in turn, the
fastest of many rounds. Aim: IDX files within 1.5 times `np.fromfile`.
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

SHAPE = (60_000, 28, 28)
CASES = ("idx", "mnist", "packed", "npy", "npz")
PEERS = ("ours", "plain")


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that reads once and returns the seconds it took."""
    folder = tempfile.TemporaryDirectory()
    read = READERS[case, peer](written(case, Path(folder.name)))

    def call(keep: Any = folder) -> float:
        start = perf_counter()
        result = read()
        seconds = perf_counter() - start
        del result
        return seconds

    return call


def written(case: str, folder: Path) -> Path:
    """The file to read; of "mnist" there are labels beside it."""
    random = np.random.default_rng(0)
    # Mostly blank, as digits are, so that the packed file is of a realistic size.
    images = np.where(random.random(SHAPE) < 0.2, random.integers(0, 256, SHAPE), 0).astype("u1")
    content = bytes([0, 0, 8, 3]) + np.array(SHAPE, ">u4").tobytes() + images.tobytes()
    path = folder / "train-images-idx3-ubyte"
    if case == "packed":
        path.write_bytes(gzip.compress(content, compresslevel=1))
    elif case == "npy":
        np.save(path := folder / "images.npy", images)
    elif case == "npz":
        np.savez(path := folder / "images.npz", images=images)
    else:
        path.write_bytes(content)
        labels = bytes([0, 0, 8, 1]) + np.array(SHAPE[:1], ">u4").tobytes() + bytes(SHAPE[0])
        (folder / "train-labels-idx1-ubyte").write_bytes(labels)
    return path


def ours(name: str, of_folder: bool = False) -> Callable[[Path], Callable[[], Any]]:
    """A reader of `tg.data`, for a file or for the folder it is in."""

    def on(path: Path) -> Callable[[], Any]:
        from tinygrad_cs import data

        return lambda: getattr(data, name)(path.parent if of_folder else path)

    return on


def fromfile(path: Path) -> Callable[[], Any]:
    return lambda: np.fromfile(path, "u1")


READERS: dict[tuple[str, str], Callable[[Path], Callable[[], Any]]] = {
    ("idx", "ours"): ours("read_idx"),
    ("idx", "plain"): fromfile,
    ("mnist", "ours"): ours("read_mnist", of_folder=True),
    ("mnist", "plain"): fromfile,
    ("packed", "ours"): ours("read_idx"),
    ("packed", "plain"): lambda path: lambda: gzip.decompress(path.read_bytes()),
    ("npy", "ours"): ours("read_npy"),
    ("npy", "plain"): lambda path: lambda: np.load(path),
    ("npz", "ours"): ours("read_npz"),
    ("npz", "plain"): lambda path: lambda: dict(np.load(path)),
}


def main() -> None:
    """Print the fastest reading of each kind."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=21, help="readings of each kind (21)")
    rounds = parser.parse_args().rounds
    for case in CASES:
        calls = [make(case, peer) for peer in PEERS]
        best = [float("inf")] * len(calls)
        for _ in range(rounds):
            best = [min(least, call()) for least, call in zip(best, calls, strict=True)]
        mine, plain = best
        print(f"{case:<8} {mine * 1e3:8.2f} ms, plain {plain * 1e3:8.2f} ms {mine / plain:6.2f}")


if __name__ == "__main__":
    main()
