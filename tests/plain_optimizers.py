"""The update rules from the papers, one parameter at a time, for the tests to compare with."""

import numpy as np


class Plain:
    """`options` are the optimizer's own, with its defaults filled in."""

    def __init__(self, maximize=False, weight_decay=0.0, **options):
        self.maximize, self.weight_decay, self.t = maximize, weight_decay, 0
        vars(self).update(options)
        self.begin()

    def begin(self):
        self.m = self.v = 0.0

    def step(self, w, g):
        self.t += 1
        g = -g if self.maximize else g
        if getattr(self, "decoupled_weight_decay", False):
            w = w - self.lr * self.weight_decay * w
        else:
            g = g + self.weight_decay * w
        return self.move(w, g)


class SGD(Plain):
    def move(self, w, g):
        first = self.t == 1
        self.v = g if first else self.momentum * self.v + (1 - self.dampening) * g
        return w - self.lr * (g + self.momentum * self.v if self.nesterov else self.v)


class Adagrad(Plain):
    def begin(self):
        self.s = self.initial_accumulator_value

    def move(self, w, g):
        self.s = self.s + g * g
        lr = self.lr / (1 + (self.t - 1) * self.lr_decay)
        return w - lr * g / (np.sqrt(self.s) + self.eps)


class RMSprop(Plain):
    def begin(self):
        self.s = self.a = self.v = 0.0

    def move(self, w, g):
        self.s = self.alpha * self.s + (1 - self.alpha) * g * g
        self.a = self.alpha * self.a + (1 - self.alpha) * g
        variance = self.s - self.a**2 if self.centered else self.s
        self.v = self.momentum * self.v + g / (np.sqrt(variance) + self.eps)
        return w - self.lr * self.v


class Adadelta(Plain):
    def begin(self):
        self.s = self.u = 0.0

    def move(self, w, g):
        self.s = self.rho * self.s + (1 - self.rho) * g * g
        d = g * np.sqrt(self.u + self.eps) / np.sqrt(self.s + self.eps)
        self.u = self.rho * self.u + (1 - self.rho) * d * d
        return w - self.lr * d


class Adam(Plain):
    def begin(self):
        self.m = self.v = self.largest = 0.0

    def move(self, w, g):
        b1, b2 = self.betas
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g * g
        self.largest = np.maximum(self.largest, self.v)
        m = self.m / (1 - b1**self.t)
        v = (self.largest if self.amsgrad else self.v) / (1 - b2**self.t)
        return w - self.lr * m / (np.sqrt(v) + self.eps)


class Adamax(Plain):
    def move(self, w, g):
        b1, b2 = self.betas
        self.m = b1 * self.m + (1 - b1) * g
        self.v = np.maximum(b2 * self.v, abs(g) + self.eps)
        return w - self.lr / (1 - b1**self.t) * self.m / self.v


class NAdam(Plain):
    def momentum(self, t):
        return self.betas[0] * (1 - 0.5 * 0.96 ** (t * self.momentum_decay))

    def move(self, w, g):
        b1, b2 = self.betas
        self.m = b1 * self.m + (1 - b1) * g
        self.v = b2 * self.v + (1 - b2) * g * g
        until = np.prod([self.momentum(t) for t in range(1, self.t + 1)])
        now, following = self.momentum(self.t), self.momentum(self.t + 1)
        ahead = (1 - now) / (1 - until) * g + following / (1 - until * following) * self.m
        return w - self.lr * ahead / (np.sqrt(self.v / (1 - b2**self.t)) + self.eps)


class Lion(Plain):
    decoupled_weight_decay = True

    def move(self, w, g):
        b1, b2 = self.betas
        c = b1 * self.m + (1 - b1) * g
        self.m = b2 * self.m + (1 - b2) * g
        return w - self.lr * np.sign(c)


AdamW = Adam

RULES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1, "dampening": 0.2}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.1, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "maximize": True}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.3, "eps": 0.01}),
    ("Adagrad", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.5, "momentum": 0.5, "weight_decay": 0.1, "eps": 0.1}),
    ("RMSprop", {"lr": 0.01, "centered": True, "eps": 0.01, "maximize": True}),
    ("Adadelta", {"eps": 1e-3}),
    ("Adadelta", {"lr": 0.5, "rho": 0.5, "eps": 1e-3, "weight_decay": 0.1, "maximize": True}),
    ("Adam", {"lr": 0.1}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.01, "amsgrad": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("AdamW", {"lr": 0.1, "weight_decay": 0.2}),
    ("AdamW", {"lr": 0.1, "amsgrad": True, "maximize": True}),
    ("Adamax", {"lr": 0.1}),
    ("Adamax", {"lr": 0.1, "betas": (0.5, 0.6), "eps": 0.01, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1}),
    ("NAdam", {"lr": 0.1, "momentum_decay": 0.1, "betas": (0.5, 0.6), "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1, "maximize": True}),
    ("Lion", {"lr": 0.01}),
    ("Lion", {"lr": 0.01, "betas": (0.5, 0.6), "weight_decay": 0.1, "maximize": True}),
]
"""Every rule with several options; the optimizer's name is the same here and there."""


def plain(name, optimizer):
    """The rule with all options of the optimizer's first group."""
    group = {k: v for k, v in optimizer.param_groups[0].items() if k != "params"}
    return globals()[name](**group)
