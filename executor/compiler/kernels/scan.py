"""The loop around a body's kernels, and the copies between sequences and what one turn sees."""

from collections.abc import Sequence
from dataclasses import dataclass

from executor.compiler.kernels.base import Buffer, Kernel, Lanes, Several
from executor.compiler.kernels.nest import BLOCK, Access, Nest
from executor.compiler.kernels.rows import LIVE, ROW0, STEP
from executor.wasm.code import Code
from executor.wasm.encoding import I32

UNROLL = 8


@dataclass(frozen=True)
class TurnCopy:
    """Between `whole` [turns, …] and `part` […]: the element of turn STEP, read or written. Both contiguous,
    both batched or both not. An unbatched part may lie at `start` in elements of `pitch` floats."""

    name: str
    whole: Buffer
    part: Buffer
    to_whole: bool
    start: int = 0
    pitch: int = 0

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The source."""
        return (self.part,) if self.to_whole else (self.whole,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.whole,) if self.to_whole else (self.part,)

    def flops(self, blocks: int) -> int:
        """None: moves only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Whole vectors; of an unbatched element the last floats singly, since its neighbour lies behind."""
        unit = BLOCK if self.part.batched else 4
        size = self.part.elements * unit
        whole = Access(self.whole.offset + unit * self.start, (self.whole.block_stride(), 16))
        part = Access(self.part.offset, (self.part.block_stride(), 16))
        if whole.strides == part.strides:
            whole = Access(whole.base, (*whole.strides, 1))
            part = Access(part.base, (*part.strides, 0))
        nest = Nest(code, [whole, part])
        code.get(STEP)
        code.i32(self.pitch * unit or size)
        code.op("i32.mul")
        code.set(nest.pointers[whole.strides])
        source, target = (part, whole) if self.to_whole else (whole, part)
        vectors, floats = divmod(size, 16)
        turns, rest = divmod(vectors, UNROLL)

        def move(count: int) -> None:
            for index in range(count):
                nest.push(target)
                nest.push(source)
                code.memory("v128.load", source.base + 16 * index)
                code.memory("v128.store", target.base + 16 * index)

        with nest.loop(0, lanes.blocks if self.part.batched else 1):
            if turns:
                with nest.loop(1, turns, UNROLL):
                    move(UNROLL)
            move(rest)
            for index in range(floats // 4):
                nest.push(target)
                nest.push(source)
                code.memory("f32.load", source.base + 16 * rest + 4 * index)
                code.memory("f32.store", target.base + 16 * rest + 4 * index)
            nest.rewind(1, turns * UNROLL)


@dataclass(frozen=True)
class Loop(Several):
    """Runs `inner` once a turn, with the turn's number as STEP."""

    turns: int
    backwards: bool

    def flops(self, blocks: int) -> int:
        """Of all turns."""
        return self.turns * sum(kernel.flops(blocks) for kernel in self.inner)

    def traffic(self, blocks: int) -> int:
        """Bytes read and written in all turns; of a sequence each turn touches its own element."""
        return self.turns * sum(_traffic(kernel, blocks) for kernel in self.inner)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """See `emit_loop`."""
        raise AssertionError("a loop is linked with the functions that it calls")

    def emit_loop(self, code: Code, functions: Sequence[tuple[int, int]]) -> None:
        """Call every function (index, fuel) in each turn."""
        turn = code.local(I32)
        if self.backwards:
            code.i32(self.turns - 1)
            code.set(turn)
        with code.loop(self.turns):
            for function, fuel in functions:
                for value in (ROW0, LIVE, turn):
                    code.get(value)
                code.call(function, fuel)
            code.get(turn)
            code.i32(-1 if self.backwards else 1)
            code.op("i32.add")
            code.set(turn)


def _traffic(kernel: Kernel, blocks: int) -> int:
    if isinstance(kernel, TurnCopy):
        return 2 * kernel.part.bytes(blocks)
    return sum(buffer.bytes(blocks) for buffer in {*kernel.reads, *kernel.writes})
