"""The loss around a model: what it equals, how directions are scaled, that nothing changes."""

import copy

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import data, nn, optim
from tinygrad_cs.engine import errors, modes
from tinygrad_cs.inspect import landscape
from tinygrad_cs.inspect.trials.directions import filter_normalised

cross_entropy = nn.CrossEntropyLoss()


@pytest.fixture(autouse=True)
def seeded():
    tg.manual_seed(0)


def spirals():
    return data.two_spirals(60, noise=0.05, seed=0)


def net():
    return nn.Sequential(nn.Linear(2, 8), nn.Tanh(), nn.Linear(8, 2))


def loss_at(model, values, x, y):
    """The plain way: load the values, evaluate."""
    twin = copy.deepcopy(model)
    twin.load_state_dict({**twin.state_dict(), **values})
    return cross_entropy(twin.eval()(x), y).item()


def trained(model, x, y, count=6):
    """States along a training."""
    optimizer = optim.Adam(model.parameters(), lr=0.03)
    states = [model.state_dict()]
    for _ in range(count):
        for _ in range(10):
            optimizer.zero_grad()
            cross_entropy(model(x), y).backward()
            optimizer.step()
        states.append(model.state_dict())
    return states


def test_the_loss_at_every_point_is_that_of_the_moved_model():
    (x, y), model = spirals(), net()
    found = landscape(model, cross_entropy, (x, y), points=5, radius=0.5, batch_size=7)
    assert found.loss.shape == (5, 5) and found.path is None
    here = model.state_dict()
    for i, j in [(0, 0), (2, 2), (4, 1), (1, 4)]:
        a, b = found.axes[0][i], found.axes[1][j]
        moved = {n: here[n] + a * found.directions[0][n] + b * found.directions[1][n] for n in here}
        assert_allclose(found.loss[i, j], loss_at(model, moved, x, y), rtol=1e-5)
    assert_allclose(found.loss[2, 2], cross_entropy(model(x), y).item(), rtol=1e-6)
    assert_array_equal(found.axes[0], np.linspace(-0.5, 0.5, 5))


def test_filters_of_a_direction_are_as_long_as_those_of_the_model():
    model = nn.Sequential(nn.Conv2d(2, 3, 2), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 5))
    start = {name: p.data for name, p in model.named_parameters()}
    start["3.weight"][1] = 0
    direction = filter_normalised(start, np.random.default_rng(0))
    for name in ("0.weight", "3.weight"):
        own, drawn = (v[name].reshape(len(v[name]), -1) for v in (start, direction))
        assert_allclose(np.linalg.norm(drawn, axis=1), np.linalg.norm(own, axis=1), rtol=1e-5)
    for name in ("0.bias", "1.weight", "1.bias", "3.bias"):
        assert not direction[name].any()


def test_a_direction_is_not_what_the_weights_were_drawn_from():
    """With the seed of the model, a second generator would draw the same numbers again."""
    tg.manual_seed(0)
    model = nn.Linear(20, 20)
    found = landscape(model, nn.MSELoss(), (np.ones((2, 20)), np.ones((2, 20))), dim=1, points=2)
    direction, weight = found.directions[0]["weight"], model.weight.data
    assert abs((direction * weight).sum()) < 0.3 * np.linalg.norm(direction) * np.linalg.norm(
        weight
    )


def test_rescaling_a_net_that_computes_the_same_changes_no_picture():
    """Twice the weights below a ReLU, half above: the invariance for which filters are scaled."""
    x, y = spirals()
    one = nn.Sequential(nn.Linear(2, 8, bias=False), nn.ReLU(), nn.Linear(8, 2, bias=False))
    other = copy.deepcopy(one)
    other[0].weight.data, other[2].weight.data = one[0].weight.data * 8, one[2].weight.data / 8
    pictures = [landscape(m, cross_entropy, (x, y), dim=1, points=7).loss for m in (one, other)]
    assert_allclose(*pictures, rtol=1e-4)


def test_a_trajectory_lies_in_its_own_plane():
    (x, y), model = spirals(), net()
    states = trained(model, x, y)
    found = landscape(model, cross_entropy, (x, y), points=9, trajectory=states)
    assert found.path.shape == (7, 2)
    assert_allclose(found.path[-1], 0, atol=1e-12)
    assert (found.path[0] < 0).all() and found.explained[0] > found.explained[1] > 0
    assert 0.5 < found.explained.sum() <= 1 + 1e-12
    first, second = (np.concatenate([v.reshape(-1) for v in d.values()]) for d in found.directions)
    assert_allclose([first @ first, second @ second, first @ second], [1, 1, 0], atol=1e-9)
    # the coordinates are those of the projection, and the grid reaches around the path
    flat = [np.concatenate([s[n].reshape(-1) for n in states[0]]).astype(float) for s in states]
    assert_allclose(found.path[2, 0], (flat[2] - flat[-1]) @ first, rtol=1e-6)
    for axis, coordinate in zip(found.axes, found.path.T, strict=True):
        assert axis[0] < coordinate.min() and coordinate.max() < axis[-1]
    # two states span a line, on which both lie
    line = landscape(model, cross_entropy, (x, y), dim=1, points=41, trajectory=states[::6])
    assert_allclose(line.explained, [1])
    start = np.interp(line.path[0, 0], line.axes[0], line.loss)
    assert_allclose(start, loss_at(model, states[0], x, y), rtol=0.02)
    # of a longer path in its plane the loss at the origin is that of the last state
    end = landscape(model, cross_entropy, (x, y), dim=1, points=2, trajectory=states)
    middle = -end.axes[0][0] / np.diff(end.axes[0])
    assert 0 < middle < 1


