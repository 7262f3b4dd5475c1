"""Preprocessing: statistics of the training part, applied unchanged to everything else."""

from .centering import Center, ChannelMean, MeanImage
from .min_max import MinMaxScaler
from .parameters import Parameters
from .pca import PCA, ZCA
from .standardizer import ChannelStandardizer, Standardizer
from .transformer import NotFittedError, Transformer

__all__ = [
    "PCA",
    "ZCA",
    "Center",
    "ChannelMean",
    "ChannelStandardizer",
    "MeanImage",
    "MinMaxScaler",
    "NotFittedError",
    "Parameters",
    "Standardizer",
    "Transformer",
]
