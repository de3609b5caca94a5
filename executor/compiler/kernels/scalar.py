"""A small language for kernels that compute one element at a time, in the element's own type.

A `Value` is an expression of one wasm type; using it twice computes it twice unless `let` keeps it. Nothing
branches on data: choices are `select`, loops turn a fixed number of times. So fuel is exact, and how long a
kernel runs says nothing about the rows.
"""

from collections.abc import Callable
from dataclasses import dataclass

from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.types import DType
from executor.wasm.code import KINDS, Code
from executor.wasm.encoding import I32

CANONICAL = {DType.F16: 0x7E00, DType.BF16: 0x7FC0}
Number = int | float


@dataclass(frozen=True)
class Value:
    """An expression: its wasm type and how to push it."""

    scalar: "Scalar"
    kind: str
    push: Callable[[], None]

    def _of(self, other: "Value | Number") -> "Value":
        return other if isinstance(other, Value) else self.scalar.number(self.kind, other)

    def op(self, name: str, other: "Value | Number", kind: str | None = None) -> "Value":
        """A binary operator of this type."""
        return self.scalar.op(f"{self.kind}.{name}", self, self._of(other), kind=kind or self.kind)

    def unary(self, name: str, kind: str | None = None) -> "Value":
        return self.scalar.op(f"{self.kind}.{name}", self, kind=kind or self.kind)

    def __add__(self, other: "Value | Number") -> "Value":
        return self.op("add", other)

    def __sub__(self, other: "Value | Number") -> "Value":
        return self.op("sub", other)

    def __rsub__(self, other: Number) -> "Value":
        return self._of(other).op("sub", self)

    def __mul__(self, other: "Value | Number") -> "Value":
        return self.op("mul", other)

    def __truediv__(self, other: "Value | Number") -> "Value":
        return self.op("div", other)

    def __rtruediv__(self, other: Number) -> "Value":
        return self._of(other).op("div", self)

    def __and__(self, other: "Value | Number") -> "Value":
        return self.op("and", other)

    def __or__(self, other: "Value | Number") -> "Value":
        return self.op("or", other)

    def __xor__(self, other: "Value | Number") -> "Value":
        return self.op("xor", other)

    def compare(self, name: str, other: "Value | Number", signed: bool = True) -> "Value":
        """lt, le, gt, ge, eq or ne → an i32 of 0 or 1."""
        suffix = "" if self.kind[0] == "f" or name in ("eq", "ne") else "_s" if signed else "_u"
        return self.op(name + suffix, other, "i32")

    def __lt__(self, other: "Value | Number") -> "Value":
        return self.compare("lt", other)

    def __gt__(self, other: "Value | Number") -> "Value":
        return self.compare("gt", other)

    def shifted(self, bits: int) -> "Value":
        """Left by `bits`, or logically right by −`bits`."""
        return self.op("shl", bits) if bits >= 0 else self.op("shr_u", -bits)

    def negated(self) -> "Value":
        """−x, of floats and integers."""
        return self.unary("neg") if self.kind[0] == "f" else 0 - self

    def as_bits(self) -> "Value":
        """The bits of a float as an integer of its width."""
        kind = "i" + self.kind[1:]
        return self.scalar.op(f"{kind}.reinterpret_{self.kind}", self, kind=kind)

    def as_float(self) -> "Value":
        """The float of these bits."""
        kind = "f" + self.kind[1:]
        return self.scalar.op(f"{kind}.reinterpret_{self.kind}", self, kind=kind)


class Variable:
    """A local that changes."""

    def __init__(self, scalar: "Scalar", index: int, kind: str) -> None:
        self.scalar, self.index = scalar, index
        self.value = Value(scalar, kind, lambda: scalar.code.get(index))

    def set(self, value: Value) -> None:
        value.push()
        self.scalar.code.set(self.index)


