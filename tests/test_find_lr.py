"""The learning-rate range test: its suggestion trains, ten times as much does worse."""

import copy

import numpy as np
import pytest

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.inspect import find_lr

cross_entropy = nn.CrossEntropyLoss()
IMAGES, LABELS = data.load_digits()
X, Y = ((IMAGES - 8) / 8)[:1200], LABELS[:1200]
NEW = ((IMAGES - 8) / 8)[1200:], LABELS[1200:]


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def net():
    return nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))


def loss_after_training(model, make, lr, steps=200):
    model = copy.deepcopy(model)
    optimizer = make(model.parameters(), lr)
    draw = np.random.default_rng(0)
    with np.errstate(all="ignore"):
        for _ in range(steps):
            chosen = draw.integers(0, len(X), 32)
            optimizer.zero_grad()
            loss = cross_entropy(model(X[chosen]), Y[chosen])
            if not np.isfinite(loss.item()):
                return np.inf
            loss.backward()
            optimizer.step()
        return cross_entropy(model(NEW[0]), NEW[1]).item()


@pytest.mark.parametrize(
    "make",
    [
        lambda p, lr: optim.Adam(p, lr=lr),
        lambda p, lr: optim.SGD(p, lr=lr),
        lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
        lambda p, lr: optim.RMSprop(p, lr=lr),
    ],
    ids=["Adam", "SGD", "momentum", "RMSprop"],
)
def test_training_with_the_suggestion_works_and_with_ten_times_as_much_does_worse(make):
    model = net()
    found = find_lr(model, cross_entropy, (X, Y), optimizer=make(model.parameters(), 1e-3))
    good = loss_after_training(model, make, found.suggestion)
    assert good < 0.6, found
    assert loss_after_training(model, make, 10 * found.suggestion) > 1.3 * good
    assert loss_after_training(model, make, found.suggestion / 100) > 1.3 * good
    assert found.suggestion <= found.lowest / 5


@pytest.mark.parametrize("seed", range(8))
def test_noisy_batches_do_not_mislead_it(seed):
    tg.manual_seed(seed)
    x, y = data.load_iris()
    x = data.Standardizer().fit_transform(x)
    small = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 3))
    found = find_lr(small, cross_entropy, (x, y), optimizer=optim.Adam(small.parameters(), lr=1))
    assert 2e-3 < found.suggestion < 0.3, found
    x, y = data.two_spirals(400, noise=0.05, seed=seed)
    deep = nn.Sequential(
        nn.Linear(2, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 2)
    )
    found = find_lr(deep, cross_entropy, (x, y), steps=400)
    # (a plateau, on which so short a training sees little: cautious, but far above the noise)
    assert 3e-4 < found.suggestion < 0.1, found


def test_what_is_recorded():
    found = find_lr(net(), cross_entropy, (X, Y), lr_min=1e-4, lr_max=100, steps=60)
    assert found.diverged and len(found.lr) < 60
    assert len(found.lr) == len(found.loss) == len(found.smoothed)
    assert found.lr[0] == pytest.approx(1e-4)
    assert np.allclose(found.lr[1:] / found.lr[:-1], 1e6 ** (1 / 59))
    assert found.smoothed[0] == pytest.approx(found.loss[0])
    expected = (0.09 * found.loss[0] + 0.1 * found.loss[1]) / 0.19
    assert found.smoothed[1] == pytest.approx(expected)
    fifth = len(found.lr) // 5
    assert found.lowest == found.lr[fifth + found.smoothed[fifth:].argmin()]
    assert "diverged" in repr(found) and f"{found.suggestion:.2g}" in repr(found)


def test_the_same_seed_finds_the_same_rate():
    model = net()
    found = [find_lr(model, cross_entropy, (X, Y)).suggestion for _ in range(2)]
    assert found[0] == found[1], "the generator was put back"


