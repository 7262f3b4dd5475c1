"""What a review of layers and optimizers found: silent mistakes that are now refused or right."""

import copy
import itertools
import pickle

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from test_lr_scheduler import EVERY, FUNCTIONS, optimizer

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors

F = nn.functional


def net():
    return nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))


def trained_once(model):
    model(np.ones((2, 3), "float32")).sum().backward()
    return model


# Parameters stay parameters.


@pytest.mark.parametrize("value", [np.zeros((2, 3)), tg.tensor(np.zeros((2, 3))), 0.5, [1.0]])
def test_values_do_not_replace_a_parameter(value):
    m = nn.Linear(3, 2)
    with pytest.raises(TypeError, match=r"m\.weight\.data = .*nn\.Parameter\(\.\.\.\)") as caught:
        m.weight = value
    assert isinstance(caught.value, errors.TinygradError)
    assert len(list(m.parameters())) == 2
    m.weight = nn.Parameter(np.zeros((2, 3)))
    m.bias = None
    assert [name for name, _ in m.named_parameters()] == ["weight"]


def test_a_product_does_not_replace_a_parameter():
    m = nn.Linear(3, 2)
    with tg.no_grad():
        with pytest.raises(errors.DTypeError, match=r"m\.weight\.data"):
            m.weight = m.weight * 0.5
        with pytest.raises(errors.GraphError, match=r"data \*= x"):
            m.weight *= 0.5
    m.requires_grad_(False)
    with pytest.raises(errors.DTypeError, match=r"m\.weight\.data"):
        m.weight *= 0.5


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/"])
def test_a_leaf_is_not_lost_in_place(symbol):
    p = nn.Parameter([1.0, 2.0])
    with tg.no_grad(), pytest.raises(errors.GraphError) as caught:
        exec(f"p {symbol}= np.ones(2)", {"p": p, "np": np})
    assert f"t.data {symbol}= x" in str(caught.value)
    own = {"p": p, "np": np, "loss": p * 2, "plain": tg.tensor([3.0])}
    exec(f"p.data {symbol}= np.ones(2)\nloss {symbol}= p\nplain {symbol}= 2", own)
    assert own["loss"].requires_grad and own["plain"].data.shape == (1,)
    expected = eval(f"np.array([1.0, 2.0]) {symbol} 1")
    assert_array_equal(p.data, expected)


def test_descent_by_hand():
    model = trained_once(net())
    before = [p.data.copy() for p in model.parameters()]
    for p in model.parameters():
        p.data -= 0.5 * p.grad
    for p, old in zip(model.parameters(), before, strict=True):
        assert_array_equal(p.data, old - np.float32(0.5) * p.grad)


def clear_by_optimizer(model, o):
    o.zero_grad()


def clear_by_module(model, o):
    model.zero_grad()


def clear_each(model, o):
    for p in model.parameters():
        p.grad = None


@pytest.mark.parametrize("clear", [clear_by_optimizer, clear_by_module, clear_each])
@pytest.mark.parametrize("held", [True, False])
def test_no_gradient_returns_from_the_ice(clear, held):
    model = net()
    o = optim.SGD((model if held else net()).parameters())
    if clear is clear_by_optimizer and not held:
        return
    trained_once(model)
    model.requires_grad_(False)
    clear(model, o)
    assert all(p.grad is None for p in model.parameters())
    model.requires_grad_(True)
    assert all(p.grad is None for p in model.parameters())


def test_a_copy_with_frozen_parameters_clears():
    model = net().requires_grad_(True)
    o = optim.SGD(model.parameters())
    model.requires_grad_(False)
    next(iter(model.parameters())).grad = np.ones(next(iter(model.parameters())).shape)
    twin, other = copy.deepcopy((model, o))
    other.zero_grad()
    assert all(p.grad is None for p in twin.parameters())
    assert next(iter(model.parameters())).grad is not None


