"""The size of a batch, unknown while the graph is read, and its multiples."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Batch:
    """`times` · the size of the batch."""

    times: int = 1

    def __repr__(self) -> str:
        return "batch" if self.times == 1 else f"{self.times} · batch"


BATCH = Batch()
