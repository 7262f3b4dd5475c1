"""Recurrent layers: the fused recurrences against single steps, shapes, states, messages."""

import copy
import warnings

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine.errors import ArgumentError, ShapeError
from tinygrad_cs.engine.record import FUNCTIONS
from tinygrad_cs.ops.recurrent.elman import elman_step
from tinygrad_cs.ops.recurrent.gru import gru_step
from tinygrad_cs.ops.recurrent.lstm import lstm_step

EXACT = {"rtol": 1e-12, "atol": 1e-13}
L, N, H = 6, 3, 4


def steps_of_elman(nonlinearity):
    def steps(drive, w_hh, h):
        hidden = []
        for drive_t in drive:
            h = elman_step(drive_t, w_hh, h, nonlinearity)
            hidden.append(h)
        return tg.stack(hidden)

    return steps


def steps_of_lstm(drive, w_hh, h, c):
    hidden = []
    for drive_t in drive:
        h, c = lstm_step(drive_t, w_hh, h, c)
        hidden.append(h)
    return tg.stack([*hidden, c])


def steps_of_gru(drive, w_hh, b_hh, h):
    hidden = []
    for drive_t in drive:
        h = gru_step(drive_t, w_hh, b_hh, h)
        hidden.append(h)
    return tg.stack(hidden)


STATE = (N, H)
PAIRS = {
    "tanh": (FUNCTIONS["elman"], steps_of_elman("tanh"), [(L, N, H), (H, H), STATE]),
    "relu": (
        lambda *a: FUNCTIONS["elman"](*a, "relu"),
        steps_of_elman("relu"),
        [(L, N, H), (H, H), STATE],
    ),
    "lstm": (FUNCTIONS["lstm"], steps_of_lstm, [(L, N, 4 * H), (4 * H, H), STATE, STATE]),
    "gru": (FUNCTIONS["gru"], steps_of_gru, [(L, N, 3 * H), (3 * H, H), (3 * H,), STATE]),
}
every_recurrence = pytest.mark.parametrize("name", PAIRS)


def drawn(name, dtype="float64"):
    rng = np.random.default_rng(0)
    return [(rng.normal(size=shape) * 0.7).astype(dtype) for shape in PAIRS[name][2]]


def leaves(arrays):
    return [tg.tensor(a, requires_grad=True) for a in arrays]


@every_recurrence
def test_values_and_first_derivatives_are_those_of_the_steps(name):
    fused, steps, _ = PAIRS[name]
    results = []
    for call in (fused, steps):
        x = leaves(drawn(name))
        out = call(*x)
        out.backward(np.random.default_rng(1).normal(size=out.shape))
        results.append([out.data, *[leaf.grad for leaf in x]])
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, **EXACT)


@every_recurrence
def test_second_derivatives_are_those_of_the_steps(name):
    fused, steps, _ = PAIRS[name]
    results = []
    for call in (fused, steps):
        x = leaves(drawn(name))
        out = call(*x)
        rng = np.random.default_rng(1)
        first = tg.autograd.grad(out, x, rng.normal(size=out.shape), create_graph=True)
        total = sum((g * rng.normal(size=g.shape)).sum() for g in first)
        results.append([g.data for g in first] + [g.data for g in tg.autograd.grad(total, x)])
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, rtol=1e-11, atol=1e-11)


@every_recurrence
def test_a_recorded_pass_gives_the_same_bits(name):
    fused = PAIRS[name][0]
    x = leaves(drawn(name))
    out = fused(*x)
    g = np.ones(out.shape)
    plain = tg.autograd.grad(out, x, g, retain_graph=True)
    for a, b in zip(plain, tg.autograd.grad(out, x, g, create_graph=True), strict=True):
        assert a.data.tobytes() == b.data.tobytes()


