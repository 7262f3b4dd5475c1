"""`inspect.diagnose`: each fault planted in a healthy training is found, a healthy one is not."""

import math

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import nn, optim, training
from tinygrad_cs.engine import errors
from tinygrad_cs.inspect import diagnose, watch
from tinygrad_cs.inspect.data_signs import chance_of, scale_of
from tinygrad_cs.training import History


def problem(seed=0, classes=5, features=12, samples=600):
    """Clusters, some of them overlapping: four parts of five to train, the rest to validate."""
    rng = np.random.default_rng(seed)
    centres = rng.standard_normal((classes, features)) * 1.2
    y = rng.integers(0, classes, samples)
    x = centres[y] + rng.standard_normal((samples, features))
    x = ((x - x.mean(axis=0)) / x.std(axis=0)).astype("float32")
    part = samples * 4 // 5
    return (x[:part], y[:part]), (x[part:], y[part:])


def mlp(activation=nn.ReLU, depth=1, width=32, features=12, classes=5):
    layers = [nn.Linear(features, width), activation()]
    for _ in range(depth - 1):
        layers += [nn.Linear(width, width), activation()]
    return nn.Sequential(*layers, nn.Linear(width, classes))


def trained(model, parts=None, optimizer=None, epochs=12, loss=None, **options):
    """The report on a training, and what it was made of."""
    train, validation = problem() if parts is None else parts
    optimizer = optimizer or optim.Adam(model.parameters(), lr=3e-3)
    seen = watch(model, every=10)
    try:
        history = training.fit(
            model, train, validation, loss=loss or nn.CrossEntropyLoss(), optimizer=optimizer,
            epochs=epochs, batch_size=32, callbacks=seen, progress=False,
            metrics="accuracy" if train[1].dtype.kind == "i" else (), **options,
        )  # fmt: skip
    except training.NonFiniteLossError as error:
        history = error
    seen.close()
    return diagnose(history, seen, data=train)


class Recurrent(nn.Module):
    def __init__(self):
        self.rnn, self.out = nn.GRU(3, 16, batch_first=True), nn.Linear(16, 5)

    def forward(self, x):
        return self.out(self.rnn(x.reshape(-1, 4, 3))[0][:, -1])


