"""Products in pieces are the products, whatever the sizes leave over."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tinygrad_cs.ops.sliding import small_products
from tinygrad_cs.ops.sliding.small_products import product, summed_product

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def tiny_pieces(monkeypatch):
    """Pieces of a few columns, so that small matrices are cut."""
    monkeypatch.setattr(small_products, "_ONE_THREAD", 60)
    monkeypatch.setattr(small_products, "_WORTH_IT", 2)


@pytest.mark.parametrize("n", [1, 9, 10, 11, 20, 29])
@pytest.mark.parametrize("given", [False, True])
def test_pieces_of_columns(n, given):
    a, wide = RNG.normal(size=(2, 2, 3)), RNG.normal(size=(4, 2, 3, n + 3))
    b = wide[..., 2 : 2 + n]
    assert 60 // 6 == 10
    out = np.full((4, 2, 2, n), np.nan) if given else None
    result = product(a, b, out)
    assert_allclose(result, a @ b, rtol=1e-13)
    assert result is out or not given


@pytest.mark.parametrize("k", [1, 9, 10, 11, 20, 29])
def test_pieces_of_rows_are_summed(k):
    a, b = RNG.normal(size=(4, 2, 2, k)), RNG.normal(size=(4, 2, k, 3))
    assert_allclose(summed_product(a, b), (a @ b).sum(0), rtol=1e-12)


def test_float32_stays_float32():
    a, b = (RNG.normal(size=s).astype("f") for s in ((2, 3), (5, 3, 25)))
    assert product(a, b).dtype == np.float32
    assert summed_product(np.stack([a] * 5), b).dtype == np.float32
