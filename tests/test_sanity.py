"""The checks before training: a sound net passes, each planted fault is found, nothing changes."""

import copy
import math

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.inspect import sanity_check
from tinygrad_cs.inspect.trials.samples import some_samples

cross_entropy = nn.CrossEntropyLoss()
IMAGES, LABELS = data.load_digits()
X, Y = ((IMAGES - 8) / 8)[:400], LABELS[:400]
EVERYTHING = [
    "loss at chance", "output and loss", "penalty", "gradients agree", "gradients arrive",
    "by heart", "labels and inputs", "update / weight", "learning rate",
]  # fmt: skip


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def net(*more, hidden=64):
    return nn.Sequential(nn.Linear(64, hidden), nn.ReLU(), nn.Linear(hidden, 10), *more)


def check(model, x=X, y=Y, loss=cross_entropy, optimizer=None, lr=5e-4, **options):
    optimizer = optimizer or optim.Adam(model.parameters(), lr=lr)
    return sanity_check(model, loss, (x, y), optimizer=optimizer, **options)


def comparable(tree):
    """A nested state with arrays as lists of bytes, to be compared by ==."""
    if isinstance(tree, dict):
        return {key: comparable(value) for key, value in tree.items()}
    if isinstance(tree, (list, tuple)):
        return [comparable(value) for value in tree]
    return tree.tobytes() if isinstance(tree, np.ndarray) else tree


# What is sound passes


@pytest.mark.parametrize("seed", range(4))
def test_a_sound_net_passes_everything(seed):
    tg.manual_seed(seed)
    checks = check(net(nn.Dropout(0.0)), seed=seed)
    assert checks.passed, checks
    assert list(checks) == EVERYTHING and checks.failed == []
    assert checks["loss at chance"].expected == f"ln 10 = {math.log(10):.3f}"


def test_a_convolutional_net_with_normalisation_and_dropout_passes():
    model = nn.Sequential(
        nn.Unflatten(1, (1, 8, 8)), nn.Conv2d(1, 8, 3), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Dropout(0.5), nn.Flatten(), nn.Linear(288, 10),
    )  # fmt: skip
    checks = check(model)
    assert checks.passed, checks


@pytest.mark.parametrize(
    ("end", "loss"),
    [
        ([nn.LogSoftmax(dim=1)], nn.NLLLoss()),
        ([], nn.CrossEntropyLoss(reduction="sum")),
        ([], nn.CrossEntropyLoss(label_smoothing=0.05)),
        ([], lambda p, y: nn.functional.cross_entropy(p, y)),
    ],
    ids=["NLL", "sum", "smoothed", "a function"],
)
def test_other_ways_to_say_the_loss_of_classes(end, loss):
    checks = check(net(*end), loss=loss)
    assert checks.passed, checks
    assert checks["loss at chance"].expected.startswith("ln 10")


def test_two_classes_numbers_and_hinges_have_their_own_chance_level():
    odd = (Y % 2)[:, None].astype("float32")
    small = nn.Sequential(nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 1))
    checks = check(small, y=odd, loss=nn.BCEWithLogitsLoss(), lr=2e-3)
    assert checks.passed and checks["loss at chance"].expected == "ln 2 = 0.693", checks
    checks = check(nn.Sequential(*small, nn.Sigmoid()), y=odd, loss=nn.BCELoss(), lr=2e-3)
    assert checks.passed and checks["loss at chance"].expected == "ln 2 = 0.693", checks

    x = np.random.default_rng(0).normal(size=(300, 3)).astype("float32")
    y = 2 * x[:, :1] + 5
    deep = nn.Sequential(nn.Linear(3, 64), nn.Tanh(), nn.Linear(64, 1))
    checks = check(deep, x, y - 5, nn.MSELoss(), lr=2e-3, samples=300)
    assert checks.passed, checks
    assert checks["loss at chance"].expected == f"{y.var():.3g}, a guess of the mean"

    checks = check(net(), loss=nn.MultiClassHingeLoss())
    assert checks["loss at chance"].expected == "9, a prediction of zeros", checks
    assert checks["output and loss"].verdict == "passed"


def test_what_makes_no_sense_is_left_out():
    checks = sanity_check(net(), cross_entropy, (X[:30], Y[:30]))
    assert list(checks) == EVERYTHING[:6], "no optimizer, and too few samples to hold some out"
    pair = nn.MultiheadAttention(4, 2, batch_first=True)
    x = np.random.default_rng(0).normal(size=(20, 3, 4)).astype("float32")
    attended = lambda out, y: ((out[0] - y) ** 2).mean()  # noqa: E731 - of two outputs
    checks = sanity_check(pair, attended, (x, x, x, 0 * x))
    assert "loss at chance" not in checks and "output and loss" not in checks


# Planted faults


def found(checks, name, *words):
    assert checks[name].verdict == "failed", checks
    text = " ".join(checks[name])
    assert all(word in text for word in words), text
    assert checks[name].remedy and f"\n{name}: " in repr(checks)
    assert name in checks.failed and not checks.passed
    return checks


def test_weights_too_large():
    model = net()
    for p in model.parameters():
        p.data = p.data * 10
    found(check(model), "loss at chance", "weights too large")


