"""What the tests of `training.fit` share: a small net, its data, and a run with options."""

import numpy as np
from numpy.testing import assert_array_equal

from tinygrad_cs import data, nn, optim, training

cross_entropy = nn.CrossEntropyLoss()


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


def assert_same(first, second):
    assert first.keys() == second.keys()
    for name, array in first.items():
        assert_array_equal(array, second[name], err_msg=name)


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
