"""Recurrent layers with states, all arguments together, and single steps, against PyTorch."""

import numpy as np
import pytest
from agreement import compare, torch

from tinygrad_cs.nn import functional

IN, H = 3, 4
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "gru": 3, "lstm": 4}
every_layer = pytest.mark.parametrize("name", GATES)


def parameters(rng, name, layers, directions, bias):
    rows = GATES[name] * H
    for layer in range(layers):
        inputs = directions * H if layer else IN
        for _ in range(directions):
            yield rng.normal(size=(rows, inputs)) / 2
            yield rng.normal(size=(rows, H)) / 2
            if bias:
                yield rng.normal(size=rows)
                yield rng.normal(size=rows)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
@every_layer
def test_sequences(name, bias, layers, bidirectional, batch_first):
    rng = np.random.default_rng(0)
    directions = 1 + bidirectional
    params = list(parameters(rng, name, layers, directions, bias))
    x = rng.normal(size=(2, 5, IN))
    state = (layers * directions, 2 if batch_first else 5, H)
    starts = [rng.normal(size=state) for _ in range(1 + (name == "lstm"))]

    def call(library):
        def layer(x, *rest):
            hx = rest[: len(starts)]
            return getattr(library, name)(
                x, hx if name == "lstm" else hx[0], list(rest[len(starts) :]), bias, layers, 0.0,
                False, bidirectional, batch_first,
            )  # fmt: skip

        return layer

    compare(call(functional), call(torch), [x, *starts, *params])


@pytest.mark.parametrize("bias", [False, True])
@every_layer
def test_cells(name, bias):
    rng = np.random.default_rng(0)
    starts = [rng.normal(size=(5, H)) for _ in range(1 + (name == "lstm"))]
    params = list(parameters(rng, name, 1, 1, bias))

    def call(library):
        def cell(x, *rest):
            hx = rest[: len(starts)]
            return getattr(library, f"{name}_cell")(
                x, hx if name == "lstm" else hx[0], *rest[len(starts) :]
            )

        return cell

    compare(call(functional), call(torch), [rng.normal(size=(5, IN)), *starts, *params])


@every_layer
def test_long_sequences(name):
    """Over fifty steps, where a gradient of the wrong size would have grown into sight."""
    rng = np.random.default_rng(0)
    params = list(parameters(rng, name, 1, 1, True))
    zero = np.zeros((1, 3, H))

    def call(library):
        def layer(x, h, *params):
            hx = (h, h) if name == "lstm" else h
            return getattr(library, name)(x, hx, params, True, 1, 0.0, False, False, False)

        return layer

    compare(call(functional), call(torch), [rng.normal(size=(50, 3, IN)), zero, *params])
