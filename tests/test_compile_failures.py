"""Compiled calls that fail halfway: generators and parameters are as before the call."""

from functools import partial

import numpy as np
import pytest
from numpy.testing import assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn

F = nn.functional
INDICES, LABELS = np.array([0, 1, 2, 0]), np.array([1, 1, 7, 1])

# what is done with what dropout left; the second argument is good or bad
FAILING = {
    "an index": (lambda h, i: h[i], INDICES, LABELS),
    "an index below": (lambda h, i: h[i], INDICES, -LABELS),
    "rows": (lambda h, i: tg.take(h, i, axis=0), INDICES, LABELS),
    "a class": (F.cross_entropy, INDICES, LABELS),
    "a singular matrix": (
        lambda h, m: (tg.linalg.inv(m), h),
        np.eye(3),
        np.ones((3, 3)),
    ),
    "a number that overflows": (lambda h, number: h * number**400, 1.0, 10.0),
}


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", FAILING)
def test_what_fails_after_a_draw_puts_the_generator_back(name, backend):
    """The next mask is the one that would have come without the failing call."""
    if backend == "numba":
        pytest.importorskip("numba")
    rest, good, bad = FAILING[name]

    @partial(tg.compile, backend=backend)
    def f(x, other):
        return rest(F.dropout(x, 0.5, True), other)

    x = np.ones((4, 3))
    f(x, good)
    tg.manual_seed(1)
    expected = F.dropout(x, 0.5, True)
    tg.manual_seed(1)
    with pytest.raises((IndexError, ValueError, ArithmeticError)):
        f(x, bad)
    assert_array_equal(F.dropout(x, 0.5, True), expected)


def test_a_number_that_cannot_be_computed_changes_no_parameter():
    """Arithmetic on numbers comes before everything that is drawn or written."""
    model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    sgd = tg.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    @tg.compile
    def step(x, number):
        sgd.zero_grad()
        loss = (model(x) ** 2).sum()
        loss.backward()
        sgd.step()
        return loss * number**400

    x = np.random.default_rng(0).normal(size=(4, 3)).astype("f4")
    for _ in range(2):
        step(x, 1.0)
    before = {k: np.array(v) for k, v in model.state_dict().items()}
    with pytest.raises(OverflowError):
        step(x, 10.0)
    for name, value in model.state_dict().items():
        assert_array_equal(value, before[name], err_msg=name)
