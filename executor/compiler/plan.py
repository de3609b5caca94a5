"""What a compiled model is: one wasm module without imports, and the map of its memory.

The host (the enclave's child process) does, for a training plan:

    write every `constants` entry; write every parameter (`given`, or anew from `fan_in`); fill every state
    for each call: fill the first rows of every region of `inputs` and `targets` with up to
    `plan.rows_per_call` rows; if there are `numbers`, fill those of each step
        run(steps, last_rows)     # `steps` batches lie one after another; all hold `batch` rows but the last:
        `last_rows` read `losses[:steps]`     # mean loss of each step
    finish()                      # canonicalises NaNs; only now read the parameters

Rows are plain row-major: a region of shape [rows_per_call, features…]; the module brings them into its own
lane layout. A step costs the same fuel whatever its rows, because missing rows are copies of the first row
with weight zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import prod

from executor.compiler.types import DType

PAGE = 65536


EXPORTS = {
    "memory": "memory",
    "run": "func (steps: i32, last_rows: i32)",
    "finish": "func ()",
}
"""Exported names and types; the same for every plan."""
SHARD_EXPORTS = {
    "work": "func (number: i32, of: i32, steps: i32, last_rows: i32)",
}
"""A further one where a batch is cut into shards, so that several instances can divide what `run` does, with
the same result: what instance `number` among `of` finds to do. The instances' memories are one in their first
`Plan.shared` bytes (executor/team.py)."""
PROGRESS_PITCH = 64
"""Bytes from one number of `Plan.progress` to the next: a line of the cache each."""


Kind = DType
"""Element type of a region, little-endian."""


@dataclass(frozen=True)
class Region:
    """A named, dense, row-major array in the module's memory. `offset` in bytes, a multiple of 16."""

    name: str
    offset: int
    shape: tuple[int, ...]
    kind: Kind = Kind.F32

    @property
    def size(self) -> int:
        """Bytes."""
        return self.kind.width * prod(self.shape)


@dataclass(frozen=True)
class StateRegion:
    """A tensor that the optimizer keeps; every element starts as `fill`."""

    region: Region
    fill: float


@dataclass(frozen=True)
class Parameter:
    """An initialiser that a run changes. Drawn anew it is Kaiming uniform with bound sqrt(1 / fan_in) scaled
    as the job's initialisation says; with `fan_in` 0 every element starts as `start`. `given` is the value in
    the submitted model (f32, little-endian)."""

    region: Region
    fan_in: int
    given: bytes
    states: tuple[StateRegion, ...] = ()
    start: float = 0.0

    @property
    def name(self) -> str:
        return self.region.name


@dataclass(frozen=True)
class Target:
    """Where the rows' target for one loss lies. With `classes` it holds classes 0 ≤ class < classes (the host
    checks: one outside is no class), or `ignored`, the one other value; such rows do not count.
    """

    region: Region
    classes: int | None = None
    ignored: int | None = None


@dataclass(frozen=True)
class Plan:
    """A module and all that is known about it before it runs. Every number is a pure function of (model,
    spec, rows).

    `memory` bytes of linear memory; `flops` of the whole job (a fused multiply-add counts two); `work` =
    flops plus the bytes that kernels load and store; `fuel` for the whole job when the host fills each call
    up to `rows_per_call` rows and starts a new call with each epoch. `fuel_of_call(steps)` is exact.
    """

    module: bytes
    memory: int
    batch: int
    rows_per_call: int
    inputs: tuple[Region, ...]
    targets: tuple[Target, ...]
    """One for each loss that is added up, in the spec's order; none in forward plans."""
    losses: Region | None
    parameters: tuple[Parameter, ...]
    constants: tuple[tuple[Region, bytes], ...]
    outputs: tuple[Region, ...]
    """Forward plans: the graph's outputs, one row a row. Gradient plans: d loss / d parameter, named as the
    parameter."""
    flops: int
    work: int
    fuel: int
    steps: int
    fuel_per_step: int
    fuel_per_call: int
    fuel_of_finish: int
    numbers: Region | None = None
    """Float32 of shape [steps a call, numbers]: what the optimizer needs to know of each step
    (`executor.rates`)."""
    noise: Region | None = None
    """Under differential privacy: int32 [steps of a call, trained numbers], new for each call."""
    variance: Fraction | None = None
    """Of that noise: a discrete Gaussian's σ²."""
    shards: int = 1
    """Equal parts of a batch, whose gradients are added in their order."""
    slots: Region | None = None
    """With more than one: what each shard leaves for the update, [shards, numbers]."""
    given: int = 0
    """Numbers that the model's file gives besides the parameters: frozen tensors and constants."""
    shared: int = 0
    """Bytes from address 0 on, whole pages, that several instances share: rows, noise, slots, progress."""
    progress: Region | None = None
    """How far the instances have come in a call, [2 + shards, PROGRESS_PITCH / 4], the first of each line:
    shards taken, shards done, and of each instance the updates. The host sets them to zero before."""
    kernels: tuple[tuple[str, int, int], ...] = ()
    """For people: (kernel, fuel per step, flops per step), in order of execution."""

    @property
    def target(self) -> Region | None:
        """The first loss's."""
        return self.targets[0].region if self.targets else None

    @property
    def rows_regions(self) -> tuple[Region, ...]:
        """All that the host fills with rows: inputs, targets."""
        return (*self.inputs, *(target.region for target in self.targets))

    @property
    def pages(self) -> int:
        """Wasm pages of 64 KiB; the module's memory has this many from start to end."""
        return self.memory // PAGE

    @property
    def steps_per_call(self) -> int:
        return self.rows_per_call // self.batch

    def fuel_of_call(self, steps: int) -> int:
        """Fuel that one `run(steps, …)` takes."""
        return self.fuel_per_call + steps * self.fuel_per_step
