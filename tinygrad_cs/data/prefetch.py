"""Work done ahead, in threads: results in the order of the jobs, and never more than a few of them.

Whoever asks for the results also hands out the jobs: one more for each result taken. So there is
nothing that a thread could get stuck on but the job itself, and memory is bounded.
"""

from __future__ import annotations

import atexit
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, copy_context
from itertools import islice
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic
from typing import Any, TypeVar

from ..engine.errors import TinygradError

Job = TypeVar("Job")
Result = TypeVar("Result")

GRACE = 5.0
"""Seconds to wait at the end for jobs under way; a thread that needs longer is left to itself."""


class LoaderTimeoutError(TinygradError, TimeoutError):
    """A batch was not ready in the time that `DataLoader(timeout=...)` allows."""


def prefetched(
    jobs: Iterable[Job],
    work: Callable[[Job], Result],
    workers: int,
    ahead: int,
    timeout: float | None = None,
) -> Iterator[Result]:
    """`map(work, jobs)`, computed by `workers` threads up to `ahead` jobs ahead.

    What `work` raises is raised here, when its result is due. Modes, default dtype and generator
    of the thread that asks hold in the workers too. However the iteration ends, the threads end
    with it: jobs under way are waited for, others are dropped.
    """
    team = _Team(work, workers)
    pending: deque[Future[Result]] = deque()
    remaining = iter(jobs)
    late = False
    try:
        pending.extend(team.submit(job) for job in islice(remaining, ahead))
        while pending:
            future = pending.popleft()
            try:
                result = future.result(timeout)
            except TimeoutError as error:
                if future.done() and future.exception() is error:
                    raise  # the work's own
                late = True
                raise LoaderTimeoutError(
                    f"DataLoader: a batch was not ready within timeout={timeout} seconds; a sample "
                    f"may hang (a lock, a network), or be slow: write a longer timeout or more "
                    f"num_workers"
                ) from error
            finally:
                # The caller's name for a result shall be the only one while the caller works.
                del future
            pending.extend(team.submit(job) for job in islice(remaining, 1))
            yield result
            del result
    finally:
        team.stop(0 if late else GRACE)


class _Team:
    """Threads that take jobs from one queue."""

    def __init__(self, work: Callable[[Any], Any], workers: int) -> None:
        self._queue: SimpleQueue[tuple[Future[Any], Context, Any] | None] = SimpleQueue()
        # The threads are daemons, so that one that hangs does not keep the interpreter alive.
        self._threads = [
            Thread(target=_serve, args=(self._queue, work), name=f"DataLoader-{n}", daemon=True)
            for n in range(workers)
        ]
        _TEAMS.add(self)
        for thread in self._threads:
            thread.start()

    def submit(self, job: Any) -> Future[Any]:
        future: Future[Any] = Future()
        # A context of its own for each job: one cannot be entered twice at the same time.
        self._queue.put((future, copy_context(), job))
        return future

    def stop(self, seconds: float) -> None:
        """Drop the jobs that no thread has begun, and wait so long for the others."""
        with suppress(Empty):
            while request := self._queue.get_nowait():
                request[0].cancel()
        for _ in self._threads:
            self._queue.put(None)
        end = monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, end - monotonic()))


_TEAMS: weakref.WeakSet[_Team] = weakref.WeakSet()


@atexit.register
def _stop_all() -> None:
    # Iterations that an exception or a global name keeps alive end before the interpreter does.
    for team in list(_TEAMS):
        team.stop(GRACE / 5)


def _serve(queue: SimpleQueue[Any], work: Callable[[Any], Any]) -> None:
    while (request := queue.get()) is not None:
        future, context, job = request
        if not future.set_running_or_notify_cancel():
            continue
        try:
            result = context.run(work, job)
        except BaseException as error:
            future.set_exception(error)
        else:
            future.set_result(result)
            del result
        # Nothing of a job is kept while waiting for the next one.
        del request, future, context, job
