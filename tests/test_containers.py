"""Modules that hold modules: Python's list and dict, and names in the state."""

from collections import OrderedDict
from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import tinygrad_cs as tg
from tinygrad_cs import nn
from tinygrad_cs.engine import errors


def linears(*sizes):
    return [nn.Linear(a, b) for a, b in pairwise(sizes)]


def test_sequential_with_names():
    net = nn.Sequential(OrderedDict(hidden=nn.Linear(2, 3), act=nn.Tanh(), out=nn.Linear(3, 1)))
    assert list(net.state_dict()) == ["hidden.weight", "hidden.bias", "out.weight", "out.bias"]
    assert net.hidden is net[0] and len(net) == 3
    x = np.ones((1, 2), "float32")
    assert_array_equal(net(x).data, net.out(tg.tanh(net.hidden(x))).data)
    assert nn.Sequential({"twice": lambda x: 2 * x})(3) == 6
    with pytest.raises(errors.ArgumentError, match=r"'a\.b' cannot name a module"):
        nn.Sequential({"a.b": nn.ReLU()})
    with pytest.raises(errors.ArgumentError, match="'forward' cannot name"):
        nn.Sequential({"forward": nn.ReLU()})
    with pytest.raises(errors.ArgumentError, match="argument act is the class Tanh; write nn"):
        nn.Sequential({"act": nn.Tanh})


def test_sequential_is_a_list():
    a, b, c = linears(2, 3, 4, 5)
    net = nn.Sequential(a, nn.ReLU(), b)
    part = net[1:]
    assert isinstance(part, nn.Sequential) and list(part) == [net[1], b]
    assert list(part.state_dict()) == ["2.weight", "2.bias"]  # the names are kept, as in PyTorch
    assert list(part.append(c).state_dict())[2:] == ["3.weight", "3.bias"]
    assert net.append(c)[-1] is c and len(net) == 4
    assert net(np.ones((1, 2), "float32")).shape == (1, 5)
    del net[1]
    assert list(net.state_dict())[2:4] == ["1.weight", "1.bias"]
    net[0] = a2 = nn.Linear(2, 3)
    assert net[0] is a2 and list(net) == [a2, b, c]
    net.insert(1, nn.Tanh())
    assert [type(m).__name__ for m in net] == ["Linear", "Tanh", "Linear", "Linear"]
    assert net.pop() is c and net.pop(0) is a2 and len(net) == 2
    net.extend([c, c])
    assert len(net) == 4 and len(list(net.parameters())) == 4
    assert net[::2][1] is c
    for index in (4, -5, "0", 1.0):
        with pytest.raises(errors.IndexOutOfRange, match="it holds 4 modules"):
            net[index]
    with pytest.raises(errors.ArgumentError, match="argument 4 is int"):
        net.append(3)


def test_a_class_that_extends_sequential_calls_its_modules():
    class Block(nn.Sequential):
        def __init__(self, size):
            super().__init__(nn.Linear(size, size), nn.Tanh())
            self.register_buffer("calls", np.array(0))

        def forward(self, x):
            return x + super().forward(x)

    block = Block(3)
    x = np.ones((2, 3), "float32")
    assert_allclose(block(x).data, 1 + np.tanh(block[0](x).data), rtol=1e-6)
    assert len(block) == 2
    assert isinstance(block[:1], nn.Sequential)


