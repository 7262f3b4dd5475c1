"""Where the largest entries of windows stand: each way of finding them against looking at all."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from tinygrad_cs.ops.sliding import largest
from tinygrad_cs.ops.sliding.windows import Windows


def one_by_one(x, rows, cols):
    """The first of the largest entries, and a NaN before all: with a loop over windows."""
    images = x.reshape(-1, rows.size, cols.size)
    out = np.zeros((len(images), rows.count, cols.count), np.intp)
    for n, u, v in np.ndindex(out.shape):
        seen = [
            (y, z)
            for y in range(u * rows.stride - rows.low, u * rows.stride - rows.low + rows.reach)[
                :: rows.dilation
            ]
            for z in range(v * cols.stride - cols.low, v * cols.stride - cols.low + cols.reach)[
                :: cols.dilation
            ]
            if 0 <= y < rows.size and 0 <= z < cols.size
        ]
        values = np.array([images[n, y, z] for y, z in seen])
        y, z = seen[values.argmax()]  # NaN counts as the largest there, too
        out[n, u, v] = (n * rows.size + y) * cols.size + z
    return out.reshape(*x.shape[:-2], rows.count, cols.count)


@st.composite
def windows(draw, padded):
    kernel, dilation = draw(st.integers(1, 4)), draw(st.integers(1, 2))
    reach = (kernel - 1) * dilation + 1
    size = reach + draw(st.integers(0, 6))
    low, high = (draw(st.integers(0, kernel // 2)) for _ in range(2)) if padded else (0, 0)
    return Windows(size, kernel, draw(st.integers(1, 9)), low, high, dilation)


@pytest.mark.parametrize("few", [0, 10**9], ids=["large", "few"])
@pytest.mark.parametrize("padded", [False, True])
@given(data=st.data())
def test_every_way_finds_the_first_of_the_largest(data, few, padded):
    rows, cols = data.draw(windows(padded)), data.draw(windows(padded))
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    x = rng.integers(0, 4, (data.draw(st.integers(1, 5)), rows.size, cols.size)).astype("f4")
    x[rng.random(x.shape) < data.draw(st.sampled_from([0, 0.1]))] = np.nan
    x[rng.random(x.shape) < 0.1] = data.draw(st.sampled_from([0.0, np.inf, -np.inf]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(largest, "_FEW", few)
        patch.setattr(largest, "_PART", 2 * x[0].size)  # several parts, the last one shorter
        found = largest.positions_of_max(x, (rows, cols))
        turned = largest.positions_of_max(np.asfortranarray(x), (rows, cols))
    assert_array_equal(found, one_by_one(x, rows, cols))
    assert_array_equal(turned, found)


@pytest.mark.parametrize("kernel", [300, 256, 257])
def test_wide_windows(kernel):
    """Their entries are counted in more than one byte."""
    x = np.random.default_rng(0).random((2, 9, 600))
    found = largest.positions_of_max(x, (Windows(600, kernel, 100),))
    for v in range(found.shape[-1]):
        seen = x[:, :, 100 * v : 100 * v + kernel].reshape(18, -1)
        at = seen.argmax(axis=1) + 100 * v + 600 * np.arange(18)
        assert_array_equal(found[..., v].reshape(-1), at)
