"""What all optimizers share: closures, groups, saved state, looking inside, refused arguments."""

import copy
import pickle

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from plain_optimizers import RULES

import tinygrad_cs as tg
from tinygrad_cs import nn, optim
from tinygrad_cs.engine import errors
from tinygrad_cs.engine.tensor import overwrite

SHAPES = [(3, 4), (4,), (), (2, 1, 2)]
every_rule = pytest.mark.parametrize(("name", "options"), RULES)
every = pytest.mark.parametrize("name", list(dict.fromkeys(name for name, _ in RULES)))


def parameters(shapes=SHAPES, dtype="float64", seed=0):
    rng = np.random.default_rng(seed)
    return [tg.tensor(rng.normal(size=s).astype(dtype), requires_grad=True) for s in shapes]


def run(optimizer, params, rng, steps):
    """Steps with random gradients, some of them missing."""
    for _ in range(steps):
        for p in params:
            p.grad = None if rng.random() < 0.3 else rng.normal(size=p.shape)
        optimizer.step()


@every_rule
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_training_goes_on_bit_by_bit_from_a_saved_state(name, options, dtype):
    make = getattr(optim, name)
    params, copies = parameters(dtype=dtype), parameters(dtype=dtype, seed=1)
    optimizer, fresh = make(params, **options), make(copies)
    if options.get("centered") or options.get("amsgrad"):  # they decide which arrays there are
        fresh = make(copies, **{k: v for k, v in options.items() if k in ("centered", "amsgrad")})
    run(optimizer, params, np.random.default_rng(0), 10)
    fresh.load_state_dict(pickle.loads(pickle.dumps(optimizer.state_dict())))
    for p, q in zip(params, copies, strict=True):
        overwrite(q, p.data)
    run(optimizer, params, np.random.default_rng(1), 10)
    run(fresh, copies, np.random.default_rng(1), 10)
    for p, q in zip(params, copies, strict=True):
        assert_array_equal(p.data, q.data)
    assert repr(optimizer) == repr(fresh)


@every_rule
@pytest.mark.parametrize("twin", [copy.deepcopy, lambda pair: pickle.loads(pickle.dumps(pair))])
def test_copies_go_on_alike(name, options, twin):
    params = parameters()
    optimizer = getattr(optim, name)(params, **options)
    run(optimizer, params, np.random.default_rng(0), 3)
    copies, other = twin((params, optimizer))
    run(optimizer, params, np.random.default_rng(1), 3)
    run(other, copies, np.random.default_rng(1), 3)
    for p, q in zip(params, copies, strict=True):
        assert_array_equal(p.data, q.data)
        assert not np.shares_memory(p.data, q.data)


@every_rule
def test_float32_stays_float32_and_close(name, options):
    low, high = parameters(dtype="float32"), parameters()
    make = getattr(optim, name)
    one, other = make(low, **options), make(high, **options)
    for p, q in zip(low, high, strict=True):
        overwrite(q, p.data.astype(float))
    for k in range(5):
        for i, (p, q) in enumerate(zip(low, high, strict=True)):
            q.grad = p.grad = np.full(p.shape, np.cos(k + i) + 1.5, "float32")
        one.step()
        other.step()
    for p, q in zip(low, high, strict=True):
        assert p.data.dtype == "float32"
        assert all(v.dtype == "float32" for k, v in one.state[p].items() if k != "step")
        assert_allclose(p.data, q.data, rtol=1e-5, atol=1e-5)


@every
def test_maximize_climbs_as_fast_as_the_negative_descends(name):
    up, down = parameters(), parameters()
    one, other = (
        getattr(optim, name)(up, maximize=True),
        getattr(optim, name)(down),
    )
    rng = np.random.default_rng(0)
    for _ in range(5):
        for p, q in zip(up, down, strict=True):
            g = rng.normal(size=p.shape)
            p.grad, q.grad = g, -g
        one.step()
        other.step()
    for p, q in zip(up, down, strict=True):
        assert_array_equal(p.data, q.data)


