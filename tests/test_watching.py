"""`inspect.watch`: its numbers are right, and nobody notices it."""

import copy
import csv
import math
import pickle
from functools import partial

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn, optim, training
from tinygrad_cs.engine import errors
from tinygrad_cs.inspect import watch
from tinygrad_cs.inspect.ears import Ear

X = np.random.default_rng(0).standard_normal((16, 6)).astype("float32")
Y = np.random.default_rng(1).integers(0, 3, 16)


def mlp(activation=nn.ReLU):
    return nn.Sequential(nn.Linear(6, 8), activation(), nn.Dropout(0.2), nn.Linear(8, 3))


def loss_of(model, optimizer):
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(X), Y)
    loss.backward()
    return loss


def learn(model, optimizer, steps, after=lambda: None, x=X):
    for _ in range(steps):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), Y)
        loss.backward()
        optimizer.step()
        after()
    return loss.item()


def row(watched, name, step=1):
    return next(
        r for r in watched.records if name in (r.get("layer"), r.get("parameter"))
        and r["step"] == step
    )  # fmt: skip


def test_the_numbers_are_those_of_numpy():
    tg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    model[0].bias.data[:2] = -50
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    before = model[0].weight.data.copy()
    hidden = X @ before.T + model[0].bias.data
    with watch(model, every=1, singular_values=True) as seen:
        learn(model, optimizer, 1, seen.step)
    first, second = row(seen, "0"), row(seen, "1")
    assert first["mean"] == pytest.approx(hidden.mean(), rel=1e-5)
    assert first["deviation"] == pytest.approx(hidden.std(), rel=1e-5)
    assert first["dead"] is None and first["saturated"] is None and first["kind"] == "Linear"
    positive = np.maximum(hidden, 0)
    assert second["mean"] == pytest.approx(positive.mean(), rel=1e-5)
    assert second["dead"] == pytest.approx((positive == 0).all(axis=0).mean()) and second["dead"]
    given = row(seen, "(input)")
    assert given["mean"] == pytest.approx(X.mean(), rel=1e-4)
    weight = row(seen, "0.weight")
    gradient, after = model[0].weight.grad, model[0].weight.data
    assert weight["gradient"] == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert weight["quiet"] == pytest.approx((gradient == 0).all(axis=1).mean())
    ratio = np.linalg.norm(after - before) / np.linalg.norm(before)
    assert weight["ratio"] == pytest.approx(ratio, rel=1e-4)
    values = np.linalg.svd(after, compute_uv=False)
    assert np.allclose(weight["singular_values"], values, rtol=1e-5)
    assert row(seen, "0.bias")["ratio"] is None


@pytest.mark.parametrize(
    ("layer", "x", "share"),
    [
        (nn.Tanh(), [-3, -1.7, 0, 1.9], 0.5),
        (nn.Sigmoid(), [-8, -3.5, 3.5, 3.7], 0.5),
        (nn.Hardtanh(-2, 2), [-2, 0, 1.9, 5], 0.5),
        (nn.Hardsigmoid(), [-4, 0, 0, 2], 0.25),
        (nn.ReLU6(), [-4, 0, 7, 2], 0.25),
    ],
)
def test_saturated_is_where_the_derivative_is_small(layer, x, share):
    with watch(layer, every=1) as seen:
        layer(np.array([x], "float32"))
        seen.step()
    assert row(seen, "(model)")["saturated"] == share


def test_the_threshold_of_saturation_is_a_tenth_of_the_slope():
    for layer, largest in ((nn.Tanh(), 1.0), (nn.Sigmoid(), 0.25)):
        x = tg.tensor(np.linspace(-6, 6, 997, dtype="float32")[None], requires_grad=True)
        with watch(layer, every=1) as seen:
            layer(x).sum().backward()
            seen.step()
        assert row(seen, "(model)")["saturated"] == pytest.approx(
            (x.grad < 0.1 * largest).mean(), abs=2e-3
        )


@pytest.mark.parametrize(
    ("shape", "axes"), [((4, 3, 5, 5), (0, 2, 3)), ((4, 5, 3), (0, 1)), ((4, 3), (0,))]
)
def test_a_unit_is_a_channel_or_the_last_axis(shape, axes):
    x = np.abs(np.random.default_rng(0).standard_normal(shape)).astype("float32")
    x[(slice(None), 1) if len(shape) == 4 else (..., 1)] = -1
    layer = nn.ReLU()
    with watch(layer, every=1) as seen:
        layer(x)
        seen.step()
    dead = (np.maximum(x, 0) == 0).all(axis=axes).mean()
    assert row(seen, "(model)")["dead"] == pytest.approx(dead) == pytest.approx(1 / 3)


