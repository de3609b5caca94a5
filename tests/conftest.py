"""Fixtures that every test may ask for, and how hypothesis runs."""

from hypothesis import HealthCheck, settings

from tests.nodejs import node_js, smoldot

__all__ = ["node_js", "smoldot"]

# A loaded machine is no failure of the code: examples are not timed, pytest's own timeout ends what hangs.
# Nor is luck: every run tries the same examples. `make soak` looks for others, and more.
settings.register_profile(
    "gristmill", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "explore", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck)
)
settings.load_profile("gristmill")
