"""Measuring: every peer in a process of its own, all of them alive at once, timed in turn.

Speed on a shared machine comes in phases, when neighbours are busy or the clock changes. So the
processes of one workload are started together, and then each is timed for a slice of a fraction
of a second before the next one has its turn, over and over: a slow phase meets all peers alike.
Memory layout differs from process to process, so all this is repeated with new processes.

A busy second core changes the order of the peers, not only their times: products on two threads
then wait for the scheduler. So a slice begins when other processes are quiet and is repeated
when they were not, as long as there is patience; what remains disturbed is marked.

The conversation: a worker prints a line of JSON when it is ready. For each line it then reads,
a number of seconds, it measures for so long and prints another line of JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THREADS = 2
CHECKED_CALLS = 21  # the first call returns the loss before any update, this one after twenty
COMPARED_AFTER = 5  # calls, after which weights are compared: later, a kink may have parted them
BLOCK = 2e-3  # seconds: long enough for the clock, and for the garbage collector to take part
BUSY = 0.15  # cores used by other processes, beyond which a slice counts as disturbed
PAUSE = 0.1  # seconds after which the thread pools of the last peer have gone to sleep
TIMEOUT = 180.0


class Load:
    """How many cores other processes use. It needs Linux; elsewhere the answer is none."""

    def __init__(self) -> None:
        self._start = self._read()

    def others(self) -> float:
        wall, busy, own = (b - a for a, b in zip(self._start, self._read(), strict=True))
        return max(0.0, (busy - own) / wall)

    @staticmethod
    def _read() -> tuple[float, float, float]:
        children = os.times()
        own = time.process_time() + children.children_user + children.children_system
        busy = 0.0
        if sys.platform == "linux":
            cores = {f"cpu{n}" for n in os.sched_getaffinity(0)}
            for line in Path("/proc/stat").read_text().splitlines():
                name, *ticks = line.split()
                if name in cores:  # user, nice, system, idle, iowait, irq, softirq, steal
                    busy += sum(int(ticks[k]) for k in (0, 1, 2, 5, 6, 7))
            busy /= os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), busy, own


# In the worker


def serve(
    make: Callable[[], Any], self_timed: bool, make_checked: Callable[[], Any] | None = None
) -> None:
    """Answer the driver. A self-timed call returns the seconds to be counted.

    What is made is a function or a `Step`; where it is random, `make_checked` is compared instead.
    """
    try:
        made = make()
        call = getattr(made, "run", made)
        if self_timed:
            call()
            ready: dict[str, Any] = {"check": None}
        else:
            ready = _checked(make_checked() if make_checked else made)
            repeats = repeats_for(call)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError)
        reason = f"{error.name} is not installed" if missing else _one_line(error)
        print(json.dumps({"skipped": reason}), flush=True)
        return
    print(json.dumps(ready), flush=True)
    for line in sys.stdin:
        end = time.perf_counter() + float(line)
        if not self_timed:
            timed(call, repeats)  # wakes sleeping threads and caches
        load = Load()
        times = []
        while not times or time.perf_counter() < end:
            times.append(call() if self_timed else timed(call, repeats))
        print(json.dumps({"times": times, "others": load.others()}), flush=True)


def _checked(made: Any) -> dict[str, Any]:
    """What the last of some calls returned, and what the weights were before."""
    call = getattr(made, "run", made)
    values = [call() for _ in range(COMPARED_AFTER)]
    weights = made.fingerprint() if hasattr(made, "fingerprint") else []
    values += [call() for _ in range(CHECKED_CALLS - COMPARED_AFTER)]
    return {"check": values[-1], "weights": weights}


def timed(call: Callable[[], Any], repeats: int) -> float:
    """Seconds per call. The garbage collector stays on: what a library leaves, it pays for."""
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - start) / repeats


def repeats_for(call: Callable[[], Any], warm_up: float = 0.2) -> int:
    """Warm up for a moment, then say how many calls fill a block."""
    end = time.perf_counter() + warm_up
    times = []
    while time.perf_counter() < end:
        times.append(timed(call, 1))
    return max(1, round(BLOCK / median(times)))


def _one_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0].strip()}"[:200]


# In the driver


def bind_to_cores() -> None:
    """Keep this process and its children on as many cores as there are threads.

    The variables for BLAS do not reach libraries with thread pools of their own (XLA).
    """
    if sys.platform == "linux":
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])


class Patience:
    """The seconds that a whole run may spend on waiting for other processes."""

    def __init__(self, seconds: float) -> None:
        self.left = seconds

    def wait(self) -> None:
        """Pause, and go on pausing until other processes are quiet."""
        while True:
            load = Load()
            time.sleep(PAUSE)
            if load.others() <= BUSY or self.left <= 0:
                return
            self.left -= PAUSE


def one_round(
    command: list[str], peers: list[str], slices: int, seconds: float, patience: Patience
) -> dict[str, dict[str, Any]]:
    """Time the peers in turn; for each: the check, the times, and the load by others."""
    workers = {peer: Worker([*command, peer]) for peer in peers}
    try:
        # One after the other, so that no one warms up while another compiles.
        results = {peer: worker.start() for peer, worker in workers.items()}
        ready = [peer for peer in peers if "skipped" not in results[peer]]
        for peer in ready:
            results[peer] |= {"slices": []}
        for _ in range(slices):
            for peer in ready:
                if "skipped" in results[peer]:
                    continue
                answer = quiet_slice(workers[peer], f"{seconds}\n", seconds, patience)
                if "skipped" in answer:
                    results[peer] = answer
                else:
                    results[peer]["slices"].append(answer)
    finally:
        for worker in workers.values():
            worker.stop()
    return results


def quiet_slice(worker: Worker, request: str, seconds: float, patience: Patience) -> dict[str, Any]:
    """What a worker answers to a request for so many seconds, repeated while others are busy."""
    while True:
        patience.wait()
        answer = worker.ask(request)
        if "skipped" in answer or answer["others"] <= BUSY or patience.left <= 0:
            return answer
        patience.left -= seconds


class Worker:
    """A process that measures one peer."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> dict[str, Any]:
        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(THREADS)
        )
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        environment = (
            os.environ | threads | {"PYTHONPATH": os.pathsep.join(paths), "JAX_PLATFORMS": "cpu"}
        )
        # Without cached bytecode, imports would be timed with their compilation.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        self._process = subprocess.Popen(
            [sys.executable, *self._command],
            env=environment,
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return self._answer()

    def ask(self, line: str) -> dict[str, Any]:
        assert self._process is not None and self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # the missing answer tells
        return self._answer()

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _answer(self) -> dict[str, Any]:
        assert self._process is not None and self._process.stdout is not None
        watchdog = threading.Timer(TIMEOUT, self._process.kill)
        watchdog.start()
        # A library may print something of its own.
        line = next((text for text in self._process.stdout if text.startswith("{")), None)
        watchdog.cancel()
        if line:
            return json.loads(line)
        _, errors = self._process.communicate()
        last = (errors.strip().splitlines() or ["no answer"])[-1]
        return {"skipped": f"the process ended: {last}"[:200]}
