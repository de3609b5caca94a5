"""The operators. Importing this package fills the one table."""

from executor.ops import (  # noqa: F401
    activations,
    control,
    dense,
    einsum,
    elementwise,
    flex,
    indexing,
    movement,
    normalization,
    pooling,
    quantization,
    recurrent,
    reductions,
    resampling,
    sampling,
    shapes,
    signal,
    spatial,
)
from executor.ops.table import OPERATORS, apply

__all__ = ["OPERATORS", "apply"]
