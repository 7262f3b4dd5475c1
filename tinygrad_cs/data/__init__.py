"""Data: arrays side by side, seeded mini-batches, splits, standardising, two data sets to try."""

from .dataset import Dataset, TensorDataset
from .digits import load_digits
from .loader import DataLoader
from .spirals import two_spirals
from .split import train_validation_test_split
from .standardizer import Standardizer

__all__ = [
    "DataLoader",
    "Dataset",
    "Standardizer",
    "TensorDataset",
    "load_digits",
    "train_validation_test_split",
    "two_spirals",
]