def test_module_list():
    a, b, c = linears(2, 2, 2, 2)
    layers = nn.ModuleList([a, b])
    assert list(layers) == [a, b] and len(layers) == 2 and layers[-1] is b and b in layers
    assert list(layers.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    layers.append(c).extend(linears(2, 2, 2))
    assert len(layers) == 5
    tail = layers[2:]
    assert isinstance(tail, nn.ModuleList) and tail[0] is c
    assert next(iter(tail.state_dict())) == "0.weight"
    del layers[3:]
    layers.insert(0, c)
    assert list(layers) == [c, a, b, c]
    layers[0] = nn.Tanh()
    assert layers.pop(0) is not c and list(layers) == [a, b, c]
    more = linears(2, 2)
    assert list(layers + more) == [a, b, c, *more]
    layers += [nn.ReLU()]
    assert isinstance(layers, nn.ModuleList) and len(layers) == 4
    assert len(nn.ModuleList()) == 0 and len(nn.ModuleList(m for m in linears(2, 2))) == 1
    with pytest.raises(errors.ArgumentError, match="loop over it"):
        layers(np.ones((1, 2)))
    with pytest.raises(errors.ArgumentError, match="expected modules, argument 1 is function"):
        nn.ModuleList([a, lambda x: x])
    with pytest.raises(errors.ArgumentError, match=r"class ReLU; write nn.ReLU\(\)"):
        nn.ModuleList([nn.ReLU])


def test_a_change_that_is_refused_changes_nothing():
    layers = nn.ModuleList(linears(2, 2, 2))
    before = list(layers)
    with pytest.raises(errors.ArgumentError):
        layers.insert(1, 3)
    with pytest.raises(errors.IndexOutOfRange):
        del layers[2]
    assert list(layers) == before


def test_module_dict():
    a, b = linears(2, 2, 2)
    heads = nn.ModuleDict({"mean": a, "spread": b})
    assert list(heads) == list(heads.keys()) == ["mean", "spread"] and len(heads) == 2
    assert list(heads.values()) == [a, b] and heads["mean"] is a and "mean" in heads
    assert dict(heads.items()) == {"mean": a, "spread": b} and "weight" not in heads
    assert list(heads.state_dict()) == ["mean.weight", "mean.bias", "spread.weight", "spread.bias"]
    heads["act"] = nn.Tanh()
    heads.update([("mean", b)])
    assert heads["mean"] is b and list(heads) == ["mean", "spread", "act"]
    del heads["mean"]
    assert heads.pop("spread") is b and list(heads) == ["act"]
    heads.clear()
    assert not len(heads) and len(nn.ModuleDict()) == 0
    for read in (lambda: heads["men"], lambda: heads.pop("men")):
        with pytest.raises(
            KeyError, match=r"^ModuleDict: there is no module 'men'; there are none"
        ):
            read()
    with pytest.raises(errors.ArgumentError, match="'x' is Tensor"):
        heads["x"] = tg.tensor([1.0])
    with pytest.raises(errors.ArgumentError, match="'x' is ReLU"):
        heads["x"] = nn.ReLU
    for key in ("keys", "forward", "a.b", "", 3):
        with pytest.raises(errors.ArgumentError, match="cannot name a module"):
            heads[key] = a
    with pytest.raises(errors.ArgumentError, match="call its modules in your forward"):
        heads(1)


def test_modules_in_python_containers_are_refused_with_what_to_write():
    class Listed(nn.Module):
        def __init__(self, held):
            self.layers = held

    for held in ([nn.ReLU()], (nn.ReLU(),), [nn.Parameter([1.0])]):
        with pytest.raises(errors.ArgumentError, match=r"Listed.layers.*nn.ModuleList\(\.\.\.\)"):
            Listed(held)
    with pytest.raises(errors.ArgumentError, match=r"inside a dict.*nn.ModuleDict\(\.\.\.\)"):
        Listed({"a": nn.ReLU()})
    assert Listed([1, "a"]).layers == [1, "a"]


def test_a_list_that_is_filled_later_is_found_out_too():
    class Late(nn.Module):
        def __init__(self):
            self.layers = []
            self.layers.append(nn.Linear(2, 2))

    with pytest.raises(errors.ArgumentError, match=r"Late.layers.*nn.ModuleList"):
        list(Late().parameters())


def test_errors_name_the_path_through_lists():
    class Net(nn.Module):
        def __init__(self):
            self.blocks = nn.ModuleList(nn.Sequential(nn.Linear(3, 3), nn.Tanh()) for _ in "ab")
            self.blocks[1][0] = nn.Linear(4, 3)

        def forward(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    with pytest.raises(errors.ShapeError, match=r"^in layer 'blocks.1.0 \(Linear\)': linear"):
        Net()(np.ones((2, 3), "float32"))
