"""The same straight-line function on several vectors at once.

An elementary function is one long chain in which each step waits for the one before. `Abreast` stands in for
`Code` while such a function is written and writes every operator for one vector after the other, so that the
processor always finds steps that wait for nothing. Values are in locals, which cost nothing once compiled; a
vector constant is loaded once for an operator on all vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from executor.wasm.code import Code

TAKES = {
    1: "f32x4.abs f32x4.neg f32x4.nearest f32x4.sqrt f32x4.convert_i32x4_s i32x4.trunc_sat_f32x4_s",
    3: "f32x4.relaxed_madd f32x4.relaxed_nmadd v128.bitselect",
}
OPERANDS = {name: count for count, names in TAKES.items() for name in names.split()}
"""Operators that take another number of operands than two."""
Value = Callable[[int], None]
"""Pushes the value that belongs to the vector of this number."""


@dataclass(frozen=True)
class Constant:
    """The same value for every vector."""

    push: Callable[[], None]

    def __call__(self, number: int) -> None:
        self.push()


class Abreast:
    """What functions.py needs of `Code`, for as many vectors as `starts` has locals."""

    def __init__(self, code: Code, starts: Sequence[int]) -> None:
        self.code, self.width = code, len(starts)
        self._stack: list[Value] = []
        self._named: dict[int, Value] = {}
        self._names = 0
        self._held: list[int] = []
        self._push_locals(starts)

    def results(self) -> list[int]:
        """The function's value in a new local for each vector; all others are given back."""
        value = self._stack.pop()
        found = []
        for number in range(self.width):
            value(number)
            found.append(self.code.local())
            self.code.set(found[-1])
        self.code.release(*self._held)
        return found

    def local(self) -> int:
        """A name for a value of each vector."""
        self._names += 1
        return self._names

    def release(self, *names: int) -> None:
        """Forget names."""
        for name in names:
            self._named.pop(name, None)

    def get(self, name: int) -> None:
        """Push the values of a name."""
        self._stack.append(self._named[name])

    def set(self, name: int) -> None:
        """Give a name to the values on the stack."""
        self._named[name] = self._stack.pop()

    def tee(self, name: int) -> None:
        """The same, and leave them there."""
        self._named[name] = self._stack[-1]

    def op(self, name: str) -> None:
        """An operator, vector by vector."""
        count = OPERANDS.get(name, 2)
        operands = [self._loaded(value) for value in self._stack[-count:]]
        del self._stack[-count:]
        results = []
        for number in range(self.width):
            for value in operands:
                value(number)
            self.code.op(name)
            results.append(self.code.local())
            self.code.set(results[-1])
        self._held += results
        self._push_locals(results)

    def i32(self, value: int) -> None:
        """Push an i32 constant."""
        self._stack.append(lambda _: self.code.i32(value))

    def splat(self, value: float) -> None:
        """Push a float32 constant in all lanes."""
        self._stack.append(Constant(lambda: self.code.splat(value)))

    def splat_bits(self, bits: int) -> None:
        """Push a 32-bit pattern in all lanes."""
        self._stack.append(Constant(lambda: self.code.splat_bits(bits)))

    def v128(self, value: bytes) -> None:
        """Push a vector constant."""
        self._stack.append(Constant(lambda: self.code.v128(value)))

    def _loaded(self, value: Value) -> Value:
        """A constant in a local."""
        if not isinstance(value, Constant):
            return value
        value.push()
        local = self.code.local()
        self.code.set(local)
        self._held.append(local)
        return lambda _: self.code.get(local)

    def _push_locals(self, locals_: Sequence[int]) -> None:
        kept = tuple(locals_)
        self._stack.append(lambda number: self.code.get(kept[number]))