@every_recurrence
def test_an_operand_computed_from_another_counts_once(name):
    """Its cotangent is the partial derivative, also where the pass is recorded."""
    fused, steps, _ = PAIRS[name]
    drive, *rest = drawn(name)
    results = []
    for call in (fused, steps):
        x = tg.tensor(drive, requires_grad=True)
        state = rest[-1] * x.mean()
        out = (call(x, *rest[:-1], state) ** 2).sum()
        (first,) = tg.autograd.grad(out, x, create_graph=True)
        results.append([first.data, tg.autograd.grad((first**2).sum(), x)[0].data])
    for ours, theirs in zip(*results, strict=True):
        assert_allclose(ours, theirs, rtol=1e-10, atol=1e-11)


@every_recurrence
def test_one_array_as_the_cotangent_of_two_passes(name):
    """The loop back runs once a pass: no pass gets the results of another."""
    fused = PAIRS[name][0]
    x = leaves(drawn(name))
    out = fused(*x)
    g = np.ones(out.shape)
    out.backward(g, retain_graph=True)
    once = [leaf.grad.copy() for leaf in x]
    g *= 3
    for leaf in x:
        leaf.grad = None
    out.backward(g)
    for leaf, grad in zip(x, once, strict=True):
        assert_allclose(leaf.grad, 3 * grad, **EXACT)


@every_recurrence
def test_one_loop_serves_all_operands(name, monkeypatch):
    from tinygrad_cs.ops.recurrent.through_time import ThroughTime

    loops = []
    whole = ThroughTime._all
    monkeypatch.setattr(ThroughTime, "_all", lambda self, g: loops.append(1) or whole(self, g))
    x = leaves(drawn(name))
    PAIRS[name][0](*x).sum().backward()
    assert len(loops) == 1 and all(leaf.grad is not None for leaf in x)


@every_recurrence
def test_only_what_asks_for_a_gradient_gets_one(name):
    arrays = drawn(name)
    for k in range(len(arrays)):
        x = [tg.tensor(a, requires_grad=i == k) for i, a in enumerate(arrays)]
        everything = leaves(arrays)
        PAIRS[name][0](*x).sum().backward()
        PAIRS[name][0](*everything).sum().backward()
        assert_array_equal(x[k].grad, everything[k].grad)


def test_relu_cuts_an_infinite_cotangent_off():
    """A cotangent that meets a dead unit is 0, whatever its size, as in the elementwise relu."""
    drive = tg.tensor([[[-1.0]], [[1.0]]], requires_grad=True)
    out = FUNCTIONS["elman"](drive, np.zeros((1, 1)), np.zeros((1, 1)), "relu")
    out.backward(np.array([[[np.inf]], [[2.0]]]))
    assert_array_equal(drive.grad.ravel(), [0, 2])


@pytest.mark.parametrize("name", ["lstm", "gru", "tanh"])
def test_large_numbers_saturate(name):
    arrays = [a * 1e3 for a in drawn(name, "float32")]
    x = leaves(arrays)
    with np.errstate(all="raise", under="ignore"):
        out = PAIRS[name][0](*x)
    out.sum().backward()
    assert np.isfinite(out.data).all() and all(np.isfinite(leaf.grad).all() for leaf in x)


LAYERS = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}
CELLS = {"RNN": nn.RNNCell, "GRU": nn.GRUCell, "LSTM": nn.LSTMCell}
every_layer = pytest.mark.parametrize("name", LAYERS)


def hidden(state):
    return state[0] if isinstance(state, tuple) else state


@every_layer
def test_a_layer_is_its_cell_step_by_step(name):
    tg.manual_seed(0)
    layer, cell = LAYERS[name](3, 4), CELLS[name](3, 4)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    output, last = layer(x)
    state = None
    for x_t, y_t in zip(x, output, strict=True):
        state = cell(x_t, state)
        assert_allclose(hidden(state).data, y_t.data, rtol=1e-5, atol=1e-6)
    assert_allclose(hidden(last).data[0], hidden(state).data, rtol=1e-5, atol=1e-6)


