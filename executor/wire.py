"""What passes between the parent and the enclave's process: frames `u8 kind ‖ u32 length ‖ payload` over
two pipes.

    parent → child   JOB                      the model, the spec, limits: nothing private
    child → parent   PLANNED or REFUSED       the plan, or an error's name and a sentence about the model
    child → parent   DESCRIBED                if asked: the plan for people, and the module
    parent → child   CHUNK …, RUN             the rows, already checked against their root
                     RUN, ROWS …              or, where they are too many to hold: call by call, in order
    child → parent   PROGRESS …, DONE/FAILED  step counts; then weights of the planned length or a code
                     EPOCH                    behind each epoch, if the job asks for losses

The order is the point: words are allowed only before the child has seen a row. Afterwards it can say a
step count, one of a few codes, or exactly as many bytes as the plan announced. Every reader bounds a frame
before it allocates.
"""

from enum import IntEnum
from typing import IO

from executor.errors import (
    BadData,
    BadTable,
    Diverged,
    EnclaveCrashed,
    ExecutorError,
    MemoryLimit,
    OutOfFuel,
)
from primitives.data import Schema
from primitives.job import Work
from primitives.scale import H256, U8, U16, U32, U64, Bytes, Struct
from primitives.spec import TrainingSpec

HEADER = 5
TEXT_MAX = 500
"""Characters of an error's sentence."""
DESCRIPTION_MAX = 64 << 20
EPOCH_ROOM = 22
"""Bytes of EPOCH besides weights and state: loss, fuel, two compact lengths."""
DONE_ROOM = 21
"""Bytes of DONE besides the weights: fuel, two losses, the weights' compact length."""


class Broken(Exception):
    """The other side ended, or sent what it may not send now."""


class Kind(IntEnum):
    """The kinds of frames."""

    JOB = 1
    CHUNK = 2
    RUN = 3
    PLANNED = 4
    REFUSED = 5
    PROGRESS = 6
    FAILED = 7
    DONE = 8
    DESCRIBED = 9
    ROWS = 10
    EPOCH = 11


class Job(Struct):
    """JOB: what to compile and under which limits. `train` false means: quote only; `losses` false: tell
    none; `threads` is how many may share the work, at least one. `streamed`: the rows come call by call;
    `snapshots`: tell weights and optimizer state after each epoch; a run goes on after `epochs_done` epochs
    with `states` (empty: fresh).
    """

    train: bool
    model: Bytes
    spec: TrainingSpec
    rows: U64
    schema: Schema | None
    memory: U64
    fuel: U64
    address_space: U64
    data: U64
    cpu_seconds: U64
    init_key: H256
    losses: bool
    threads: U8
    describe: bool
    streamed: bool
    snapshots: bool
    epochs_done: U16
    states: Bytes


class Slot(Struct):
    """Where a trainable tensor's float32 values lie in `weights.onnx`."""

    offset: U64
    length: U64


class Planned(Struct):
    """PLANNED: the plan's static figures, and `weights.onnx` with zeros in its slots. A call takes
    `rows_per_call` rows; the optimizer keeps `state_bytes` bytes."""

    work: Work
    steps: U64
    parameters: U64
    given: U64
    module_hash: H256
    module_bytes: U64
    imports: U32
    template: Bytes
    slots: list[Slot]
    unconfined: list[str]
    rows_per_call: U32
    state_bytes: U64


class Refused(Struct):
    """REFUSED: an error's class name and its sentence."""

    name: str
    text: str


class Run(Struct):
    """RUN: all rows are there."""

    noise_key: H256


class Area(Struct):
    """A region of the module's memory: what it is for, its element type, first byte and size."""

    role: str
    name: str
    kind: str
    shape: list[U32]
    offset: U64
    size: U64


class KernelCost(Struct):
    """A kernel of a step, in order of execution."""

    name: str
    fuel: U64
    flops: U64


class Export(Struct):
    """What the module lets its host call or see."""

    name: str
    type: str


class Description(Struct):
    """DESCRIBED: the operators of the graph and how often, the memory map, the kernels, the module."""

    operators: list[tuple[str, U32]]
    areas: list[Area]
    kernels: list[KernelCost]
    exports: list[Export]
    fuel_per_step: U64
    fuel_per_call: U64
    fuel_of_finish: U64
    rows_per_call: U64
    module: Bytes


class Progress(Struct):
    """PROGRESS: optimizer steps done."""

    steps: U64


class Epoch(Struct):
    """EPOCH: mean loss of the epoch (float32 pattern) and fuel so far; with `snapshots` the slots' bytes in
    order and the optimizer's state, else nothing.
    """

    loss: U32
    fuel: U64
    weights: Bytes
    states: Bytes


class Failed(Struct):
    """FAILED: place of the error in FAILURES."""

    code: U8


class Done(Struct):
    """DONE: fuel used, mean loss of the first and last epoch (float32 patterns), the slots' bytes in
    order.
    """

    fuel: U64
    first_loss: U32
    last_loss: U32
    weights: Bytes


FAILURES: tuple[type[ExecutorError], ...] = (
    EnclaveCrashed,
    BadData,
    BadTable,
    MemoryLimit,
    OutOfFuel,
    Diverged,
)
"""All that a run may say about why it failed."""


def send(pipe: IO[bytes], kind: Kind, payload: bytes) -> None:
    """Write one frame."""
    pipe.write(bytes([kind]) + len(payload).to_bytes(4, "little"))
    pipe.write(payload)
    pipe.flush()


def receive(pipe: IO[bytes], bounds: dict[Kind, int]) -> tuple[Kind, bytes]:
    """Read one frame of an expected kind, no longer than its bound.

    Raises Broken when the pipe ends, the kind is not expected now, or the length is over the bound.
    """
    header = _exactly(pipe, HEADER)
    length = int.from_bytes(header[1:], "little")
    bound = bounds.get(Kind(header[0])) if header[0] in Kind.__members__.values() else None
    if bound is None or length > bound:
        raise Broken("a frame that is not expected now")
    return Kind(header[0]), _exactly(pipe, length)


def _exactly(pipe: IO[bytes], length: int) -> bytes:
    data = pipe.read(length)
    if len(data) != length:
        raise Broken("the pipe ended")
    return data
