"""One-dimensional transforms of Winograd's minimal filtering F(m, 3), on vectors in locals.

A product of polynomials is evaluated at points and taken back: F(2, 3) at 0, ±1, ∞, F(4, 3) at 0, ±⅝, ±5⁄4,
∞. These points keep the second's error near the direct sum's: over 64 channels in float32 a sixth of what
the usual 0, ±1, ±2 give (on the choice of points: Barabasz et al. 2020, "Error Analysis and Improving the
Accuracy of Winograd Convolution"). Points come in pairs ±p, so that even and odd parts are shared. The
order of operations is part of NUMERICS.
"""

from collections.abc import Sequence
from typing import Protocol

from executor.compiler.kernels.nest import Access, Nest
from executor.wasm.code import Code

NEAR, FAR = 0.625, 1.25
"""Points of F(4, 3)."""


class Values:
    """Straight-line vector arithmetic on locals."""

    def __init__(self, code: Code, nest: Nest) -> None:
        self.code, self.nest = code, nest

    def load(self, access: Access, offset: int) -> int:
        """A vector at the nest's index and a constant offset."""
        self.nest.push(access)
        self.code.memory("v128.load", offset)
        return self.keep()

    def keep(self) -> int:
        """The value on the stack in a new local."""
        local = self.code.local()
        self.code.set(local)
        return local

    def of(self, operation: str, a: int, b: int) -> int:
        """a operation b in a new local."""
        self.code.get(a)
        self.code.get(b)
        self.code.op(f"f32x4.{operation}")
        return self.keep()

    def negative(self, a: int) -> int:
        """−a in a new local."""
        self.code.get(a)
        self.code.op("f32x4.neg")
        return self.keep()

    def times(self, a: int, factor: float) -> int:
        """a · factor in a new local."""
        self.code.get(a)
        self.code.splat(factor)
        self.code.op("f32x4.mul")
        return self.keep()

    def fused(self, a: int, factor: float, b: int) -> int:
        """a · factor + b, rounded once, in a new local."""
        self.code.get(a)
        self.code.splat(factor)
        self.code.get(b)
        self.code.op("f32x4.relaxed_madd")
        return self.keep()

    def pair(self, even: int, odd: int) -> list[int]:
        """even ± odd; both are used up."""
        found = [self.of("add", even, odd), self.of("sub", even, odd)]
        self.code.release(even, odd)
        return found

    def split(self, plus: int, minus: int) -> tuple[int, int]:
        """plus + minus and plus − minus; both are used up."""
        even, odd = self.pair(plus, minus)
        return even, odd

    def store(self, access: Access, offset: int, a: int) -> None:
        """Write a local and forget it."""
        self.nest.push(access)
        self.code.get(a)
        self.code.memory("v128.store", offset)
        self.code.release(a)


class Filter(Protocol):
    """F(m, 3) and its gradients. `image` leaves its arguments as they are; the others use theirs up."""

    size: int
    """m: results of a tile, on a side. Its image has m + 2 pixels, and so many places have the transforms."""

    def image(self, v: Values, d: Sequence[int]) -> list[int]:
        """Bᵀd: m + 2 pixels."""
        ...

    def kernel(self, v: Values, g: Sequence[int]) -> list[int]:
        """Gg: three weights."""
        ...

    def result(self, v: Values, m: Sequence[int]) -> list[int]:
        """Aᵀm: m + 2 products."""
        ...

    def result_gradient(self, v: Values, g: Sequence[int]) -> list[int]:
        """Ag: m gradients."""
        ...

    def kernel_gradient(self, v: Values, u: Sequence[int]) -> list[int]:
        """Gᵀu: m + 2 sums."""
        ...


class Two:
    """F(2, 3): factors 0, ±1 and ½."""

    size = 2

    def image(self, v: Values, d: Sequence[int]) -> list[int]:
        found = [v.of("sub", d[0], d[2]), v.of("add", d[1], d[2])]
        return [*found, v.of("sub", d[2], d[1]), v.of("sub", d[1], d[3])]

    def kernel(self, v: Values, g: Sequence[int]) -> list[int]:
        ends = v.of("add", g[0], g[2])
        plus, minus = v.pair(ends, g[1])
        found = [g[0], v.times(plus, 0.5), v.times(minus, 0.5), g[2]]
        v.code.release(plus, minus)
        return found

    def result(self, v: Values, m: Sequence[int]) -> list[int]:
        first, second = v.of("add", m[0], m[1]), v.of("sub", m[1], m[2])
        found = [v.of("add", first, m[2]), v.of("sub", second, m[3])]
        v.code.release(first, second, *m)
        return found

    def result_gradient(self, v: Values, g: Sequence[int]) -> list[int]:
        found = [g[0], v.of("add", g[0], g[1]), v.of("sub", g[0], g[1]), v.negative(g[1])]
        v.code.release(g[1])
        return found

    def kernel_gradient(self, v: Values, u: Sequence[int]) -> list[int]:
        plus, minus = v.split(u[1], u[2])
        middle = v.times(plus, 0.5)
        found = [v.of("add", u[0], middle), v.times(minus, 0.5), v.of("add", middle, u[3])]
        v.code.release(plus, minus, middle, u[0], u[3])
        return found


