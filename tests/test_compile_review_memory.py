"""`tg.compile`, found by a review: whose memory is whose, and what changes between two calls."""

import numpy as np
import pytest
from both_ways import Scenarios, X, Y, check, normal

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors

run = Scenarios()


def gradients_of(wrap, f, *shapes):
    leaves = [tg.tensor(normal(*s, seed=i), requires_grad=True) for i, s in enumerate(shapes)]
    compiled = wrap(f)
    found = []
    for _ in range(2):
        for leaf in leaves:
            leaf.grad = None
        found += [
            compiled(*leaves),
            *[leaf.grad.copy() for leaf in leaves if leaf.grad is not None],
        ]
    return found


@run
def masks_as_words_and_as_booleans_on_one_buffer(wrap):
    def f(x, w):
        tg.relu(tg.relu(x @ w).clip(-1, 1) @ w).sum().backward()

    return gradients_of(wrap, f, (4, 4), (4, 4))


@run
def relu_that_is_returned(wrap):
    def f(x, w):
        h = tg.relu(x @ w)
        h.sum().backward()
        return h.detach()

    return gradients_of(wrap, f, (4, 4), (4, 4))


@run
def relu_that_is_cut_afterwards(wrap):
    def f(x):
        h = tg.relu(tg.tanh(x))
        h[:, 1:].sum().backward()
        return h.detach()

    return gradients_of(wrap, f, (4, 4))


@run
def relu_of_a_sum_under_a_pooling(wrap):
    def f(x, w):
        z = x @ w
        h = tg.relu(z + z)
        nn.functional.max_pool2d(h.reshape(1, 1, 4, 4), 2).sum().backward()
        return h.detach()

    return gradients_of(wrap, f, (4, 4), (4, 4))


@run
def relu_read_by_two_passes(wrap):
    def f(x, w):
        h = tg.relu(x @ w)
        (h * h).sum().backward(retain_graph=True)
        (h.sum() + tg.relu(h - 0.5).sum()).backward()
        return (h * 2).detach()

    return gradients_of(wrap, f, (4, 4), (4, 4))


@run
def copies_of_copies_are_the_callers(wrap):
    def twice(x):
        return tg.tensor(np.array(x))

    def both(x):
        y = x * 1
        return tg.tensor(np.array(y)), y

    found = []
    for f in (twice, both):
        x, compiled = np.zeros(3, "f4"), wrap(f)
        for _ in range(2):
            results = compiled(x)
            first, *others = results if isinstance(results, tuple) else (results,)
            first.data[...] = 7
            found += [x.copy(), *map(np.array, others)]
    return found


@run
def equal_results_are_two_arrays(wrap):
    f, found = wrap(lambda x: (tg.relu(x), tg.relu(x).T, [x + 1, x + 1])), []
    for _ in range(2):
        one, two, (three, four) = f(tg.tensor(X))
        one.data[...], three.data[...] = 7, 8
        found += [two.data.copy(), four.data.copy()]
    return found


@run
def two_long_updates_around_an_unused_parameter(wrap):
    first, unused, last = nn.Linear(300, 300), nn.Linear(3, 2), nn.Linear(300, 300)
    layers = nn.ModuleList([first, unused, last])
    optimizer = optim.Adam(layers.parameters(), lr=0.01, weight_decay=0.1)

    def step(x):
        optimizer.zero_grad()
        (last(tg.tanh(first(x))) ** 2).mean().backward()
        optimizer.step()

    compiled = wrap(step)
    for _ in range(3):
        compiled(normal(4, 300))
    return layers.state_dict()


def a_net_whose_bias_is_toggled(wrap, zero, when):
    net = nn.Linear(3, 2)
    optimizer = optim.SGD(net.parameters(), lr=0.1, momentum=0.9)

    def step(x):
        if zero:
            optimizer.zero_grad()
        (net(x) ** 2).mean().backward()
        optimizer.step()

    compiled, found = wrap(step), []
    for t in range(6):
        if t in when:
            net.bias.requires_grad = not net.bias.requires_grad
        compiled(X)
        found += [net.bias.data.copy(), net.weight.data.copy()]
    return found


@pytest.mark.parametrize("when", [(1,), (2,), (3,), (1, 3), (2, 4)])
@pytest.mark.parametrize("zero", [True, False])
def test_freezing_and_thawing_are_noticed(zero, when):
    check(lambda wrap: a_net_whose_bias_is_toggled(wrap, zero, when))


@run
def a_captured_tensor_is_thawed(wrap):
    held, x = tg.tensor([1.0, 2.0]), tg.tensor([3.0, 4.0], requires_grad=True)
    f = wrap(lambda x: (x * held).sum().backward())
    f(x)
    held.requires_grad = True
    f(x)
    return held.grad, x.grad


CHANGES = {
    "register_buffer": lambda m: m[1].register_buffer("running_var", np.full(3, 2.0, "f4")),
    "buffer": lambda m: setattr(m[1], "running_var", tg.tensor(np.full(3, 2.0, "f4"))),
    "parameter": lambda m: setattr(m[0], "weight", nn.Parameter(np.eye(3, dtype="f4"))),
    "no bias": lambda m: setattr(m[0], "bias", None),
    "values": lambda m: setattr(m[0].weight, "data", np.full((3, 3), 2.0, "f4")),
    "layer": lambda m: setattr(m, "2", nn.Tanh()),
}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_is_put_in_another_place_between_calls_is_noticed(name, training):
    def scenario(wrap):
        net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.ReLU()).train(training)
        f, found = wrap(lambda x: net(x)), []
        for t in range(4):
            if t == 2:
                CHANGES[name](net)
            found += [f(X).data.copy(), net[1].running_var.data.copy()]
        return found

    check(scenario)


class Counting(nn.Module):
    """A whole number that is read, and one that only counts."""

    def __init__(self):
        self.power, self.calls = 2, 0

    def forward(self, x):
        self.calls += 1
        return x**self.power


def test_whole_numbers_of_ones_own_modules_are_noticed_unless_they_count():
    layer = Counting()
    f = tg.compile(lambda x: layer(x))
    for power in (2, 2, 2, 3, 3):
        layer.power = power
        np.testing.assert_array_equal(f(tg.tensor([2.0])).data, [2.0**power])
    assert len(f._variants) == 2


class Moving(nn.Module):
    def __init__(self):
        self.register_buffer("mean", np.zeros(2, "f4"))

    def forward(self, x):
        self.mean = 0.5 * self.mean + x.mean(axis=0)
        return x - self.mean


def test_a_buffer_that_is_replaced_inside_is_refused():
    layer = Moving()
    x = tg.tensor(np.ones((3, 2), "f4"))
    with pytest.raises(errors.CompileError, match=r"write self\.mean\.data ="):
        tg.compile(lambda x: layer(x))(x)
    np.testing.assert_array_equal(layer.mean.data, np.zeros(2))
    layer(x)
    np.testing.assert_array_equal(layer.mean.data, np.ones(2))


@pytest.mark.parametrize("calls_before", [0, 1, 2])
def test_a_failing_call_leaves_running_statistics_where_they_were(calls_before):
    net = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.Dropout(0.5))
    optimizer = optim.SGD(net.parameters(), lr=0.1)

    @tg.compile
    def step(x, y):
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    for _ in range(calls_before):
        step(X, Y)
    before = net.state_dict()
    with pytest.raises(errors.IndexOutOfRange):
        step(X, np.full(len(X), 3))
    for name, value in net.state_dict().items():
        np.testing.assert_array_equal(value, before[name])


@run.each()
def test_compiled_as_plain(scenario):
    check(scenario)