def test_only_none_clears():
    model = net()
    o = optim.SGD(model.parameters())
    model.zero_grad(set_to_none=True)
    o.zero_grad(set_to_none=True)
    for thing in (model, o):
        with pytest.raises(errors.ArgumentError, match="set_to_none must be True, got False"):
            thing.zero_grad(set_to_none=False)


# Losses of integers.

PAIRS = [
    F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss, F.kl_div, F.hinge_embedding_loss,
    F.binary_cross_entropy, F.binary_cross_entropy_with_logits,
    lambda x, y: F.gaussian_nll_loss(x, y, 1.0),
    lambda x, y: F.cosine_embedding_loss(x, x, y[:, 0]),
    lambda x, y: F.triplet_margin_loss(x, x, x),
    lambda x, y: F.multi_class_hinge_loss(x, y[:, 0]),
    lambda x, y: F.multi_margin_loss(x, y[:, 0]),
    lambda x, y: F.nll_loss(x, y[:, 0]),
    lambda x, y: F.cross_entropy(x, y[:, 0]),
]  # fmt: skip


@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
@pytest.mark.parametrize("loss", PAIRS)
def test_losses_refuse_integers(loss, dtype):
    y = np.ones((2, 3), dtype)
    with pytest.raises(errors.DTypeError, match=rf"must be floating, got {dtype}; .*float32"):
        loss(y, y.astype("int64") if dtype == "bool" and loss in PAIRS[9:] else y)


def test_losses_of_lists_of_integers():
    with pytest.raises(errors.DTypeError, match="must be floating, got int64"):
        F.mse_loss([1, 2], [3, 4])
    assert F.mse_loss([1.0, 2.0], [3, 4]).item() == 4


@pytest.mark.parametrize("penalty", [nn.l1_penalty, nn.l2_penalty])
def test_penalties_refuse_integers(penalty):
    w = tg.tensor(np.array([200, 200], "uint8"))
    for given in (w, [w]):
        with pytest.raises(errors.DTypeError, match="floating, got uint8"):
            penalty(given, 1.0)


def test_swapped_arguments_of_cross_entropy():
    logits, y = np.zeros((4, 3), "float32"), np.zeros(4, int)
    for loss in (F.cross_entropy, F.nll_loss):
        with pytest.raises(errors.DTypeError, match="first, targets second"):
            loss(y, logits)


# What modules find, and what they refuse.


def nested():
    layer = nn.Linear(1, 1)
    loop = [1]
    loop.append(loop)
    return [
        [[layer]], {"a": [layer]}, ([layer], 1), {layer}, frozenset({layer}), [{"a": (layer,)}],
        [[[nn.Parameter([1.0])]]], [loop, [layer]],
    ]  # fmt: skip


@pytest.mark.parametrize("i", range(8))
def test_layers_deep_in_collections(i):
    class Net(nn.Module):
        pass

    with pytest.raises(errors.ArgumentError, match=r"never be trained; write nn\.Module"):
        Net().layers = nested()[i]
    late = Net()
    late.layers = [[]]
    late.layers[0].append(nn.Linear(1, 1))
    with pytest.raises(errors.ArgumentError, match=r"never be trained; write nn\.ModuleList"):
        list(late.parameters())
    late.layers = [[1, "a"], {"b": {2}}]


def test_a_sequential_calls_what_it_was_given():
    class Scaled(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Linear(3, 3), np.abs)
            self.rescale = lambda x: x * 100
            self.loss = nn.MSELoss()

    model = Scaled()
    x = np.ones((1, 3), "float32")
    assert len(model) == 2
    assert_array_equal(model(x).data, np.abs(model[0](x).data))
    setattr(model, "2", nn.ReLU())
    model.append(np.negative)
    model.add_module("last", nn.Tanh())
    assert len(model) == 5 and [type(m).__name__ for m in model[2:]] == ["ReLU", "ufunc", "Tanh"]
    named = nn.Sequential({"a": nn.Linear(3, 2), "b": np.abs})
    named.hook = print
    assert len(named) == 2 and (named(x).data >= 0).all()
    named.insert(1, nn.Tanh())
    assert len(named) == 3 and list(named.state_dict()) == ["0.weight", "0.bias"]
    for other in (
        copy.deepcopy(model[:2]),
        pickle.loads(pickle.dumps(nn.Sequential({"x": nn.ReLU()}))),
    ):
        assert len(other) in (1, 2)


