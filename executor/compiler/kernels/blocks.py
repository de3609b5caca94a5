"""Kernels that work on one block of eight rows after the other, all of them on one before the next."""

from collections.abc import Sequence
from dataclasses import dataclass

from executor.compiler.kernels.base import Lanes, Several
from executor.compiler.kernels.rows import LIVE, ROW0, STEP
from executor.wasm.code import Code
from executor.wasm.encoding import I32


@dataclass(frozen=True)
class ByBlock(Several):
    """Runs `inner` once a block, with the block's number as a fourth parameter: what one leaves for the next
    is still in the second cache."""

    blocks: int

    def flops(self, blocks: int) -> int:
        """Of all blocks."""
        return sum(kernel.flops(blocks) for kernel in self.inner)

    def traffic(self, blocks: int) -> int:
        """Bytes read and written, as if each kernel went over all blocks at once."""
        touched = [buffer for kernel in self.inner for buffer in {*kernel.reads, *kernel.writes}]
        return sum(buffer.bytes(1) * (blocks if buffer.batched else 1) for buffer in touched)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """See `emit_loop`."""
        raise AssertionError("kernels by block are linked with the functions that they become")

    def emit_loop(self, code: Code, functions: Sequence[tuple[int, int]]) -> None:
        """Call every function (index, fuel) for each block."""
        block = code.local(I32)
        with code.loop(self.blocks):
            for function, fuel in functions:
                for value in (ROW0, LIVE, STEP, block):
                    code.get(value)
                code.call(function, fuel)
            code.get(block)
            code.i32(1)
            code.op("i32.add")
            code.set(block)