def test_large_means_and_values_beyond_the_dtype_are_exact():
    layer = nn.Identity()
    for x in (1e4 + X, np.float32(1e25) * X, np.zeros_like(X)):
        with watch(layer, every=1) as seen:
            layer(x)
            seen.step()
        wide = x.astype(float)
        assert row(seen, "(model)")["deviation"] == pytest.approx(wide.std(), rel=1e-3)
    with watch(layer, every=1) as seen:
        layer(np.array([[np.nan, 1]], "float32"))
        seen.step()
    assert math.isnan(row(seen, "(model)")["mean"])


@pytest.mark.parametrize("make", [optim.SGD, optim.Adam, optim.LBFGS])
@pytest.mark.parametrize("watched", ["step", "optimizer"])
def test_results_and_random_numbers_stay_the_same_bit_for_bit(make, watched):
    results = []
    for looked_at in (False, True):
        tg.manual_seed(3)
        model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.3),
                              nn.Linear(8, 3))  # fmt: skip
        optimizer = make(model.parameters(), lr=0.05)
        seen = None
        if looked_at:
            own = optimizer if watched == "optimizer" else None
            seen = watch(model, every=2, optimizer=own, singular_values=True)
        closure = partial(loss_of, model, optimizer)
        for _ in range(5):
            if make is optim.LBFGS:
                optimizer.step(closure)
            else:
                closure()
                optimizer.step()
            if seen is not None and watched == "step":
                seen.step()
        if seen is not None:
            seen.close()
            assert seen.steps == 5 and seen.series("0", "mean")[0] == [1, 3, 5]
            assert type(optimizer) is make and type(model[0]) is nn.Linear
        gradients = [p.grad.copy() for p in model.parameters()]
        state = [*model.state_dict().values(), *gradients, model.eval()(X).data]
        results.append((state, nn.functional.dropout(X, 0.5).data))
    (first, drawn), (second, drawn_too) = results
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert np.array_equal(drawn, drawn_too)


def test_as_a_callback_of_fit_it_changes_nothing_and_closes_itself():
    histories = []
    for looked_at in (False, True):
        tg.manual_seed(0)
        model = mlp()
        seen = watch(model, every=3)
        history = training.fit(
            model, (X, Y), (X, Y), loss=nn.CrossEntropyLoss(), epochs=4, batch_size=4,
            optimizer=optim.Adam(model.parameters()), callbacks=seen if looked_at else (),
            progress=False,
        )  # fmt: skip
        seen.close()
        histories.append(([row["loss"] for row in history], model.state_dict()))
    assert histories[0][0] == histories[1][0]
    assert all(np.array_equal(histories[0][1][k], v) for k, v in histories[1][1].items())
    # 16 steps; validation is not counted among the calls
    assert seen.series("0", "calls") == ([1, 4, 7, 10, 13, 16], [1] * 6)
    assert type(model[0]) is nn.Linear
    with pytest.raises(errors.ArgumentError, match="another model"):
        training.fit(other := mlp(), (X, Y), loss=nn.CrossEntropyLoss(), epochs=1, batch_size=4,
                     optimizer=optim.Adam(other.parameters()), callbacks=seen)  # fmt: skip


def test_evaluation_and_no_grad_are_not_looked_at():
    model = mlp()
    seen = watch(model, every=1)
    with tg.no_grad():
        model(X)
    model.eval()(X)
    seen.step()
    assert row(seen, "0")["calls"] == 0 and row(seen, "0")["mean"] is None
    model.train()(X)
    seen.step()
    assert row(seen, "0", 2)["calls"] == 1
    seen.close()


def test_copies_and_files_know_nothing_of_it():
    model = mlp()
    optimizer = optim.Adam(model.parameters())
    with watch(model, optimizer=optimizer):
        assert type(model[0]) is not nn.Linear and isinstance(model[0], nn.Linear)
        copied, (again, steps) = (
            copy.deepcopy(model),
            pickle.loads(pickle.dumps((model, optimizer))),
        )
        for other in (copied, again):
            assert type(other) is nn.Sequential and type(other[0]) is nn.Linear
            assert np.array_equal(other[0].weight.data, model[0].weight.data)
        assert type(steps) is optim.Adam
        assert repr(model) == repr(copied)


def test_several_ears_close_in_any_order():
    layer, heard = nn.Linear(6, 2), []
    first = Ear(layer, lambda given, out: heard.append("first"))
    second = Ear(layer, lambda given, out: heard.append("second"))
    first.open()
    second.open()
    second.open()
    layer(X)
    first.close()
    layer(X)
    first.open()
    second.close()
    layer(X)
    first.close()
    first.close()
    layer(X)
    assert heard == ["first", "second", "second", "first"] and type(layer) is nn.Linear