def test_children_as_in_pytorch():
    shared = nn.Linear(2, 2)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    assert list(model.children()) == [shared, model[1]]
    assert list(model.named_children()) == [("0", shared), ("1", model[1])]
    assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
    assert list(model.buffers()) == []
    norm = nn.Sequential(nn.BatchNorm1d(2))
    assert len(list(norm.buffers())) == 3
    assert norm.get_submodule("0") is norm[0] and norm.get_submodule("") is norm
    with pytest.raises(errors.UnknownNameError, match="is Parameter, no module"):
        norm.get_submodule("0.weight")
    parent = nn.Module()
    parent.add_module("body", norm)
    assert parent.body is norm
    with pytest.raises(errors.ArgumentError, match="add_module"):
        parent.add_module("train", norm)


def test_every_name_of_what_is_shared_is_saved():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(list(model.parameters())) == 3
    norm = nn.BatchNorm1d(2)
    twice = nn.Sequential(norm, norm)
    assert "1.running_mean" in twice.state_dict()
    fresh = nn.Sequential(nn.BatchNorm1d(2), nn.BatchNorm1d(2))
    fresh.load_state_dict(twice.state_dict())  # all names are there
    out = tg.func.functional_call(model, model.state_dict(), np.ones((1, 2), "float32"))
    assert_array_equal(out.data, model(np.ones((1, 2), "float32")).data)


def test_a_state_that_fits_in_part():
    model = net()
    state = model.state_dict()
    left = model.load_state_dict({"0.weight": np.ones((4, 3)), "x": np.ones(1)}, strict=False)
    assert left.missing_keys == ["0.bias", "2.weight", "2.bias"]
    assert left.unexpected_keys == ["x"]
    assert (model[0].weight.data == 1).all()
    assert_array_equal(model[2].weight.data, state["2.weight"])
    with pytest.raises(errors.StateDictError, match=r"shape of 0.weight"):
        model.load_state_dict({"0.weight": np.ones(3)}, strict=False)
    assert model.load_state_dict(state) is None


class Child(nn.Module):
    def __init__(self, parent):
        self.parent = parent
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x)


class Parent(nn.Module):
    def __init__(self):
        self.child = Child(self)

    def forward(self, x):
        return self.child(x)


def test_a_child_that_knows_its_parent():
    model = Parent()
    names = ["child.layer.weight", "child.layer.bias"]
    assert [name for name, _ in model.named_parameters()] == names
    assert list(model.state_dict()) == names
    assert list(model.modules()) == [model, model.child, model.child.layer]
    assert model.eval().child.training is False
    seen = []
    model.apply(seen.append)
    assert seen == [model.child.layer, model.child, model]
    assert "6 parameters" in repr(model)
    nn.init.apply(model)
    model.load_state_dict(model.state_dict())
    assert len(copy.deepcopy(model).state_dict()) == 2
    with pytest.raises(errors.ShapeError, match=r"child\.layer"):
        model(np.ones((1, 3)))


# Optimizers.


def test_parameters_of_a_group_are_fixed():
    model = net()
    extra = nn.Parameter([1.0])
    o = optim.Adam(model.parameters())
    with pytest.raises(AttributeError, match="add_param_group"):
        o.param_groups[0]["params"].append(extra)
    trained_once(model)
    before = model.state_dict()

    def refuses():
        with pytest.raises(errors.ArgumentError, match="add_param_group"):
            o.step()
        for name, value in model.state_dict().items():
            assert_array_equal(value, before[name])

    held = o.param_groups[0]["params"]
    o.param_groups[0]["params"] = [*held, extra]
    refuses()
    o.param_groups[0]["params"] = held
    o.param_groups.append({"params": [extra], "lr": 0.1})
    refuses()
    o.param_groups.pop()
    o.add_param_group({"params": [extra], "lr": 0.1})
    o.step()
    other = pickle.loads(pickle.dumps(copy.deepcopy(o)))
    other.step()
    assert len(other.param_groups[0]["params"]) == 4
    o.param_groups[0]["lr"] = 0.5  # options may change
    o.step()


