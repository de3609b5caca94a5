"""Fixtures of the pallets' tests."""

from __future__ import annotations

import pytest

from tests.pallets.world import World


@pytest.fixture
def world() -> World:
    """A fresh chain."""
    return World()