class Scalar:
    """Writes statements into a function."""

    def __init__(self, code: Code) -> None:
        self.code = code

    def number(self, kind: str, value: Number) -> Value:
        """A constant."""
        return Value(self, kind, lambda: self.code.number(kind, value))

    def op(self, name: str, *inputs: Value, kind: str) -> Value:
        """An instruction on values."""

        def push() -> None:
            for item in inputs:
                item.push()
            self.code.op(name)

        return Value(self, kind, push)

    def select(self, condition: Value, then: Value, other: Value) -> Value:
        """`then` where the i32 `condition` is not zero. Both are computed."""
        return self.op("select", then, other, condition, kind=then.kind)

    def let(self, value: Value) -> Value:
        """The value, computed here once."""
        return self.variable(value).value

    def variable(self, start: Value) -> Variable:
        """A new local that starts as `start`."""
        found = Variable(self, self.code.local(KINDS[start.kind]), start.kind)
        found.set(start)
        return found

    def local(self, index: int, kind: str) -> Value:
        """A parameter."""
        return Value(self, kind, lambda: self.code.get(index))

    def each(self, count: int, body: Callable[[Value], None]) -> None:
        """`body(i)` for i = 0 … count − 1."""
        if count <= 0:
            return
        index = self.variable(self.number("i32", 0))
        with self.code.loop(count):
            body(index.value)
            if count > 1:
                index.set(index.value + 1)

    # --- elements -----------------------------------------------------------------------------------------

    def load(self, dtype: DType, address: Callable[[], int]) -> Value:
        """An element as its wasm type. `address` pushes an address and gives the offset."""
        name = {1: "i32.load8", 2: "i32.load16"}.get(dtype.width)
        if dtype.floating and name is None:
            instruction = f"{dtype.value}.load"
        elif name is None:
            instruction = f"{dtype.wasm}.load"
        else:
            instruction = f"{name}_{'s' if dtype.signed and not dtype.floating else 'u'}"
        kind = "i32" if name else dtype.wasm

        def push() -> None:
            self.code.memory(instruction, address())

        raw = Value(self, kind, push)
        if dtype is DType.F16:
            return self.from_half(raw)
        if dtype is DType.BF16:
            return raw.shifted(16).as_float()
        return raw

    def store(self, dtype: DType, address: Callable[[], int], value: Value) -> None:
        """Write an element; it is rounded or wraps to its width."""
        if dtype is DType.F16:
            value = self.to_half(value)
        elif dtype is DType.BF16:
            value = self.to_bfloat(value)
        offset = address()
        value.push()
        narrow = {1: "i32.store8", 2: "i32.store16"}.get(dtype.width)
        self.code.memory(narrow or f"{dtype.wasm}.store", offset)

    def rounded(self, dtype: DType, value: Value) -> Value:
        """What a store and a load make of the value, without the trip through memory."""
        if dtype is DType.F16:
            return self.from_half(self.to_half(value))
        if dtype is DType.BF16:
            return self.to_bfloat(value).shifted(16).as_float()
        if dtype.width < 4 and dtype is not DType.BOOL:
            if dtype.signed:
                return value.unary(f"extend{dtype.bits}_s")
            return value & ((1 << dtype.bits) - 1)
        return value

    def from_half(self, bits: Value) -> Value:
        """float16 bits → f32: the exponent is moved by a product, which also scales subnormals."""
        h = self.let(bits)
        size = self.let(h & 0x7FFF)
        scaled = (size.shifted(13).as_float() * 2.0**112).as_bits()
        special = (size.shifted(13)) | 0x7F800000
        found = self.select(size.compare("ge", 0x7C00), special, scaled)
        return (found | (h & 0x8000).shifted(16)).as_float()

    def to_half(self, value: Value) -> Value:
        """f32 → float16 bits, to nearest, ties to even."""
        bits = self.let(value.as_bits())
        size = self.let(bits & 0x7FFFFFFF)
        normal = (size + 0xFFF + (size.shifted(-13) & 1)).shifted(-13) - (112 << 10)
        small = (size.as_float() + 0.5).as_bits() - 0x3F000000
        found = self.select(size.compare("lt", 0x38800000), small, normal)
        found = self.select(size.compare("ge", 0x477FF000), self.number("i32", 0x7C00), found)
        found = self.select(size.compare("gt", 0x7F800000), self.number("i32", 0x7E00), found)
        return found | (bits.shifted(-16) & 0x8000)

    def to_bfloat(self, value: Value) -> Value:
        """f32 → bfloat16 bits, to nearest, ties to even."""
        bits = self.let(value.as_bits())
        rounded = (bits + 0x7FFF + (bits.shifted(-16) & 1)).shifted(-16)
        nan = (bits & 0x7FFFFFFF).compare("gt", 0x7F800000)
        return self.select(nan, self.number("i32", 0x7FC0), rounded)

    def bound(self, dtype: DType, value: Number) -> Value:
        """A constant of an element type."""
        if not dtype.floating:
            return self.number(dtype.wasm, int(value))
        return self.number(dtype.wasm, float(value))


def static(nest: Nest, access: Access) -> Callable[[], int]:
    """Address of an access at the nest's index."""
    return lambda: nest.address(access, access.base)


def moving(nest: Nest, access: Access, by: Value) -> Callable[[], int]:
    """Address of an access, moved by so many bytes known at run time."""

    def push() -> int:
        nest.push(access)
        by.push()
        nest.code.op("i32.add")
        if min(access.strides, default=0) >= 0:
            return access.base
        nest.code.i32(access.base)
        nest.code.op("i32.add")
        return 0

    return push


def zero(scalar: Scalar, kind: str) -> Value:
    """0 of a wasm type."""
    return scalar.number(kind, 0)


def index_local(code: Code) -> int:
    """A local for an index."""
    return code.local(I32)
