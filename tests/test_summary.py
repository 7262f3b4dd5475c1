"""`inspect.summary`: shapes, parameters, multiply-adds and memory, and a model left as it was."""

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.modes import generator
from tinygrad_cs.inspect import summary


@pytest.mark.parametrize(
    ("layer", "inputs", "expected"),
    [
        (nn.Linear(6, 4), [(5, 6)], 5 * 6 * 4),
        (nn.Linear(6, 4), [(2, 3, 6)], 2 * 3 * 6 * 4),
        (nn.Linear(6, 4), [(6,)], 6 * 4),
        (nn.Bilinear(3, 4, 2), [(5, 3), (5, 4)], 5 * 2 * (3 * 4 + 3)),
        (nn.Maxout(6, 4, 3), [(5, 6)], 5 * 6 * 4 * 3),
        (nn.Conv2d(4, 6, 3), [(2, 4, 8, 8)], 2 * 6 * 6 * 6 * 4 * 9),
        (nn.Conv2d(4, 6, (3, 5), stride=2, padding=1, groups=2), [(2, 4, 9, 9)],
         2 * 6 * 5 * 4 * 2 * 15),
        (nn.Conv1d(4, 6, 3, dilation=2), [(2, 4, 9)], 2 * 6 * 5 * 4 * 3),
        (nn.ConvTranspose2d(4, 6, 3, stride=2), [(2, 4, 5, 5)], 2 * 4 * 25 * 6 * 9),
        (nn.ConvTranspose1d(4, 6, 3, groups=2), [(2, 4, 5)], 2 * 4 * 5 * 3 * 3),
        (nn.RNN(3, 4), [(7, 2, 3)], 14 * (4 * 3 + 4 * 4)),
        (nn.GRU(3, 4, batch_first=True), [(2, 7, 3)], 14 * 3 * (4 * 3 + 4 * 4)),
        (nn.LSTM(3, 4, 2, bidirectional=True), [(7, 2, 3)],
         14 * 4 * 2 * (4 * 3 + 4 * 4 + 4 * 8 + 4 * 4)),
        (nn.LSTMCell(3, 4), [(2, 3)], 2 * 4 * (4 * 3 + 4 * 4)),
        (nn.LayerNorm(3), [(2, 3)], 0),
        (nn.BatchNorm1d(3), [(2, 3)], 0),
        (nn.PReLU(), [(2, 3)], 0),
        (nn.MaxPool2d(2), [(2, 3, 4, 4)], 0),
    ],
)  # fmt: skip
def test_multiply_adds_are_those_of_the_formula(layer, inputs, expected):
    table = summary(layer, *inputs)
    assert table.multiply_adds == expected and not table.unknown
    assert (
        table[0].shape
        == layer.eval()(*[np.zeros(s, "float32") for s in inputs])[
            0 if isinstance(layer, (nn.RNN, nn.GRU, nn.LSTM, nn.LSTMCell)) else ...
        ].shape
    )
    assert table.parameters == sum(p.size for p in layer.parameters())


def test_attention_counts_projections_scores_and_sums():
    n, length, keys, e = 2, 5, 7, 8
    layer = nn.MultiheadAttention(e, 2, kdim=6, vdim=4, batch_first=True)
    table = summary(layer, (n, length, e), (n, keys, 6), (n, keys, 4))
    projections = n * (length * e * e + keys * 6 * e + keys * 4 * e)
    assert table[""].multiply_adds == projections + 2 * n * length * keys * e
    assert table["out_proj"].multiply_adds == n * length * e * e
    late = summary(nn.MultiheadAttention(e, 2), (length, n, e), (keys, n, e), (keys, n, e))
    assert late.multiply_adds == n * e * e * (2 * length + 2 * keys) + 2 * n * length * keys * e
    one = summary(nn.MultiheadAttention(e, 2), *[(length, e)] * 3)
    assert one.multiply_adds == 4 * length * e * e + 2 * length**2 * e


def test_nested_models_have_dotted_names_and_inner_activations_only():
    block = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    table = summary(nn.TransformerEncoder(block, 2), (3, 5, 8))
    names = [row.name for row in table]
    assert "layers.1.self_attn.out_proj" in names and "layers" not in names
    assert table["layers.0.linear1"].shape == (3, 5, 16)
    assert table.parameters == 2 * sum(p.size for p in block.parameters())
    assert table["layers.0"].activations == 0
    linear = 4 * 3 * 5 * 16
    assert table["layers.0.linear1"].activations == linear