def test_an_unknown_layer_is_one_clear_error():
    with pytest.raises(errors.ArgumentError, match=r"no layer 'conv9'; its layers are .*0, 1, 2"):
        watch(mlp(), layers=["conv9"])
    for wrong in ({"every": 0}, {"every": True}, {"optimizer": 3}, {"layers": "0"}):
        with pytest.raises(errors.ArgumentError, match="watch"):
            watch(mlp(), **wrong)
    with pytest.raises(errors.ArgumentError, match="module"):
        watch(3)
    with watch(mlp(), layers=["1"]) as seen:
        assert seen.layers == ["(input)", "1"]
    with pytest.raises(errors.ArgumentError, match="conv9"):
        seen.series("conv9", "mean")


def test_frozen_shared_and_bare_models_work():
    frozen = mlp().requires_grad_(False)
    with watch(frozen, every=1) as seen:
        frozen(X)
        seen.step()
    assert row(seen, "0")["deviation"] > 0 and row(seen, "0.weight")["gradient"] is None
    assert row(seen, "0.weight")["ratio"] == 0
    bare = nn.Sequential(nn.ReLU(), nn.Flatten())
    with watch(bare, every=1) as seen:
        bare(X)
        seen.step()
    assert seen.parameters == [] and "ReLU" in str(seen)
    inner = nn.Linear(6, 6)
    shared = nn.Sequential(inner, nn.Tanh(), inner)
    with watch(shared, every=1, layers=["2", "1"]) as seen:
        out = shared(X)
        seen.step()
    hidden = X @ inner.weight.data.T
    both = np.concatenate([hidden, out.data])
    assert row(seen, "2")["calls"] == 2
    assert row(seen, "2")["mean"] == pytest.approx(both.mean(), rel=1e-4, abs=1e-6)
    assert row(seen, "2")["deviation"] == pytest.approx(both.std(), rel=1e-4)


def test_recurrent_layers_attention_and_embeddings_work():
    class Net(nn.Module):
        def __init__(self):
            self.words = nn.Embedding(5, 8)
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)
            self.rnn = nn.RNN(8, 4, batch_first=True)

        def forward(self, x):
            x = self.words(x)
            return self.rnn(self.attention(x, x, x)[0])[0]

    model = Net()
    with watch(model, every=1) as seen:
        model(np.array([[0, 1, 2], [3, 4, 0]])).sum().backward()
        seen.step()
    assert row(seen, "(input)")["mean"] is None
    assert row(seen, "rnn")["saturated"] is not None
    assert all(row(seen, name)["calls"] == 1 for name in seen.layers[1:])


def test_what_is_dead_for_one_batch_may_live_in_the_next():
    layer = nn.ReLU()
    with watch(layer, every=1) as seen:
        for x in ([[1, -1, -1]], [[-1, 1, -1]]):
            layer(np.array(x, "float32"))
            seen.step()
    assert seen.series("(model)", "dead")[1] == pytest.approx([2 / 3, 2 / 3])
    assert seen.never_active("(model)") == pytest.approx(1 / 3)


def test_a_unit_that_lives_in_one_of_several_calls_is_not_dead():
    layer = nn.ReLU()
    with watch(layer, every=1) as seen:
        for x in ([[1, -1, -1]], [[-1, 1, -1]]):
            layer(np.array(x, "float32"))
        seen.step()
    assert row(seen, "(model)")["dead"] == pytest.approx(1 / 3)


def test_table_csv_and_picture(tmp_path):
    model = mlp()
    seen = watch(model, every=2, singular_values=True)
    assert "is watch.step() called" in str(seen)
    learn(model, optim.Adam(model.parameters()), 5, seen.step)
    seen.close()
    seen.step()
    assert seen.steps == 5
    lines = seen.table(3).splitlines()
    assert lines[0] == "step 3 of 5" and lines[1].split()[:3] == ["layer", "kind", "mean"]
    assert str(seen) == seen.table(5) and "update/weight" in str(seen)
    with pytest.raises(errors.ArgumentError, match="1, 3, 5"):
        seen.table(2)
    seen.to_csv(tmp_path / "watch.csv")
    with open(tmp_path / "watch.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert len(read) == len(seen.records)
    assert float(read[1]["mean"]) == seen.records[1]["mean"] and read[1]["gradient"] == ""
    pytest.importorskip("matplotlib")
    picture = seen.plot(tmp_path / "watch.png")
    titles = [axis.get_title() for axis in picture.axes]
    assert "update / weight" in titles and (tmp_path / "watch.png").stat().st_size > 5000


def test_programs_of_compile_are_left_out_and_unharmed():
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    with watch(model, every=1) as seen:
        compiled = tg.compile(lambda x: model(x))
        for _ in range(3):
            assert np.allclose(compiled(X).data, model(X).data, atol=1e-6)
        seen.step()
    assert row(seen, "0")["calls"] >= 3
