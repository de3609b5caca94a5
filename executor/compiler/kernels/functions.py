"""Elementary functions on four float32 lanes, as straight-line code: no tables, no branches, no libm.

Polynomials are our own minimax fits (Lawson's iteration on Chebyshev nodes), rounded to float32. Largest
errors found over float32's range, pinned by tests/executor/test_compile_functions.py: exp 0.98 ulp, log 0.78,
tanh 1.26, sigmoid 2.02, erf 0.94. Every NaN input gives a NaN. The order of operations is part of NUMERICS.
"""

import math
from collections.abc import Sequence

from executor.compiler.kernels.abreast import Abreast
from executor.wasm.code import Code

Writer = Code | Abreast

LOG2_E = 1.4426950408889634
LN2_HIGH = 0.693115234375
"""ln 2 cut to 12 bits, so that n·LN2_HIGH is exact."""
LN2_LOW = 3.194618329871446e-05
EXP = (
    0.00019917971803806722,
    0.0013946190010756254,
    0.008333264850080013,
    0.041666269302368164,
    0.1666666716337204,
    0.5,
)
"""(eʳ − 1 − r) / r² on |r| ≤ ln 2 / 2, highest power first."""
EXP_LOW, EXP_HIGH = -104.0, 89.0
EXP_WITHIN = 80.0
EXPONENT_BIAS, FRACTION_BITS = 127, 23
ROUNDING, ROUNDING_BITS = 12582912.0, 0x4B400000
"""1½·2²³: what is added to it is rounded to a whole number, ties to even, that stands in the lowest bits."""
LOG = (
    0.06915368139743805, -0.11789807677268982, 0.11872976273298264, -0.1238434836268425, 0.14218658208847046,
    -0.16669251024723053, 0.20002226531505585, -0.24999986588954926, 0.3333331048488617,
)  # fmt: skip
"""(log(1+f) − f + f²/2) / f³ on √½ ≤ 1+f ≤ √2, highest power first."""
SQRT_HALF = 0x3F3504F3
SMALLEST_NORMAL = 0x00800000
TANH = (
    -0.005717036779969931,
    0.020650578662753105,
    -0.05374349653720856,
    0.13331490755081177,
    -0.3333328366279602,
)
"""(tanh x / x − 1) / x² as a polynomial in x², |x| < TANH_SWITCH, highest power first."""
TANH_SWITCH = 0.625
ERF = (
    -0.0005990853533148766, 0.004993180278688669, -0.026766616851091385, 0.1128181591629982,
    -0.37612494826316833, 0.12837915122509003,
)  # fmt: skip
"""erf x / x − 1 as a polynomial in x², |x| < ERF_SWITCH, highest power first."""
ERFC = (
    0.00021392300550360233, -0.0032144440338015556, 0.022888319566845894, -0.10525926947593689,
    -0.6357202529907227, -1.1285138130187988,
)  # fmt: skip
"""ln(1 − erf x) / x, ERF_SWITCH ≤ x ≤ ERF_END, highest power first."""
ERF_SWITCH, ERF_END = 0.921875, 4.0
"""Beyond the end 1 − erf x is less than half a unit in the last place of 1."""
SIGN = 0x80000000
LARGEST = 3.4028234663852886e38


def _polynomial(code: Writer, x: int, coefficients: Sequence[float]) -> None:
    """Horner's rule with fused steps."""
    code.splat(coefficients[0])
    for value in coefficients[1:]:
        code.get(x)
        code.splat(value)
        code.op("f32x4.relaxed_madd")


def _power_of_two(code: Writer, biased: int) -> None:
    """Push 2ⁿ for the integers n + EXPONENT_BIAS in a local, −126 ≤ n ≤ 127."""
    code.get(biased)
    code.i32(FRACTION_BITS)
    code.op("i32x4.shl")


