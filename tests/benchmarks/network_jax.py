"""The networks of ``network_steps.py`` in JAX: the whole step in one jit with donated buffers.

`jax_step` also serves ``mlp_step.py``: it makes the step of any loss. Dispatch is synchronous,
because the loss is read in every step anyway: handing the work to another thread only adds the
hand-over.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from by_hand import BETA1, BETA2, EPSILON, Step

MOMENTUM, VARIANCE_FLOOR = 0.1, 1e-5


def jax_step(loss_of: Callable[..., Any], params: Any, rest: Any, data: Any, rate: float) -> Any:
    """A function that makes one step of Adam and returns the loss, and one that returns `params`.

    `loss_of(params, rest, *data)` returns the loss and the `rest` of the next step: running
    averages, keys of random numbers.
    """
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_cpu_enable_async_dispatch", False)
    each = jax.tree_util.tree_map

    def whole_step(state: Any, *data: Any) -> tuple[Any, Any]:
        params, rest, moment, square, steps = state
        (loss, rest), gradient = jax.value_and_grad(loss_of, has_aux=True)(params, rest, *data)
        steps = steps + 1
        moment = each(lambda m, g: BETA1 * m + (1 - BETA1) * g, moment, gradient)
        square = each(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, square, gradient)
        # 1 - beta**steps, without the digits that float32 would lose in the difference
        short1, short2 = (-jnp.expm1(steps * math.log(beta)) for beta in (BETA1, BETA2))
        scale, root = rate / short1, jnp.sqrt(short2)
        params = each(
            lambda p, m, v: p - scale * m / (jnp.sqrt(v) / root + EPSILON), params, moment, square
        )
        return (params, rest, moment, square, steps), loss

    compiled = jax.jit(whole_step, donate_argnums=(0,))
    params = each(jnp.array, params)
    state = (
        params,
        rest,
        each(jnp.zeros_like, params),
        each(jnp.zeros_like, params),
        jnp.zeros(()),
    )
    data = each(jnp.array, data)

    def step() -> float:
        nonlocal state
        state, loss = compiled(state, *data)
        return float(loss)

    return step, lambda: state[0]


def cross_entropy(logits: Any, y: Any) -> Any:
    """The mean over the batch."""
    import jax
    import jax.numpy as jnp

    log_p = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(log_p, y[:, None], axis=1))


def digits_step(
    parameters: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray, rate: float, p: float
) -> Step:
    """Linear, BatchNorm1d, ReLU and Dropout twice, then Linear."""
    import jax
    import jax.numpy as jnp

    batch = len(x)

    def loss_of(params: Any, rest: Any, x: Any, y: Any) -> Any:
        running, key = rest
        averages, h = [], x
        for k, (mean, variance) in enumerate(running):
            w, b, slope, shift = params[4 * k : 4 * k + 4]
            h = h @ w.T + b
            now, spread = h.mean(0), h.var(0)
            h = (h - now) * jax.lax.rsqrt(spread + VARIANCE_FLOOR) * slope + shift
            key, draw = jax.random.split(key)
            kept = jax.random.uniform(draw, h.shape) >= p
            h = jnp.where(kept, jax.nn.relu(h), 0) / (1 - p)
            unbiased = spread * (batch / (batch - 1))
            averages.append(
                (mean + MOMENTUM * (now - mean), variance + MOMENTUM * (unbiased - variance))
            )
        w, b = params[-2:]
        return cross_entropy(h @ w.T + b, y), (averages, key)

    widths = [len(w) for w in parameters[:-2:4]]
    rest = ([(jnp.zeros(n), jnp.ones(n)) for n in widths], jax.random.key(0))
    step, params = jax_step(loss_of, list(parameters), rest, (x, y), rate)
    return Step(step, lambda: [np.array(a) for a in params()])


def lenet_step(parameters: Sequence[np.ndarray], x: np.ndarray, y: np.ndarray, rate: float) -> Step:
    """Two convolutions with poolings and ReLU, three dense layers."""
    import jax

    def loss_of(params: Any, rest: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, *dense = params
        h = pooled(jax.nn.relu(convolved(x, w1, 2) + b1[:, None, None]))
        h = pooled(jax.nn.relu(convolved(h, w2, 0) + b2[:, None, None])).reshape(len(x), -1)
        for w, b in zip(dense[:-2:2], dense[1:-2:2], strict=True):
            h = jax.nn.relu(h @ w.T + b)
        return cross_entropy(h @ dense[-2].T + dense[-1], y), rest

    def convolved(h: Any, w: Any, padding: int) -> Any:
        return jax.lax.conv_general_dilated(h, w, (1, 1), [(padding, padding)] * 2)

    def pooled(h: Any) -> Any:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(h, -np.inf, jax.lax.max, window, window, "VALID")

    step, params = jax_step(loss_of, list(parameters), (), (x, y), rate)
    return Step(step, lambda: [np.array(a) for a in params()])
