"""Losses under PyTorch's names: one number from predictions and targets."""

from .binary import binary_cross_entropy, binary_cross_entropy_with_logits
from .checks import check_reduction
from .classification import cross_entropy, nll_loss
from .divergences import gaussian_nll_loss, kl_div
from .embeddings import cosine_embedding_loss, hinge_embedding_loss, triplet_margin_loss
from .margins import multi_class_hinge_loss, multi_margin_loss
from .regression import huber_loss, l1_loss, mse_loss, smooth_l1_loss

__all__ = [
    "binary_cross_entropy",
    "binary_cross_entropy_with_logits",
    "check_reduction",
    "cosine_embedding_loss",
    "cross_entropy",
    "gaussian_nll_loss",
    "hinge_embedding_loss",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "mse_loss",
    "multi_class_hinge_loss",
    "multi_margin_loss",
    "nll_loss",
    "smooth_l1_loss",
    "triplet_margin_loss",
]
