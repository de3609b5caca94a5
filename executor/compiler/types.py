"""Element types: what a tensor holds, how wide it is in memory, and in which wasm type it is computed.

Narrow integers are computed in i32 and wrap when they are stored; float16 and bfloat16 are computed in f32
and rounded to nearest, ties to even, when they are stored, as numpy and onnxruntime do. Training is float32.
"""

from enum import Enum

import ml_dtypes
import numpy as np


class DType(Enum):
    """Element types of the IR and of a plan's regions; the value is the name."""

    F32 = "f32"
    F64 = "f64"
    F16 = "f16"
    BF16 = "bf16"
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    BOOL = "bool"

    # Members are few and compared often: identity is enough, and quicker than hashing a string.
    __hash__ = object.__hash__

    @property
    def width(self) -> int:
        """Bytes of an element."""
        return _WIDTHS[self]

    @property
    def numpy(self) -> "np.dtype[np.generic]":
        """The little-endian numpy type."""
        return _NUMPY[self]

    @property
    def onnx(self) -> int:
        """TensorProto.DataType."""
        return _ONNX[self]

    @property
    def wasm(self) -> str:
        """The wasm type in which elements are computed."""
        if self in FLOATS:
            return "f64" if self is DType.F64 else "f32"
        return "i64" if self in (DType.I64, DType.U64) else "i32"

    @property
    def floating(self) -> bool:
        return self in FLOATS

    @property
    def signed(self) -> bool:
        """Floats and signed integers."""
        return self not in UNSIGNED

    @property
    def bits(self) -> int:
        return 8 * self.width

    @property
    def lowest(self) -> float | int:
        """The least value (−∞ of floats): where a maximum starts."""
        if self.floating:
            return float("-inf")
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def highest(self) -> float | int:
        """The greatest value (∞ of floats)."""
        if self.floating:
            return float("inf")
        if self is DType.BOOL:
            return 1
        return (1 << (self.bits - self.signed)) - 1


HALVES = frozenset({DType.F16, DType.BF16})
FLOATS = frozenset({DType.F32, DType.F64}) | HALVES
UNSIGNED = frozenset({DType.U8, DType.U16, DType.U32, DType.U64, DType.BOOL})
INTEGERS = frozenset(DType) - FLOATS - {DType.BOOL}
_WIDTHS = {
    DType.F32: 4, DType.F64: 8, DType.F16: 2, DType.BF16: 2, DType.I8: 1, DType.I16: 2, DType.I32: 4,
    DType.I64: 8, DType.U8: 1, DType.U16: 2, DType.U32: 4, DType.U64: 8, DType.BOOL: 1,
}  # fmt: skip
_NUMPY = {
    item: np.dtype(ml_dtypes.bfloat16 if item is DType.BF16 else name)
    for item, name in {
        DType.F32: "<f4", DType.F64: "<f8", DType.F16: "<f2", DType.BF16: "", DType.I8: "i1", DType.I16:
        "<i2", DType.I32: "<i4", DType.I64: "<i8", DType.U8: "u1", DType.U16: "<u2", DType.U32: "<u4",
        DType.U64: "<u8", DType.BOOL: "?",
    }.items()
}  # fmt: skip
_ONNX = {
    DType.F32: 1, DType.U8: 2, DType.I8: 3, DType.U16: 4, DType.I16: 5, DType.I32: 6, DType.I64: 7,
    DType.BOOL: 9, DType.F16: 10, DType.F64: 11, DType.U32: 12, DType.U64: 13, DType.BF16: 16,
}  # fmt: skip
BY_ONNX = {number: item for item, number in _ONNX.items()}
_BY_NUMPY = {item.numpy: item for item in DType}


def dtype_of(array: "np.ndarray[tuple[int, ...], np.dtype[np.generic]]") -> DType | None:
    """The element type of an array, None for one that is not among ours."""
    return _BY_NUMPY.get(array.dtype.newbyteorder("<"))
