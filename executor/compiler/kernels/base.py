"""What all kernels share: buffers, views of them, and the interface to the schedule."""

from dataclasses import dataclass
from math import prod
from typing import Protocol

from executor.compiler.ir import Shape
from executor.compiler.kernels.nest import LANES, Access, Nest
from executor.compiler.types import DType
from executor.wasm.code import Code

BLOCK_NUMBER = 3
"""Parameter of kernels that work on one block."""
SLACK = 32
"""Bytes after each buffer, so that whole vectors may be read where only some lanes are used."""


@dataclass(eq=False, slots=True)
class Buffer:
    """A place in memory; `offset` is set by the memory plan before any kernel is written. `elements` of one
    row if batched, each of type `dtype`. `pinned` buffers live for the whole run."""

    name: str
    elements: int
    batched: bool
    pinned: bool = False
    hosted: bool = False
    """Holds the rows of a whole call, of which a step uses its own."""
    offset: int = -1
    dtype: DType = DType.F32
    brief: bool = False
    """Lives while one block is worked on: holds one block, whose place all share."""

    def bytes(self, blocks: int) -> int:
        """Size of the content."""
        return self.elements * self.unit() * (blocks if self.batched and not self.brief else 1)

    def block_stride(self) -> int:
        """Bytes from one block of eight rows to the next."""
        return self.elements * self.unit() if self.batched and not self.brief else 0

    def unit(self) -> int:
        """Bytes from one element to the next: of eight rows side by side if batched."""
        return self.dtype.width * (LANES if self.batched else 1)


@dataclass(frozen=True)
class View:
    """A strided window on a buffer: element (i…) lies at `start` + Σ i·strides, in elements of one row."""

    buffer: Buffer
    shape: Shape
    strides: tuple[int, ...]
    start: int = 0

    @property
    def contiguous(self) -> bool:
        """The view is the whole buffer in C order."""
        whole = self.strides == c_strides(self.shape)
        return whole and self.start == 0 and prod(self.shape) == self.buffer.elements


def c_strides(shape: Shape) -> tuple[int, ...]:
    """Row-major strides; 0 along axes of size 1, where they mean nothing."""
    strides, step = [], 1
    for size in reversed(shape):
        strides.append(0 if size == 1 else step)
        step *= size
    return tuple(reversed(strides))


class Functions(Protocol):
    """Where kernels find functions of the module that several share."""

    def call(self, code: Code, name: str) -> None:
        """Write a call of an elementary function on f64 (executor/compiler/kernels/double.py)."""
        ...


@dataclass(frozen=True)
class Lanes:
    """Facts about the batch that kernels need, and the functions that they share."""

    blocks: int
    functions: Functions | None = None
    single: bool = False
    """The kernel works on one block, whose number is its parameter BLOCK_NUMBER."""

    def begin(self, nest: Nest) -> None:
        """Let a nest's pointers begin at that block."""
        if self.single:
            nest.begin(0, BLOCK_NUMBER)

    def access(self, view: View, batched: bool) -> Access:
        """Access over the axes (block, features…); an unbatched array in a batched kernel is a splat."""
        unit = view.buffer.unit()
        strides = (view.buffer.block_stride(), *(unit * step for step in view.strides))
        return Access(view.buffer.offset + unit * view.start, strides, batched and not view.buffer.batched)


class Kernel(Protocol):
    """One function of the module."""

    @property
    def name(self) -> str:
        """For people."""
        ...

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Buffers that must hold their values before."""
        ...

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Buffers that hold theirs afterwards."""
        ...

    def flops(self, blocks: int) -> int:
        """Float operations of one step."""
        ...

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Write the function's instructions. Buffers have their offsets."""
        ...


class Moving:
    """A kernel that moves one buffer into another and computes nothing."""

    source: Buffer
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None: moves only."""
        return 0


class Viewing:
    """A kernel that reads one view and writes one buffer."""

    source: View
    target: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.source.buffer,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target,)


class Folding(Viewing):
    """A kernel that takes every element of its view once."""

    def flops(self, blocks: int) -> int:
        """One for each element."""
        return prod(self.source.shape) * (LANES * blocks if self.target.batched else 1)


@dataclass(frozen=True)
class Several:
    """Kernels that run as one, again and again."""

    name: str
    inner: tuple[Kernel, ...]

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """All that they read."""
        return tuple(dict.fromkeys(buffer for kernel in self.inner for buffer in kernel.reads))

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """All that they write: none of it may share memory with anything that lives through all rounds."""
        return tuple(dict.fromkeys(buffer for kernel in self.inner for buffer in kernel.writes))