def test_labels_among_the_inputs_or_a_trained_model():
    model = net()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(100):
        optimizer.zero_grad()
        cross_entropy(model(X), Y).backward()
        optimizer.step()
    found(check(model), "loss at chance", "trained already")


def test_inputs_that_are_not_finite():
    x = X.copy()
    x[3, 5] = np.nan
    found(check(net(), x=x, samples=400), "loss at chance", "not finite", "isfinite")


def test_softmax_twice():
    assert found(
        check(net(nn.Softmax(dim=1))), "output and loss", "softmax is taken twice"
    ).failed == ["output and loss"]
    assert check(net(nn.LogSoftmax(dim=1))).passed, "of logarithms it is the identity"


def test_sigmoid_twice():
    model = nn.Sequential(nn.Linear(64, 1), nn.Sigmoid())
    odd = (Y % 2)[:, None].astype("float32")
    checks = check(model, y=odd, loss=nn.BCEWithLogitsLoss())
    found(checks, "output and loss", "sigmoid is taken twice")


def test_softmax_forgotten():
    found(check(net(), loss=nn.NLLLoss()), "output and loss", "LogSoftmax")


@pytest.mark.parametrize("kind", ["classes", "numbers"])
def test_a_wrong_sign(kind):
    if kind == "classes":
        checks = check(net(), loss=lambda p, y: -nn.functional.cross_entropy(p, y))
    else:
        x = np.random.default_rng(0).normal(size=(100, 3)).astype("float32")
        loss = lambda p, y: -nn.functional.mse_loss(p, y)  # noqa: E731
        checks = check(nn.Linear(3, 1), x, x[:, :1], loss)
    found(checks, "output and loss", "sign")


def test_a_penalty_that_sees_no_weights():
    checks = check(net(), penalty=lambda model: tg.tensor(0.0))
    assert found(checks, "penalty", "does not see the weights").failed == ["penalty"]


def test_a_wrong_rule():
    @tg.autograd.operation("elementwise", name="planted", dx=lambda g, x: 3 * g * x)
    def wrong_square(x):
        return x * x

    class Squares(nn.Module):
        def __init__(self):
            self.inner = nn.Linear(64, 10)

        def forward(self, x):
            return wrong_square(self.inner(x))

    try:
        checks = check(Squares())
    finally:
        tg.engine.define.undefine("planted")
    found(checks, "gradients agree", "missing factor", "analytic = 1.5 x")


def test_a_function_that_differs_in_each_call_is_unclear():
    draws = np.random.default_rng(0)
    noisy = lambda p, y: cross_entropy(p + draws.normal(), y) + draws.normal()  # noqa: E731
    assert check(net(), loss=noisy)["gradients agree"].verdict == "unclear"


def test_a_parameter_that_is_cut_off():
    class Cut(nn.Module):
        def __init__(self):
            self.lower, self.upper = nn.Linear(64, 32), nn.Linear(32, 10)

        def forward(self, x):
            return self.upper(tg.tensor(np.tanh(self.lower(x).data)))

    found(check(Cut()), "gradients arrive", "lower.weight, lower.bias", "detach")


def test_a_frozen_layer():
    model = net()
    model[0].requires_grad_(False)
    checks = sanity_check(model, cross_entropy, (X, Y))
    assert checks["gradients arrive"].verdict == "unclear", "it may be meant"
    assert checks["gradients arrive"].cause.startswith("0.weight, 0.bias: requires_grad is False")
    assert checks.failed == [] and not checks.passed
    model.requires_grad_(False)
    found(sanity_check(model, cross_entropy, (X, Y)), "gradients arrive", "frozen")


def test_parameters_that_the_optimizer_lacks():
    model = net()
    checks = check(model, optimizer=optim.Adam(model[2].parameters(), lr=5e-3))
    found(checks, "gradients arrive", "0.weight, 0.bias: the optimizer does not hold them")


@pytest.mark.parametrize("value", [0.0, 0.1])
def test_equal_weights(value):
    model = net()
    for p in model.parameters():
        p.data = np.full_like(p.data, value)
    found(check(model), "gradients arrive", "every unit has the same weights", "at random")


def test_a_last_layer_of_zeros_is_sound():
    model = net()
    model[2].weight.data = 0 * model[2].weight.data
    assert check(model).passed


def test_dead_units():
    model = net()
    model[0].bias.data = np.full_like(model[0].bias.data, -100)
    found(check(model), "gradients arrive", "dead ReLUs")


def test_inputs_of_zeros_and_a_model_that_is_too_small():
    found(check(net(), x=0 * X), "by heart", "broken model")
    points = np.random.default_rng(0).normal(size=(20, 2)).astype("float32")
    line = sanity_check(nn.Linear(2, 4), cross_entropy, (points, np.arange(20) % 4))
    found(line, "by heart", "far too few parameters")


