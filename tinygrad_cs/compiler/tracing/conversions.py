"""What `np.asarray` and `np.array` do while a function is traced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ...engine.types import np
from .stand_in import example_of
from .traced import Traced
from .traced_number import TracedNumber


def _recorder_in(x: Any) -> Any:
    """The recorder of the numbers in a list or tuple, nested or not; None where there are none."""
    if isinstance(x, (list, tuple)):
        return next((r for part in x if (r := _recorder_in(part)) is not None), None)
    return x.recorder if isinstance(x, TracedNumber) else None


@contextmanager
def asarray_lets_pass() -> Iterator[None]:
    """`np.asarray` and `np.array` do not ask what they are given how it wants to be converted."""
    asarray, array = np.asarray, np.array

    def passing(x: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        recorder = _recorder_in(x)
        if recorder is not None:
            kwargs = {} if dtype is None else {"dtype": dtype}
            return recorder.record("call", array, (x,), kwargs, array(example_of(x), **kwargs))
        if not isinstance(x, Traced):
            return asarray(x, dtype, *args, **kwargs)
        return x if dtype is None or x.dtype == dtype else x.astype(dtype)

    def copying(x: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(x, Traced):
            return passing(x, dtype) if _recorder_in(x) else array(x, dtype, *args, **kwargs)
        known = array(x.example, dtype)
        kwargs = {} if dtype is None else {"dtype": dtype}
        return x.recorder.record("call", array, (x,), kwargs, known)

    np.asarray, np.array = passing, copying
    try:
        yield
    finally:
        np.asarray, np.array = asarray, array
