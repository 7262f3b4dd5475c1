"""Metrics that add up correctly over batches of any sizes; usable alone."""

from .accuracy import Accuracy, TopKAccuracy
from .chosen import OfAllSamples, chosen_metrics
from .confusion import ConfusionMatrix
from .gathering import Gathering
from .metric import Metric
from .regression import MeanAbsoluteError, MeanSquaredError, R2Score
from .retrieval import F1Score, Precision, Recall

__all__ = [
    "Accuracy",
    "ConfusionMatrix",
    "F1Score",
    "Gathering",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "OfAllSamples",
    "Precision",
    "R2Score",
    "Recall",
    "TopKAccuracy",
    "chosen_metrics",
]
