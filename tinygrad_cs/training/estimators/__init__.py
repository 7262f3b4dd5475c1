"""Nets as scikit-learn estimators, for `GridSearchCV`, `Pipeline` and everything built on them.

Needs scikit-learn (extra `sklearn`).
"""

from ...engine.errors import MissingDependency

try:
    from sklearn.utils.validation import validate_data  # noqa: F401 - there since 1.6
except ImportError as error:
    raise MissingDependency(
        "training: TinyClassifier and TinyRegressor are estimators of scikit-learn 1.6 or later, "
        'which is not installed; run pip install "tinygrad_cs[sklearn]"'
    ) from error

from .classifier import TinyClassifier
from .regressor import TinyRegressor

__all__ = ["TinyClassifier", "TinyRegressor"]