@every
def test_every_optimizer_finds_the_minimum(name):
    (w,) = parameters([(5,)])
    optimizer = getattr(optim, name)([w], lr=1.0 if name == "Adadelta" else 0.05)
    target = np.arange(5.0)
    before = ((w.data - target) ** 2).sum()
    for _ in range(2000):
        optimizer.param_groups[0]["lr"] *= 0.999 if name != "Adadelta" else 1
        optimizer.zero_grad()
        loss = ((w - target) ** 2).sum()
        loss.backward()
        optimizer.step()
    after = ((w.data - target) ** 2).sum()
    assert after < (0.2 if name in ("Adadelta", "Adagrad") else 1e-3) * before


@every
def test_a_step_without_any_gradient_does_nothing(name):
    params = parameters()
    before = [p.data.copy() for p in params]
    optimizer = getattr(optim, name)(params)
    assert optimizer.step() is None
    for p, value in zip(params, before, strict=True):
        assert_array_equal(p.data, value)
        assert optimizer.state[p]["step"] == 0


def test_a_closure_is_evaluated_first_and_its_loss_returned():
    (w,) = parameters([(2,)])
    before = w.data.copy()
    optimizer = optim.SGD([w], lr=0.5)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss

    with tg.no_grad():
        loss = optimizer.step(closure)
    assert_allclose(loss.item(), (before**2).sum())
    assert_array_equal(w.data, before - 0.5 * 2 * before)


@every
def test_groups_that_come_later(name):
    """As if there had always been two optimizers."""
    make = getattr(optim, name)
    together, apart = parameters(), parameters()
    one = make(together[:2], lr=0.01)
    many = [make(apart[:2], lr=0.01)]
    rng = np.random.default_rng(0)
    for step in range(6):
        if step == 3:
            one.add_param_group({"params": together[2:], "lr": 0.1})
            many.append(make(apart[2:], lr=0.1))
        for p, q in zip(together, apart, strict=True):
            p.grad = q.grad = rng.normal(size=p.shape)
        one.step()
        for optimizer in many:
            optimizer.step()
    for p, q in zip(together, apart, strict=True):
        assert_array_equal(p.data, q.data)
    assert [group["lr"] for group in one.param_groups] == [0.01, 0.1]


def test_a_group_that_is_refused_changes_nothing():
    a, b = parameters([(2,), (3,)])
    optimizer = optim.SGD([a], lr=0.1)
    for group, message in [
        ({"params": [a]}, "listed twice"),
        ({"params": [b], "rho": 1}, "has no option 'rho'"),
        ({"params": [b], "lr": -1}, "lr must be a number of 0 or more"),
        ({"lr": 1}, "not a parameter group"),
        ([b], "expected a dict such as"),
    ]:
        with pytest.raises(errors.ArgumentError, match=message):
            optimizer.add_param_group(group)
    assert len(optimizer.param_groups) == 1 and b.data.base is None
    optimizer.add_param_group({"params": b, "lr": 0.5})
    b.grad = np.ones(3)
    before = b.data.copy()
    optimizer.step()
    assert_allclose(b.data, before - 0.5)


@every
def test_what_schedules_write_into_groups_is_kept(name):
    (p,) = parameters([(2,)])
    make = getattr(optim, name)
    optimizer = make([{"params": [p], "initial_lr": 0.5, "max_lr": 1.0}], lr=0.1)
    optimizer.param_groups[0]["of_my_own"] = 3
    saved = optimizer.state_dict()
    assert saved["param_groups"][0]["initial_lr"] == 0.5
    fresh = make([p])
    fresh.load_state_dict(saved)
    assert fresh.param_groups[0]["initial_lr"] == 0.5
    assert fresh.param_groups[0]["of_my_own"] == 3
    p.grad = np.ones(2)
    fresh.step()


@pytest.mark.parametrize("name", ["Adam", "AdamW"])
@pytest.mark.parametrize("amsgrad", [False, True])
def test_adam_with_changing_betas_follows_the_formula(name, amsgrad):
    """The scale in which the state is held changes with beta."""
    (w,) = parameters([(3,)])
    value, m, v, most = w.data.copy(), 0, 0, 0
    optimizer = getattr(optim, name)([w], lr=0.1, weight_decay=0.0, amsgrad=amsgrad)
    rng = np.random.default_rng(0)
    for t, betas in enumerate([(0.9, 0.999), (0.5, 0.9), [0.5, 0.9], (0.95, 0.99), (0, 0)], 1):
        optimizer.param_groups[0]["betas"] = betas
        w.grad = g = rng.normal(size=3)
        optimizer.step()
        b1, b2 = betas
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
        most = np.maximum(v, most)
        root = np.sqrt((most if amsgrad else v) / (1 - b2**t)) + 1e-8
        value = value - 0.1 * m / (1 - b1**t) / root
        assert_allclose(w.data, value, rtol=1e-12)


