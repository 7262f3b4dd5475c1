"""A scenario run twice, with plain functions and with compiled ones: the same to the last bit."""

import numpy as np
import pytest

import tinygrad_cs as tg


def described(x, path=""):
    """What a nested result holds: kinds, dtypes and bytes."""
    if isinstance(x, (tg.Tensor, np.ndarray)):
        array = np.asarray(getattr(x, "data", x) if isinstance(x, tg.Tensor) else x)
        return [(path, type(x).__name__, array.dtype, array.shape, array.tobytes())]
    if isinstance(x, dict):
        found = [(path, type(x).__name__, list(x))]
        return found + [row for k, v in x.items() for row in described(v, f"{path}[{k!r}]")]
    if isinstance(x, (list, tuple)):
        found = [(path, type(x).__name__, len(x))]
        return found + [row for i, v in enumerate(x) for row in described(v, f"{path}[{i}]")]
    return [(path, type(x).__name__, repr(x.data if isinstance(x, tg.Scalar) else x))]


class Scenarios(list):
    """Functions of `wrap` (`tg.compile`, or nothing), each a test."""

    def __call__(self, scenario):
        self.append(scenario)
        return scenario

    def each(self):
        """Parametrize a test over them."""
        return pytest.mark.parametrize("scenario", self, ids=[f.__name__ for f in self])


def check(scenario):
    """Both ways, seeded alike."""
    tg.manual_seed(3)
    expected = described(scenario(lambda f: f))
    tg.manual_seed(3)
    found = described(scenario(tg.compile))
    assert found == expected


def normal(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype("f4")


def copies(x):
    """The arrays of a module by name, or of a dict, as they are now."""
    return {name: np.array(value) for name, value in x.state_dict().items()}


def gradients(module):
    return {k: None if p.grad is None else p.grad.copy() for k, p in module.named_parameters()}