def exp(code: Writer) -> None:
    """Replace x on the stack by eˣ. x = n·ln 2 + r; 2ⁿ in two factors, so that the ends of the range are
    right."""
    code.splat(EXP_LOW)
    code.op("f32x4.pmax")
    code.splat(EXP_HIGH)
    code.op("f32x4.pmin")
    rounded, n, half = _exp_of_fraction(code), code.local(), code.local()
    code.get(rounded)
    code.splat_bits(ROUNDING_BITS - 2 * EXPONENT_BIAS)
    code.op("i32x4.sub")
    code.tee(n)
    code.i32(1)
    code.op("i32x4.shr_s")
    code.set(half)
    _power_of_two(code, half)
    code.op("f32x4.mul")
    code.get(n)
    code.get(half)
    code.op("i32x4.sub")
    code.set(n)
    _power_of_two(code, n)
    code.op("f32x4.mul")
    code.release(rounded, n, half)


def _exp_within(code: Writer) -> None:
    """The same for |x| ≤ EXP_WITHIN, where 2ⁿ is a normal number; the same bits as `exp`."""
    rounded = _exp_of_fraction(code)
    code.get(rounded)
    code.splat_bits(ROUNDING_BITS - EXPONENT_BIAS)
    code.op("i32x4.sub")
    code.set(rounded)
    _power_of_two(code, rounded)
    code.op("f32x4.mul")
    code.release(rounded)


def _exp_of_fraction(code: Writer) -> int:
    """Replace x on the stack by eʳ; a local with n + 1½·2²³. What a NaN makes of n is of no account: the
    polynomial is a NaN too."""
    n, r, rounded = code.local(), code.local(), code.local()
    code.tee(r)
    code.splat(LOG2_E)
    code.op("f32x4.mul")
    # Neither `nearest` nor a conversion to integers, which takes seven instructions.
    code.splat(ROUNDING)
    code.op("f32x4.add")
    code.tee(rounded)
    code.splat(ROUNDING)
    code.op("f32x4.sub")
    code.tee(n)
    code.splat(LN2_HIGH)
    code.get(r)
    code.op("f32x4.relaxed_nmadd")
    code.set(r)
    code.get(n)
    code.splat(LN2_LOW)
    code.get(r)
    code.op("f32x4.relaxed_nmadd")
    code.set(r)
    _polynomial(code, r, EXP)
    code.get(r)
    code.get(r)
    code.op("f32x4.mul")
    code.get(r)
    code.op("f32x4.relaxed_madd")
    code.splat(1.0)
    code.op("f32x4.add")
    code.release(n, r)
    return rounded


def log(code: Writer) -> None:
    """Replace x on the stack by ln x: 0 gives −∞, negative numbers NaN, +∞ itself. Subnormals are scaled
    first."""
    x, m, e, f, square = (code.local() for _ in range(5))
    code.set(x)
    _scaled_if_subnormal(code, x, m)
    code.get(m)
    code.splat_bits(SQRT_HALF)
    code.op("i32x4.sub")
    code.i32(23)
    code.op("i32x4.shr_s")
    code.set(e)
    code.get(m)
    code.get(e)
    code.i32(23)
    code.op("i32x4.shl")
    code.op("i32x4.sub")
    code.splat(1.0)
    code.op("f32x4.sub")
    code.set(f)
    code.get(e)
    code.op("f32x4.convert_i32x4_s")
    code.splat(23.0)
    code.get(x)
    code.splat_bits(SMALLEST_NORMAL)
    code.op("f32x4.lt")
    code.op("v128.and")
    code.op("f32x4.sub")
    code.set(e)
    code.get(f)
    code.get(f)
    code.op("f32x4.mul")
    code.set(square)
    _polynomial(code, f, LOG)
    code.get(f)
    code.op("f32x4.mul")
    code.splat(-0.5)
    code.op("f32x4.add")
    code.get(square)
    code.op("f32x4.mul")
    code.set(m)
    code.get(e)
    code.splat(LN2_LOW)
    code.get(m)
    code.op("f32x4.relaxed_madd")
    code.get(f)
    code.op("f32x4.add")
    code.set(m)
    code.get(e)
    code.splat(LN2_HIGH)
    code.get(m)
    code.op("f32x4.relaxed_madd")
    code.set(m)
    _log_ends(code, x, m)
    code.release(x, m, e, f, square)


def _scaled_if_subnormal(code: Writer, x: int, out: int) -> None:
    """out = x·2²³ where x is below the smallest normal number, else x."""
    code.get(x)
    code.splat(8388608.0)
    code.op("f32x4.mul")
    code.get(x)
    code.get(x)
    code.splat_bits(SMALLEST_NORMAL)
    code.op("f32x4.lt")
    code.op("v128.bitselect")
    code.set(out)