def test_looking_inside():
    params = parameters()
    optimizer = optim.Adam(params)
    params[0].grad = np.full((3, 4), 2.0)
    optimizer.step()
    state = optimizer.state
    assert list(state) == params and state[params[0]]["step"] == 1 and state[params[1]]["step"] == 0
    assert_allclose(state[params[0]]["v"], np.full((3, 4), 4.0))
    assert state[params[3]]["m"].shape == (2, 1, 2)
    with pytest.raises(ValueError, match="read-only"):
        state[params[0]]["m"][...] = 0
    with pytest.raises(TypeError):
        state[params[0]]["step"] = 2
    assert repr(optimizer).startswith("Adam(lr=0.001, betas=(0.9, 0.999), eps=1e-08")


def test_everything_wrong_with_a_saved_state_is_listed_at_once():
    params = parameters()
    optimizer = optim.Adam([{"params": params[:2]}, {"params": params[2:]}])
    saved = optimizer.state_dict()
    del saved["param_groups"][0]["eps"]
    saved["param_groups"][1]["lr"] = -1
    del saved["state"][0][0]["m"]
    saved["state"][0][0]["momentum"] = np.zeros(2)
    saved["state"][1][0]["v"] = np.zeros(1)
    before = repr(optimizer)
    with pytest.raises(errors.StateDictError) as caught:
        optimizer.load_state_dict(saved)
    assert str(caught.value).splitlines() == [
        "Adam.load_state_dict: nothing was loaded:",
        "  group 0: missing option: 'eps'",
        "  group 0: missing: 'm'",
        "  group 0: unexpected: 'momentum'",
        "  group 1: Adam: lr must be a number of 0 or more, got -1",
        "  group 1: 'v' has 1 entries, expected 5",
    ]
    assert repr(optimizer) == before


def test_states_of_others_are_refused():
    a, b = parameters([(2, 3), (3, 2)])
    saved = optim.SGD([a, b]).state_dict()
    for optimizer, message in [
        (optim.SGD([b, a]), "belongs to other parameters"),
        (optim.SGD([a]), "belongs to other parameters"),
        (optim.Adam([a, b]), "missing option: 'betas'"),
        (optim.SGD([{"params": [a]}, {"params": [b]}]), "1 parameter groups, expected 2"),
    ]:
        with pytest.raises(errors.StateDictError, match=message):
            optimizer.load_state_dict(saved)
    optimizer = optim.SGD([a, b])
    with pytest.raises(errors.StateDictError, match="with 'param_groups' and 'state'; got "):
        optimizer.load_state_dict({"weights": 1})
    with pytest.raises(errors.StateDictError, match="with 'param_groups' and 'state'; got list"):
        optimizer.load_state_dict([])
    single = optim.SGD([a, tg.tensor([1.0], dtype="float32", requires_grad=True)])
    with pytest.raises(errors.StateDictError, match="parameters of 1 dtypes, expected 2"):
        single.load_state_dict(saved)
    short = optimizer.state_dict()
    short["state"][0][0]["steps"] = [0]
    with pytest.raises(errors.StateDictError, match="1 step counts for 2 parameters"):
        optimizer.load_state_dict(short)
    short["state"][0][0] = None
    with pytest.raises(errors.StateDictError, match="expected a dict, got NoneType"):
        optimizer.load_state_dict(short)


