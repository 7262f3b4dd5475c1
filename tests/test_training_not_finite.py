"""`training.fit` where a loss, a gradient or a weight is not finite: explained, and put back."""

import math

import numpy as np
import pytest
from small_training import assert_same, fit, made, points, weights

import tinygrad_cs as tg
from tinygrad_cs import nn, optim, training


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def test_a_loss_that_explodes_is_explained_and_the_last_good_state_is_back():
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 1))
    before = weights(model)
    x, _ = points()
    optimizer = optim.SGD(model.parameters(), lr=1e4)
    run = made(model, (x, x[:, :1]), loss=nn.MSELoss(), optimizer=optimizer)
    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
        run.train()
    error = caught.value
    found = error.diagnosis
    assert found.what == "loss" and found.place.startswith("epoch 1, batch")
    assert found.gradient[0] in dict(model.named_parameters()) and not found.gradient[1] < 1e3
    assert found.lr == 1e4 and any("smaller learning rate" in a for a in found.advice)
    for part in ("losses before", "largest gradient", "learning rate: 1e+04", "try:", "back at"):
        assert part in str(error)
    assert isinstance(error, FloatingPointError) and error.run is run
    assert "became" in error.history.stopped
    assert_same(weights(model), before)
    assert all(p.grad is None for p in model.parameters())

    # and it can go on
    optimizer.param_groups[0]["lr"] = 1e-2
    assert run.train().stopped == "finished 2 epochs"
    assert run.history["epoch"] == [1, 2]


class Root(nn.Module):
    def forward(self, x):
        return tg.log(x)


def test_the_first_bad_layer_is_named_by_its_path():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.Tanh(), Root()), nn.Linear(4, 3))
    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
        fit(model)
    assert caught.value.diagnosis.layer == "1.1 (Root)"
    assert caught.value.diagnosis.operation.startswith("log produced NaN: x in [")
    assert type(model[0]) is nn.Linear and type(model[1][1]) is Root


def test_bad_inputs_are_found_in_the_batch():
    x, y = points()
    x[20, 1] = np.nan
    with pytest.raises(training.NonFiniteLossError, match="position 4 of the batch") as caught:
        fit(x_y=(x, y), shuffle=False)
    assert caught.value.diagnosis.place == "epoch 1, batch 3 of 7"
    assert caught.value.diagnosis.advice == ["drop these samples, or fill them: np.nan_to_num(x)"]


def root_of_square(prediction, target):
    return tg.sqrt((prediction - target) ** 2).mean()


def test_a_gradient_that_is_nan_is_found_one_step_later_at_the_latest():
    x = np.zeros((8, 1), "float32")
    for options, what in [({}, "loss"), ({"clip_norm": 1.0}, "gradient")]:
        model = nn.Linear(1, 1)
        nn.init.zeros_(model.bias)
        with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
            fit(model, (x, x), loss=root_of_square, **options)
        found = caught.value.diagnosis
        assert found.what == what and math.isnan(found.gradient[1])
        assert any("tg.debug()" in advice for advice in found.advice)
        assert np.isfinite(model.weight.data).all() and np.isfinite(model.bias.data).all()
    # the only update of a training is looked at as well
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.bias)
    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
        fit(model, (x, x), loss=root_of_square, epochs=1)
    assert caught.value.diagnosis.what == "weights"


def test_the_loss_itself_may_be_what_is_not_finite():
    def log_loss(prediction, target):
        return -tg.log(prediction * 0.0).mean()

    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
        fit(loss=log_loss)
    assert caught.value.diagnosis.layer is None
    assert "it begins in the loss" in str(caught.value)
    assert "log produced an infinite value" in str(caught.value)


def test_a_late_failure_goes_back_to_the_last_snapshot(monkeypatch):
    monkeypatch.setattr("tinygrad_cs.training.recovery.SNAPSHOT", 5)

    class Poison(training.Callback):
        def on_batch_end(self, run):
            if run.steps == 13 and not self.done:
                self.done = True
                run.optimizer.param_groups[0]["lr"] = 1e38

    tg.manual_seed(9)
    plain = made(epochs=3)
    plain.train()
    tg.manual_seed(9)
    callback = Poison()
    callback.done = False
    run = made(epochs=3, callbacks=callback)
    with np.errstate(all="ignore"), pytest.raises(training.NonFiniteLossError) as caught:
        run.train()
    assert "epoch 2 after 3 batches" in str(caught.value) and run.steps == 10
    run.train()
    assert_same(weights(run.model), weights(plain.model))
    assert run.history["loss"] == plain.history["loss"]
