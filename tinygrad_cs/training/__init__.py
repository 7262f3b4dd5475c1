"""Training: a loop that can be stopped, resumed and trusted, metrics, histories."""

import importlib
from typing import TYPE_CHECKING, Any

from .callbacks import Callback
from .checkpointing import Checkpointing
from .diagnosis import Diagnosis
from .errors import HistoryFileError, NonFiniteLossError
from .evaluation import evaluate, evaluation_mode, predict
from .fit import fit
from .history import History
from .metrics import (
    Accuracy,
    ConfusionMatrix,
    F1Score,
    MeanAbsoluteError,
    MeanSquaredError,
    Metric,
    OfAllSamples,
    Precision,
    R2Score,
    Recall,
    TopKAccuracy,
)
from .run import Run

if TYPE_CHECKING:
    from .estimators import TinyClassifier as TinyClassifier
    from .estimators import TinyRegressor as TinyRegressor

__all__ = [
    "Accuracy",
    "Callback",
    "Checkpointing",
    "ConfusionMatrix",
    "Diagnosis",
    "F1Score",
    "History",
    "HistoryFileError",
    "MeanAbsoluteError",
    "MeanSquaredError",
    "Metric",
    "NonFiniteLossError",
    "OfAllSamples",
    "Precision",
    "R2Score",
    "Recall",
    "Run",
    "TopKAccuracy",
    "evaluate",
    "evaluation_mode",
    "fit",
    "predict",
]

_ESTIMATORS = ("TinyClassifier", "TinyRegressor")
"""Not in `__all__`: `import *` should do without scikit-learn."""


def __getattr__(name: str) -> Any:
    if name in _ESTIMATORS:
        return getattr(importlib.import_module(".estimators", __name__), name)
    raise AttributeError(f"module 'tinygrad_cs.training' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ESTIMATORS})
