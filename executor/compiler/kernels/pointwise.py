"""What each elementwise primitive does to single elements: one table, op → instructions by type."""

import math
from collections.abc import Callable, Mapping, Sequence

from executor.compiler.kernels.base import Lanes
from executor.compiler.kernels.scalar import Scalar, Value
from executor.compiler.op import Op
from executor.compiler.types import DType
from executor.errors import CompilerError, UnsupportedType

Rule = Callable[[Scalar, Sequence[Value], DType], Value]


def compute(
    s: Scalar, lanes: Lanes, op: Op, values: Sequence[Value], kinds: Sequence[DType], target: DType
) -> Value:
    """The value of a primitive on elements of types `kinds`. Raises UnsupportedType."""
    if op is Op.CAST:
        return _cast(s, values[0], kinds[0], target)
    if op is Op.BITS:
        return _bits(s, values[0], kinds[0], target)
    if op is Op.POW:
        return _power(s, lanes, values, kinds)
    if op in FUNCTIONS:
        return _function(s, lanes, FUNCTIONS[op], values, kinds[0])
    if op is Op.SIGMOID:
        return _sigmoid(s, lanes, values[0], kinds[0])
    if op is Op.SELECT:
        return s.select(*values)
    if op not in RULES:
        raise CompilerError(f"{op} is not elementwise")
    return RULES[op](s, values, kinds[0])


FUNCTIONS: Mapping[Op, str] = {
    Op.EXP: "exp",
    Op.LOG: "log",
    Op.TANH: "tanh",
    **{
        op: op.name.lower()
        for op in (
            Op.SIN, Op.COS, Op.TAN, Op.ASIN, Op.ACOS, Op.ATAN, Op.SINH, Op.COSH, Op.ASINH, Op.ACOSH, Op.ATANH,
            Op.ERF,
        )
    },
}  # fmt: skip


def called(s: Scalar, lanes: Lanes, name: str, inputs: Sequence[Value]) -> Value:
    """A shared function on f64."""

    def push() -> None:
        for item in inputs:
            item.push()
        if lanes.functions is None:
            raise CompilerError("a kernel calls a function where there are none")
        lanes.functions.call(s.code, name)

    return Value(s, "f64", push)


def _widened(s: Scalar, value: Value) -> Value:
    return value if value.kind == "f64" else s.op("f64.promote_f32", value, kind="f64")


def _narrowed(s: Scalar, value: Value, kind: str) -> Value:
    return value if kind == "f64" else s.op("f32.demote_f64", value, kind="f32")


def _function(s: Scalar, lanes: Lanes, name: str, values: Sequence[Value], dtype: DType) -> Value:
    if not dtype.floating:
        raise UnsupportedType(f"{name} of {dtype.value}")
    return _narrowed(s, called(s, lanes, name, [_widened(s, value) for value in values]), dtype.wasm)


def _sigmoid(s: Scalar, lanes: Lanes, x: Value, dtype: DType) -> Value:
    if not dtype.floating:
        raise UnsupportedType(f"sigmoid of {dtype.value}")
    power = called(s, lanes, "exp", [_widened(s, x).negated()])
    return _narrowed(s, 1.0 / (power + 1.0), dtype.wasm)


def _power(s: Scalar, lanes: Lanes, values: Sequence[Value], kinds: Sequence[DType]) -> Value:
    """Floats by the shared function; whole numbers to whole powers by squaring, wrapping."""
    base, exponent = kinds
    if base.floating or exponent.floating:
        x, y = (_cast(s, value, kind, DType.F64) for value, kind in zip(values, kinds, strict=True))
        return _cast(s, called(s, lanes, "pow", [x, y]), DType.F64, base)
    wide = base.wasm
    square, total = s.variable(values[0]), s.variable(s.number(wide, 1))
    left = s.variable(_cast(s, values[1], exponent, DType.I64))
    negative = s.let(left.value.compare("lt", 0)) if exponent.signed else None
    bits = base.bits if base.signed else base.bits + 1

    def step(_: Value) -> None:
        odd = s.op("i32.wrap_i64", left.value & 1, kind="i32")
        total.set(s.select(odd, total.value * square.value, total.value))
        square.set(square.value * square.value)
        left.set(left.value.shifted(-1))

    s.each(min(64, bits + 32), step)
    # x⁻ⁿ of a whole number is 1/xⁿ cut to a whole number: zero, but for 1 and −1.
    if negative is None:
        return total.value
    unit = s.let(values[0].compare("eq", 1) | values[0].compare("eq", -1))
    return s.select(negative, s.select(unit, total.value, s.number(wide, 0)), total.value)


