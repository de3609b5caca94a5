"""The operators. Importing this package fills the one table."""

from executor.ops import (  # noqa: F401
    activations,
    control,
    dense,
    elementwise,
    indexing,
    movement,
    normalization,
    pooling,
    quantization,
    recurrent,
    reductions,
    shapes,
    spatial,
)
from executor.ops.table import OPERATORS, apply

__all__ = ["OPERATORS", "apply"]
