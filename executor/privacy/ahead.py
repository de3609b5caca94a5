"""Noise for the next call, drawn on another core while the module works on this one.

The stream of noise is what it is (`executor.privacy.noise`); only when its numbers are computed differs, so
the weights are the same bytes with and without helpers.
"""

import numpy as np

from executor.privacy.gaussian import Draws
from executor.privacy.noise import Noise
from executor.team import Helpers, Task


class Ahead:
    """A job's noise, `total` numbers of it, in order. Without helpers each is drawn when it is asked for."""

    def __init__(self, noise: Noise, total: int, helpers: Helpers) -> None:
        self._noise, self._helpers = noise, helpers
        self._undrawn = total
        self._ready: Draws = np.empty(0, dtype=np.int32)

    def fill(self, numbers: Draws) -> None:
        """Put the next numbers into an array of one dimension, as many as it holds."""
        ready = min(len(self._ready), len(numbers))
        numbers[:ready] = self._ready[:ready]
        self._ready = self._ready[ready:]
        self._noise.fill(numbers[ready:])
        self._undrawn -= len(numbers) - ready

    def run(self, task: Task, following: int) -> None:
        """Do `task` here; `following` numbers, if the job needs so many more, meanwhile elsewhere."""
        count = min(following, self._undrawn)
        if not self._helpers.count or count <= 0 or len(self._ready):
            task()
            return
        drawn: Draws = np.empty(count, dtype=np.int32)
        self._helpers.together(task, [lambda: self._noise.fill(drawn)])
        self._ready = drawn
        self._undrawn -= count
