"""What changes between two calls of a compiled training step."""

import numpy as np
from both_ways import Scenarios, X, Y, check, copies, gradients, net, normal, trainer

import tinygrad_cs as tg
from tinygrad_cs import nn

F = nn.functional
scenario = Scenarios()


@scenario
def inplace_tensor_data(wrap):
    t = tg.tensor(normal(3))

    def f(x):
        t.data[0] = 5.0
        t.data[1:] += 1
        return t * x

    g = wrap(f)
    r = [g(normal(3)), g(normal(3))]
    return [*r, np.array(t.data)]


@scenario
def data_assignment(wrap):
    m = nn.Linear(2, 2)

    def f(x):
        m.weight.data = m.weight.data * 0.5
        return m(x)

    g = wrap(f)
    r = [g(normal(1, 2)), g(normal(1, 2))]
    return [*r, np.array(m.weight.data)]


@scenario
def load_state_between(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y)]
    st = copies(m)
    r += [s(X, Y)]
    m.load_state_dict(st)
    r += [s(X, Y), copies(m)]
    r += [s(X, Y), copies(m)]
    return r


@scenario
def freeze_between(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y)]
    m[0].weight.requires_grad = False
    r += [s(X, Y), copies(m), gradients(m)]
    m[0].weight.requires_grad = True
    r += [s(X, Y), copies(m), gradients(m)]
    return r


@scenario
def eval_inside(wrap):
    m = net()

    def f(x):
        m.eval()
        a = m(x)
        m.train()
        return (a, m(x))

    g = wrap(f)
    r = [g(X), g(X), m.training]
    m.eval()
    r += [g(X), m.training, m[3].training]
    return r


@scenario
def dropout_p_changed(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y)]
    m[3].p = 0.7
    r += [s(X, Y), copies(m)]
    return r


@scenario
def bn_momentum_changed(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y)]
    m[1].momentum = 0.5
    r += [s(X, Y), copies(m)]
    m[1].eps = 0.1
    r += [s(X, Y), copies(m)]
    return r


@scenario
def layer_replaced(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y)]
    m[2] = nn.Tanh()
    r += [s(X, Y), copies(m)]
    return r


@scenario
def module_attribute(wrap):

    class M(nn.Module):
        def __init__(s):
            super().__init__()
            s.l = nn.Linear(3, 2)
            s.scale = 2.0

        def forward(s, x):
            return s.l(x) * s.scale

    m = M()
    f = wrap(lambda x: m(x))
    r = [f(X)]
    m.scale = 3.0
    r.append(f(X))
    return r


@scenario
def add_param_group(wrap):
    m = net()
    o = tg.optim.SGD(m[0].parameters(), lr=0.1, momentum=0.9)

    def step(x, y):
        m.zero_grad()
        loss = F.cross_entropy(m(x), y)
        loss.backward()
        o.step()
        return loss

    s = wrap(step)
    r = [s(X, Y), copies(m)]
    o.add_param_group({"params": list(m[4].parameters()), "lr": 0.01})
    r += [s(X, Y), copies(m), s(X, Y), copies(m)]
    return r


@scenario
def lr_by_hand(wrap):
    m, o, s = trainer(wrap)
    r = []
    for i in range(5):
        o.param_groups[0]["lr"] = 0.1 / (i + 1)
        r += [s(X, Y), copies(m)]
    o.param_groups[0]["lr"] = 1
    r += [s(X, Y), copies(m)]
    o.param_groups[0]["lr"] = 0.0
    r += [s(X, Y), copies(m)]
    o.param_groups[0]["lr"] = np.float64(0.01)
    r += [s(X, Y), copies(m)]
    o.param_groups[0]["lr"] = 0.02
    r += [s(X, Y), copies(m)]
    return r


@scenario
def wd_turned_on(wrap):
    m, o, s = trainer(wrap, lambda p: tg.optim.SGD(p, lr=0.1))
    r = [s(X, Y)]
    o.param_groups[0]["weight_decay"] = 0.1
    r += [s(X, Y), copies(m)]
    o.param_groups[0]["momentum"] = 0.9
    r += [s(X, Y), s(X, Y), copies(m)]
    o.param_groups[0]["nesterov"] = True
    r += [s(X, Y), s(X, Y), copies(m)]
    return r


@scenario
def user_sets_gradient(wrap):
    m = nn.Linear(3, 2)
    o = tg.optim.SGD(m.parameters(), lr=0.1)

    def upd():
        o.step()

    u = wrap(upd)
    r = []
    for i in range(3):
        m.weight.grad = normal(2, 3, seed=i)
        m.bias.grad = None if i == 1 else normal(2, seed=i)
        u()
        r.append(copies(m))
    return r


@scenario
def unused_parameter(wrap):
    m = nn.Linear(3, 2)
    extra = nn.Linear(2, 2)
    o = tg.optim.Adam([*m.parameters(), *extra.parameters()], lr=0.1)

    def step(x, use):
        o.zero_grad()
        y = m(x)
        y = extra(y) if use else y
        loss = (y**2).sum()
        loss.backward()
        o.step()
        return loss

    s = wrap(step)
    r = []
    for use in (False, True, False, True, True):
        r += [s(X, use), copies(m), copies(extra), gradients(extra)]
    return r


@scenario
def whole_numbers_of_layers(wrap):
    """Strides, paddings and sizes, set by hand between two calls."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.MaxPool2d(2), nn.Flatten())
    call, x, found = wrap(lambda x: model(x)), normal(2, 1, 8, 8), []
    found.append(call(x))
    model[0].stride = (2, 2)
    found.append(call(x))
    model[1].kernel_size = (1, 2)
    found.append(call(x))
    model[2].start_dim = 2
    found.append(call(x))
    model[0].stride, model[1].kernel_size, model[2].start_dim = (1, 1), (2, 2), 1
    return [*found, call(x)]


@scenario
def an_attribute_taken_away(wrap):
    """What the class has in its place counts from then on."""

    class Scaled(nn.Module):
        factor = 2.0

        def forward(self, x):
            return x * self.factor

    model = Scaled()
    model.factor = 5.0
    call, x = wrap(lambda x: model(x)), normal(3)
    found = [call(x), call(x)]
    del model.factor
    return [*found, call(x)]


@scenario
def other_parameters_for_one_call(wrap):
    """`functional_call` puts them in their place for as long as it lasts."""
    model = nn.Linear(3, 2)
    call, x = wrap(lambda x: model(x)), normal(4, 3)

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = model

        def forward(self, x):
            return call(x)

    outer = Outer()
    others = {"inner.weight": tg.tensor(normal(2, 3, seed=5)), "inner.bias": tg.tensor(normal(2))}
    found = [call(x).data, call(x).data]
    found.append(tg.func.functional_call(outer, others, (x,)).data)
    return [*found, call(x).data]


@scenario.each()
def test_compiled_as_plain(scenario):
    check(scenario)


def test_a_mode_that_comes_back_is_known():
    """Training and evaluation, over and over: two programs, and no look at layers in between."""
    model = net()
    call = tg.compile(lambda x: model(x))
    for _ in range(3):
        for mode in (True, False):
            model.train(mode)
            for _ in range(2):
                call(X)
    assert len(call._variants) == 2