@every_layer
def test_a_sequence_in_two_parts(name):
    """The last states of the first part are the first states of the second."""
    layer = LAYERS[name](3, 4, num_layers=2)
    x = np.random.default_rng(0).normal(size=(6, 2, 3)).astype("float32")
    whole, end = layer(x)
    first, middle = layer(x[:4])
    second, last = layer(x[4:], middle)
    assert_allclose(np.concatenate([first.data, second.data]), whole.data, rtol=1e-5, atol=1e-6)
    assert_allclose(hidden(last).data, hidden(end).data, rtol=1e-5, atol=1e-6)


@every_layer
def test_shapes(name):
    layer = LAYERS[name](3, 4, num_layers=2, bidirectional=True)
    for shape, output, state in [((5, 2, 3), (5, 2, 8), (4, 2, 4)), ((5, 3), (5, 8), (4, 4)),
                                 ((5, 0, 3), (5, 0, 8), (4, 0, 4))]:  # fmt: skip
        y, last = layer(np.zeros(shape, "float32"))
        assert y.shape == output
        for s in last if name == "LSTM" else [last]:
            assert s.shape == state
    first = LAYERS[name](3, 4, batch_first=True)
    y, last = first(np.zeros((2, 5, 3), "float32"))
    assert y.shape == (2, 5, 4) and hidden(last).shape == (1, 2, 4)


@every_layer
def test_the_direction_from_the_end_reads_the_sequence_turned_round(name):
    layer = LAYERS[name](3, 4, bidirectional=True)
    alone = LAYERS[name](3, 4)
    state = layer.state_dict()
    alone.load_state_dict({k: state[k + "_reverse"] for k in alone.state_dict()})
    x = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    y, last = layer(x)
    z, end = alone(x[::-1])
    assert_allclose(y.data[..., 4:], z.data[::-1], rtol=1e-6)
    assert_allclose(hidden(last).data[1], hidden(end).data[0], rtol=1e-6)


@every_layer
def test_names_shapes_and_scale_of_the_weights(name):
    tg.manual_seed(0)
    layer = LAYERS[name](3, 16, num_layers=2, bidirectional=True)
    rows = layer.gates * 16
    shapes = {k: v.shape for k, v in layer.state_dict().items()}
    expected = {}
    for end, inputs in [("l0", 3), ("l0_reverse", 3), ("l1", 32), ("l1_reverse", 32)]:
        expected |= {f"weight_ih_{end}": (rows, inputs), f"weight_hh_{end}": (rows, 16),
                     f"bias_ih_{end}": (rows,), f"bias_hh_{end}": (rows,)}  # fmt: skip
    assert list(shapes.items()) == list(expected.items())
    for value in layer.state_dict().values():
        assert np.abs(value).max() <= 0.25
    weights = layer.weight_hh_l0.data  # uniform: variance bound^2 / 3
    assert_allclose(weights.std(), 0.25 / np.sqrt(3), rtol=0.1)


@every_layer
def test_dropout_stands_between_layers_in_training_only(name):
    tg.manual_seed(0)
    layer = LAYERS[name](3, 8, num_layers=2, dropout=1.0)
    x = np.random.default_rng(0).normal(size=(4, 2, 3)).astype("float32")
    trained, _ = layer(x)
    # the second layer sees zeros: the same for every sample, but the first one still has states
    assert_array_equal(trained.data[:, 0], trained.data[:, 1])
    kept, _ = layer.eval()(x)
    assert not np.array_equal(kept.data[:, 0], kept.data[:, 1])
    plain = copy.deepcopy(layer)
    plain.dropout = 0.0
    assert_array_equal(plain.train()(x)[0].data, kept.data)


def test_float32_stays_float32_with_float64_states_refused_nowhere():
    """The result takes the wider dtype, the gradients those of their operands."""
    layer = nn.LSTM(3, 4)
    states = tuple(tg.tensor(np.zeros((1, 2, 4)), requires_grad=True) for _ in range(2))
    y, _ = layer(np.ones((5, 2, 3), "float32"), states)
    assert y.dtype == np.float64
    y.sum().backward()
    assert states[0].grad.dtype == np.float64
    assert layer.weight_hh_l0.grad.dtype == np.float32


