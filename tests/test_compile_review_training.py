"""Training steps as they are written: two nets, two passes, clipping, penalties, closures."""

import copy
import pickle

import numpy as np
from both_ways import Scenarios, X, Y, check, copies, gradients, net, normal, trainer

import tinygrad_cs as tg
from tinygrad_cs import nn

F = nn.functional
scenario = Scenarios()


@scenario
def no_grad_inside(wrap):
    w = tg.tensor(normal(3), requires_grad=True)

    def step(x):
        loss = ((x * w) ** 2).sum()
        w.grad = None
        loss.backward()
        with tg.no_grad():
            w.data -= 0.1 * w.grad
        return loss

    f = wrap(step)
    x = normal(3, seed=1)
    r = []
    for _ in range(3):
        r.append(f(x))
        r.append(np.array(w.data))
        r.append(np.array(w.grad))
    return r


@scenario
def grad_accumulation(wrap):
    m = net()
    o = tg.optim.Adam(m.parameters(), lr=0.01)

    def acc(x, y):
        loss = F.cross_entropy(m(x), y) / 2
        loss.backward()
        return loss

    def upd():
        o.step()
        o.zero_grad()

    a, u = (wrap(acc), wrap(upd))
    r = []
    for _ in range(3):
        r += [a(X, Y), gradients(m), a(X * 2, Y), gradients(m), u(), copies(m), gradients(m)]
    return r


@scenario
def grad_accumulation_inside(wrap):
    m = net()
    o = tg.optim.Adam(m.parameters(), lr=0.01)

    def step(xs, ys):
        o.zero_grad()
        total = 0
        for x, y in zip(xs, ys, strict=True):
            loss = F.cross_entropy(m(x), y) / 2
            loss.backward()
            total = total + loss.detach() if hasattr(loss, "detach") else loss
        o.step()
        return total

    s = wrap(step)
    return [
        s([X, X * 2], [Y, Y]),
        copies(m),
        s([X, X * 2], [Y, Y]),
        copies(m),
        s([X], [Y]),
        copies(m),
    ]


@scenario
def gan(wrap):
    G = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    D = nn.Sequential(nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 1))
    og = tg.optim.Adam(G.parameters(), lr=0.01)
    od = tg.optim.Adam(D.parameters(), lr=0.02)
    bce = F.binary_cross_entropy_with_logits

    def step(x):
        z = tg.engine.modes.generator().normal(size=(6, 2)).astype("f4")
        one, zero = (np.ones((6, 1), "f4"), np.zeros((6, 1), "f4"))
        od.zero_grad()
        fake = G(z)
        ld = bce(D(x), one) + bce(D(fake.detach()), zero)
        ld.backward()
        od.step()
        og.zero_grad()
        lg = bce(D(fake), one)
        lg.backward()
        og.step()
        return (ld, lg)

    s = wrap(step)
    r = []
    for _ in range(3):
        r += [s(X), copies(G), copies(D), gradients(G), gradients(D)]
    return r


@scenario
def two_optimizers_one_model(wrap):
    m = net()
    o1 = tg.optim.SGD(m[0].parameters(), lr=0.1)
    o2 = tg.optim.Adam([*m[1].parameters(), *m[4].parameters()], lr=0.01)

    def step(x, y):
        o1.zero_grad()
        o2.zero_grad()
        loss = F.cross_entropy(m(x), y)
        loss.backward()
        o1.step()
        o2.step()
        return loss

    s = wrap(step)
    r = []
    for _ in range(3):
        r += [s(X, Y), copies(m), gradients(m)]
    return r


@scenario
def clip_norm(wrap):
    m = net()
    o = tg.optim.SGD(m.parameters(), lr=0.1)

    def step(x, y):
        o.zero_grad()
        loss = F.cross_entropy(m(x), y)
        loss.backward()
        n = nn.utils.clip_grad_norm_(m.parameters(), 0.5)
        o.step()
        return (loss, n)

    s = wrap(step)
    r = []
    for k in (1, 100, 0.001, 1):
        r += [s((X * k).astype("f4"), Y), copies(m), gradients(m)]
    return r


@scenario
def warm_eager_then_compiled(wrap):
    m, _o, step = trainer(lambda f: f)
    r = [step(X, Y), step(X, Y)]
    s = wrap(step)
    r += [s(X, Y), step(X, Y), s(X, Y), copies(m), gradients(m)]
    return r


@scenario
def train_then_infer_shared(wrap):
    m, _o, s = trainer(wrap)
    inf = wrap(lambda x: m(x))
    r = []
    for _ in range(3):
        m.train()
        r += [s(X, Y)]
        m.eval()
        r += [inf(X), inf(X[:2])]
    return r


@scenario
def pickled_model(wrap):
    m, _o, s = trainer(wrap)
    r = [s(X, Y), s(X, Y)]
    m2 = pickle.loads(pickle.dumps(m))
    m3 = copy.deepcopy(m)
    r += [copies(m2), copies(m3), s(X, Y), copies(m), copies(m2)]
    m2.eval()
    m3.eval()
    r += [m2(X), m3(X)]
    return r


@scenario
def seed_between(wrap):
    m = net()
    f = wrap(lambda x: m(x))
    r = []
    for s in (1, 2, 1):
        tg.manual_seed(s)
        r += [f(X), f(X)]
    return r


@scenario
def optim_all(wrap):
    r = []
    for n in ("SGD", "Adam", "AdamW", "Adamax", "NAdam", "RMSprop", "Adagrad", "Adadelta", "Lion"):
        c = getattr(tg.optim, n)
        tg.manual_seed(1)
        m, _o, s = trainer(wrap, lambda p, c=c: c(p, lr=0.01))
        r += [n, s(X, Y), s(X, Y), s(X, Y), copies(m)]
    return r


@scenario
def lbfgs(wrap):
    m = nn.Linear(3, 2)
    o = tg.optim.LBFGS(m.parameters(), lr=0.5, max_iter=4)

    def closure():
        o.zero_grad()
        loss = F.cross_entropy(m(X), Y)
        loss.backward()
        return loss

    c = wrap(closure)
    r = []
    for _ in range(3):
        r += [o.step(c), copies(m)]
    return r


@scenario
def step_with_closure(wrap):
    m = nn.Linear(3, 2)
    o = tg.optim.SGD(m.parameters(), lr=0.5)

    def step(x, y):

        def closure():
            o.zero_grad()
            loss = F.cross_entropy(m(x), y)
            loss.backward()
            return loss

        return o.step(closure)

    s = wrap(step)
    return [s(X, Y), copies(m), s(X, Y), copies(m)]


@scenario.each()
def test_compiled_as_plain(scenario):
    check(scenario)
