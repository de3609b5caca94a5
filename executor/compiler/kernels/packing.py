"""How packed weights lie: four rows after the other, each as one vector a step of the reduction.

A product packs weights that change for itself, before it uses them again and again; constants are packed
when the plan is made.
"""

import numpy as np
from numpy.typing import NDArray

from executor.compiler.kernels.expression import VECTOR

ROWS = 4
HALF_TURN = 2
"""Behind four packed weights lie the first two again: two floats further begins the vector that is turned."""
TURNED_STEPS = 512
"""For at most so many reduction steps: they then take less than half of the first cache."""
GAP = 64
"""Bytes between the packed weights of four rows and those of the next: else those of a power of two of steps
fall into few sets of a cache."""


def step_floats(steps: int, often: bool = True) -> int:
    """Floats that the weights of four rows take for each of `steps` steps; what is not used often is only
    made longer by its first half."""
    return VECTOR + HALF_TURN if often and steps <= TURNED_STEPS else VECTOR


def packed_floats(steps: int, often: bool = True) -> int:
    """Floats that they take for all steps, and the gap behind them."""
    return step_floats(steps, often) * steps + GAP // 4


def packed(weights: NDArray[np.float32], often: bool) -> NDArray[np.float32]:
    """Weights [rows, steps] → [fours of rows, `packed_floats`]; zeros stand in for rows that a last four
    lacks."""
    rows, steps = weights.shape
    fours, width = -(-rows // ROWS), step_floats(steps, often)
    filled = np.zeros((fours * ROWS, steps), np.float32)
    filled[:rows] = weights
    vectors = filled.reshape(fours, ROWS, steps).transpose(0, 2, 1)
    found = np.zeros((fours, packed_floats(steps, often)), np.float32)
    places = found[:, : width * steps].reshape(fours, steps, width)
    places[..., :VECTOR], places[..., VECTOR:] = vectors, vectors[..., : width - VECTOR]
    return found