def norms_of_early_gradients(scale, length, nonlinearity="tanh"):
    """How large the gradient of the last state is by the input of each step, from the last."""
    rng = np.random.default_rng(0)
    rotation, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    params = [np.eye(8) * 1e-3, scale * rotation]
    x = tg.tensor(rng.normal(size=(length, 1, 8)), requires_grad=True)
    _, h_n = nn.functional.rnn_tanh(x, None, params, has_biases=False)
    h_n.backward(rng.normal(size=h_n.shape))
    return np.linalg.norm(x.grad[::-1, 0], axis=-1)


@pytest.mark.parametrize("scale", [0.5, 1.5])
def test_gradients_of_an_rnn_shrink_or_grow_geometrically(scale):
    """Each step back multiplies by W_hh^T: a rotation times `scale`, while tanh is linear."""
    norms = norms_of_early_gradients(scale, 10)
    assert_allclose(norms[1:] / norms[:-1], scale, rtol=0.01)


def test_open_forget_gates_let_gradients_pass():
    """The additive path: 100 steps back the gradient of a cell is there, an RNN's is not."""
    tg.manual_seed(0)
    lstm = nn.LSTM(1, 8)
    lstm.bias_ih_l0.data[8:16] = 10  # forget gates at 1 - 5e-5
    c0 = tg.tensor(np.zeros((1, 1, 8), "float32"), requires_grad=True)
    h0 = np.zeros((1, 1, 8), "float32")
    _, (_, c_n) = lstm(np.zeros((100, 1, 1), "float32"), (h0, c0))
    c_n.sum().backward()
    assert np.linalg.norm(c0.grad) > 0.5
    assert norms_of_early_gradients(0.5, 100)[-1] < 1e-20


def test_an_lstm_learns_to_remember_its_first_input():
    tg.manual_seed(0)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(8, 32, 1)).astype("float32")
    target = (x[0, :, 0] > 0).astype("int64")
    lstm, head = nn.LSTM(1, 8), nn.Linear(8, 2)
    optimizer = tg.optim.Adam([*lstm.parameters(), *head.parameters()], lr=0.03)
    for _ in range(60):
        optimizer.zero_grad()
        _, (h_n, _) = lstm(x)
        loss = nn.functional.cross_entropy(head(h_n[0]), target)
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1


@every_layer
def test_messages_of_wrong_inputs(name):
    layer = LAYERS[name](3, 4)
    with pytest.raises(ShapeError, match=r"shape \(L, N, 3\), or \(L, 3\).*got \(5, 2, 7\)"):
        layer(np.zeros((5, 2, 7), "float32"))
    with pytest.raises(ShapeError, match=r"expected an input .*got \(1, 5, 2, 3\)"):
        layer(np.zeros((1, 5, 2, 3), "float32"))
    with pytest.raises(ShapeError, match=r"the sequence is empty.*\(0, 2, 3\)"):
        layer(np.zeros((0, 2, 3), "float32"))
    with pytest.raises(ShapeError, match=r"empty.*\(0, 3\)"):
        layer(np.zeros((0, 3), "float32"))
    with pytest.raises(ShapeError, match=rf"in layer '{name}'.*\(N, L, 3\)"):
        LAYERS[name](3, 4, batch_first=True)(np.zeros((5, 2, 7), "float32"))
    wrong, single = np.zeros((2, 2, 4), "float32"), np.zeros((1, 2, 4), "float32")
    pair = (lambda s: (s, s)) if name == "LSTM" else (lambda s: s)
    with pytest.raises(ShapeError, match=r"first states of shape \(1, 2, 4\).*got \(2, 2, 4\)"):
        layer(np.zeros((5, 2, 3), "float32"), pair(wrong))
    with pytest.raises(ShapeError, match=r"first states of shape \(1, 4\).*got \(1, 2, 4\)"):
        layer(np.zeros((5, 3), "float32"), pair(single))


