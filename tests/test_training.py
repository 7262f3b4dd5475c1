"""`training.fit`: that it is the plain loop, and everything that may end or resume it."""

import io
import math
import signal
import types

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim, training
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.optim import lr_scheduler

cross_entropy = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def points(samples=50, columns=3, classes=3):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((samples, columns)).astype("float32")
    return x, rng.integers(0, classes, samples)


def net(columns=3, classes=3, dropout=0.2):
    return nn.Sequential(
        nn.Linear(columns, 8),
        nn.BatchNorm1d(8),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(8, classes),
    )


def made(model=None, x_y=None, epochs=2, kind=training.Run, lr=0.05, **options):
    model = model or net()
    if "optimizer" not in options:
        options["optimizer"] = optim.Adam(model.parameters(), lr=lr)
    if not isinstance(x_y, data.DataLoader):
        options.setdefault("batch_size", 8)
    options = {"loss": cross_entropy, "progress": False, "epochs": epochs} | options
    return kind(model, points() if x_y is None else x_y, **options)


def fit(*arguments, **options):
    return made(*arguments, kind=training.fit, **options)


def weights(model):
    return {name: array.copy() for name, array in model.state_dict().items()}


def same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert_array_equal(array, second[name], err_msg=name)


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
    same(weights(model), weights(by_hand))
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


class Scripted(training.Metric):
    """A metric that says what the test wants, and moves a weight so that epochs differ."""

    name = "scripted"

    def __init__(self, values, higher_is_better=True):
        self.values, self.higher_is_better = list(values), higher_is_better
        super().__init__()

    def reset(self):
        self.samples = 0
        return self

    def add(self, prediction, target):
        self.samples += len(target)

    def value(self):
        return self.values.pop(0)


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
    same(weights(model), seen[1])
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
    same(weights(model), seen[1])


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
        same(weights(model), expected)
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


# Ctrl-C


class InterruptAt(training.Callback):
    def __init__(self, *steps):
        self.steps = steps

    def on_batch_end(self, run):
        if run.steps in self.steps:
            signal.raise_signal(signal.SIGINT)


def comparable(state):
    """A state without times, which never repeat."""
    if isinstance(state, dict):
        return {k: comparable(v) for k, v in state.items() if k not in ("seconds", "stopped")}
    if isinstance(state, (list, tuple)):
        return [comparable(entry) for entry in state]
    return repr(state.tolist() if isinstance(state, np.ndarray) else state)


def test_an_interruption_ends_at_a_batch_and_training_can_go_on():
    tg.manual_seed(5)
    whole = made(epochs=3, validation=points(9), patience=9, ema=0.9)
    whole.train()
    end = whole.state_dict()

    tg.manual_seed(5)
    options = {"patience": 9, "ema": 0.9, "callbacks": InterruptAt(10, 14)}
    run = made(epochs=3, validation=points(9), **options)
    before = signal.getsignal(signal.SIGINT)
    history = run.train()
    assert history.stopped.startswith("interrupted in epoch 2, batch 3 of 7 (mean loss")
    assert len(history) == 1 and run.steps == 10 and run.interrupted
    assert signal.getsignal(signal.SIGINT) is before
    assert run.train().stopped == "interrupted after epoch 2"
    assert run.train().stopped == "finished 3 epochs"
    state = run.state_dict()
    state["callbacks"] = end["callbacks"]
    assert comparable(state) == comparable(end)


def test_a_second_interruption_interrupts_at_once():
    class Twice(training.Callback):
        def on_batch_end(self, run):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        fit(callbacks=Twice())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


# State


def everything(loader=None, **options):
    """A run with all parts that have a state."""
    tg.manual_seed(6)
    model = net()
    optimizer = options.pop("kind", optim.Adam)(model.parameters(), lr=0.05)
    return made(
        model,
        points() if loader is None else loader,
        epochs=3,
        validation=points(9),
        optimizer=optimizer,
        schedule=lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=30),
        schedule_every="batch",
        metrics=["accuracy", "f1"],
        ema=0.9,
        patience=5,
        clip_norm=1.0,
        **options,
    )


class Unknown:
    """A loader that keeps no position."""

    def __init__(self, own=None):
        self.loader = data.DataLoader(data.TensorDataset(*points()), 8, shuffle=True, generator=own)
        self.generator = self.loader.generator

    def __iter__(self):
        for x, y in self.loader:
            # augmentation that draws from the library's generator
            yield x + 0.1 * modes.generator().standard_normal(x.shape, x.dtype), y


LOADERS = {
    "arrays": lambda: None,
    "seeded": lambda: data.DataLoader(
        data.TensorDataset(*points()), 8, shuffle=True, generator=3
    ),
    "workers": lambda: data.DataLoader(
        data.TensorDataset(*points()), 8, shuffle=True, num_workers=2,
        transform=lambda b: (b[0] + modes.generator().random(b[0].shape, np.float32), b[1]),
    ),
    "unknown": Unknown,
    "unknown, seeded": lambda: Unknown(3),
}  # fmt: skip