def _cast(s: Scalar, x: Value, source: DType, target: DType) -> Value:
    """numpy's astype where it is defined; float to integer saturates at i32 or i64, then wraps."""
    if target is DType.BOOL:
        return x.compare("ne", 0)
    if source.floating and target.floating:
        if source.wasm == target.wasm:
            return x
        if target is DType.F64:
            return _widened(s, x)
        return _odd(s, x) if target.width == 2 else _narrowed(s, x, "f32")
    if target.floating:
        sign = "s" if source.signed else "u"
        if target.wasm == "f32" and target.width == 2 and x.kind == "i64":
            return _odd(s, s.op(f"f64.convert_i64_{sign}", x, kind="f64"))
        return s.op(f"{target.wasm}.convert_{x.kind}_{sign}", x, kind=target.wasm)
    if source.floating:
        wide = target.wasm if target.width >= 4 else "i32"
        sign = "s" if target.signed or target.width < 4 else "u"
        return s.op(f"{wide}.trunc_sat_{x.kind}_{sign}", x, kind=wide)
    if x.kind == target.wasm:
        return x
    if x.kind == "i64":
        return s.op("i32.wrap_i64", x, kind="i32")
    return s.op(f"i64.extend_i32_{'s' if source.signed else 'u'}", x, kind="i64")


def _odd(s: Scalar, x: Value) -> Value:
    """f64 → f32 rounded to odd, so that a second rounding, to a half, is as right as one would be."""
    x = s.let(x)
    near = s.let(s.op("f32.demote_f64", x, kind="f32"))
    back = s.let(s.op("f64.promote_f32", near, kind="f64"))
    bits = s.let(near.as_bits())
    away = back.unary("abs").compare("gt", x.unary("abs"))
    inexact = back.compare("ne", x) & x.compare("eq", x) & x.unary("abs").compare("ne", math.inf)
    odd = (bits - away) | 1
    return s.select(inexact, odd, bits).as_float()


def _bits(s: Scalar, x: Value, source: DType, target: DType) -> Value:
    """The same bits under another type of the same width."""
    if source is DType.F16:
        x = s.to_half(x)
    elif source is DType.BF16:
        x = s.to_bfloat(x)
    elif source.floating:
        x = x.as_bits()
    x = s.let(x)
    if target is DType.F16:
        return s.from_half(x & 0xFFFF)
    if target is DType.BF16:
        return x.shifted(16).as_float()
    return x.as_float() if target.floating else x


# --- arithmetic by type -------------------------------------------------------------------------------------


def _plain(name: str) -> Rule:
    """One instruction of the wasm type."""
    return lambda s, v, dtype: v[0].op(name, v[1])


def _bool_or(name: str, of_bools: str) -> Rule:
    """An instruction, another one for bools."""
    return lambda s, v, dtype: v[0].op(of_bools if dtype is DType.BOOL else name, v[1])


