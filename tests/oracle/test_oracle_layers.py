"""What the walk over all modules does not reach: indices, output sizes, padding rows, lists."""

import numpy as np
import pytest
from agreement import CLOSE, agree, compare, torch
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.normal(size=shape)


@pytest.fixture(autouse=True)
def float64():
    tg.set_default_dtype("float64")
    torch.set_default_dtype(torch.float64)
    yield
    tg.set_default_dtype("float32")
    torch.set_default_dtype(torch.float32)


def loaded(make):
    """A module of ours and one of PyTorch's with the same state."""
    mine, other = make(nn), make(torch.nn)
    mine.load_state_dict(other.state_dict())
    return mine, other


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda nn: nn.MaxPool1d(3, 2, 1, 1, return_indices=True), (2, 3, 7)),
        (lambda nn: nn.MaxPool2d(2, return_indices=True, ceil_mode=True), (2, 5, 5)),
        (lambda nn: nn.AdaptiveMaxPool1d(3, return_indices=True), (2, 3, 7)),
        (lambda nn: nn.AdaptiveMaxPool2d((2, 3), True), (1, 2, 5, 7)),
    ],
)
def test_indices_of_pooling(make, shape):
    x = normal(*shape)
    values, places = make(nn)(x)
    their_values, their_places = make(torch.nn)(torch.from_numpy(x))
    assert_array_equal(values, their_values.numpy())
    assert_array_equal(places, their_places.numpy())


def test_pooling_of_ties():
    """Of equal entries PyTorch's gradient goes to the first as well."""
    x = RNG.integers(0, 3, size=(2, 3, 8, 8)).astype(float)
    for make in (lambda nn: nn.MaxPool2d(3, 2), lambda nn: nn.AdaptiveMaxPool2d(3)):
        compare(make(nn), make(torch.nn), [x])


@pytest.mark.parametrize("size", [(9, 12), (10, 13)])
def test_output_size_of_a_transposed_convolution(size):
    mine, other = loaded(lambda nn: nn.ConvTranspose2d(2, 3, (3, 4), (2, 3), dilation=(1, 2)))
    lengths = (4, 2) if size == (9, 12) else (4, 3)
    least = [(n - 1) * s + d * (k - 1) + 1
             for n, s, d, k in zip(lengths, (2, 3), (1, 2), (3, 4), strict=True)]  # fmt: skip
    wanted = [least[0] + 1, least[1] + 2]
    compare(
        lambda x: mine(x, wanted),
        lambda x: other(x, wanted),
        [normal(1, 2, *lengths)],
        list(mine.parameters()),
        list(other.parameters()),
    )


@pytest.mark.parametrize("padding_idx", [0, -1])
def test_the_padding_row_of_an_embedding(padding_idx):
    mine, other = loaded(lambda nn: nn.Embedding(4, 3, padding_idx=padding_idx))
    assert not nn.Embedding(4, 3, padding_idx=padding_idx).weight.data[padding_idx].any()
    words = np.array([[0, 3, 3], [1, 0, 1]])
    compare(mine, other, [words], list(mine.parameters()), list(other.parameters()))


def test_an_embedding_from_a_table():
    table = normal(4, 3)
    mine = nn.Embedding.from_pretrained(table, padding_idx=1)
    other = torch.nn.Embedding.from_pretrained(torch.from_numpy(table), padding_idx=1)
    assert mine.weight.requires_grad == other.weight.requires_grad
    compare(mine, other, [np.array([1, 2, 2])])


def test_the_order_of_flatten():
    agree(lambda F, x: F.relu(x), normal(2, 3))
    for arguments in ((), (0, 1), (-2,), (2, 2)):
        compare(nn.Flatten(*arguments), torch.nn.Flatten(*arguments), [normal(2, 3, 2, 2)])


def test_names_of_lists_and_their_changes():
    def sequential(nn):
        net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
        net.insert(1, nn.Linear(2, 2))
        net.append(nn.Linear(2, 3))
        del net[2]
        return net

    def slices(nn):
        return sequential(nn)[1:]

    def layers(nn):
        held = nn.ModuleList([nn.Linear(2, 2) for _ in range(4)])
        held.insert(0, nn.Linear(2, 5))
        del held[2]
        held.extend([nn.Bilinear(1, 2, 3)])
        held[1] = nn.Linear(2, 7)
        held.pop(2)
        return held

    def part(nn):
        return layers(nn)[::2]

    def heads(nn):
        held = nn.ModuleDict({"b": nn.Linear(2, 2), "a": nn.Linear(2, 3)})
        held["b"] = nn.Linear(2, 4)
        held.update({"c": nn.Linear(2, 1)})
        held.pop("a")
        return held

    def tied(nn):
        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
        net[1].weight = net[0].weight
        return net

    for make in (sequential, slices, layers, part, heads):
        ours = {name: value.shape for name, value in make(nn).state_dict().items()}
        theirs = {name: tuple(t.shape) for name, t in make(torch.nn).state_dict().items()}
        assert ours == theirs and list(ours) == list(theirs)
    mine, other = loaded(tied)
    assert_allclose(mine[0].weight.data, other[1].weight.detach().numpy(), **CLOSE)
