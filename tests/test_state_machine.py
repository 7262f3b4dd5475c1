"""Random graphs, built and differentiated step by step, against an oracle that sums over paths.

The oracle knows no order and no graph traversal: the derivative of b by a is the sum over all ways
from b down to a of the product of the local derivatives, found by plain recursion without memory.
"""

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from numpy.testing import assert_allclose

import tinygrad_cs as tg

# Tensors have shape (2,) or (); the latter, and scalars, broadcast against the former.
MOST_PATHS = 2000
CLOSE = {"rtol": 1e-10, "atol": 1e-10}


class Item:
    """A node of ours beside what the oracle knows: its value and the edges it came by.

    An edge is an input and the derivative of each entry by the entry it came from.
    """

    def __init__(self, node, value, edges=()):
        self.node = node
        self.value = np.asarray(value, dtype=float)
        self.edges = [(item, slope) for item, slope in edges if item.node.requires_grad]
        self.paths = sum(item.paths for item, _ in self.edges) or 1
        self.expected = None  # what .grad should be
        self.used = False  # has a backward pass freed this part of the graph?
        assert_allclose(node.data, self.value, **CLOSE)

    def below(self):
        """Everything this was computed from, itself included, each once."""
        found, stack = [], [self]
        while stack:
            item = stack.pop()
            if all(item is not other for other in found):
                found.append(item)
                stack += [below for below, _ in item.edges]
        return found


def over_paths(end, g, leaf):
    """The sum over all paths from `end` down to `leaf` of g times the slopes along them."""
    if end is leaf:
        return g
    total = np.zeros(leaf.value.shape)
    for item, slope in end.edges:
        back = np.broadcast_to(g * slope, np.broadcast_shapes(np.shape(g), item.value.shape))
        total = total + over_paths(item, back if item.value.ndim else back.sum(), leaf)
    return total


UNARY = {  # our function of a node, NumPy's value, the slope at x where the value is y
    "tanh": (tg.tanh, np.tanh, lambda x, y: 1 - y**2),
    "sin": (np.sin, np.sin, lambda x, y: np.cos(x)),
    "sigmoid": (tg.sigmoid, lambda x: 1 / (1 + np.exp(-x)), lambda x, y: y * (1 - y)),
    "negative": (lambda x: -x, lambda x: -x, lambda x, y: -1.0),
    "minus": (lambda x: 1 - x / 2, lambda x: 1 - x / 2, lambda x, y: -0.5),
}
BINARY = {  # an expression of two nodes or values, the slopes at a and b
    "add": (lambda a, b: a + b, lambda a, b: (1.0, 1.0)),
    "subtract": (lambda a, b: a - b, lambda a, b: (1.0, -1.0)),
    "multiply": (lambda a, b: a * b, lambda a, b: (b, a)),
    "diamond": (lambda a, b: a / (b * b + 1),
                lambda a, b: (1 / (b * b + 1), -2 * a * b / (b * b + 1) ** 2)),
}  # fmt: skip
NUMBERS = st.floats(-1.5, 1.5).map(lambda x: round(x, 2))
PICK = st.integers(0, 6)
"""Which item, counted from the newest: chains and reuse both come often."""
STEPS = st.lists(
    st.tuples(st.sampled_from([*UNARY, *BINARY, "total", "stacked"]), PICK, PICK), max_size=8
)


class Graphs(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.leaves, self.items = [], []

    def pick(self, back):
        return self.items[-1 - back % len(self.items)]

    def add_leaf(self, node, value):
        self.items.append(Item(node, value))
        self.leaves.append(self.items[-1])

    @initialize(xs=st.tuples(NUMBERS, NUMBERS))
    def start(self, xs):
        self.new("scalar", *xs)
        self.new("tensor", *xs)

    @rule(kind=st.sampled_from(["scalar", "tensor", "constant"]), x=NUMBERS, y=NUMBERS)
    def new(self, kind, x, y):
        if kind == "scalar":
            self.add_leaf(tg.Scalar(x), x)
        elif kind == "tensor":
            self.add_leaf(tg.tensor([x, y], requires_grad=True), [x, y])
        else:
            self.items.append(Item(tg.tensor([x, y]), [x, y]))

    def grow(self, steps):
        for name, i, j in steps:
            a, b = self.pick(i), self.pick(j)
            if name in UNARY:
                ours, value, slope = UNARY[name]
                y = value(a.value)
                self.items.append(Item(ours(a.node), y, [(a, slope(a.value, y))]))
            elif name == "total":
                if isinstance(a.node, tg.Tensor):
                    self.items.append(Item(a.node.sum(), a.value.sum(), [(a, 1.0)]))
            elif a.paths + 2 * b.paths <= MOST_PATHS:
                self.combine(name, a, b)

    def combine(self, name, a, b):
        if name in BINARY:
            expression, slopes = BINARY[name]
            edges = list(zip((a, b), slopes(a.value, b.value), strict=True))
            node, value = expression(a.node, b.node), expression(a.value, b.value)
            self.items.append(Item(node, value, edges))
        elif not (a.value.ndim or b.value.ndim):  # two numbers, side by side
            edges = [(a, np.array([1.0, 0.0])), (b, np.array([0.0, 1.0]))]
            self.items.append(Item(tg.stack([a.node, b.node]), [a.value, b.value], edges))

    @rule(i=PICK, how=st.sampled_from(["detach", "no_grad"]))
    def cut_off(self, i, how):
        x = self.pick(i)
        if how == "detach":
            self.items.append(Item(x.node.detach(), x.value))
        else:
            with tg.no_grad():
                self.items.append(Item(x.node * 2.0, x.value * 2))
        assert not self.items[-1].node.requires_grad

    @precondition(lambda self: len(self.items) > 1)
    @rule(i=PICK)
    def forget(self, i):
        """The user drops a handle; what was computed from it must go on working."""
        del self.items[-1 - i % len(self.items)]

    @rule(steps=STEPS, i=PICK, g=NUMBERS, retain=st.booleans())
    def backward(self, steps, i, g, retain):
        self.grow(steps)
        end = self.pick(i)
        if not end.node.requires_grad:
            return
        cotangent = g if isinstance(end.node, tg.Scalar) else np.full(end.value.shape, g)
        reached = end.below()
        if any(item.used for item in reached):
            with pytest.raises(tg.TinygradError, match="retain_graph=True"):
                end.node.backward(cotangent, retain_graph=retain)
            return
        end.node.backward(cotangent, retain_graph=retain)
        for item in reached:
            if item.edges:
                item.used = not retain
            else:
                arrived = over_paths(end, cotangent, item)
                item.expected = arrived if item.expected is None else item.expected + arrived

    @rule(i=PICK)
    def zero_grad(self, i):
        leaf = self.leaves[i % len(self.leaves)]
        leaf.node.grad = leaf.expected = None

    @invariant()
    def compare(self):
        for leaf in self.leaves:
            if leaf.expected is None:
                assert leaf.node.grad is None
            else:
                assert_allclose(leaf.node.grad, leaf.expected, **CLOSE)


def test_gradients_of_random_graphs_are_sums_over_paths():
    tg.set_default_dtype("float64")
    try:
        many = settings(stateful_step_count=40, max_examples=5 * settings().max_examples)
        run_state_machine_as_test(Graphs, settings=many)
    finally:
        tg.set_default_dtype("float32")