def test_an_lstm_wants_a_pair_of_states():
    state = np.zeros((1, 2, 4), "float32")
    with pytest.raises(ArgumentError, match=r"a pair \(h, c\).*ndarray \(1, 2, 4\)"):
        nn.LSTM(3, 4)(np.zeros((5, 2, 3), "float32"), state)
    with pytest.raises(ArgumentError, match=r"a pair \(h, c\)"):
        nn.LSTMCell(3, 4)(np.zeros((2, 3), "float32"), np.zeros((2, 4), "float32"))


@pytest.mark.parametrize("name", CELLS)
def test_messages_of_cells(name):
    cell = CELLS[name](3, 4)
    with pytest.raises(ShapeError, match=r"shape \(N, 3\), or \(3,\), got \(2, 7\)"):
        cell(np.zeros((2, 7), "float32"))
    with pytest.raises(ShapeError, match=r"one step, a layer the whole sequence"):
        cell(np.zeros((5, 2, 3), "float32"))
    state = np.zeros((1, 4), "float32")
    with pytest.raises(ShapeError, match=r"states of shape \(2, 4\), got \(1, 4\)"):
        cell(np.zeros((2, 3), "float32"), (state, state) if name == "LSTM" else state)
    with pytest.raises(ArgumentError, match=r"hidden_size must be a whole number .*got 0"):
        CELLS[name](3, 0)


@every_layer
def test_messages_of_arguments(name):
    make = LAYERS[name]
    with pytest.raises(ArgumentError, match=rf"{name}: hidden_size must be .* got 0"):
        make(3, 0)
    with pytest.raises(ArgumentError, match=r"input_size must be .* got 2\.5"):
        make(2.5, 3)
    with pytest.raises(ArgumentError, match=r"num_layers must be .* got 0"):
        make(3, 3, num_layers=0)
    for p in (-0.1, 1.5, "half"):
        with pytest.raises(ArgumentError, match=r"dropout must be a probability in \[0, 1\]"):
            make(3, 3, num_layers=2, dropout=p)
    with pytest.warns(UserWarning, match="does nothing with num_layers=1") as caught:
        make(3, 3, dropout=0.5)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        make(3, 3, num_layers=2, dropout=0.5)


def test_unknown_nonlinearities():
    for make in (nn.RNN, nn.RNNCell):
        with pytest.raises(ArgumentError, match=r"'tanh' or 'relu', got 'gelu'"):
            make(3, 3, nonlinearity="gelu")


def test_wrong_number_of_params():
    params = [np.zeros((4, 3)), np.zeros((4, 4))]
    with pytest.raises(ArgumentError, match="rnn_tanh: 1 layers and directions need 4 params"):
        nn.functional.rnn_tanh(np.zeros((5, 2, 3)), None, params)


def test_prints_what_is_not_as_by_default():
    text = repr(nn.RNN(3, 4, 2, "relu", batch_first=True))
    assert "RNN(input_size=3, hidden_size=4, num_layers=2, batch_first=True, nonlinearity='relu')" \
        in text  # fmt: skip


def test_frozen_and_stale_weights():
    """The loop back reads W_hh: a step between the passes is refused, freezing it is not."""
    layer = nn.LSTM(2, 2)
    optimizer = tg.optim.SGD(layer.parameters(), lr=0.1)
    x = np.ones((3, 1, 2), "float32")
    late = layer(x)[0].sum()
    layer(x)[0].sum().backward()
    optimizer.step()
    with pytest.raises(tg.TinygradError, match="changed it in place"):
        late.backward()
    layer.weight_hh_l0.requires_grad = False
    optimizer.zero_grad()
    layer(x)[0].sum().backward()
    assert layer.weight_ih_l0.grad is not None


def test_debugging_and_no_grad():
    layer = nn.GRU(2, 2)
    x = np.ones((3, 1, 2), "float32")
    expected = layer(x)[0].data
    with tg.no_grad():
        assert_array_equal(layer(x)[0].data, expected)
    with tg.debug():
        y = layer(x)[0]
        y.sum().backward()
    assert_array_equal(y.data, expected)
