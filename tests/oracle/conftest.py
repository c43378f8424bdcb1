"""How hypothesis draws here: the same histories in every run, so that a red run can be repeated."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

settings.register_profile(
    "oracle",
    max_examples=200,
    deadline=None,  # the first query of a process compiles
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=False,
)
settings.load_profile("oracle")
