"""The real node and people of the end-to-end tests."""

from tests.end_to_end.conftest import node, town

__all__ = ["node", "town"]
