"""tinygrad_cs: automatic differentiation one can read, on NumPy.

    import tinygrad_cs as tg

`tg.tensor` and `tg.Scalar` make nodes, operations on them are recorded, `backward()` fills `.grad`.
Array functions follow the Python Array API standard, layers and optimizers follow PyTorch.
"""

import importlib
from typing import TYPE_CHECKING, Any

from . import autograd, ops
from .autograd import func
from .engine.errors import TinygradError
from .engine.modes import debug, enable_grad, manual_seed, no_grad, set_default_dtype
from .engine.scalar import Scalar
from .engine.tensor import Tensor, asarray, tensor
from .ops import linalg
from .ops.functions import *

if TYPE_CHECKING:
    from . import data, inspect, nn, optim, saving, training
    from .compiler import compile
    from .saving import load, save

__all__ = [
    "Scalar",
    "Tensor",
    "TinygradError",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "any",
    "argmax",
    "argmin",
    "argsort",
    "asarray",
    "asin",
    "asinh",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "autograd",
    "broadcast_arrays",
    "broadcast_to",
    "ceil",
    "clip",
    "compile",
    "concat",
    "copysign",
    "cos",
    "cosh",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "data",
    "debug",
    "diag",
    "diagonal",
    "diff",
    "divide",
    "einsum",
    "enable_grad",
    "equal",
    "erf",
    "erfc",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "flip",
    "floor",
    "floor_divide",
    "func",
    "greater",
    "greater_equal",
    "hypot",
    "inspect",
    "isfinite",
    "isinf",
    "isnan",
    "less",
    "less_equal",
    "linalg",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "log_softmax",
    "logaddexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsigmoid",
    "logsumexp",
    "manual_seed",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan_to_num",
    "negative",
    "nn",
    "no_grad",
    "nonzero",
    "not_equal",
    "ops",
    "optim",
    "outer",
    "pad",
    "permute_dims",
    "positive",
    "power",
    "prod",
    "reciprocal",
    "relu",
    "remainder",
    "repeat",
    "reshape",
    "roll",
    "rot90",
    "round",
    "save",
    "saving",
    "set_default_dtype",
    "sigmoid",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "softmax",
    "softplus",
    "sort",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "subtract",
    "sum",
    "swapaxes",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensor",
    "tensordot",
    "tile",
    "trace",
    "training",
    "tril",
    "triu",
    "trunc",
    "unstack",
    "var",
    "vecdot",
    "where",
    "xlogy",
]

_ON_FIRST_USE = ("data", "inspect", "nn", "optim", "saving", "training")
"""Parts that differentiating alone does without: half of the import time."""


def __getattr__(name: str) -> Any:
    if name in _ON_FIRST_USE:
        return importlib.import_module(f".{name}", __name__)
    if name == "compile":
        return importlib.import_module(".compiler", __name__).compile
    if name in ("load", "save"):
        return getattr(importlib.import_module(".saving", __name__), name)
    raise AttributeError(f"module 'tinygrad_cs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_FIRST_USE, "compile", "load", "save"})