@pytest.mark.parametrize(
    ("make", "switch"),
    [
        (lambda w: optim.Adam([w], 0.1), "amsgrad"),
        (lambda w: optim.AdamW([w], 0.1), "amsgrad"),
        (lambda w: optim.RMSprop([w], 0.1), "centered"),
    ],
)
def test_state_that_is_asked_for_later(make, switch):
    w = nn.Parameter(np.ones(3))
    o = make(w)
    for k in range(4):
        o.zero_grad()
        (w * w).sum().backward()
        o.param_groups[0][switch] = k > 1
        o.step()
    assert np.isfinite(w.data).all() and (w.data < 0.9).all()
    again = make(nn.Parameter(np.ones(3)))
    again.param_groups[0][switch] = True
    again.step()
    again.load_state_dict(o.state_dict())


def orders():
    """All orders of loading the optimizer, making the schedule and loading the schedule."""
    every = itertools.permutations(["optimizer", "make", "schedule"])
    return [order for order in every if order.index("make") < order.index("schedule")]


def resumed(order, make, fresh, saved):
    schedule = None
    for what in order:
        if what == "optimizer":
            fresh.load_state_dict(saved[0])
        elif what == "make":
            schedule = make(fresh)
        else:
            schedule.load_state_dict(saved[1])
    return schedule


@pytest.mark.parametrize("order", orders())
@pytest.mark.parametrize("after", [0, 1, 4, 9, 11])
@pytest.mark.parametrize("name", EVERY)
def test_resuming_in_any_order(name, after, order):
    make = EVERY[name]
    momentum = {"algorithm": optim.SGD, "momentum": 0.9}
    through = make(optimizer(**momentum))
    for _ in range(after):
        through.step()
    saved = through.optimizer.state_dict(), through.state_dict()
    if name not in FUNCTIONS:
        saved = pickle.loads(pickle.dumps(saved))
    schedule = resumed(order, make, optimizer(**momentum), saved)
    for _ in range(8):
        for a, b in zip(
            through.optimizer.param_groups, schedule.optimizer.param_groups, strict=True
        ):
            assert {k: v for k, v in a.items() if k != "params"} == {
                k: v for k, v in b.items() if k != "params"
            }
        through.step()
        schedule.step()


@pytest.mark.parametrize("name", EVERY)
def test_resuming_with_the_schedule_alone(name):
    through = EVERY[name](optimizer(momentum=0.9))
    for _ in range(5):
        through.step()
    schedule = EVERY[name](optimizer(momentum=0.9))
    schedule.load_state_dict(through.state_dict())
    for _ in range(6):
        for key in ("lr", "momentum"):
            mine, theirs = (
                [group[key] for group in s.optimizer.param_groups] for s in (schedule, through)
            )
            assert mine == theirs
        through.step()
        schedule.step()


@pytest.mark.parametrize("first", [0, 1])
def test_resuming_several_schedules_and_a_rate_set_by_hand(first):
    s = optim.lr_scheduler

    def make(o):
        return [s.LinearLR(o, 0.2, 1.0, 8), s.ExponentialLR(o, 0.9)]

    o = optimizer()
    through = make(o)
    for _ in range(3):
        for schedule in through:
            schedule.step()
    o.param_groups[0]["lr"] *= 0.37  # by hand, after the last step
    saved = o.state_dict(), [schedule.state_dict() for schedule in through]
    fresh = optimizer()
    fresh.load_state_dict(saved[0])
    schedules = make(fresh)
    for i in (first, 1 - first):
        schedules[i].load_state_dict(saved[1][i])
    for _ in range(4):
        assert [g["lr"] for g in fresh.param_groups] == [g["lr"] for g in o.param_groups]
        for schedule in [*through, *schedules]:
            schedule.step()