@every
def test_what_is_no_list_of_parameters(name):
    make, model = getattr(optim, name), nn.Linear(2, 1)
    (p,) = parameters([(1,)])
    for params, kind, message in [
        (model, errors.ArgumentError, "got the module Linear; write model.parameters()"),
        (model.named_parameters(), errors.DTypeError, "write model.parameters() without the"),
        ({"params": [p]}, errors.ArgumentError, "got a dict"),
        (3, errors.ArgumentError, "must be a list of parameters, got int"),
        ([tg.tensor([1])], errors.DTypeError, "parameter 0 of shape (1,) holds int64"),
        ([], errors.ArgumentError, "the parameter list is empty"),
        ([p, p], errors.ArgumentError, "listed twice"),
    ]:
        with pytest.raises(kind) as caught:
            make(params)
        assert f"{name}: " in str(caught.value) and message in str(caught.value)
    assert p.data.base is None


BAD = [
    ("SGD", {"nesterov": True}, "nesterov=True needs momentum above 0"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening=0.1"),
    ("SGD", {"dampening": -1}, "dampening"),
    ("SGD", {"maximize": "yes"}, "maximize must be True or False, got 'yes'"),
    ("SGD", {"lr": True}, "lr must be a number of 0 or more, got True"),
    ("Adagrad", {"lr_decay": -0.1}, "lr_decay"),
    ("Adagrad", {"initial_accumulator_value": -0.1}, "initial_accumulator_value"),
    ("Adagrad", {"eps": -0.1}, "eps"),
    ("RMSprop", {"alpha": 1.1}, r"alpha must be a number in \[0, 1\], got 1.1"),
    ("RMSprop", {"alpha": -0.1}, "alpha"),
    ("RMSprop", {"momentum": -0.1}, "momentum"),
    ("RMSprop", {"centered": 1}, "centered must be True or False"),
    ("Adadelta", {"rho": 1.5}, r"rho must be a number in \[0, 1\]"),
    ("Adadelta", {"eps": float("nan")}, "eps"),
    ("Adam", {"betas": 0.9}, "betas must be two numbers"),
    ("Adam", {"betas": (0.9, "x")}, "betas must be two numbers"),
    ("Adam", {"amsgrad": None}, "amsgrad must be True or False"),
    ("NAdam", {"momentum_decay": -1}, "momentum_decay"),
    ("NAdam", {"betas": (1.0, 0.9)}, "betas"),
    ("Adamax", {"betas": (-0.1, 0.9)}, "betas"),
    ("Lion", {"betas": (0.9, 1.0)}, "betas"),
    *[(name, {"lr": -1.0}, "lr must be a number") for name in dict(RULES)],
    *[(name, {"weight_decay": -1.0}, "weight_decay") for name in dict(RULES)],
]


@pytest.mark.parametrize(("name", "options", "message"), BAD)
def test_options_that_are_refused(name, options, message):
    (p,) = parameters([(1,)])
    for call in (
        lambda: getattr(optim, name)([p], **options),
        lambda: getattr(optim, name)([{"params": [p], **options}]),
    ):
        with pytest.raises(errors.ArgumentError, match=f"{name}: .*{message}"):
            call()


def test_a_constant_gradient_is_no_variance():
    """Centered RMSprop subtracts squares that rounding makes larger than the mean square."""
    (w,) = parameters([(1000,)], "float32")
    optimizer = optim.RMSprop([w], centered=True, alpha=0.9)
    g = np.random.default_rng(0).normal(size=1000).astype("float32")
    for _ in range(300):
        w.grad = g
        optimizer.step()
    assert np.isfinite(w.data).all()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_lion_takes_the_sign(dtype):
    """Of numbers below the normal range too; zero does not move, and NaN is not hidden."""
    (w,) = parameters([(6,)], dtype)
    w.data = np.ones(6)
    tiny = float(np.finfo(dtype).tiny)
    w.grad = np.array([0, tiny, -tiny, 3, -100, np.nan])
    optim.Lion([w], lr=0.5, betas=(0.9, 0.99)).step()
    assert_array_equal(w.data, [1, 0.5, 1.5, 0.5, 1.5, np.nan])


@every
def test_a_step_between_forward_and_backward_is_refused(name):
    (w,) = parameters([(2,)])
    optimizer = getattr(optim, name)([w])
    loss = (w * w).sum()
    w.grad = np.ones(2)
    optimizer.step()
    with pytest.raises(errors.StaleValueError):
        loss.backward()
