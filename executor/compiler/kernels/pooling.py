"""Max pooling and its gradient; filling memory."""

from dataclasses import dataclass
from itertools import product
from math import prod

from executor.compiler.ir import Pair, Shape
from executor.compiler.kernels.base import Buffer, Lanes
from executor.compiler.kernels.elementwise import loops
from executor.compiler.kernels.nest import BLOCK, Access, Nest
from executor.wasm.code import Code

FILL_UNROLL = 8


@dataclass(frozen=True)
class Fill:
    """Every element of a buffer becomes `value`."""

    name: str
    target: Buffer
    value: float
    reads: tuple[Buffer, ...] = ()

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The target."""
        return (self.target,)

    def flops(self, blocks: int) -> int:
        """None: stores only."""
        return 0

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Whole vectors; an unbatched buffer's last one may reach into the slack after it."""
        fill(code, self.target, self.value, lanes)


def fill(code: Code, target: Buffer, value: float, lanes: Lanes) -> None:
    """Write the loop that fills a buffer."""
    access = Access(target.offset, (16,))
    nest = Nest(code, [access])
    turns, rest = divmod(-(-target.bytes(lanes.blocks) // 16), FILL_UNROLL)

    def stores(count: int) -> None:
        for index in range(count):
            nest.push(access)
            code.splat(value)
            code.memory("v128.store", access.base + 16 * index)

    if turns:
        with nest.loop(0, turns, FILL_UNROLL):
            stores(FILL_UNROLL)
    stores(rest)


@dataclass(frozen=True)
class Window:
    """Geometry of a pooling window on [c, h, w] → [c, oh, ow]."""

    x_shape: Shape
    y_shape: Shape
    kernel: Pair
    strides: Pair
    dilations: Pair

    def accesses(self, x: Buffer, *others: Buffer) -> list[Access]:
        """x, then buffers of y's shape, over the axes (block, c, y, x)."""
        (c, h, w), (_, oh, ow) = self.x_shape, self.y_shape
        sy, sx = self.strides
        found = [Access(x.offset, (c * h * w * BLOCK, h * w * BLOCK, sy * w * BLOCK, sx * BLOCK))]
        step = (c * oh * ow * BLOCK, oh * ow * BLOCK, ow * BLOCK, BLOCK)
        return found + [Access(buffer.offset, step) for buffer in others]

    def offsets(self) -> list[int]:
        """Bytes from the window's corner to each of its elements, row-major."""
        width, (dy, dx) = self.x_shape[2], self.dilations
        return [(i * dy * width + j * dx) * BLOCK for i, j in product(*map(range, self.kernel))]

    @property
    def exact(self) -> bool:
        """Each element of x lies in exactly one window."""
        tiles = all(
            k == s and d == 1 for k, s, d in zip(self.kernel, self.strides, self.dilations, strict=True)
        )
        covered = all(
            n == m * s for n, m, s in zip(self.x_shape[1:], self.y_shape[1:], self.strides, strict=True)
        )
        return tiles and covered


@dataclass(frozen=True)
class PoolMax:
    """y = the largest element of each window."""

    name: str
    window: Window
    x: Buffer
    y: Buffer

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """The image."""
        return (self.x,)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """The pooled image."""
        return (self.y,)

    def flops(self, blocks: int) -> int:
        """One comparison for each element of each window."""
        return 8 * blocks * prod(self.window.y_shape) * prod(self.window.kernel)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Straight-line code a window."""
        x, y = accesses = self.window.accesses(self.x, self.y)
        nest = Nest(code, accesses)
        offsets = self.window.offsets()

        def at() -> None:
            for half in (0, 16):
                nest.push(y)
                for number, offset in enumerate(offsets):
                    nest.push(x)
                    code.memory("v128.load", x.base + offset + half)
                    if number:
                        code.op("f32x4.pmax")
                code.memory("v128.store", y.base + half)

        loops(nest, (lanes.blocks, *self.window.y_shape), at)


@dataclass(frozen=True)
class PoolMaxGrad:
    """dx: each window's gradient goes to the first of its largest elements, in row-major order, as PyTorch's
    does; if `rectified`, nowhere unless that element is positive."""

    name: str
    window: Window
    x: Buffer
    y: Buffer
    dy: Buffer
    dx: Buffer
    rectified: bool = False

    @property
    def reads(self) -> tuple[Buffer, ...]:
        """Image, pooled image, gradient."""
        return (self.x, self.y, self.dy)

    @property
    def writes(self) -> tuple[Buffer, ...]:
        """Gradient by the image."""
        return (self.dx,)

    def flops(self, blocks: int) -> int:
        """A comparison and an addition for each element of each window, and the comparison with zero."""
        return 8 * blocks * prod(self.window.y_shape) * (2 * prod(self.window.kernel) + self.rectified)

    def emit(self, code: Code, lanes: Lanes) -> None:
        """Masks instead of branches; windows that overlap add up in scan order."""
        x, y, dy = accesses = self.window.accesses(self.x, self.y, self.dy)
        exact = self.window.exact
        if not exact:
            fill(code, self.dx, 0.0, lanes)
        nest = Nest(code, accesses)
        move = self.dx.offset - self.x.offset
        largest, gradient, taken, mask = (code.local() for _ in range(4))
        offsets = self.window.offsets()

        def at() -> None:
            for half in (0, 16):
                for access, local in ((y, largest), (dy, gradient)):
                    nest.push(access)
                    code.memory("v128.load", access.base + half)
                    code.set(local)
                if self.rectified:
                    code.get(gradient)
                    code.get(largest)
                    code.splat(0.0)
                    code.op("f32x4.gt")
                    code.op("v128.and")
                    code.set(gradient)
                for number, offset in enumerate(offsets):
                    nest.push(x)
                    nest.push(x)
                    code.memory("v128.load", x.base + offset + half)
                    code.get(largest)
                    code.op("f32x4.eq")
                    if number:
                        code.get(taken)
                        code.op("v128.andnot")
                    if number + 1 < len(offsets):
                        code.tee(mask)
                        code.get(mask)
                        if number:
                            code.get(taken)
                            code.op("v128.or")
                        code.set(taken)
                    code.get(gradient)
                    code.op("v128.and")
                    if not exact:
                        nest.push(x)
                        code.memory("v128.load", x.base + move + offset + half)
                        code.op("f32x4.add")
                    code.memory("v128.store", x.base + move + offset + half)

        loops(nest, (lanes.blocks, *self.window.y_shape), at)
