"""Fixtures that every test may ask for."""

from tests.nodejs import node_js, smoldot

__all__ = ["node_js", "smoldot"]
