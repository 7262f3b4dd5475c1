"""Ctrl-C as a request: the batch is finished, and nothing is left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def asking_on_interrupt(request: Callable[[], None]) -> Iterator[None]:
    """A block in which the first Ctrl-C calls `request`; the second one interrupts as usual.

    Only in the main thread, where signals arrive, and only if nobody else handles them.
    """
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield
        return

    def handle(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        request()

    signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