def test_shared_modules_and_parameters_count_once():
    inner = nn.Linear(4, 4)
    table = summary(nn.Sequential(inner, nn.ReLU(), inner), (3, 4))
    assert table.parameters == 20 and table["0"].calls == 2
    assert table["0"].multiply_adds == 2 * 3 * 16 and "× 2" in str(table)
    assert sum(row.parameters for row in table) == 20
    tied = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4))
    tied[1].weight = tied[0].weight
    table = summary(tied, (3, 4))
    assert (table["0"].parameters, table["1"].parameters, table.parameters) == (20, 4, 24)


def test_memory():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(8, 3))
    net[3].requires_grad_(False)
    table = summary(net, (5, 1, 4, 4))
    # the view that Flatten returns takes no memory of its own
    assert table.activation_bytes == 4 * (5 * 2 * 4 + 5 * 2 * 4 + 5 * 3)
    assert table.parameter_bytes == 4 * (20 + 4 + 27)
    assert table.buffer_bytes == sum(b.data.nbytes for b in net.buffers())
    assert table.trainable == 24 and "frozen 27" in str(table)


def test_the_model_and_the_generator_stay_as_they_were():
    tg.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(), nn.FractionalMaxPool2d(2, (2, 2)),
        nn.Flatten(), nn.Linear(8, 3),
    )  # fmt: skip
    net[1].eval()
    net(np.ones((2, 1, 6, 6), "float32")).sum().backward()
    before, gradient = net.state_dict(), net[5].weight.grad.copy()
    modes = [m.training for m in net.modules()]
    tg.manual_seed(1)
    expected = nn.functional.dropout(np.ones(50, "float32"), 0.5).data
    tg.manual_seed(1)
    summary(net, np.random.default_rng(0).standard_normal((2, 1, 6, 6)).astype("float32"))
    assert np.array_equal(nn.functional.dropout(np.ones(50, "float32"), 0.5).data, expected)
    assert all(np.array_equal(before[k], v) for k, v in net.state_dict().items())
    assert [m.training for m in net.modules()] == modes
    assert np.array_equal(net[5].weight.grad, gradient)
    assert type(net[0]) is nn.Conv2d


def test_a_forward_that_draws_and_remembers_leaves_no_trace():
    class Own(nn.Module):
        def __init__(self):
            self.calls, self.norm = 0, nn.BatchNorm1d(3)

        def forward(self, x):
            self.calls += 1
            noise = generator().standard_normal(x.shape, np.float32)
            return self.norm(x + noise)

    net = Own()
    first = tg.manual_seed(0).normal()
    tg.manual_seed(0)
    # a batch of one: normalisation works in evaluation mode only
    assert summary(net, (1, 3)).rows[1].shape == (1, 3)
    assert generator().normal() == first and net.calls == 0
    with pytest.raises(errors.ShapeError):
        summary(net, (1, 4))
    assert net.training and net.norm.training


def test_layers_of_ones_own_and_layers_that_are_not_called():
    class Own(nn.Module):
        def __init__(self):
            self.factor = nn.Parameter(np.ones((4, 4), "float32"))
            self.unused = nn.Linear(2, 2)

        def forward(self, x, scale=1.0):
            return {"first": x @ self.factor * scale, "second": x}

    table = summary(Own(), np.ones((3, 4), "float32"), 2.0)
    assert table.unknown == [""] and table.multiply_adds == 0
    assert "not called" in str(table) and "at least 0" in str(table) and "?" in str(table)
    assert table[""].shape == (3, 4) and table["unused"].parameters == 6


def test_integers_and_examples():
    net = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 2))
    assert summary(net, (2, 7), dtype="int64")["1"].shape == (2, 7, 2)
    assert summary(net, np.zeros((2, 7), int)).multiply_adds == 2 * 7 * 6
    with pytest.raises(errors.DTypeError) as caught:
        summary(net, (2, 7))
    assert any('dtype="int64"' in note for note in caught.value.__notes__)


def test_wrong_arguments_are_explained():
    net = nn.Linear(6, 2)
    with pytest.raises(errors.ArgumentError, match="what the model is called with"):
        summary(net)
    with pytest.raises(errors.ArgumentError, match="module"):
        summary(3, (2, 6))
    with pytest.raises(errors.ArgumentError, match="such as 1"):
        summary(net, (-1, 6))
    with pytest.raises(errors.ShapeError):
        summary(net, (2, 5))
    with pytest.raises(errors.ArgumentError, match="no layer 'conv9'"):
        summary(net, (2, 6))["conv9"]
    assert type(net) is nn.Linear
