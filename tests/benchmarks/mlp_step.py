"""One full training step of a ReLU network, in every library.

A step sets the gradients to zero, runs forward, takes the mean cross-entropy, runs backward,
updates by Adam and reads the loss as a Python float. Each function below prepares everything
that a training script prepares outside its loop and returns the step, written as that library's
own documentation writes it, in the fastest of the forms tried:

- torch: eager, with the fused Adam. On small networks one thread is faster than two, so both
  are shown.
- jax: the whole step in one jit with donated buffers, see ``network_jax.py``.
- mygrad: with its default settings and without its memory guard, which locks arrays against
  writing. It has no optimizer.
- autograd: each parameter is an argument of its own, which is cheaper than one list of them,
  and ReLU is a product with a mask, which is cheaper than ``maximum``. It has no optimizer.

Libraries without an optimizer get the Adam of the version written by hand: parameters are views
into one flat buffer, gradients are gathered into another.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import by_hand
import mlp_numpy
import mlp_problem
import network_jax
import numpy as np
from by_hand import Step
from mlp_problem import Problem

CASES = {
    "small": ((2, 16, 16, 2), 32),
    "large": ((64, 128, 64, 10), 64),
    "wide": ((784, 512, 256, 10), 128),
    "deep": ((784, *[256] * 10, 10), 128),
}


def make(case: str, peer: str) -> Step:
    """The step of one library on one network."""
    return PEERS[peer](mlp_problem.draw(*CASES[case]))


def ours(problem: Problem, backend: str | None = None) -> Step:
    import tinygrad_cs as tg
    from tinygrad_cs import nn, optim

    layers: list[Any] = []
    weights = {}
    for w, b in problem.layers:
        weights[f"{len(layers)}.weight"], weights[f"{len(layers)}.bias"] = w, b
        layers += [nn.Linear(w.shape[1], w.shape[0]), nn.ReLU()]
    model = nn.Sequential(*layers[:-1])
    model.load_state_dict(weights)
    loss_fn = nn.CrossEntropyLoss()
    opt = optim.Adam(model.parameters(), lr=problem.rate)
    x, y = tg.asarray(problem.x), problem.y

    def train(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = loss_fn(model(x), y)
        loss.backward()
        opt.step()
        return loss

    whole_step = tg.compile(train, backend=backend) if backend else train
    return Step(
        lambda: whole_step(x, y).item(), lambda: [np.array(p.data) for p in model.parameters()]
    )


def torch_with(threads: int) -> Callable[[Problem], Step]:
    def prepare(problem: Problem) -> Step:
        import torch
        from torch import nn

        torch.set_num_threads(threads)
        layers: list[Any] = []
        for w, b in problem.layers:
            linear = nn.Linear(w.shape[1], w.shape[0])
            linear.load_state_dict({"weight": torch.from_numpy(w), "bias": torch.from_numpy(b)})
            layers += [linear, nn.ReLU()]
        model = nn.Sequential(*layers[:-1])
        loss_fn = nn.CrossEntropyLoss()
        opt = torch.optim.Adam(model.parameters(), lr=problem.rate, fused=True)
        x, y = torch.from_numpy(problem.x), torch.from_numpy(problem.y)

        def step() -> float:
            opt.zero_grad()
            loss = loss_fn(model(x), y)
            loss.backward()
            opt.step()
            return loss.item()

        return Step(step, lambda: [p.detach().numpy().copy() for p in model.parameters()])

    return prepare


def jax_jit(problem: Problem) -> Step:
    import jax

    def loss_of(params: Any, rest: Any, x: Any, y: Any) -> Any:
        h = x
        for w, b in params[:-1]:
            h = jax.nn.relu(h @ w + b)
        w, b = params[-1]
        return network_jax.cross_entropy(h @ w + b, y), rest

    params = [(w.T, b) for w, b in problem.layers]
    step, now = network_jax.jax_step(loss_of, params, (), (problem.x, problem.y), problem.rate)
    return Step(step, lambda: [np.array(a) for w, b in now() for a in (w.T, b)])


def mygrad_with(guard: bool) -> Callable[[Problem], Step]:
    def prepare(problem: Problem) -> Step:
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.losses import softmax_crossentropy

        if not guard:
            mg.turn_memory_guarding_off()
        flat, views = by_hand.flat_buffer([a for w, b in problem.layers for a in (w.T, b)])
        params = [mg.tensor(view, copy=False) for view in views]
        gather, update = _flat_adam(flat, problem.rate)
        *hidden, (last_w, last_b) = zip(params[::2], params[1::2], strict=True)
        x, y = problem.x, problem.y

        def step() -> float:
            h = x
            for w, b in hidden:
                h = relu(mg.matmul(h, w) + b)
            loss = softmax_crossentropy(mg.matmul(h, last_w) + last_b, y)
            loss.backward()
            gather([p.grad for p in params])
            update()
            return loss.item()

        return Step(step, lambda: [np.array(v.T) for v in views])

    return prepare


def hips_autograd(problem: Problem) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad
    from autograd.tracer import getval

    flat, params = by_hand.flat_buffer([a for w, b in problem.layers for a in (w.T, b)])
    gather, update = _flat_adam(flat, problem.rate)
    x, y, batch = problem.x, problem.y, len(problem.x)
    rows = np.arange(batch)

    def loss_of(*params: Any) -> Any:
        h = x
        for w, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            h = anp.dot(h, w) + b
            h = h * (h > 0)
        z = anp.dot(h, params[-2]) + params[-1]
        z = z - getval(z).max(axis=1, keepdims=True)
        return anp.sum(anp.log(anp.sum(anp.exp(z), axis=1)) - z[rows, y]) / batch

    value_and_gradients = value_and_grad(loss_of, argnum=tuple(range(len(params))))

    def step() -> float:
        loss, gradients = value_and_gradients(*params)
        gather(gradients)
        update()
        return float(loss)

    return Step(step, lambda: [np.array(a.T) for a in params])


def _flat_adam(flat: Any, rate: float) -> tuple[Callable[[Any], None], Callable[[], None]]:
    """Adam on a flat buffer, and a function that gathers gradients into the buffer it reads."""
    gradient = np.zeros_like(flat)

    def gather(gradients: Any) -> None:
        np.concatenate([g.reshape(-1) for g in gradients], out=gradient)

    return gather, by_hand.adam(flat, gradient, rate)


PEERS: dict[str, Callable[[Problem], Step]] = {
    "ours": ours,
    "ours-compiled": partial(ours, backend="numpy"),
    "ours-numba": partial(ours, backend="numba"),
    "torch": torch_with(threads=2),
    "torch-1-thread": torch_with(threads=1),
    "mygrad": mygrad_with(guard=True),
    "mygrad-unguarded": mygrad_with(guard=False),
    "jax": jax_jit,
    "autograd": hips_autograd,
    "numpy-by-hand": mlp_numpy.numpy_step,
}