HEALTHY = {
    "relu": lambda: mlp(),
    "deep relu": lambda: mlp(depth=3),
    "tanh": lambda: mlp(nn.Tanh, depth=2),
    "sigmoid": lambda: mlp(nn.Sigmoid),
    "batch norm": lambda: nn.Sequential(
        nn.Linear(12, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 5)
    ),
    "recurrent": lambda: Recurrent(),
    "convolution": lambda: nn.Sequential(
        nn.Unflatten(1, (1, 12)), nn.Conv1d(1, 16, 3, padding=1), nn.ReLU(), nn.Flatten(),
        nn.Linear(16 * 12, 5),
    ),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("net", HEALTHY)
def test_a_healthy_training_raises_no_alarm(net, seed):
    tg.manual_seed(seed)
    report = trained(HEALTHY[net](), problem(seed))
    assert not report, report
    assert len(report) == 0 and repr(report) == "nothing suspicious"


@pytest.mark.parametrize("seed", range(3))
def test_healthy_numbers_raise_no_alarm(seed):
    rng = tg.manual_seed(seed)
    x = rng.standard_normal((500, 3)).astype("float32")
    y = (np.sin(x[:, :1]) + 0.1 * rng.standard_normal((500, 1))).astype("float32")
    parts = (x[:400], y[:400]), (x[400:], y[400:])
    assert not trained(mlp(nn.Tanh, features=3, classes=1), parts, loss=nn.MSELoss())


def test_a_net_that_became_sure_of_itself_raises_no_alarm():
    tg.manual_seed(0)
    x, y = tg.data.two_spirals(600, noise=0.05)
    model = mlp(nn.Tanh, depth=2, features=2, classes=2)
    report = trained(
        model, ((x[:480], y[:480]), (x[480:], y[480:])), epochs=50,
        optimizer=optim.Adam(model.parameters(), lr=2e-2),
    )  # fmt: skip
    assert not report, report


@pytest.mark.parametrize("batch_size", [1, 4])
def test_small_batches_raise_no_alarm(batch_size):
    tg.manual_seed(0)
    model, (train, validation) = mlp(), problem()
    seen = watch(model)
    history = training.fit(
        model, train, validation, loss=nn.CrossEntropyLoss(), callbacks=seen, progress=False,
        optimizer=optim.SGD(model.parameters(), lr=0.01), epochs=1, batch_size=batch_size,
    )  # fmt: skip
    assert not diagnose(history, seen, data=train)


@pytest.mark.parametrize("seed", range(2))
def test_digits_raise_no_alarm(seed):
    pytest.importorskip("sklearn")
    tg.manual_seed(seed)
    x, y = tg.data.load_digits()
    x = tg.data.Standardizer(axis=None).fit(x).transform(x)
    order = np.random.default_rng(seed).permutation(len(x))
    train, validation = order[:1400], order[1400:]
    model = mlp(width=64, features=64, classes=10)
    report = trained(model, ((x[train], y[train]), (x[validation], y[validation])))
    assert not report, report


def planted(name):
    """A training with a fault."""
    model, (train, validation) = mlp(), problem()
    x, y = train
    rng = np.random.default_rng(0)
    if name == "non-finite":
        x = x.copy()
        x[17, 3] = np.nan
        return trained(model, ((x, y), validation))
    if name == "labels shuffled":
        parts = (x, rng.permutation(y)), (validation[0], rng.permutation(validation[1]))
        return trained(model, parts)
    if name == "inputs not normalised":
        scale = 30 * np.ones(12, "float32")
        return trained(model, ((x * scale + 100, y), (validation[0] * scale + 100, validation[1])))
    if name == "learning rate too high":
        return trained(model, optimizer=optim.Adam(model.parameters(), lr=1.0))
    if name == "learning rate too low":
        return trained(model, optimizer=optim.SGD(model.parameters(), lr=1e-4))
    if name == "exploding gradients":
        model = mlp(nn.Identity, depth=10)
        for layer in model:
            if isinstance(layer, nn.Linear):
                layer.weight.data *= 3
        return trained(model, optimizer=optim.SGD(model.parameters(), lr=1e-12))
    if name == "vanishing gradients":
        model = mlp(nn.Sigmoid, depth=10)
        return trained(model, optimizer=optim.SGD(model.parameters(), lr=0.1))
    if name == "dead units":
        model[0].bias.data -= 8
        return trained(model)
    if name == "saturated units":
        model = mlp(nn.Tanh)
        model[0].weight.data *= 15
        return trained(model)
    if name == "loss at chance":
        model[0].weight.data *= 0  # then neither layer has a gradient
        model[2].weight.data *= 0
        return trained(model)
    if name == "underfitting":
        model = mlp(width=1)
        return trained(model, optimizer=optim.Adam(model.parameters(), lr=3e-2), epochs=60)
    assert name == "overfitting"
    few = x[:60], y[:60]
    noisy = few[0], np.where(np.arange(60) % 2 == 0, rng.integers(0, 5, 60), y[:60])
    model = mlp(width=128)
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    return trained(model, (noisy, validation), optimizer=optimizer, epochs=80)


FAULTS = (
    "non-finite", "inputs not normalised", "labels shuffled", "learning rate too high",
    "exploding gradients", "vanishing gradients", "dead units", "saturated units",
    "loss at chance", "learning rate too low", "underfitting", "overfitting",
)  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found(name):
    tg.manual_seed(0)
    report = planted(name)
    assert report and name in report, report
    finding = next(f for f in report if f.name == name)
    assert any(character.isdigit() for character in finding.evidence)
    assert finding.cause and finding.remedy
    assert name in repr(report) and finding.evidence in repr(report)


def test_the_causes_stand_before_the_consequences():
    tg.manual_seed(0)
    names = planted("vanishing gradients").names
    assert names.index("vanishing gradients") < names.index("loss at chance")


def test_losses_alone_tell_the_course():
    assert diagnose([2.3, 2.31, 2.3, 2.302], chance=math.log(10)).names == ["loss at chance"]
    assert diagnose([1.0, 0.5, 0.9, 0.4, 0.9, 0.5, 0.95]).names == ["learning rate too high"]
    assert diagnose([1.0, 0.99, 0.98, 0.97, 0.96, 0.95]).names == ["learning rate too low"]
    assert diagnose([1.0, 0.62, 0.61, 0.605, 0.602, 0.601]).names == ["underfitting"]
    assert diagnose([1.0, 0.3, 0.1, 0.05, 0.04, 0.04]).names == []
    assert diagnose([1.0, math.nan]).names == ["non-finite"]
    assert diagnose(History()).names == [] and diagnose([]).names == []


def test_a_rising_validation_loss_is_overfitting():
    rising = [1.0, 0.6, 0.5, 0.6, 0.8, 1.0]
    rows = [
        {"epoch": i, "loss": 1 / (1 + i) ** 2, "validation_loss": v} for i, v in enumerate(rising)
    ]
    assert diagnose(History(rows)).names == ["overfitting"]
    flat = [row | {"validation_loss": min(row["validation_loss"], 0.52)} for row in rows]
    assert diagnose(History(flat)).names == []


def test_a_bare_loop_names_the_first_bad_layer():
    model = mlp(depth=2)
    model[2].weight.data[0, 0] = np.nan
    with watch(model, every=1) as seen:
        model(problem()[0][0])
        seen.step()
    (finding,) = diagnose([math.nan], seen)
    assert finding.name == "non-finite" and "2 (Linear) at step 1" in finding.evidence


def test_an_explosion_that_fit_stopped_is_explained():
    tg.manual_seed(0)
    model = mlp(nn.Identity, depth=3)
    with np.errstate(all="ignore"):
        report = trained(model, optimizer=optim.SGD(model.parameters(), lr=1e6))
    assert "non-finite" in report and "explosion" in report[0].cause
    assert "smaller learning rate" in report[0].remedy


def test_dead_units_behind_a_function_are_found_by_their_gradients():
    class Net(nn.Module):
        def __init__(self):
            self.first, self.second = nn.Linear(12, 32), nn.Linear(32, 5)

        def forward(self, x):
            return self.second(tg.relu(self.first(x)))

    tg.manual_seed(0)
    model = Net()
    model.first.bias.data[:20] = -20
    report = trained(model)
    assert "first.weight: 62%" in next(f for f in report if f.name == "dead units").evidence


def test_chance_and_scales():
    assert chance_of(np.array([0, 1, 2, 3])) == pytest.approx(math.log(4))
    assert chance_of(np.array([0.5, 1.0])) is None and chance_of(np.array([1, 1])) is None
    assert not list(scale_of(np.zeros((5, 2), int)))
    assert not list(scale_of(np.random.default_rng(0).random((50, 3))))
    x = np.random.default_rng(0).standard_normal((50, 3)) * [1, 1, 200]
    assert any("feature" in sign for sign in scale_of(x))


def test_wrong_arguments_are_explained():
    with pytest.raises(errors.ArgumentError, match="History"):
        diagnose(3)
    with pytest.raises(errors.ArgumentError, match="Watch"):
        diagnose([1.0], mlp())
    with pytest.raises(errors.ArgumentError, match=r"\(x, y\)"):
        diagnose([1.0], data=np.ones(3))
    with pytest.raises(errors.ArgumentError, match="as many"):
        diagnose([1.0], data=(np.ones(3), np.ones(2)))
