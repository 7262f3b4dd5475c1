"""`training.fit` interrupted and resumed: the same numbers as without, and checkpoints."""

import signal

import numpy as np
import pytest
from small_training import Scripted, assert_same, fit, made, net, points, weights

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim, training
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.optim import lr_scheduler


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


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
    assert_same(weights(model), weights(expected))
    assert whole["validation_loss"] == history["validation_loss"]

    # a run that is complete has nothing left to do
    again, history = train(3, InterruptAt(), seed=2)
    assert_same(weights(again), weights(expected))
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