class SaveAt(training.Callback):
    def __init__(self, step, event="on_batch_end"):
        self.step, self.event, self.state = step, event, None

    def on_batch_end(self, run):
        if self.event == "on_batch_end" and run.steps == self.step:
            self.state = run.state_dict()

    def on_epoch_end(self, run):
        if self.event == "on_epoch_end" and run.steps == self.step:
            self.state = run.state_dict()


@pytest.mark.parametrize("loader", LOADERS)
@pytest.mark.parametrize(
    ("step", "event"),
    [(3, "on_batch_end"), (7, "on_batch_end"), (7, "on_epoch_end"), (16, "on_batch_end")],
)
def test_a_resumed_training_is_the_uninterrupted_one_bit_for_bit(loader, step, event, tmp_path):
    make = LOADERS[loader]
    saver = SaveAt(step, event)
    whole = everything(make(), callbacks=saver)
    whole.train()

    again = everything(make(), callbacks=SaveAt(0))
    tg.manual_seed(99)
    # through a file: what a new process would have
    tg.save(tmp_path / "run.safetensors", saver.state)
    again.load_state_dict(tg.load(tmp_path / "run.safetensors"))
    assert again.steps == step and again.batch == (
        0 if event == "on_epoch_end" else (step - 1) % 7 + 1
    )
    again.train()
    assert comparable(again.state_dict()) == comparable(whole.state_dict())
    assert again.history["loss"] == whole.history["loss"]


@pytest.mark.parametrize("step", [1, 4, 9])
def test_saving_in_an_epoch_does_not_change_how_metrics_are_rounded(step, tmp_path):
    def run(*callbacks):
        tg.manual_seed(3)
        targets = 1e4 + np.random.default_rng(0).standard_normal((50, 1)).astype("f4")
        model = nn.Linear(3, 1)
        return made(
            model, (points()[0], targets), batch_size=4, lr=1.0, epochs=2, callbacks=callbacks,
            loss=nn.MSELoss(), metrics=["r2", "mean_squared_error"],
        )  # fmt: skip

    saver = SaveAt(step)
    whole, watched = run(), run(saver)
    tg.manual_seed(4)
    whole.train()
    tg.manual_seed(4)
    watched.train()
    tg.save(tmp_path / "run", saver.state | {"callbacks": []})
    again = run()
    again.load_state_dict(tg.load(tmp_path / "run"))
    again.train()
    for column in ("r2", "mean_squared_error"):
        assert watched.history[column] == whole.history[column] == again.history[column]


def test_resuming_with_accumulation_and_every_optimizer(tmp_path):
    for kind in (optim.SGD, optim.NAdam, optim.RMSprop, optim.Lion):

        def run(kind=kind, **options):
            tg.manual_seed(7)
            model = net()
            optimizer = kind(model.parameters(), lr=0.01)
            return made(model, optimizer=optimizer, accumulate=3, **options)

        saver = SaveAt(4)
        whole = run(callbacks=saver)
        whole.train()
        tg.save(tmp_path / "run.safetensors", saver.state)
        again = run(callbacks=SaveAt(0))
        again.load_state_dict(tg.load(tmp_path / "run.safetensors"))
        again.train()
        assert comparable(again.state_dict()) == comparable(whole.state_dict())


def test_a_state_that_does_not_fit_changes_nothing():
    run = everything()
    run.epochs = 1
    run.train()
    good = run.state_dict()
    other = everything()
    untouched = comparable(other.state_dict())
    for broken, message in [
        ({"epoch": 1}, "nothing was loaded"),
        ([], "list"),
        (good | {"schedule": None}, "schedule"),
        (good | {"callbacks": [{}]}, "callbacks"),
        (good | {"metrics": {}}, "metrics"),
        (good | {"model": {}}, "missing"),
        (good | {"optimizer": {}}, "param_groups"),
        (good | {"data": good["data"] | {"loader": {}}}, "DataLoader"),
    ]:
        with pytest.raises(errors.StateDictError, match=message):
            other.load_state_dict(broken)
        assert comparable(other.state_dict()) == untouched


def test_an_unknown_loader_that_has_become_shorter_is_noticed():
    saver = SaveAt(7)
    made(x_y=Unknown(), batch_size=None, callbacks=saver).train()
    again = made(x_y=Unknown(), batch_size=None, callbacks=SaveAt(0))
    again._batches.loader.loader = data.DataLoader(data.TensorDataset(*points(10)), 8)
    with pytest.raises(errors.StateDictError, match="seen 7 batches"):
        again.load_state_dict(saver.state)


