"""Freezing, tied weights and arrays of PyTorch, beside PyTorch itself."""

import numpy as np
import pytest
from agreement import CLOSE, torch
from numpy.testing import assert_allclose

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors


def mlp(nn):
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3))


def twins(make, seed=0):
    torch.manual_seed(seed)
    other = make(torch.nn).double()
    mine = make(nn).double()
    mine.load_state_dict(other.state_dict())
    return mine, other


def freeze(model, frozen):
    for p in model.parameters():
        p.requires_grad = not frozen


def test_two_nets_that_take_turns():
    """As a generator and a discriminator do: each is frozen while the other learns."""
    (d, td), (g, tg_) = twins(mlp, 0), twins(mlp, 1)
    sides = [
        (d, g, optim.Adam(d.parameters(), 0.1), optim.SGD(g.parameters(), 0.1, 0.9)),
        (
            td,
            tg_,
            torch.optim.Adam(td.parameters(), 0.1),
            torch.optim.SGD(tg_.parameters(), 0.1, 0.9),
        ),
    ]
    rng = np.random.default_rng(0)
    for _ in range(4):
        x = rng.normal(size=(5, 3))
        for (dis, gen, od, og), inputs in zip(
            sides, (tg.asarray(x), torch.from_numpy(x)), strict=True
        ):
            freeze(dis, False)
            od.zero_grad()
            (dis(inputs) ** 2 - dis(gen(inputs).detach()) ** 2).mean().backward()
            od.step()
            freeze(dis, True)
            od.zero_grad()  # while frozen
            og.zero_grad()
            (dis(gen(inputs)) ** 2).mean().backward()
            og.step()
            freeze(dis, False)
            (dis(inputs) ** 2).mean().backward()  # nothing old may be added to it
        for mine, other in zip(
            [*d.parameters(), *g.parameters()], [*td.parameters(), *tg_.parameters()], strict=True
        ):
            assert_allclose(mine.data, other.detach().numpy(), **CLOSE)
            assert_allclose(mine.grad, other.grad.numpy(), **CLOSE)


def tied(nn):
    model = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    model[2].weight = model[0].weight
    return model


def repeated(nn):
    layer = nn.Linear(3, 3)
    return nn.Sequential(layer, nn.BatchNorm1d(3), layer)


@pytest.mark.parametrize("make", [tied, repeated])
def test_states_of_shared_parameters_both_ways(make):
    other, mine = make(torch.nn).double(), make(nn).double()
    theirs = other.state_dict()
    assert set(mine.state_dict()) == set(theirs)
    assert len(list(mine.parameters())) == len(list(other.parameters()))
    mine.load_state_dict(theirs)
    x = np.random.default_rng(0).normal(size=(4, 3))
    mine.eval(), other.eval()
    assert_allclose(mine(x).data, other(torch.from_numpy(x)).detach().numpy(), **CLOSE)
    fresh = make(nn).double().eval()
    back = {name: torch.from_numpy(np.array(a)) for name, a in fresh.state_dict().items()}
    other.load_state_dict(back)
    assert_allclose(fresh(x).data, other(torch.from_numpy(x)).detach().numpy(), **CLOSE)


@pytest.mark.parametrize("make", [tied, repeated, mlp])
def test_names_of_modules(make):
    mine, other = make(nn), make(torch.nn)
    for names in ("named_modules", "named_children", "named_parameters"):
        assert [n for n, _ in getattr(mine, names)()] == [n for n, _ in getattr(other, names)()]
    assert [type(m).__name__ for m in mine.children()] == [
        type(m).__name__ for m in other.children()
    ]


def test_the_initialisation_of_pytorch():
    tg.manual_seed(0)
    mine, other = nn.Linear(200, 100), torch.nn.Linear(200, 100)
    k = 1 / np.sqrt(200)
    nn.init.kaiming_uniform_(mine.weight, a=5**0.5)
    nn.init.uniform_(mine.bias, -k, k)
    for name in ("weight", "bias"):
        for bounds in (getattr(mine, name).data, getattr(other, name).detach().numpy()):
            assert 0.95 * k < abs(bounds).max() <= k * (1 + 1e-6)


def test_arrays_of_pytorch():
    x, y = torch.randn(4, 3), torch.tensor([0, 1, 2, 0])
    mine = tg.tensor(x.numpy())
    for a, b in ((x, y), (mine, y), (x, y.numpy())):
        loss = nn.functional.cross_entropy(a, b).item()
        assert_allclose(loss, torch.nn.functional.cross_entropy(x, y).item(), rtol=1e-6)
    for a, b in ((x, x + 1), (mine, x + 1)):
        assert_allclose(nn.MSELoss()(a, b).item(), 1, rtol=1e-6)
    for layer in (nn.Linear(3, 2), nn.ReLU(), nn.Dropout(), nn.Sequential(nn.Linear(3, 2))):
        with pytest.raises(errors.DTypeError, match=r"got a torch\.Tensor; write x\.numpy\(\)"):
            layer(x)
