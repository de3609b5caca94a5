"""The primitives of the tensor IR, one table: what `Node.op` may be, and the families that kernels and
gradients tell apart.

Those up to NOISED have fast kernels for float32; every primitive but the contractions and pools of a batch
has a general kernel for all types (`ir.general`).
"""

from enum import Enum, auto


class Op(Enum):
    """Primitives. The comment gives `attrs`."""

    INPUT = auto()  # name: rows of a region, brought into lanes
    TARGET = auto()  # name, "i32" | "f32"
    ROW_WEIGHT = auto()  # 1 / live rows for live rows, 0 for padding; shape ()
    PARAM = auto()  # name
    NUMBER = auto()  # index: a float of the step from the host's region; shape ()
    CONST = auto()  # bytes of the array; the number that it was made of, if it fits itself to other types
    SLOT = auto()  # a mark: leaf of a body that a SCAN runs (executor/compiler/scan.py)
    # elementwise
    NEG = auto()
    ABS = auto()
    EXP = auto()
    LOG = auto()
    SQRT = auto()
    TANH = auto()
    SIGMOID = auto()
    RELU = auto()
    ERF = auto()
    ADD = auto()
    SUB = auto()
    MUL = auto()
    DIV = auto()
    MAX = auto()
    MIN = auto()
    WHERE_GT = auto()  # (a, b, t, f): t where a > b else f
    WHERE_GE = auto()
    WHERE_EQ = auto()
    # movement
    RESHAPE = auto()
    PERMUTE = auto()  # axes
    EXPAND = auto()
    FLIP = auto()  # axes
    SLICE = auto()  # starts, steps
    PAD = auto()  # before, after, between, fill bits
    # reduction
    SUM = auto()  # axes (kept as size 1)
    MAXIMUM = auto()  # axes (kept as size 1)
    BATCH_SUM = auto()
    # contraction
    DOT = auto()  # (x [*m, k] batched, w): "ok": w is [o, k]; "ko": w is [k, o]
    OUTER = auto()  # (a [*m, i], b [*m, j]) batched -> [i, j], summed over batch and m
    MATMUL = auto()  # (a [*g, m, k], b [*g, k, n]), both batched or both not
    CONV = auto()  # (x [c, h, w] batched, w [o, c/g, kh, kw]): strides, dilations, groups
    CONV_WEIGHT = auto()  # (x, dy) -> [o, c/g, kh, kw]: strides, dilations, groups, kernel
    # loops
    SCAN = auto()  # (carried…, scanned [turns, …]…, shared…): body, turns, backwards; no value of its own
    PART = auto()  # (scan): "given" | "carried", number
    # pooling
    POOL_MAX = auto()  # (x [c, h, w]): kernel, strides, dilations
    POOL_MAX_GRAD = auto()  # (x, y, dy): kernel, strides, dilations, rectified
    # differential privacy: whole numbers on a grid (executor/privacy/grid.py), int32 in f32's place
    GRID_SUM = auto()  # (x batched, s batched ()) -> Σ over rows of round(s·x), int32
    GRID_OUTER = auto()  # (a [i], b [j]) batched -> [i, j]: Σ over rows of round(a·b), int32
    NOISED = auto()  # (int32): noise, (first, all columns), factor, (lines, start): (Σ lines + noise)·factor
    # general kernels only, from here on. Elementwise: computed in the element's own type, or to a type
    CAST = auto()
    NOT = auto()  # bits of an integer, truth of a bool
    SIGN = auto()
    FLOOR = auto()
    CEIL = auto()
    ROUND = auto()  # ties to even
    TRUNC = auto()
    SIN = auto()
    COS = auto()
    TAN = auto()
    ASIN = auto()
    ACOS = auto()
    ATAN = auto()
    SINH = auto()
    COSH = auto()
    ASINH = auto()
    ACOSH = auto()
    ATANH = auto()
    BITS = auto()  # the same bits under another type of the same width
    POW = auto()  # (x, y of any type)
    MOD = auto()  # sign of the divisor
    REMAINDER = auto()  # sign of the dividend
    AND = auto()
    OR = auto()
    XOR = auto()
    SHL = auto()
    SHR = auto()
    GT = auto()
    GE = auto()
    EQ = auto()
    SELECT = auto()  # (bool, then, other)
    # reductions and scans
    MINIMUM = auto()  # axes (kept as size 1)
    PRODUCT = auto()  # axes (kept as size 1)
    ARG = auto()  # index of the largest: axis, last
    CUMULATE = auto()  # Op.ADD | Op.MUL, axis, exclusive
    RANK = auto()  # place of each element in its row (last axis) sorted, the largest first: stable
    # indexing: an index below zero counts from the end, one outside is moved to the nearest inside
    TAKE = auto()  # (x [n, *inner], index [*m]) -> [*m, *inner]
    PUT = auto()  # (x [n, *inner], index [*m], updates [*m, *inner]): Op.ADD | MUL | MAX | MIN | IDENTITY
    PUT_SUM = auto()  # (index [*m], updates [*m, *inner]) batched -> [n, *inner]: summed over the batch
    CONCAT = auto()  # tensors of one shape but for an axis: axis
    IDENTITY = auto()
    RANDOM = auto()  # uniform [0, 1) f32, anew each step: 8 bytes of key, number of the node


UNARY = frozenset({Op.NEG, Op.ABS, Op.EXP, Op.LOG, Op.SQRT, Op.TANH, Op.SIGMOID, Op.RELU, Op.ERF})
BINARY = frozenset({Op.ADD, Op.SUB, Op.MUL, Op.DIV, Op.MAX, Op.MIN})
WHERE = frozenset({Op.WHERE_GT, Op.WHERE_GE, Op.WHERE_EQ})
ELEMENTWISE = UNARY | BINARY | WHERE
"""With vector kernels for float32; they fuse."""
FUNCTIONS = frozenset(
    {
        Op.SIN,
        Op.COS,
        Op.TAN,
        Op.ASIN,
        Op.ACOS,
        Op.ATAN,
        Op.SINH,
        Op.COSH,
        Op.ASINH,
        Op.ACOSH,
        Op.ATANH,
    }
)
COMPARISONS = frozenset({Op.GT, Op.GE, Op.EQ})
POINTWISE = (
    ELEMENTWISE
    | FUNCTIONS
    | COMPARISONS
    | {Op.CAST, Op.BITS, Op.NOT, Op.SIGN, Op.FLOOR, Op.CEIL, Op.ROUND, Op.TRUNC, Op.POW, Op.MOD, Op.REMAINDER}
    | {Op.AND, Op.OR, Op.XOR, Op.SHL, Op.SHR, Op.SELECT, Op.IDENTITY}
)
"""All elementwise primitives."""
MOVEMENT = frozenset({Op.RESHAPE, Op.PERMUTE, Op.EXPAND, Op.FLIP, Op.SLICE})
CONTRACTION = frozenset({Op.DOT, Op.OUTER, Op.CONV, Op.MATMUL})
LEAVES = frozenset({Op.INPUT, Op.TARGET, Op.ROW_WEIGHT, Op.PARAM, Op.NUMBER, Op.CONST, Op.SLOT})
