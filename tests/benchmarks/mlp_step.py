"""One full training step of a ReLU network, in every library.

A step sets the gradients to zero, runs forward, takes the mean cross-entropy, runs backward,
updates by Adam and reads the loss as a Python float. Each function below prepares everything
that a training script prepares outside its loop and returns the step, written as that library's
own documentation writes it, in the fastest of the forms tried:

- torch: eager, with the fused Adam. On small networks one thread is faster than two, so both
  are shown.
- jax: the whole step in one jit with donated buffers. Dispatch is synchronous, because the loss
  is read in every step anyway: handing the work to another thread only adds the hand-over.
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

import mlp_numpy
import mlp_problem
from mlp_problem import Problem

CASES = {
    "small": ((2, 16, 16, 2), 32),
    "large": ((64, 128, 64, 10), 64),
    "wide": ((784, 512, 256, 10), 128),
    "deep": ((784, *[256] * 10, 10), 128),
}


def make(case: str, peer: str) -> Callable[[], float]:
    """The step of one library on one network."""
    return PEERS[peer](mlp_problem.draw(*CASES[case]))


def ours(problem: Problem, compiled: bool = False) -> Callable[[], float]:
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

    whole_step = tg.compile(train) if compiled else train
    return lambda: whole_step(x, y).item()


def torch_with(threads: int) -> Callable[[Problem], Callable[[], float]]:
    def prepare(problem: Problem) -> Callable[[], float]:
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

        return step

    return prepare


def jax_jit(problem: Problem) -> Callable[[], float]:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    beta1, beta2, epsilon = mlp_numpy.BETA1, mlp_numpy.BETA2, mlp_numpy.EPSILON
    each = jax.tree_util.tree_map

    def loss_of(params: Any, x: Any, y: Any) -> Any:
        h = x
        for w, b in params[:-1]:
            h = jax.nn.relu(h @ w + b)
        w, b = params[-1]
        log_p = jax.nn.log_softmax(h @ w + b)
        return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))

    def whole_step(state: Any, x: Any, y: Any) -> tuple[Any, Any]:
        params, moment, square, steps = state
        loss, gradient = jax.value_and_grad(loss_of)(params, x, y)
        steps = steps + 1
        moment = each(lambda m, g: beta1 * m + (1 - beta1) * g, moment, gradient)
        square = each(lambda v, g: beta2 * v + (1 - beta2) * g * g, square, gradient)
        rate, root = problem.rate / (1 - beta1**steps), jnp.sqrt(1 - beta2**steps)
        params = each(
            lambda p, m, v: p - rate * m / (jnp.sqrt(v) / root + epsilon), params, moment, square
        )
        return (params, moment, square, steps), loss

    compiled = jax.jit(whole_step, donate_argnums=(0,))
    params = [(jnp.array(w.T), jnp.array(b)) for w, b in problem.layers]
    state = (params, each(jnp.zeros_like, params), each(jnp.zeros_like, params), jnp.zeros(()))
    x, y = jnp.array(problem.x), jnp.array(problem.y)

    def step() -> float:
        nonlocal state
        state, loss = compiled(state, x, y)
        return float(loss)

    return step


def mygrad_with(guard: bool) -> Callable[[Problem], Callable[[], float]]:
    def prepare(problem: Problem) -> Callable[[], float]:
        import mygrad as mg
        from mygrad.nnet.activations import relu
        from mygrad.nnet.losses import softmax_crossentropy

        if not guard:
            mg.turn_memory_guarding_off()
        flat, views = mlp_numpy.flat_buffer([a for w, b in problem.layers for a in (w.T, b)])
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

        return step

    return prepare


def hips_autograd(problem: Problem) -> Callable[[], float]:
    import autograd.numpy as np
    from autograd import value_and_grad
    from autograd.tracer import getval

    flat, params = mlp_numpy.flat_buffer([a for w, b in problem.layers for a in (w.T, b)])
    gather, update = _flat_adam(flat, problem.rate)
    x, y, batch = problem.x, problem.y, len(problem.x)
    rows = np.arange(batch)

    def loss_of(*params: Any) -> Any:
        h = x
        for w, b in zip(params[:-2:2], params[1:-2:2], strict=True):
            h = np.dot(h, w) + b
            h = h * (h > 0)
        z = np.dot(h, params[-2]) + params[-1]
        z = z - getval(z).max(axis=1, keepdims=True)
        return np.sum(np.log(np.sum(np.exp(z), axis=1)) - z[rows, y]) / batch

    value_and_gradients = value_and_grad(loss_of, argnum=tuple(range(len(params))))

    def step() -> float:
        loss, gradients = value_and_gradients(*params)
        gather(gradients)
        update()
        return float(loss)

    return step


def _flat_adam(flat: Any, rate: float) -> tuple[Callable[[Any], None], Callable[[], None]]:
    """Adam on a flat buffer, and a function that gathers gradients into the buffer it reads."""
    import numpy as np

    gradient = np.zeros_like(flat)

    def gather(gradients: Any) -> None:
        np.concatenate([g.reshape(-1) for g in gradients], out=gradient)

    return gather, mlp_numpy.adam(flat, gradient, rate)


PEERS: dict[str, Callable[[Problem], Callable[[], float]]] = {
    "ours": ours,
    "ours-compiled": partial(ours, compiled=True),
    "torch": torch_with(threads=2),
    "torch-1-thread": torch_with(threads=1),
    "mygrad": mygrad_with(guard=True),
    "mygrad-unguarded": mygrad_with(guard=False),
    "jax": jax_jit,
    "autograd": hips_autograd,
    "numpy-by-hand": mlp_numpy.numpy_step,
}
