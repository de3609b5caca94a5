"""What the benchmark commands refuse."""

from __future__ import annotations

from node.errors import NodeError


class BenchmarkError(NodeError):
    """There is nothing to measure under this name, or nowhere to write it."""
