"""A large gradient changes hands uncopied where nobody else holds it, and only there."""

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs.engine.define import undefine
from tinygrad_cs.engine.ownership import in_own_memory

LARGE = 10_000


def address(array):
    return array.__array_interface__["data"][0]


def gradient_through(rule):
    """What arrives at a large leaf when this is the rule of the operation it goes through."""
    operation = tg.autograd.operation(name="passing", dx=rule)(lambda x: x * 1)
    try:
        x = tg.tensor(np.ones(LARGE), requires_grad=True)
        operation(x).backward(np.full(LARGE, 3.0))
        return x.grad
    finally:
        undefine("passing")


def test_what_a_rule_has_made_is_taken_over():
    made = []

    def rule(g):
        out = np.negative(g)
        made.append(address(out))
        return out

    gradient = gradient_through(rule)
    assert [address(gradient)] == made
    np.testing.assert_array_equal(gradient, np.full(LARGE, -3.0))


def _read_only(g):
    out = g * 2
    out.flags.writeable = False
    return out


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda g: g, id="the seed"),
        pytest.param(lambda g: g * 2, id="a new array"),
        pytest.param(lambda g: (g * 2).reshape(-1), id="a view"),
        pytest.param(lambda g: np.broadcast_to(np.float64(2.0), g.shape), id="a broadcast number"),
        pytest.param(_read_only, id="read-only"),
        pytest.param(lambda g: np.asfortranarray(g * 2)[::-1], id="reversed"),
    ],
)
def test_what_somebody_else_holds_is_copied(make):
    kept = []

    def rule(g):
        kept.append(make(g))
        return kept[0]

    gradient = gradient_through(rule)
    np.testing.assert_array_equal(gradient, kept[0])
    assert not np.shares_memory(gradient, kept[0])
    assert gradient.flags.writeable


def test_the_gradients_of_two_leaves_and_the_seed_are_apart():
    seed = np.ones(LARGE)
    a, b = (tg.tensor(np.full(LARGE, v), requires_grad=True) for v in (2.0, 5.0))
    ((a + b) + (a * 1.0)).backward(seed)
    for x, y in ((a.grad, b.grad), (a.grad, seed), (b.grad, seed), (a.grad, a.data)):
        assert not np.shares_memory(x, y)
    np.testing.assert_array_equal(a.grad, np.full(LARGE, 2.0))
    np.testing.assert_array_equal(b.grad, seed)


def test_a_gradient_that_a_hook_kept_stays_as_the_hook_saw_it():
    x = tg.tensor(np.ones(LARGE), requires_grad=True)
    seen = []
    x.register_hook(lambda g: seen.append(g))
    for _ in range(2):
        (x * 3.0).sum().backward()
    np.testing.assert_array_equal(x.grad, np.full(LARGE, 6.0))
    np.testing.assert_array_equal(seen[0], np.full(LARGE, 3.0))


def test_an_array_that_its_caller_may_go_on_using_is_copied():
    mine = np.ones(LARGE)
    assert not np.shares_memory(in_own_memory(mine), mine)
