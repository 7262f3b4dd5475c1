"""Stateless forms of layers and losses, under PyTorch's names and arguments."""

from .activations import *
from .adaptive import *
from .attention import *
from .convolution import *
from .dropout import *
from .embedding import *
from .fractional import *
from .interpolation import *
from .losses import *
from .pooling import *
from .products import *
from .similarity import *
from .transposed_convolution import *
from .unfolding import *

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "avg_pool1d",
    "avg_pool2d",
    "bilinear",
    "check_reduction",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_similarity",
    "cross_entropy",
    "dropout",
    "embedding",
    "fold",
    "fractional_max_pool2d",
    "interpolate",
    "linear",
    "log_softmax",
    "max_pool1d",
    "max_pool2d",
    "mse_loss",
    "normalize",
    "one_hot",
    "relu",
    "scaled_dot_product_attention",
    "sigmoid",
    "softmax",
    "tanh",
    "unfold",
]
