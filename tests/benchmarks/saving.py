"""A million parameters with the state of Adam: saved and loaded, against the disk alone.

`plain` writes the same bytes with one call and forces them to the disk (and reads them with one
call), so it is what the disk does. The others check what they write; saving within twice the time
of `plain` is the aim. Disks differ from second to second: alone the fastest of many calls counts,
with the median beside it.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import numpy as np

SHAPES = [(512, 1024), (1024, 384), (81920,), (512,)]
CASES = ("save", "load")


def make(case: str, peer: str) -> Callable[[], float]:
    """A call that saves or loads once and returns the seconds it took."""
    folder = tempfile.TemporaryDirectory()
    save, load = PEERS[peer](Path(folder.name) / "state")
    action = {"save": save, "load": load}[case]
    save()

    def call(keep: Any = folder) -> float:
        start = perf_counter()
        action()
        return perf_counter() - start

    return call


def arrays() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        f"{kind}.{k}": rng.standard_normal(shape).astype(np.float32)
        for kind in ("weight", "mean", "square")
        for k, shape in enumerate(SHAPES)
    }


def ours(path: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    import tinygrad_cs as tg

    state = {"model": arrays(), "rate": 1e-3, "step": 10}
    return lambda: tg.save(path, state), lambda: tg.load(path)


def plain(path: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    whole = b"".join(array.tobytes() for array in arrays().values())

    def save() -> None:
        with open(path, "wb") as file:
            file.write(whole)
            file.flush()
            os.fsync(file.fileno())

    return save, path.read_bytes


def safetensors_package(path: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    from safetensors import numpy

    state = arrays()
    return lambda: numpy.save_file(state, path), lambda: numpy.load_file(path)


def numpy_archive(path: Path) -> tuple[Callable[[], Any], Callable[[], Any]]:
    state = arrays()
    archive = path.with_suffix(".npz")

    def load() -> dict[str, np.ndarray]:
        with np.load(archive) as file:
            return dict(file)

    return lambda: np.savez(archive, **state), load


PEERS: dict[str, Callable[[Path], tuple[Callable[[], Any], Callable[[], Any]]]] = {
    "ours": ours,
    "plain": plain,
    "safetensors": safetensors_package,
    "npz": numpy_archive,
}


def main(argv: list[str] | None = None) -> None:
    """Print the fastest and the median, all peers in turn."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=41, help="calls of each (41)")
    rounds = parser.parse_args(argv).rounds
    for case in CASES:
        calls = {peer: make(case, peer) for peer in PEERS}
        times: dict[str, list[float]] = {peer: [] for peer in PEERS}
        for _ in range(rounds):
            for peer, call in calls.items():
                times[peer].append(call())
        for peer, measured in times.items():
            least, middle = min(measured), median(measured)
            ratio = least / min(times["plain"])
            print(
                f"{case} {peer:12} {least * 1e3:7.2f} ms  {ratio:5.2f} times plain "
                f"(median {middle * 1e3:.2f} ms)"
            )


if __name__ == "__main__":
    main()
