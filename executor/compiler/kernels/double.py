"""Elementary functions on one f64, as functions of the module that kernels call: no tables, no branches, no
libm. float32 and the halves go through them too, so they are nearly always rounded right.

Series are Taylor's, long enough for a double on their reduced range, but for erf's tail, a fit of our own
(Chebyshev nodes). Largest relative errors found are pinned by tests/executor/test_compile_double.py. Sine and
cosine reduce by π/2 in three parts: good to |x| < 2²⁷, and of no meaning beyond.
"""

import math
import struct
from collections.abc import Callable, Sequence

from executor.compiler.kernels.scalar import Scalar, Value
from executor.wasm.code import Code
from executor.wasm.encoding import F64, Body

LN2_HIGH = float.fromhex("0x1.62e42fee00000p-1")
"""ln 2 cut to 32 bits, so that n·LN2_HIGH is exact."""
LN2_LOW = float.fromhex("0x1.a39ef35793c76p-33")
HALF_PI = (
    float.fromhex("0x1.921fb54400000p+0"),
    float.fromhex("0x1.0b4611a600000p-34"),
    float.fromhex("0x1.3198a2e037073p-69"),
)
"""π/2 in three parts; the first two are cut to 33 bits."""
SQRT_HALF = math.sqrt(0.5)
E_LOW, E_HIGH = -746.0, 710.0
ERFC_SWITCH, ERF_FAR = 1.0, 6.0
ERFC_TAIL = (
    0.2553956763105059,
    -0.42718584741395776,
    0.2416581942424239,
    -0.07897858101607082,
    0.0037328924099891483,
    0.006997461761626402,
    -0.0008471435452858933,
    -0.0009819774882188037,
    4.3562932094428294e-05,
    0.0001743614579179089,
    2.743358801687748e-05,
    -2.748523124209708e-05,
    -1.3437125165540743e-05,
    3.41273314656527e-07,
    3.0271640868594627e-06,
    4.595266396722658e-06,
    -3.2025024221801384e-06,
)
"""erfc(x)·exp(x²) on 1 ≤ x ≤ 6 as a polynomial in (x − 2)/(x + 2), lowest power first."""
EXPONENT = 0x7FF


def _series(s: Scalar, x: Value, coefficients: Sequence[float]) -> Value:
    """A polynomial by Horner's rule, lowest power first."""
    found = s.number("f64", coefficients[-1])
    for value in reversed(coefficients[:-1]):
        found = found * x + value
    return found


def _power_of_two(n: Value) -> Value:
    """2ⁿ for an i64 −1022 ≤ n ≤ 1023."""
    return (n + 1023).shifted(52).as_float()


def _exp(s: Scalar, x: Value) -> Value:
    x = s.let(x.op("max", E_LOW).op("min", E_HIGH))
    n = s.let((x * math.log2(math.e)).unary("nearest"))
    r = s.let(x - n * LN2_HIGH - n * LN2_LOW)
    p = _series(s, r, [1 / math.factorial(k) for k in range(15)])
    whole = s.let(s.op("i64.trunc_sat_f64_s", n, kind="i64"))
    half = s.let(whole.op("shr_s", 1))
    return p * _power_of_two(half) * _power_of_two(whole - half)