def _div(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    """Floats divide; integers truncate towards zero, and n / 0 is 0: wasm would stop there."""
    if dtype.floating:
        return v[0] / v[1]
    return _whole(s, v, dtype, "div")


def _whole(s: Scalar, v: Sequence[Value], dtype: DType, name: str) -> Value:
    """Integer div or rem that never traps: by zero gives 0, and the least number by −1 wraps."""
    a, b = s.let(v[0]), s.let(v[1])
    kind = a.kind
    divisor = s.select(b.compare("eq", 0), s.number(kind, 1), b)
    if not dtype.signed:
        found = a.op(f"{name}_u", divisor)
        return s.select(b.compare("eq", 0), s.number(kind, 0), found)
    minus = s.let(b.compare("eq", -1))
    divisor = s.let(s.select(minus, s.number(kind, 1), s.let(divisor)))
    found = a.op(f"{name}_s", divisor)
    turned = a.negated() if name == "div" else s.number(kind, 0)
    found = s.select(minus, turned, found)
    return s.select(b.compare("eq", 0), s.number(kind, 0), found)


def _remainder(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    """With the sign of the dividend, as C's fmod; floats exactly, by long division in 64 bits of exponent."""
    if not dtype.floating:
        return _whole(s, v, dtype, "rem")
    return _fmod(s, v[0], v[1])


def _fmod(s: Scalar, a: Value, b: Value) -> Value:
    """a − b·trunc(a/b), exact while the quotient fits the fraction; else by the nearest such number."""
    x, y = s.let(_widened(s, a)), s.let(_widened(s, b))
    quotient = (x / y).unary("trunc")
    rest = s.let(x - quotient * y)
    # The quotient may be rounded up to a whole number: one divisor too much was taken.
    rest = s.let(s.select((rest * x).compare("lt", 0.0), rest + y.unary("abs").op("copysign", x), rest))
    found = s.select(y.unary("abs").compare("eq", math.inf) & x.unary("abs").compare("ne", math.inf), x, rest)
    return _narrowed(s, found.op("copysign", x), a.kind)


def _mod(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    """With the sign of the divisor, as Python's %."""
    b = s.let(v[1])
    rest = s.let(_remainder(s, [v[0], b], dtype))
    if not dtype.signed:
        return rest
    apart = rest.compare("lt", 0) ^ b.compare("lt", 0)
    return s.select(rest.compare("ne", 0) & apart, rest + b, rest)


def _extreme(name: str) -> Rule:
    """Floats by wasm's own min and max (NaN wins), others by comparison."""

    def rule(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
        if dtype.floating:
            return v[0].op(name, v[1])
        a, b = s.let(v[0]), s.let(v[1])
        return s.select(a.compare("gt" if name == "max" else "lt", b, dtype.signed), a, b)

    return rule


def _absolute(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    if dtype.floating:
        return v[0].unary("abs")
    x = s.let(v[0])
    return s.select(x.compare("lt", 0), x.negated(), x) if dtype.signed else x


def _relu(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    return _extreme("max")(s, [v[0], s.bound(dtype, 0)], dtype)


def _sign(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    x = s.let(v[0])
    if not dtype.signed:
        return s.select(x.compare("ne", 0), s.number(x.kind, 1), s.number(x.kind, 0))
    one, none, less = (s.bound(dtype, number) for number in (1, 0, -1))
    found = s.select(x.compare("lt", 0), less, none)
    found = s.select(x.compare("gt", 0), one, found)
    return s.select(x.compare("ne", x), x, found) if dtype.floating else found


def _rounding(name: str) -> Rule:
    """Whole numbers are whole."""
    return lambda s, v, dtype: v[0].unary(name) if dtype.floating else v[0]


def _root(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    if not dtype.floating:
        raise UnsupportedType(f"the root of {dtype.value}")
    return v[0].unary("sqrt")


def _not(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
    return v[0].compare("eq", 0) if dtype is DType.BOOL else v[0] ^ -1


def _shift(left: bool) -> Rule:
    """As far as the type is wide, or farther, leaves nothing, or a signed number's sign."""

    def rule(s: Scalar, v: Sequence[Value], dtype: DType) -> Value:
        by = s.let(v[1])
        inside = s.let(by.compare("lt", dtype.bits, False))
        if not left and dtype.signed:
            return v[0].op("shr_s", s.select(inside, by, s.number(by.kind, dtype.bits - 1)))
        return s.select(inside, v[0].op("shl" if left else "shr_u", by), s.number(by.kind, 0))

    return rule


def _comparison(name: str) -> Rule:
    return lambda s, v, dtype: v[0].compare(name, v[1], dtype.signed)


def _where(name: str) -> Rule:
    return lambda s, v, dtype: s.select(v[0].compare(name, v[1], dtype.signed), v[2], v[3])


RULES: Mapping[Op, Rule] = {
    Op.IDENTITY: lambda s, v, dtype: v[0],
    Op.NEG: lambda s, v, dtype: v[0].negated(),
    Op.ABS: _absolute,
    Op.SQRT: _root,
    Op.RELU: _relu,
    Op.ADD: _bool_or("add", "or"),
    Op.SUB: _plain("sub"),
    Op.MUL: _plain("mul"),
    Op.DIV: _div,
    Op.MAX: _extreme("max"),
    Op.MIN: _extreme("min"),
    Op.WHERE_GT: _where("gt"),
    Op.WHERE_GE: _where("ge"),
    Op.WHERE_EQ: _where("eq"),
    Op.NOT: _not,
    Op.SIGN: _sign,
    Op.FLOOR: _rounding("floor"),
    Op.CEIL: _rounding("ceil"),
    Op.ROUND: _rounding("nearest"),
    Op.TRUNC: _rounding("trunc"),
    Op.MOD: _mod,
    Op.REMAINDER: _remainder,
    Op.AND: _plain("and"),
    Op.OR: _plain("or"),
    Op.XOR: _plain("xor"),
    Op.SHL: _shift(True),
    Op.SHR: _shift(False),
    Op.GT: _comparison("gt"),
    Op.GE: _comparison("ge"),
    Op.EQ: _comparison("eq"),
}