# Small things.


@pytest.mark.parametrize("eps", [np.float64(1e-5), np.float32(1e-5)])
@pytest.mark.parametrize(
    "make",
    [
        lambda eps: nn.RMSNorm(4, eps=eps), lambda eps: nn.LayerNorm(4, eps=eps),
        lambda eps: nn.GroupNorm(2, 4, eps=eps), lambda eps: nn.BatchNorm1d(4, eps=eps),
        lambda eps: nn.BatchNorm1d(4, eps=eps).eval(),
        lambda eps: lambda x: F.rms_norm(x, 4, eps=eps),
        lambda eps: nn.LeakyReLU(eps), lambda eps: nn.ELU(eps), lambda eps: nn.CELU(eps),
        lambda eps: nn.Softplus(eps),
    ],
)  # fmt: skip
def test_options_of_numpy_do_not_change_the_dtype(make, eps):
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    assert make(eps)(x).dtype == np.float32


LOSSES = [name for name in nn.__all__ if name.endswith("Loss")]


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_made_before_they_are_called(name):
    x = np.ones((4, 3), "float32")
    for y in (np.zeros(4, int), x):
        for given in (x, tg.tensor(x)):
            with pytest.raises(
                errors.TinygradError, match=rf"nn\.{name}\(\)\(prediction, target\)"
            ):
                getattr(nn, name)(given, y)


@pytest.mark.parametrize(
    "name", ["Softmax", "Flatten", "LeakyReLU", "ELU", "GELU", "Dropout", "LayerNorm", "MaxPool2d"]
)
def test_layers_are_made_before_they_are_called(name):
    with pytest.raises(errors.ArgumentError, match=rf"nn\.{name}\(\.\.\.\)\(x\)"):
        getattr(nn, name)(np.ones((4, 3), "float32"))


SHAPES = [
    (nn.Conv2d(3, 4, 3), (2, 8, 9, 3), r"\(N, C, H, W\) by x\.transpose\(0, 3, 1, 2\)"),
    (nn.Conv2d(3, 4, 3), (8, 9, 3), r"first by x\.transpose\(2, 0, 1\)"),
    (nn.Conv1d(3, 4, 3), (2, 8, 3), r"\(N, C, L\) by x\.transpose\(0, 2, 1\)"),
    (nn.Conv2d(1, 4, 3), (7, 8, 8), r"x\[:, None\]"),
    (nn.BatchNorm2d(3), (2, 8, 9, 3), r"x\.transpose\(0, 3, 1, 2\)"),
    (nn.Linear(36, 2), (2, 4, 3, 3), r"4 \* 3 \* 3 = 36, so put nn\.Flatten\(\)"),
    (nn.Linear(36, 2, bias=False), (2, 4, 3, 3), r"nn\.Flatten\(\)"),
]


@pytest.mark.parametrize(("layer", "shape", "hint"), SHAPES)
def test_shapes_with_a_way_out(layer, shape, hint):
    with pytest.raises(errors.ShapeError, match=hint):
        layer(np.ones(shape, "float32"))


def test_no_hint_where_none_fits():
    for layer, shape in [(nn.Conv2d(3, 4, 3), (2, 8, 9, 5)), (nn.Linear(35, 2), (2, 4, 3, 3))]:
        with pytest.raises(errors.ShapeError) as caught:
            layer(np.ones(shape, "float32"))
        assert "transpose" not in str(caught.value) and "Flatten" not in str(caught.value)


def test_the_tuple_of_a_recurrent_layer():
    model = nn.Sequential(nn.LSTM(3, 4), nn.Linear(4, 2))
    with pytest.raises(errors.ArgumentError, match=r"'1' got a tuple of 2, which layer '0' \(LSTM"):
        model(np.ones((5, 2, 3), "float32"))


