"""NumPy functions that take nodes but have nothing to differentiate.

Two kinds. Those whose result is constant or no number (an index, a count, a truth, a text) get and
give plain values: no gradient is dropped, because there is none. Those that write into their
argument are refused: values in a graph do not change.
"""

from __future__ import annotations

from typing import Any

from ...engine.types import np

_PLAIN = """
    shape ndim size iterable isscalar result_type can_cast common_type min_scalar_type typename
    may_share_memory shares_memory isfortran broadcast_shapes einsum_path
    argmax argmin nanargmax nanargmin argsort argpartition argwhere nonzero flatnonzero lexsort
    searchsorted digitize count_nonzero
    all any array_equal array_equiv allclose isclose isin
    isnan isinf isfinite isneginf isposinf isreal iscomplex isrealobj iscomplexobj isnat signbit
    greater greater_equal less less_equal equal not_equal
    logical_and logical_or logical_not logical_xor
    zeros_like ones_like empty_like diag_indices_from tril_indices_from triu_indices_from
    array2string array_repr array_str save savez savez_compressed savetxt
    format_float_positional format_float_scientific
"""

_WRITING = "copyto put place putmask put_along_axis fill_diagonal"


def _named(text: str) -> frozenset[Any]:
    return frozenset(getattr(np, name) for name in text.split())


PLAIN = _named(_PLAIN) | {np.linalg.matrix_rank}
"""Functions whose result carries no derivative by nature."""

WRITING = _named(_WRITING)
"""Functions that change their first argument."""
