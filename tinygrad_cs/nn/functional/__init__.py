"""Stateless forms of layers and losses, under PyTorch's names and arguments."""

from .activations import *
from .adaptive import *
from .attention import *
from .batch_normalization import *
from .convolution import *
from .dropout import *
from .embedding import *
from .fractional import *
from .interpolation import *
from .losses import *
from .normalization import *
from .piecewise_linear import *
from .pooling import *
from .probabilities import *
from .products import *
from .recurrent import *
from .recurrent_cells import *
from .similarity import *
from .transposed_convolution import *
from .unfolding import *

__all__ = [
    "adaptive_avg_pool1d",
    "adaptive_avg_pool2d",
    "adaptive_max_pool1d",
    "adaptive_max_pool2d",
    "alpha_dropout",
    "avg_pool1d",
    "avg_pool2d",
    "batch_norm",
    "bilinear",
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "celu",
    "check_reduction",
    "conv1d",
    "conv2d",
    "conv_transpose1d",
    "conv_transpose2d",
    "cosine_embedding_loss",
    "cosine_similarity",
    "cross_entropy",
    "drop_connect",
    "dropout",
    "dropout2d",
    "elu",
    "embedding",
    "fold",
    "fractional_max_pool2d",
    "gaussian_nll_loss",
    "gelu",
    "group_norm",
    "gru",
    "gru_cell",
    "hardsigmoid",
    "hardtanh",
    "hinge_embedding_loss",
    "huber_loss",
    "instance_norm",
    "interpolate",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "lstm",
    "lstm_cell",
    "max_pool1d",
    "max_pool2d",
    "maxout",
    "mse_loss",
    "multi_class_hinge_loss",
    "multi_margin_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "plain_dropout",
    "prelu",
    "relu",
    "relu6",
    "rms_norm",
    "rnn_relu",
    "rnn_relu_cell",
    "rnn_tanh",
    "rnn_tanh_cell",
    "scaled_dot_product_attention",
    "selu",
    "sigmoid",
    "silu",
    "smooth_l1_loss",
    "softmax",
    "softmin",
    "softplus",
    "stochastic_depth",
    "tanh",
    "triplet_margin_loss",
    "unfold",
]