def test_shuffled_labels():
    wrong = np.random.default_rng(0).permutation(Y)
    checks = found(check(net(), y=wrong), "labels and inputs", "shuffled")
    assert checks["by heart"].verdict == "passed", "wrong labels are learned as well as right ones"
    x = np.random.default_rng(0).normal(size=(400, 3)).astype("float32")
    deep = nn.Sequential(nn.Linear(3, 32), nn.Tanh(), nn.Linear(32, 1))
    checks = check(deep, x, x[::-1, :1].copy(), nn.MSELoss(), lr=2e-3)
    found(checks, "labels and inputs", "do not belong")


@pytest.mark.parametrize(
    ("make", "lr", "word"),
    [
        (optim.Adam, 1.0, "too large"),
        (optim.SGD, 100.0, "too large"),
        (optim.Adam, 1e-9, "flat"),
        (optim.SGD, 1e-7, "flat"),
    ],
)
def test_rates(make, lr, word):
    model = net()
    checks = check(model, optimizer=make(model.parameters(), lr=lr))
    found(checks, "learning rate", word, "find_lr")
    assert checks["update / weight"].verdict != "passed"
    assert all(checks[name].verdict == "passed" for name in EVERYTHING[:7])


# Nothing changes


def test_model_optimizer_loader_and_generators_stay_as_they_are():
    class Counting(nn.Module):
        def __init__(self):
            self.calls, self.seen = 0, []
            self.inner = nn.Sequential(
                nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10)
            )

        def forward(self, x):
            self.calls += 1
            self.seen.append(len(x))
            return self.inner(x)

    model = Counting()
    model.inner[1].eval()
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    cross_entropy(model(X[:8]), Y[:8]).backward()
    optimizer.step()
    pending = cross_entropy(model(X[:8]), Y[:8])  # recorded before, used after
    arrays = [(p, p.data, p.data.copy(), p.grad.copy()) for p in model.parameters()]
    buffers = [(b, b.data.copy()) for b in model.buffers()]
    states = comparable(optimizer.state_dict())
    loader = data.DataLoader(
        data.TensorDataset(X, Y), 32, shuffle=True, generator=np.random.default_rng(1)
    )
    following = copy.deepcopy(loader)
    random = modes.generator().bit_generator.state

    penalised = lambda p, y: cross_entropy(p, y) + nn.l2_penalty(model, 1e-3)  # noqa: E731
    sanity_check(model, penalised, loader, optimizer=optimizer)

    assert modes.generator().bit_generator.state == random
    assert comparable(optimizer.state_dict()) == states
    assert (model.calls, model.seen) == (2, [8, 8])
    assert [m.training for m in model.modules()] == [True, True, True, False, True, True, True]
    for p, array, values, grad in arrays:
        assert p.data is array and np.array_equal(p.data, values)
        assert np.array_equal(p.grad, grad)
    assert all(np.array_equal(b.data, values) for b, values in buffers)
    pairs = zip(next(iter(loader)), next(iter(following)), strict=True)
    assert all(np.array_equal(one, other) for one, other in pairs)
    pending.backward()
    optimizer.step()


def test_an_error_in_the_model_changes_nothing_either():
    class Failing(nn.Module):
        def __init__(self):
            self.inner, self.calls = nn.Linear(64, 10), 0

        def forward(self, x):
            self.calls += 1
            if self.calls > 5:
                raise errors.ArgumentError("enough")
            return self.inner(x)

    model = Failing()
    weight = model.inner.weight
    with pytest.raises(errors.ArgumentError, match="enough"):
        check(model)
    assert model.calls == 0 and model.inner.weight is weight


def test_data_sets_and_loaders_serve_as_well_as_arrays():
    dataset = data.TensorDataset(X, Y)
    whole = sanity_check(net(), cross_entropy, dataset, samples=100)
    loader = sanity_check(net(), cross_entropy, data.DataLoader(dataset, 32), samples=100)
    assert whole.passed and loader.passed, (whole, loader)


def test_samples_are_drawn_from_all_of_the_data():
    order = np.argsort(Y, kind="stable")
    drawn = some_samples("test", (X[order], Y[order]), 80, seed=0)
    assert len(drawn[1]) == 80 and len(np.unique(drawn[1])) == 10, "sorted by class"
    dataset = data.TensorDataset(X[order], Y[order])
    again = some_samples("test", dataset, 80, seed=0)
    assert all(np.array_equal(one, other) for one, other in zip(drawn, again, strict=True))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("model", cross_entropy, (X, Y)), "expected an nn.Module first, got str"),
        ((net(), (X, Y), cross_entropy), "expected a loss second"),
        ((net(), nn.CrossEntropyLoss(reduction="none"), (X, Y)), "reduction='none'"),
        ((net(), cross_entropy, (X, Y[:3])), "same, positive number"),
        ((net(), cross_entropy, (X[:0], Y[:0])), "same, positive number"),
        ((net(), cross_entropy, X), "expected inputs and targets"),
    ],
)
def test_wrong_arguments_are_explained(arguments, message):
    with pytest.raises(errors.ArgumentError, match=message):
        sanity_check(*arguments)


def test_an_optimizer_of_another_model_is_refused():
    with pytest.raises(errors.ArgumentError, match="none of this model's parameters"):
        check(net(), optimizer=optim.Adam(net().parameters(), lr=1e-3))