def test_checkpoints_resume_from_a_folder(tmp_path):
    folder = tmp_path / "run"

    def train(epochs, *callbacks, seed=8):
        tg.manual_seed(seed)
        model = net()
        history = fit(
            model,
            epochs=epochs,
            validation=points(9),
            callbacks=[training.Checkpointing(folder, every_batches=5), *callbacks],
            resume=folder,
        )
        return model, history

    stopped = train(3, InterruptAt(11))[1].stopped
    assert "epoch 2, batch 4" in stopped
    model, history = train(3, InterruptAt(), seed=1)
    assert history["epoch"] == [1, 2, 3]

    folder = tmp_path / "another"
    expected, whole = train(3, InterruptAt())
    same(weights(model), weights(expected))
    assert whole["validation_loss"] == history["validation_loss"]

    # a run that is complete has nothing left to do
    again, history = train(3, InterruptAt(), seed=2)
    same(weights(again), weights(expected))
    assert history.stopped == "finished 3 epochs"


def test_checkpoints_keep_the_last_and_the_best(tmp_path):
    callback = training.Checkpointing(tmp_path, keep_last=1, keep_best=1)
    fit(metrics=Scripted([1, 5, 2, 3]), monitor="scripted", epochs=4, callbacks=callback)
    assert callback.checkpoints.steps() == [14, 28]
    best = callback.checkpoints.best()
    assert best.score == 5
    said = tg.saving.inspect(best.path).metadata
    assert said["step"] == "14" and said["optimizer"] == "Adam" and said["monitor"] == "scripted"
    assert "BatchNorm1d(8" in said["model"]
    for wrong in ({"every_epochs": 0}, {"every_epochs": None}, {"every_batches": 1.5}):
        with pytest.raises(errors.ArgumentError, match=r"every_epochs|every_batches"):
            training.Checkpointing(tmp_path, **wrong)


# What is not finite


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
    same(weights(model), before)
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
    same(weights(run.model), weights(plain.model))
    assert run.history["loss"] == plain.history["loss"]


# What it shows


def test_without_a_terminal_there_is_a_line_per_epoch(capsys):
    fit(x_y=points(16), validation=points(9), metrics="accuracy", progress=True)
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    assert first.startswith("epoch 1/2: loss ") and second.startswith("epoch 2/2: loss ")
    for part in ("accuracy 0.", "validation loss", "validation accuracy", "lr 0.05"):
        assert part in first
    assert err == "" and "\r" not in out
    fit(progress=True, callbacks=lambda run: run.stop("enough"))
    assert capsys.readouterr().out.splitlines()[-1] == "enough"
    fit(progress=False)
    assert capsys.readouterr() == ("", "")


def pretend_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)


def test_in_a_terminal_there_is_a_bar(capsys, monkeypatch):
    pretend_terminal(monkeypatch)
    monkeypatch.setattr("tinygrad_cs.training.progress.REFRESH", 0.0)
    fit(validation=points(9), progress=True)
    out, err = capsys.readouterr()
    assert out == ""
    assert "epoch 2/2" in err and "14/14" in err and "validation loss" in err and "lr 0.05" in err
    with pytest.raises(ZeroDivisionError):
        fit(progress=True, callbacks=lambda run: 1 / 0)
    assert capsys.readouterr().err.endswith("\n"), "the bar is closed"


def pretend_notebook(monkeypatch, widgets):
    modules = __import__("sys").modules
    monkeypatch.setitem(modules, "ipykernel", types.ModuleType("ipykernel"))
    fake = types.ModuleType("ipywidgets") if widgets else None
    if widgets:
        fake.IntProgress = object
    monkeypatch.setitem(modules, "ipywidgets", fake)


def test_a_notebook_with_widgets_gets_the_bar_of_notebooks(monkeypatch):
    import tqdm.notebook

    made_bars = []

    class Recorded(tqdm.std.tqdm):
        """In the place of the widget, which only a real notebook can draw."""

        def __init__(self, **options):
            super().__init__(**options, file=io.StringIO())
            made_bars.append(self)

    monkeypatch.setattr(tqdm.notebook, "tqdm", Recorded)
    pretend_notebook(monkeypatch, widgets=True)
    fit(validation=points(9), progress=True)
    (bar,) = made_bars
    assert bar.n == bar.total == 14 and "validation loss" in bar.postfix and bar.disable


def test_a_notebook_without_widgets_gets_a_bar_of_text(capsys, monkeypatch):
    pretend_notebook(monkeypatch, widgets=False)
    fit(progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "14/14" in err
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    fit(progress=True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_without_tqdm_a_terminal_gets_lines(capsys, monkeypatch):
    pretend_terminal(monkeypatch)
    monkeypatch.setitem(__import__("sys").modules, "tqdm", None)
    fit(progress=True)
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_time_left_is_told_when_it_is_worth_telling(capsys, monkeypatch):
    monkeypatch.setattr("tinygrad_cs.training.progress.WORTH_TELLING", 0.0)
    fit(progress=True)
    assert " s left" in capsys.readouterr().out
    from tinygrad_cs.training.progress import duration

    assert [duration(s) for s in (5, 300, 10_000)] == ["5 s", "5 min", "2.8 h"]


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
