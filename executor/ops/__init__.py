"""The operators. Importing this package fills the one table."""

from executor.ops import dense, elementwise, movement, recurrent, shapes, spatial  # noqa: F401
from executor.ops.table import OPERATORS, apply

__all__ = ["OPERATORS", "apply"]
