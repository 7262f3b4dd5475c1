"""`training.fit`: that it is the plain loop, and what steers it, from clipping to callbacks."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from small_training import Scripted, assert_same, cross_entropy, fit, net, points, weights

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim, training
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.optim import lr_scheduler


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


# The loop itself


def test_it_is_the_plain_loop_bit_for_bit():
    x, y = points()
    tg.manual_seed(3)
    by_hand = net()
    optimizer = optim.Adam(by_hand.parameters(), lr=0.05)
    losses = []
    for _ in range(3):
        total = 0.0
        for a, b in data.DataLoader(data.TensorDataset(x, y), 8, shuffle=True):
            optimizer.zero_grad()
            loss = cross_entropy(by_hand(a), b)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(b)
        losses.append(total / len(x))
    tg.manual_seed(3)
    model = net()
    history = fit(model, (x, y), epochs=3)
    assert_same(weights(model), weights(by_hand))
    assert history["loss"] == losses
    assert history["epoch"] == [1, 2, 3] and history["lr"] == [0.05] * 3
    assert history.stopped == "finished 3 epochs"
    assert all(seconds > 0 for seconds in history["seconds"])


def test_the_loss_of_an_epoch_weighs_samples_alike_whatever_the_batches():
    x, y = points(10)
    model = nn.Linear(3, 3)
    frozen = optim.SGD(model.parameters(), lr=0.0)
    expected = cross_entropy(model(x), y).item()
    history = fit(model, (x, y), optimizer=frozen, validation=(x, y), metrics="accuracy")
    assert_allclose([*history["loss"], *history["validation_loss"]], expected, rtol=1e-6)
    share = float(np.mean(model(x).data.argmax(1) == y))
    assert history["accuracy"] == history["validation_accuracy"] == [share] * 2
    summed = fit(
        model,
        (x, y),
        optimizer=frozen,
        validation=(x, y),
        loss=nn.CrossEntropyLoss(reduction="sum"),
    )
    assert_allclose([*summed["loss"], *summed["validation_loss"]], expected, rtol=1e-6)


def test_loaders_data_sets_and_arrays_are_the_same_data():
    x, y = points()
    found = []
    for source in ((x, y), (tg.tensor(x), y), data.TensorDataset(x, y)):
        tg.manual_seed(0)
        found.append(fit(x_y=source)["loss"])
    tg.manual_seed(0)
    model = net()
    loader = data.DataLoader(data.TensorDataset(x, y), 8, shuffle=True)
    found.append(fit(model, loader)["loss"])
    assert found == [found[0]] * 4


def test_models_of_several_inputs():
    class Sum(nn.Module):
        def __init__(self):
            self.layer = nn.Linear(3, 3)

        def forward(self, a, b):
            return self.layer(a + b)

    x, y = points()
    assert len(fit(Sum(), (x, x, y), validation=(x, x, y))) == 2


def test_a_layer_put_in_eval_by_hand_remains_so_and_modes_come_back():
    model = net()
    model[1].eval()
    before = weights(model)
    modes_seen = []
    fit(
        model,
        validation=points(),
        callbacks=lambda run: modes_seen.append([layer.training for layer in run.model]),
    )
    assert modes_seen == [[True, False, True, True, True]] * 2
    assert_array_equal(before["1.running_mean"], model[1].running_mean.data)
    model.eval()
    fit(model)
    assert not any(module.training for module in model.modules())
    assert (before["1.running_mean"] != model[1].running_mean.data).any(), "it was trained"


def test_validation_is_in_eval_mode_records_nothing_and_restores_modes_after_an_error():
    class Watched(nn.Module):
        def __init__(self):
            self.layer, self.seen = nn.Linear(3, 3), []

        def forward(self, x):
            out = self.layer(x)
            self.seen.append((self.training, out.requires_grad))
            if self.broken and not self.training:
                raise errors.ShapeError("broken")
            return out

    Watched.broken = False
    model = Watched()
    x, y = points(8)
    fit(model, (x, y), epochs=1, validation=(x, y))
    assert model.seen == [(True, True), (False, False)]
    Watched.broken = True
    with pytest.raises(errors.ShapeError, match="broken"):
        training.evaluate(model, (x, y))
    assert model.training and modes.current_mode().recording


# Arguments


def test_arguments_are_refused_before_any_training():
    model = net()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    other = optim.SGD(net().parameters(), lr=0.1)
    x, y = points()
    loader = data.DataLoader(data.TensorDataset(x, y), 8)
    plateau = lr_scheduler.ReduceLROnPlateau(optimizer, mode="max")
    for changed, message in [
        ({"epochs": -1}, "epochs"),
        ({"epochs": 2.0}, "epochs"),
        ({"optimizer": other}, "none of this model's parameters"),
        ({"optimizer": optim.SGD}, "optim.Adam"),
        ({"loss": nn.CrossEntropyLoss}, "CrossEntropyLoss()"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, "none"),
        ({"batch_size": None}, "batch_size=64"),
        ({"train": x}, "x, y"),
        ({"train": (x,)}, r"\(x, x\)"),
        ({"train": iter(loader)}, "used up"),
        ({"train": 3}, "DataLoader"),
        ({"accumulate": 0}, "accumulate"),
        ({"clip_norm": 0.0}, "clip_norm"),
        ({"clip_value": "1"}, "clip_value"),
        ({"schedule": lr_scheduler.StepLR(other, 1)}, "another optimizer"),
        ({"schedule": lr_scheduler.StepLR}, "StepLR"),
        ({"schedule_every": "batch"}, "without a schedule"),
        ({"schedule_every": "step"}, "'epoch' or 'batch'"),
        ({"schedule": plateau}, "mode='min'"),
        ({"schedule": plateau, "schedule_every": "batch"}, "once an epoch"),
        ({"monitor": "validation_accuracy"}, "give validation data"),
        ({"ema_use": "test"}, "ema_use"),
        ({"patience": -1}, "patience"),
        ({"metrics": "acuracy"}, "accuracy"),
        ({"callbacks": training.Callback}, r"Callback\(\)"),
        ({"callbacks": [3]}, "functions of the run"),
    ]:
        arguments = {
            "train": (x, y), "loss": cross_entropy, "optimizer": optimizer, "epochs": 1,
            "batch_size": 8,
        }  # fmt: skip
        with pytest.raises(errors.ArgumentError, match=message):
            training.fit(model, **(arguments | changed))
    with pytest.raises(errors.ArgumentError, match=r"nn\.Module"):
        training.fit(lambda x: x, **arguments)


def test_batches_that_are_no_pairs_are_refused():
    loader = data.DataLoader(data.TensorDataset(points()[0]), 8)
    with pytest.raises(errors.ArgumentError, match="inputs and a target"):
        fit(x_y=loader)


def test_a_metric_with_several_values_cannot_be_monitored():
    with pytest.raises(errors.ArgumentError, match="no single number"):
        fit(metrics={"f1": training.F1Score(None)}, monitor="f1")


# Accumulation and clipping


def test_accumulated_batches_are_one_large_batch_also_the_uneven_last_ones():
    x, y = points(22)
    found = []
    for batch_size, accumulate in ((12, 1), (4, 3), (3, 4)):
        tg.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 3)).double()
        history = fit(
            model,
            (x.astype(float), y),
            epochs=3,
            batch_size=batch_size,
            accumulate=accumulate,
            shuffle=False,
        )
        found.append((weights(model), history["loss"]))
    for other, losses in found[1:]:
        for name, array in found[0][0].items():
            assert_allclose(other[name], array, rtol=1e-9, atol=1e-12)
        assert_allclose(losses, found[0][1], rtol=1e-9)


def test_accumulation_sums_losses_that_are_sums():
    x, y = points(12)
    found = []
    for batch_size, accumulate in ((12, 1), (4, 3)):
        tg.manual_seed(0)
        model = nn.Linear(3, 3).double()
        optimizer = optim.SGD(model.parameters(), lr=0.01)
        fit(
            model, (x.astype(float), y), batch_size=batch_size, accumulate=accumulate,
            loss=nn.CrossEntropyLoss(reduction="sum"), optimizer=optimizer, shuffle=False,
        )  # fmt: skip
        found.append(weights(model))
    for name, array in found[0].items():
        assert_allclose(found[1][name], array, rtol=1e-9)


@pytest.mark.parametrize("accumulate", [1, 2])
def test_gradients_are_clipped_before_the_step(accumulate):
    x, y = points(16)
    model = nn.Linear(3, 3)
    before = weights(model)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    history = fit(
        model, (100 * x, y), epochs=1, batch_size=16 // accumulate, accumulate=accumulate,
        optimizer=optimizer, clip_norm=0.25,
    )  # fmt: skip
    moved = math.sqrt(
        sum(float(((weights(model)[name] - before[name]) ** 2).sum()) for name in before)
    )
    assert_allclose(moved, 0.25, rtol=1e-4)
    assert history["gradient_norm"][0] > 1
    fit(model, (100 * x, y), epochs=1, batch_size=16, optimizer=optimizer, clip_value=1e-3)
    assert max(abs(p.grad).max() for p in model.parameters()) <= np.float32(1e-3)


def test_lbfgs_is_given_its_closure():
    x = np.linspace(-1, 1, 20, dtype="float32")[:, None]
    y = 3 * x - 1
    model = nn.Linear(1, 1)
    optimizer = optim.LBFGS(model.parameters(), line_search_fn="strong_wolfe")
    for accumulate in (1, 2):
        fit(
            model, (x, y), batch_size=20 // accumulate, accumulate=accumulate, loss=nn.MSELoss(),
            optimizer=optimizer,
        )  # fmt: skip
        assert_allclose([model.weight.item(), model.bias.item()], [3, -1], atol=1e-3)


# Schedules


def test_schedules_step_by_epoch_or_by_batch():
    model = nn.Linear(3, 3)
    optimizer = optim.SGD(model.parameters(), lr=1.0)
    schedule = lr_scheduler.ExponentialLR(optimizer, 0.5)
    history = fit(model, optimizer=optimizer, schedule=schedule, epochs=3)
    assert history["lr"] == [1, 0.5, 0.25] and optimizer.param_groups[0]["lr"] == 0.125

    optimizer = optim.SGD(model.parameters(), lr=0.1)
    schedule = lr_scheduler.OneCycleLR(optimizer, 0.5, epochs=2, steps_per_epoch=7)
    rates = []

    class Rates(training.Callback):
        def on_batch_end(self, run):
            rates.append(run.lr)

    history = fit(
        model, optimizer=optimizer, schedule=schedule, schedule_every="batch", callbacks=Rates()
    )
    assert len(rates) == 14 and schedule.last_epoch == 14
    assert history["lr"] == [rates[5], rates[12]], "those of the last updates"


def test_the_plateau_schedule_sees_the_validation():
    model = nn.Linear(3, 3)
    optimizer = optim.SGD(model.parameters(), lr=0.0)
    schedule = lr_scheduler.ReduceLROnPlateau(optimizer, patience=0)
    history = fit(model, optimizer=optimizer, schedule=schedule, validation=points(9), epochs=3)
    assert schedule.best == history["validation_loss"][0]
    assert schedule.num_bad_epochs == 0 and schedule.last_epoch == 3
    optimizer.param_groups[0]["lr"] = 1e-6
    fit(model, optimizer=optimizer, schedule=schedule, validation=points(9), epochs=1)
    assert optimizer.param_groups[0]["lr"] < 1e-6


# Early stopping and averages


@pytest.mark.parametrize("sign", [1, -1])
def test_early_stopping_puts_the_best_weights_back(sign):
    # the metric is asked for training and validation in turn
    script = [0, 1, 0, 3, 0, 2, 0, 2.5, 0, 9]
    seen = []
    model = net()
    history = fit(
        model,
        epochs=9,
        validation=points(),
        metrics=Scripted([sign * v for v in script], sign == 1),
        monitor="validation_scripted",
        patience=1,
        callbacks=lambda run: seen.append(weights(run.model)),
    )
    assert len(history) == 4 and history.best_epoch == 2
    assert history.stopped.startswith("stopped early: validation scripted has not improved for 2")
    assert_same(weights(model), seen[1])
    assert (seen[1]["0.weight"] != seen[3]["0.weight"]).any()


def test_small_improvements_and_nan_do_not_count():
    script = [math.nan, 1.0, 1.05, math.nan, 1.2, 9]
    history = fit(epochs=6, metrics=Scripted(script), monitor="scripted", patience=1, min_delta=0.1)
    assert len(history) == 4 and history.best_epoch == 2


def test_the_best_weights_are_back_also_when_all_epochs_are_done():
    seen = []
    model = net()
    fit(
        model, epochs=3, metrics=Scripted([1, 5, 2]), monitor="scripted", patience=5,
        callbacks=lambda run: seen.append(weights(run.model)),
    )  # fmt: skip
    assert_same(weights(model), seen[1])


def test_averaged_weights_validate_and_stay():
    x, y = points(24)

    def by_hand():
        tg.manual_seed(4)
        model = net()
        optimizer = optim.Adam(model.parameters(), lr=0.05)
        average = optim.ExponentialMovingAverage(model, 0.5)
        losses = []
        for _ in range(2):
            for a, b in data.DataLoader(data.TensorDataset(x, y), 8, shuffle=True):
                optimizer.zero_grad()
                cross_entropy(model(a), b).backward()
                optimizer.step()
                average.update()
            with average.applied():
                losses.append(
                    training.evaluate(model, (x, y), loss=cross_entropy, batch_size=8)["loss"]
                )
        return model, average, losses

    plain, average, losses = by_hand()
    for use in (("validation", "final"), "validation", "final", ()):
        tg.manual_seed(4)
        model = net()
        history = fit(model, (x, y), validation=(x, y), ema=0.5, ema_use=use)
        expected = average.state_dict()["average"] if "final" in use else weights(plain)
        assert_same(weights(model), expected)
        assert (history["validation_loss"] == losses) == ("validation" in use)


# Callbacks


def test_callbacks_hear_everything_in_order():
    heard = []

    class Listener(training.Callback):
        def on_train_begin(self, run):
            heard.append("train begin")

        def on_epoch_begin(self, run):
            heard.append(f"epoch begin {run.epoch}")

        def on_batch_end(self, run):
            heard.append(f"batch {run.batch} of {run.batches_per_epoch}")
            assert math.isfinite(run.loss) and run.mean_loss > 0

        def on_epoch_end(self, run):
            heard.append(f"epoch end {run.epoch} {len(run.history)}")

        def on_train_end(self, run):
            heard.append(f"train end, {run.history.stopped}")

    fit(x_y=points(16), callbacks=[Listener(), lambda run: heard.append("function")])
    epoch = ["batch 1 of 2", "batch 2 of 2"]
    assert heard == [
        "train begin",
        "epoch begin 0", *epoch, "epoch end 1 1", "function",
        "epoch begin 1", *epoch, "epoch end 2 2", "function",
        "train end, finished 2 epochs",
    ]  # fmt: skip


def test_a_callback_may_stop_and_its_errors_come_out():
    history = fit(epochs=5, callbacks=lambda run: run.stop("enough"))
    assert len(history) == 1 and history.stopped == "enough"
    with pytest.raises(ZeroDivisionError):
        fit(callbacks=lambda run: 1 / 0)


# Evaluation


def test_evaluate_does_not_depend_on_the_batches():
    x, y = points(23)
    model = net()
    found = [
        training.evaluate(model, (x, y), loss=cross_entropy, metrics="accuracy", batch_size=size)
        for size in (1, 5, 23)
    ]
    for values in found[1:]:
        assert values["accuracy"] == found[0]["accuracy"]
        assert_allclose(values["loss"], found[0]["loss"], rtol=1e-6)
    assert training.evaluate(model, (x, y)) == {}


@pytest.mark.parametrize("size", [1, 5, 23])
def test_predict_is_the_model_in_evaluation_mode_whatever_the_batches(size):
    x, _ = points(23)
    model = net()
    with training.evaluation_mode(model):
        expected = model(x).numpy()
    found = training.predict(model, x, batch_size=size)
    assert type(found) is np.ndarray and found.dtype == np.float32
    assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert all(module.training for module in model.modules())
    assert_array_equal(training.predict(model, tg.tensor(x), batch_size=size), found)


def test_predict_takes_several_inputs_and_says_what_it_cannot_join():
    x, _ = points(23)
    bilinear = nn.Bilinear(3, 3, 2)
    assert training.predict(bilinear, x, x).shape == (23, 2)
    with pytest.raises(errors.ShapeError, match="lengths 23, 4"):
        training.predict(bilinear, x, x[:4])

    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    class Total(nn.Module):
        def forward(self, x):
            return x.sum()

    for module, kind in ((Pair(), "tuple"), (Total(), "float32|ndarray|Tensor")):
        with pytest.raises(errors.ArgumentError, match=f"one array .* got ({kind})"):
            training.predict(module, tg.tensor(x))
