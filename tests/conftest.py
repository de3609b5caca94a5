"""Fixtures that every test may ask for, and how hypothesis runs."""

from hypothesis import HealthCheck, settings

from tests.nodejs import node_js, smoldot

__all__ = ["node_js", "smoldot"]

# A loaded machine is no failure of the code: examples are not timed, pytest's own timeout ends what hangs.
settings.register_profile("gristmill", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("gristmill")