def _log_ends(code: Writer, x: int, result: int) -> None:
    """Push `result`, corrected where x is 0 (−∞), negative (NaN), +∞ or NaN (itself)."""
    code.splat(-math.inf)
    code.get(result)
    code.get(x)
    code.get(x)
    code.splat(LARGEST)
    code.op("f32x4.le")
    code.op("v128.bitselect")
    code.get(x)
    code.splat(0.0)
    code.op("f32x4.eq")
    code.op("v128.bitselect")
    code.get(x)
    code.splat(0.0)
    code.op("f32x4.lt")
    code.op("v128.or")


def _size(code: Writer) -> None:
    """Replace x on the stack by |x|: a mask that is loaded once for all vectors takes less than `f32x4.abs`,
    which makes it anew for each."""
    code.splat_bits(SIGN - 1)
    code.op("v128.and")


def _signed(code: Writer, x: int) -> None:
    """Give what is on the stack, which has none, the sign of x."""
    code.get(x)
    code.splat_bits(SIGN)
    code.op("v128.and")
    code.op("v128.or")


def _squared(code: Writer, x: int) -> None:
    """Put x² on the stack."""
    code.get(x)
    code.get(x)
    code.op("f32x4.mul")


def _where_below(code: Writer, x: int, bound: float) -> None:
    """Of two values on the stack keep the first where |x| is below the bound, else the second."""
    code.get(x)
    _size(code)
    code.splat(bound)
    code.op("f32x4.lt")
    code.op("v128.bitselect")


def tanh(code: Writer) -> None:
    """Replace x on the stack by tanh x: a polynomial near zero, 1 − 2/(e²ˣ + 1) with the sign put back
    elsewhere."""
    x, size, square, far = (code.local() for _ in range(4))
    code.tee(x)
    _size(code)
    code.set(size)
    code.splat(1.0)
    code.splat(2.0)
    code.get(size)
    code.get(size)
    code.op("f32x4.add")
    # Long before the bound the result is 1.
    code.splat(EXP_WITHIN)
    code.op("f32x4.pmin")
    _exp_within(code)
    code.splat(1.0)
    code.op("f32x4.add")
    code.op("f32x4.div")
    code.op("f32x4.sub")
    _signed(code, x)
    code.set(far)
    # What is used near zero comes last, so that less is kept while eˣ is computed.
    _squared(code, x)
    code.set(square)
    _polynomial(code, square, TANH)
    code.get(square)
    code.op("f32x4.mul")
    code.get(x)
    code.get(x)
    code.op("f32x4.relaxed_madd")
    code.get(far)
    _where_below(code, x, TANH_SWITCH)
    code.release(x, size, square, far)


def erf(code: Writer) -> None:
    """Replace x on the stack by erf x: a polynomial near zero, 1 − e^(x·polynomial) with the sign put back
    elsewhere."""
    x, size, square, far = (code.local() for _ in range(4))
    code.tee(x)
    _size(code)
    code.splat(ERF_END)
    code.op("f32x4.pmin")
    code.set(size)
    code.splat(1.0)
    _polynomial(code, size, ERFC)
    code.get(size)
    code.op("f32x4.mul")
    _exp_within(code)
    code.op("f32x4.sub")
    _signed(code, x)
    code.set(far)
    # What is used near zero comes last, so that less is kept while eˣ is computed.
    _squared(code, x)
    code.set(square)
    _polynomial(code, square, ERF)
    code.get(x)
    code.get(x)
    code.op("f32x4.relaxed_madd")
    code.get(far)
    _where_below(code, x, ERF_SWITCH)
    code.release(x, size, square, far)


def sigmoid(code: Writer) -> None:
    """Replace x on the stack by 1 / (1 + e⁻ˣ)."""
    code.op("f32x4.neg")
    exp(code)
    shifted = code.local()
    code.splat(1.0)
    code.op("f32x4.add")
    code.set(shifted)
    code.splat(1.0)
    code.get(shifted)
    code.op("f32x4.div")
    code.release(shifted)