@pytest.mark.parametrize("where", ["cuda", "cpu", "cuda:0", "mps"])
def test_there_are_no_devices(where):
    with pytest.raises(errors.ArgumentError, match=f"'{where}' is a device, and there are none"):
        net().to(where)


W = [nn.Parameter([1.0])]
MISTAKES = [
    (lambda: net().train("yes"), "mode must be True or False, got 'yes'"),
    (lambda: nn.CrossEntropyLoss(ignore_index=1.5), "ignore_index must be a whole number, got 1.5"),
    (lambda: nn.NLLLoss(ignore_index=None), "ignore_index must be a whole number, got None"),
    (
        lambda: F.cross_entropy(np.zeros((1, 2)), np.zeros(1, int), ignore_index=1.5),
        "ignore_index must be a whole number, got 1.5",
    ),
    (lambda: optim.lr_scheduler.MultiStepLR(optim.SGD(W), 5), r"list of whole numbers.*got 5"),
    (lambda: optim.SGD([net()]), r"holds the module Sequential; write model\.parameters\(\)"),
    (lambda: optim.SGD([net().parameters()]), r"SGD\(model\.parameters\(\)\)"),
    (lambda: optim.SGD([{"params": [net()]}]), "holds the module Sequential"),
    (lambda: optim.SGD(nn.ReLU().parameters()), "has no parameters"),
    (lambda: nn.init.apply(net(), np.ones(3)), r"got an array of shape \(3,\).*apply\(model\)"),
]


@pytest.mark.parametrize(("mistake", "says"), MISTAKES)
def test_mistakes_are_explained(mistake, says):
    with pytest.raises(errors.ArgumentError, match=says):
        mistake()


def test_parameters_in_a_list():
    weights = nn.ParameterList([np.zeros((2, 3)), nn.Parameter([1.0])])
    weights.append(tg.tensor([2.0]))
    assert [name for name, _ in weights.named_parameters()] == ["0", "1", "2"]
    assert weights[2].requires_grad and len(weights[1:]) == 2 and len(weights + weights) == 6
    weights[0] = np.ones(4)
    assert isinstance(weights[0], nn.Parameter) and weights.state_dict()["0"].shape == (4,)
    assert weights.pop(0).shape == (4,) and list(weights.state_dict()) == ["0", "1"]
    assert repr(weights).startswith("ParameterList((1,), (1,))")
    with pytest.raises(errors.IndexOutOfRange, match="it holds 2 parameters"):
        weights[2]
    with pytest.raises(errors.ArgumentError, match=r"nn\.ModuleList"):
        nn.ParameterList([nn.Linear(1, 1)])
    with pytest.raises(errors.ArgumentError, match="computes nothing"):
        weights(1)


def test_a_stack_of_transformer_blocks():
    block = nn.TransformerEncoderLayer(4, 2, 3, 0.0)
    stack = nn.TransformerEncoder(block, 2)
    assert len(list(stack.parameters())) == 2 * len(list(block.parameters()))
    assert "layers.1.self_attn.in_proj_weight" in stack.state_dict()
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")
    mask = np.triu(np.ones((3, 3), bool), 1)
    assert_array_equal(stack(x, mask).data, block(block(x, mask), mask).data)
    with pytest.raises(errors.ArgumentError, match="num_layers must be a whole number of 1"):
        nn.TransformerEncoder(block, 0)
    with pytest.raises(errors.ArgumentError, match="expected a block"):
        nn.TransformerEncoder(4, 2)


def test_clipping_always_looks_for_nan():
    w = nn.Parameter([1.0])
    w.grad = np.ones(1)
    assert nn.utils.clip_grad_norm_([w], 5.0, error_if_nonfinite=True) == 1
    with pytest.raises(errors.ArgumentError, match="error_if_nonfinite must be True, got False"):
        nn.utils.clip_grad_norm_([w], 5.0, error_if_nonfinite=False)