class Four:
    """F(4, 3) at 0, ±a, ±b, ∞. With M(x) = x(x² − a²)(x² − b²): rows of Bᵀ are the coefficients of
    M(x)/(x − p), and of M(x) for ∞; rows of G are (1, p, p²)/M′(p); columns of Aᵀ are (1, p, p², p³)."""

    size = 4
    points = ((NEAR, FAR), (FAR, NEAR))
    """Each pair's point, and the other's."""
    product, total = NEAR**2 * FAR**2, NEAR**2 + FAR**2

    def image(self, v: Values, d: Sequence[int]) -> list[int]:
        found = [self._end(v, d[0], d[2], d[4])]
        for p, q in self.points:
            even = v.fused(d[2], -q * q, d[4])
            inner = v.fused(d[1], -q * q, d[3])
            odd = v.times(inner, p)
            v.code.release(inner)
            found += v.pair(even, odd)
        return [*found, self._end(v, d[1], d[3], d[5])]

    def _end(self, v: Values, low: int, middle: int, high: int) -> int:
        inner = v.fused(middle, -self.total, high)
        found = v.fused(low, self.product, inner)
        v.code.release(inner)
        return found

    def _weight(self, p: float, q: float) -> float:
        """1 / M′(±p)."""
        return 1 / (2 * p * p * (p * p - q * q))

    def kernel(self, v: Values, g: Sequence[int]) -> list[int]:
        found = [v.times(g[0], 1 / self.product)]
        for p, q in self.points:
            weight = self._weight(p, q)
            first = v.times(g[0], weight)
            even, odd = v.fused(g[2], p * p * weight, first), v.times(g[1], p * weight)
            v.code.release(first)
            found += v.pair(even, odd)
        v.code.release(g[0], g[1])
        return [*found, g[2]]

    def result(self, v: Values, m: Sequence[int]) -> list[int]:
        (even_a, odd_a), (even_b, odd_b) = v.split(m[1], m[2]), v.split(m[3], m[4])
        sums = v.of("add", even_a, even_b)
        first = v.of("add", m[0], sums)
        found = [
            first,
            *(self._power(v, k, odds) for k, odds in ((1, (odd_a, odd_b)), (2, (even_a, even_b)))),
        ]
        cubes = self._power(v, 3, (odd_a, odd_b))
        found.append(v.of("add", cubes, m[5]))
        v.code.release(sums, cubes, even_a, odd_a, even_b, odd_b, m[0], m[5])
        return found

    @staticmethod
    def _power(v: Values, k: int, parts: tuple[int, int]) -> int:
        """aᵏ·x + bᵏ·y."""
        near = v.times(parts[0], NEAR**k)
        found = v.fused(parts[1], FAR**k, near)
        v.code.release(near)
        return found

    def result_gradient(self, v: Values, g: Sequence[int]) -> list[int]:
        found = []
        for p, _ in self.points:
            even = v.fused(g[2], p * p, g[0])
            inner = v.fused(g[3], p * p, g[1])
            odd = v.times(inner, p)
            v.code.release(inner)
            found += v.pair(even, odd)
        v.code.release(g[1], g[2])
        return [g[0], *found, g[3]]

    def kernel_gradient(self, v: Values, u: Sequence[int]) -> list[int]:
        parts = v.split(u[1], u[2]), v.split(u[3], u[4])
        zero = v.times(u[0], 1 / self.product)
        (a, b), weights = self.points, [self._weight(*pair) for pair in self.points]
        first = v.fused(parts[0][0], weights[0], zero)
        found = [v.fused(parts[1][0], weights[1], first)]
        inner = v.times(parts[0][1], a[0] * weights[0])
        found.append(v.fused(parts[1][1], b[0] * weights[1], inner))
        last = v.fused(parts[0][0], a[0] ** 2 * weights[0], u[5])
        found.append(v.fused(parts[1][0], b[0] ** 2 * weights[1], last))
        v.code.release(zero, first, inner, last, u[0], u[5], *parts[0], *parts[1])
        return found


TWO, FOUR = Two(), Four()
