"""Hypothesis profiles: `ci`, the default, repeats exactly; `--hypothesis-profile=long` searches."""

from hypothesis import HealthCheck, settings

_SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]

settings.register_profile(
    "ci",
    derandomize=True,
    max_examples=20,
    deadline=None,
    database=None,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "long", max_examples=500, deadline=None, suppress_health_check=_SLOW_IS_FINE
)
settings.load_profile("ci")