def test_a_trajectory_decides_where_one_stands_and_not_the_model():
    (x, y), model = spirals(), net()
    states = trained(model, x, y)
    found = landscape(model, cross_entropy, (x, y), points=5, trajectory=states)
    again = landscape(net(), cross_entropy, (x, y), points=5, trajectory=states)
    assert_array_equal(found.loss, again.loss)


def test_training_has_found_a_valley():
    (x, y), model = spirals(), net()
    trained(model, x, y, 20)
    found = landscape(model, cross_entropy, (x, y), points=11)
    assert found.loss.min() > 0.8 * found.loss[5, 5]
    assert found.loss[[0, -1]].min() > found.loss[5, 5]


def test_the_model_its_modes_and_the_generators_stay_as_they_are():
    x, y = spirals()
    model = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2))
    model[1].eval()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    cross_entropy(model(x), y).backward()
    pending = cross_entropy(model(x), y)
    before = [(p, p.data, p.data.copy(), p.grad.copy()) for p in model.parameters()]
    buffers = [b.data.copy() for b in model.buffers()]
    loader = data.DataLoader(data.TensorDataset(x, y), 16, shuffle=True)
    random = modes.generator().bit_generator.state
    penalised = lambda p, t: cross_entropy(p, t) + nn.l2_penalty(model, 0.1)  # noqa: E731
    flat = landscape(model, cross_entropy, loader, dim=1, points=5)
    found = landscape(model, penalised, loader, dim=1, points=5)
    assert (found.loss > flat.loss).all(), "a loss that refers to the model sees the moved one"
    assert np.ptp(found.loss - flat.loss) > 1e-3
    assert modes.generator().bit_generator.state == random
    assert [m.training for m in model.modules()] == [True, True, False, True, True]
    for p, array, values, grad in before:
        assert p.data is array
        assert_array_equal(p.data, values)
        assert_array_equal(p.grad, grad)
    for b, values in zip(model.buffers(), buffers, strict=True):
        assert_array_equal(b.data, values)
    pending.backward()
    optimizer.step()


def test_seeds_and_values_that_are_not_finite():
    (x, y), model = spirals(), net()
    one, same, other = (
        landscape(model, cross_entropy, (x, y), dim=1, points=3, seed=s) for s in (0, 0, 1)
    )
    assert_array_equal(one.loss, same.loss)
    assert not np.array_equal(one.loss, other.loss)
    steep = lambda p, t: tg.exp(cross_entropy(p, t) * 100.0)  # noqa: E731
    found = landscape(model, steep, (x, y), points=3, radius=5)
    assert np.isinf(found.loss).any()
    assert "3 x 3 points" in repr(found)
    found.plot()
    found.loss[...] = np.nan
    found.plot()
    assert "not finite" in repr(found)


@pytest.mark.parametrize("dim", [1, 2])
@pytest.mark.parametrize("along", [False, True])
def test_pictures(dim, along, tmp_path):
    from matplotlib.image import imread

    (x, y), model = spirals(), net()
    states = trained(model, x, y, 3) if along else None
    found = landscape(model, cross_entropy, (x, y), dim=dim, points=7, trajectory=states)
    found.plot().savefig(tmp_path / "picture.png")
    picture = imread(tmp_path / "picture.png")
    assert min(picture.shape[:2]) > 300 and picture[..., :3].std() > 0.05


def test_a_picture_without_matplotlib_says_what_to_install(monkeypatch):
    import sys

    found = landscape(net(), cross_entropy, spirals(), dim=1, points=2)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(errors.MissingDependency, match=r"Landscape\.plot.*pip install"):
        found.plot()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"dim": 3}, "dim must be 1"),
        ({"points": 1}, "points to be an integer >= 2"),
        ({"radius": 0}, "radius must be a number above 0"),
        ({"trajectory": [{}] * 3}, r"trajectory\[0\]: '0.weight' is missing"),
        ({"trajectory": [1, 2, 3]}, r"trajectory\[0\] is int"),
        ({"trajectory": []}, "3 saved states or more, got 0"),
        ({"trajectory": [net().state_dict()] * 4}, "that differ"),
    ],
)
def test_wrong_arguments_are_explained(options, message):
    with pytest.raises(errors.TinygradError, match=message):
        landscape(net(), cross_entropy, spirals(), **options)


def test_a_model_without_weights_has_no_random_directions():
    scale = nn.LayerNorm(2)
    with pytest.raises(errors.ArgumentError, match="no weights with two axes"):
        landscape(scale, cross_entropy, spirals())