def test_model_optimizer_loader_and_generators_stay_as_they_are():
    model = nn.Sequential(
        nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.2), nn.Linear(32, 10)
    )
    optimizer = optim.Adam(model.parameters(), lr=1e-3)
    cross_entropy(model(X[:9]), Y[:9]).backward()
    optimizer.step()
    before = [(p, p.data, p.data.copy(), p.grad.copy()) for p in model.parameters()]
    buffers = [b.data.copy() for b in model.buffers()]
    moments = [s["m"].copy() for s in optimizer.state.values() if "m" in s]
    assert moments
    loader = data.DataLoader(data.TensorDataset(X, Y), 32, shuffle=True, generator=5)
    following = copy.deepcopy(loader)
    random = modes.generator().bit_generator.state
    penalised = lambda p, y: cross_entropy(p, y) + nn.l2_penalty(model, 1e-3)  # noqa: E731

    find_lr(model, penalised, loader, optimizer=optimizer)

    assert modes.generator().bit_generator.state == random
    for p, array, values, grad in before:
        assert p.data is array and np.array_equal(p.data, values)
        assert np.array_equal(p.grad, grad)
    assert all(
        np.array_equal(b.data, values) for b, values in zip(model.buffers(), buffers, strict=True)
    )
    after = [s["m"] for s in optimizer.state.values()]
    assert all(np.array_equal(a, b) for a, b in zip(after, moments, strict=True))
    assert optimizer.param_groups[0]["lr"] == 1e-3
    for one, other in zip(next(iter(loader)), next(iter(following)), strict=True):
        assert np.array_equal(one, other)


def test_groups_keep_the_ratio_of_their_rates():
    rates = []

    class Watched(optim.SGD):
        def step(self, closure=None):
            rates.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    model = net()
    groups = [
        {"params": list(model[0].parameters()), "lr": 0.1},
        {"params": list(model[2].parameters()), "lr": 0.3},
    ]
    optimizer = Watched(groups, lr=0.1)
    find_lr(model, cross_entropy, (X, Y), optimizer=optimizer, steps=40)
    assert np.allclose([b / a for a, b in rates], 3)
    assert [group["lr"] for group in optimizer.param_groups] == [0.1, 0.3]


def test_a_loader_shorter_than_the_test_is_read_again():
    loader = data.DataLoader(data.TensorDataset(X[:64], Y[:64]), 32)
    assert 1e-4 < find_lr(net(), cross_entropy, loader).suggestion < 1


def test_the_picture(tmp_path):
    from matplotlib.image import imread

    find_lr(net(), cross_entropy, (X, Y)).plot().savefig(tmp_path / "rates.png")
    picture = imread(tmp_path / "rates.png")
    assert min(picture.shape[:2]) > 300 and picture[..., :3].std() > 0.05


def test_faults_that_no_rate_mends():
    frozen_to_zero = net()
    for p in frozen_to_zero.parameters():
        p.data = 0 * p.data
    with pytest.raises(errors.ArgumentError, match=r"never falls.*steps=400.*sanity_check"):
        find_lr(frozen_to_zero, cross_entropy, (0 * X, Y), lr_max=1e-3)
    with pytest.raises(
        errors.ArgumentError, match=r"not finite, or exploded, after 0 steps.*sanity_check"
    ):
        find_lr(net(), cross_entropy, (np.nan * X, Y))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lr_min": 1.0, "lr_max": 0.1}, "0 < lr_min < lr_max"),
        ({"steps": 3}, "steps to be an integer >= 10"),
        ({"smoothing": 1.0}, r"smoothing must be in \[0, 1\)"),
        ({"optimizer": 1e-3}, "expected an optimizer such as"),
        ({"optimizer": optim.Adam(net().parameters(), lr=1)}, "none of this model's parameters"),
    ],
)
def test_wrong_arguments_are_explained(options, message):
    with pytest.raises(errors.ArgumentError, match=message):
        find_lr(net(), cross_entropy, (X, Y), **options)


def test_lbfgs_searches_its_own_steps():
    model = net()
    with pytest.raises(errors.ArgumentError, match="LBFGS searches"):
        find_lr(model, cross_entropy, (X, Y), optimizer=optim.LBFGS(model.parameters()))
