"""The time of single operations, forward and backward: ours, PyTorch's, and NumPy by hand.

Run it from the root of the repository, on an otherwise idle machine:

    pip install -e ".[bench]"
    python tests/benchmarks/operations.py                        # every row, about ten minutes
    python tests/benchmarks/operations.py --only tanh --only sum --sizes 10,1000
    python tests/benchmarks/operations.py --json operations.json

``compare.py --only operations`` does the same among the other workloads. Timed is: the operation
on fresh nodes, backward from a given cotangent, gradients written to the leaves, then cleared;
float32, two threads. At a million entries there is a third form, the formula in plain NumPy, whose
gradients have memory of their own like the others'. ``operation_rows`` has the three forms of
every row. Before a row is timed they must agree in value and gradients.

Peers are timed in turn, PyTorch in another process: its thread pool waits by spinning, which made
NumPy a tenth slower beside it. A number is the best round's median, since other processes only ever
add; where no round was undisturbed by them it is marked (!) and decides nothing.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import operation_table
import timing
from operation_rows import ROWS, Row

SIZES = (10, 1_000, 1_000_000)
BY_HAND_FROM = 100_000  # below, NumPy alone is faster than anything that records
TOLERANCE = 1e-3  # of the largest entry: float32, and sums over a million
LIBRARIES = {"ours": "tinygrad_cs", "torch": "torch"}
SECONDS = 0.12  # for a peer and round
ROUNDS = 3
WAIT = 120.0  # seconds to spend on waiting for other processes
WARM_UP = 0.05


def main() -> int:
    if sys.argv[1:2] == ["worker"]:
        serve(sys.argv[2])
        return 0
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="rows with this in the name"
    )
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of entries")
    parser.add_argument("--rounds", type=int, default=ROUNDS, metavar="N", help="rounds (3)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there")
    options = parser.parse_args()
    names = [name for name in ROWS if any(part in name for part in options.only or [""])]
    if not names:
        sys.exit(f"no row is called {options.only}; there are: {', '.join(ROWS)}")
    timing.bind_to_cores()
    sizes = [int(size) for size in options.sizes.split(",")]
    result = measure(names, sizes, options.rounds, timing.Patience(WAIT))
    print(operation_table.table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")
    return int(any("differs" in entry.get("skipped", "") for entry in result["rows"]))


def measure(
    names: Sequence[str], sizes: Sequence[int], rounds: int, patience: timing.Patience
) -> dict[str, Any]:
    """The seconds of every row, size and peer, ready to be written as JSON."""
    script = str(Path(__file__).resolve())
    workers = {peer: timing.Worker([script, "worker", peer]) for peer in LIBRARIES}
    found: list[dict[str, Any]] = []
    try:
        for worker in workers.values():
            worker.start()
        for name in names:
            print(f"operation {name}", file=sys.stderr, flush=True)
            for size in sizes:
                entry: dict[str, Any] = {"row": name, "size": size}
                found.append(entry)
                if reason := disagreement(ROWS[name], size):
                    entry["skipped"] = reason
                    continue
                peers = ["ours", "torch", *(["numpy"] if size >= BY_HAND_FROM else [])]
                best = dict.fromkeys(peers, float("inf"))
                disturbed = dict.fromkeys(peers, True)
                for turn in range(rounds):
                    for peer in peers[turn % len(peers) :] + peers[: turn % len(peers)]:
                        request = json.dumps([name, size, peer]) + "\n"
                        worker = workers[peer if peer in workers else "ours"]
                        answer = timing.quiet_slice(worker, request, SECONDS, patience)
                        if "skipped" in answer:
                            sys.exit(f"{name}, {size} entries, {peer}: {answer['skipped']}")
                        best[peer] = min(best[peer], answer["seconds"])
                        disturbed[peer] &= answer["others"] > timing.BUSY
                entry["seconds"] = best
                entry["disturbed"] = [peer for peer in peers if disturbed[peer]]
    finally:
        for worker in workers.values():
            worker.stop()
    return {"sizes": list(sizes), "rows": found}


def serve(peer: str) -> None:
    """A worker: for each request, a row, a size, a peer and a time, the median of one slice."""
    library(peer)
    print("{}", flush=True)
    ready: dict[Any, tuple[Callable[[], Any], int]] = {}
    for line in sys.stdin:
        name, size, form = json.loads(line)
        if (name, size) not in {key[:2] for key in ready}:
            ready.clear()
        if (name, size, form) not in ready:
            call = prepare(ROWS[name], size, form)
            ready[name, size, form] = call, timing.repeats_for(call, WARM_UP)
        call, repeats = ready[name, size, form]
        timing.timed(call, repeats)
        load = timing.Load()
        end = time.perf_counter() + SECONDS
        times = [timing.timed(call, repeats)]
        while time.perf_counter() < end:
            times.append(timing.timed(call, repeats))
        print(json.dumps({"seconds": median(times), "others": load.others()}), flush=True)


def prepare(row: Row, size: int, peer: str) -> Callable[[], Any]:
    """The call that is timed."""
    operands = row.operands(size)
    cotangent: Any = row.cotangent(operands)
    if peer == "numpy":

        def by_hand() -> Any:
            value, pull = row.by_hand(*operands)
            return value, pull(cotangent)

        return by_hand

    lib, form = library(peer), getattr(row, peer)
    given = [as_operand(peer, a) for a in operands]
    leaves = [x for x in given if getattr(x, "requires_grad", False)]
    cotangent = lib.asarray(cotangent)

    # Both libraries are used in the same words.
    def call() -> None:
        form(lib, *given).backward(cotangent)
        for leaf in leaves:
            leaf.grad = None

    return call


def library(peer: str) -> Any:
    module = importlib.import_module(LIBRARIES[peer])
    if peer == "torch":
        module.set_num_threads(timing.THREADS)
    return module


def as_operand(peer: str, array: np.ndarray) -> Any:
    """Floating arrays become leaves; an index or a mask is what each library takes best."""
    if array.dtype.kind == "f":
        return library(peer).tensor(array, requires_grad=True)
    return library(peer).from_numpy(array) if peer == "torch" else array


def disagreement(row: Row, size: int) -> str:
    """Why a row cannot be timed: a library lacks it, or the forms differ; else nothing."""
    operands = row.operands(size)
    cotangent = row.cotangent(operands)
    value, pull = row.by_hand(*operands)
    gradients = pull(cotangent)
    wanted = [value, *(gradients if isinstance(gradients, tuple) else (gradients,))]
    if any(np.shares_memory(gradient, cotangent) for gradient in wanted[1:]):
        return "the form by hand differs: its gradient shares memory with the cotangent"
    for peer in LIBRARIES:
        try:
            results = list(_results(row, peer, operands, cotangent))
        except AttributeError as error:
            return f"{peer}: {error}"
        for i, (got, want) in enumerate(zip(results, wanted, strict=True)):
            what = f"gradient {i}" if i else "value"
            if np.shape(got) != np.shape(want) or got.dtype != np.float32:
                return f"{peer} differs: {what} is {got.dtype}{np.shape(got)}, not {np.shape(want)}"
            error = np.max(np.abs(got - want), initial=0)
            if not error <= TOLERANCE * np.max(np.abs(want), initial=1e-30):
                return f"{peer} differs from the form by hand: {what} by {error:.1e}"
    return ""


def _results(row: Row, peer: str, operands: list[Any], cotangent: Any) -> Iterator[Any]:
    """The value and the gradients that a library computes, as arrays."""
    lib = library(peer)
    given = [as_operand(peer, a) for a in operands]
    value = getattr(row, peer)(lib, *given)
    value.backward(lib.asarray(cotangent))
    yield value.detach().numpy()
    for x in given:
        if getattr(x, "requires_grad", False):
            yield np.asarray(x.grad)


if __name__ == "__main__":
    sys.exit(main())