def _log(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    small = s.let(x < 2.0**-1022)
    scaled = s.let(s.select(small, x * 2.0**54, x).as_bits())
    e = s.let((scaled - _bits(SQRT_HALF)).op("shr_s", 52))
    m = s.let((scaled - e.shifted(52)).as_float())
    f = s.let((m - 1.0) / (m + 1.0))
    z = s.let(f * f)
    body = f * 2.0 * _series(s, z, [1 / (2 * k + 1) for k in range(13)])
    n = s.let(
        s.op("f64.convert_i64_s", e, kind="f64")
        - s.select(small, s.number("f64", 54.0), s.number("f64", 0.0))
    )
    found = n * LN2_HIGH + (n * LN2_LOW + body)
    found = s.select(x.compare("eq", math.inf), x, found)
    found = s.select(x.compare("eq", 0.0), s.number("f64", -math.inf), found)
    return s.select(x.compare("ge", 0.0), found, s.number("f64", math.nan))


def _bits(value: float) -> int:
    return int.from_bytes(struct.pack("<d", value), "little")


def _log1p(s: Scalar, x: Value) -> Value:
    """log(1 + x), exact also where 1 + x rounds: log(u)·x/(u − 1) with u the rounded sum (Kahan)."""
    x = s.let(x)
    u = s.let(x + 1.0)
    d = s.let(u - 1.0)
    log = s.let(_log(s, u))
    far = s.select(u.compare("eq", math.inf), log, log * (x / d))
    return s.select(d.compare("eq", 0.0), x, far)


def _reduced(s: Scalar, x: Value) -> tuple[Value, Value]:
    """x = n·π/2 + r: (n as i64, r)."""
    n = s.let((x * (2 / math.pi)).unary("nearest"))
    r = x - n * HALF_PI[0] - n * HALF_PI[1] - n * HALF_PI[2]
    return s.let(s.op("i64.trunc_sat_f64_s", n, kind="i64")), s.let(r)


def _circle(s: Scalar, x: Value, quarter: int) -> Value:
    """sin(x + quarter·π/2)."""
    n, r = _reduced(s, x)
    z = s.let(r * r)
    sine = r * _series(s, z, [(-1) ** k / math.factorial(2 * k + 1) for k in range(10)])
    cosine = _series(s, z, [(-1) ** k / math.factorial(2 * k) for k in range(11)])
    turn = s.let(s.op("i32.wrap_i64", n, kind="i32") + quarter)
    found = s.let(s.select(turn & 1, cosine, sine))
    return s.select(turn & 2, found.negated(), found)


def _sin(s: Scalar, x: Value) -> Value:
    return _circle(s, s.let(x), 0)


def _cos(s: Scalar, x: Value) -> Value:
    return _circle(s, s.let(x), 1)


def _tan(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    return _sin(s, x) / _cos(s, x)


def _atan(s: Scalar, x: Value) -> Value:
    """|x| > 1 by 1/x, then beyond tan(π/8) by (x − 1)/(x + 1)."""
    x = s.let(x)
    size = s.let(x.unary("abs"))
    large = s.let(size > 1.0)
    y = s.let(s.select(large, 1.0 / size, size))
    beyond = s.let(y > math.tan(math.pi / 8))
    z = s.let(s.select(beyond, (y - 1.0) / (y + 1.0), y))
    square = s.let(z * z)
    body = z * _series(s, square, [(-1) ** k / (2 * k + 1) for k in range(22)])
    body = s.let(s.select(beyond, body + math.pi / 4, body))
    found = s.select(large, math.pi / 2 - body, body)
    found = s.select(size.compare("ne", size), size, found)
    return found.op("copysign", x)


def _asin(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    return _atan(s, x / ((1.0 - x) * (x + 1.0)).unary("sqrt"))


def _acos(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    return _atan(s, ((1.0 - x) / (x + 1.0)).unary("sqrt")) * 2.0


def _sinh(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    z = s.let(x * x)
    near = x * _series(s, z, [1 / math.factorial(2 * k + 1) for k in range(10)])
    root = s.let(_exp(s, x.unary("abs") * 0.5))
    far = (root * 0.5 * root - 0.5 / root / root).op("copysign", x)
    return s.select(x.unary("abs") < 1.0, near, far)


def _cosh(s: Scalar, x: Value) -> Value:
    root = s.let(_exp(s, x.unary("abs") * 0.5))
    return root * 0.5 * root + 0.5 / root / root


def _tanh(s: Scalar, x: Value) -> Value:
    x = s.let(x)
    z = s.let(x * x)
    sine = x * _series(s, z, [1 / math.factorial(2 * k + 1) for k in range(10)])
    cosine = _series(s, z, [1 / math.factorial(2 * k) for k in range(11)])
    size = s.let(x.unary("abs"))
    far = (1.0 - 2.0 / (_exp(s, size + size) + 1.0)).op("copysign", x)
    return s.select(size < 1.0, sine / cosine, far)


def _asinh(s: Scalar, x: Value) -> Value:
    size = s.let(x.unary("abs"))
    square = s.let(size * size)
    near = _log1p(s, size + square / ((square + 1.0).unary("sqrt") + 1.0))
    far = _log(s, size) + math.log(2)
    return s.select(size > 1e150, far, near).op("copysign", x)


def _acosh(s: Scalar, x: Value) -> Value:
    d = s.let(x - 1.0)
    return s.select(d > 1e150, _log(s, d) + math.log(2), _log1p(s, d + (d * (d + 2.0)).unary("sqrt")))


def _atanh(s: Scalar, x: Value) -> Value:
    size = s.let(x.unary("abs"))
    return (_log1p(s, (size + size) / (1.0 - size)) * 0.5).op("copysign", x)


def _erf(s: Scalar, x: Value) -> Value:
    """Taylor below 1; beyond, 1 − exp(−x²)·Q((x − 2)/(x + 2)) with Q fitted to erfc(x)·exp(x²)."""
    x = s.let(x)
    size = s.let(x.unary("abs"))
    z = s.let(x * x)
    terms = [2 / math.sqrt(math.pi) * (-1) ** k / (math.factorial(k) * (2 * k + 1)) for k in range(21)]
    near = x * _series(s, z, terms)
    t = s.let((size - 2.0) / (size + 2.0))
    tail = (1.0 - _exp(s, z.negated()) * _series(s, t, ERFC_TAIL)).op("copysign", x)
    one = s.number("f64", 1.0).op("copysign", x)
    found = s.select(size < ERFC_SWITCH, near, s.select(size > ERF_FAR, one, tail))
    return s.select(x.compare("ne", x), x, found)


def _pow(s: Scalar, x: Value, y: Value) -> Value:
    """|x|ʸ = exp(y·log|x|), with the sign of an odd whole power; xʸ of a negative x and a broken y is NaN."""
    x, y = s.let(x), s.let(y)
    size = s.let(_exp(s, y * _log(s, x.unary("abs"))))
    whole = s.let(y.unary("trunc").compare("eq", y))
    half = s.let(y * 0.5)
    odd = s.let(whole & half.unary("trunc").compare("ne", half))
    signed = s.select(odd, size.op("copysign", x), size)
    negative = x.compare("lt", 0.0) & x.unary("abs").compare("ne", math.inf)
    found = s.select(negative & (whole.compare("eq", 0)), s.number("f64", math.nan), signed)
    one = s.number("f64", 1.0)
    found = s.select(y.compare("eq", 0.0) | x.compare("eq", 1.0), one, found)
    # (−1)^±∞ = 1, which ∞·log 1 = NaN hides.
    flat = x.compare("eq", -1.0) & y.unary("abs").compare("eq", math.inf)
    found = s.select(flat, one, found)
    return s.select(x.compare("ne", x) & y.compare("ne", 0.0), x, found)


UNARY: dict[str, Callable[[Scalar, Value], Value]] = {
    "exp": _exp, "log": _log, "sin": _sin, "cos": _cos, "tan": _tan, "asin": _asin, "acos": _acos,
    "atan": _atan, "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "asinh": _asinh, "acosh": _acosh,
    "atanh": _atanh, "erf": _erf,
}  # fmt: skip
NAMES = (*UNARY, "pow")


def written(name: str) -> tuple[Body, int]:
    """The function of a name as wasm, and its fuel."""
    count = 2 if name == "pow" else 1
    code = Code([F64] * count, [F64])
    s = Scalar(code)
    inputs = [s.local(index, "f64") for index in range(count)]
    found = _pow(s, *inputs) if name == "pow" else UNARY[name](s, inputs[0])
    found.push()
    return code.body(), code.fuel
