"""Resizing: along each axis a matrix, known from the sizes, times the tensor.

Coordinates, coefficients and ties are those of ONNX's Resize (opset 19), which its older forms are cases of.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.types import DType
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.batch import BATCH
from executor.ops.movement import along
from executor.ops.table import operator
from executor.ops.values import Ints, Value, numbers, rank

F64 = NDArray[np.float64]
MATRIX_MAX = 1 << 22
"""Elements of a resizing matrix."""


@dataclass(frozen=True)
class Rule:
    """The attributes of a Resize."""

    mode: str = "nearest"
    coordinates: str = "half_pixel"
    nearest: str = "round_prefer_floor"
    cubic: float = -0.75
    antialias: bool = False
    exclude_outside: bool = False
    extrapolation: float = 0.0

    def position(self, x: int, size: int, scale: float, count: int, roi: tuple[float, float]) -> float:
        """Where an element of the result lies among those of the tensor."""
        whole = scale * size
        match self.coordinates:
            case "align_corners":
                return 0.0 if whole == 1 else x * (size - 1) / (whole - 1)
            case "asymmetric":
                return x / scale
            case "tf_crop_and_resize":
                span = (roi[1] - roi[0]) * (size - 1)
                return (span / 2 if whole == 1 else x * span / (whole - 1)) + roi[0] * (size - 1)
            case "pytorch_half_pixel":
                return -0.5 if whole == 1 else (x + 0.5) / scale - 0.5
            case "half_pixel":
                return (x + 0.5) / scale - 0.5
            case "half_pixel_symmetric":
                return size / 2 * (1 - count / whole) + (x + 0.5) / scale - 0.5
        raise UnsupportedAttribute(f"Resize with the coordinates {self.coordinates!r}")

    def coefficients(self, ratio: float, scale: float) -> list[float]:
        """Shares of the nearest elements, of which `ratio` in (0, 1] is the distance from the left one."""
        shrink = min(scale, 1.0) if self.antialias else 1.0
        match self.mode:
            case "nearest":
                return self._nearest(ratio)
            case "linear":
                start = math.floor(-1 / shrink) + 1
                found = [max(0.0, 1 - abs((i - ratio) * shrink)) for i in range(start, 2 - start)]
            case "cubic":
                start = math.floor(-2 / shrink) + 1
                found = [self._cubic(abs(shrink * (i - ratio))) for i in range(start, 2 - start)]
            case _:
                raise UnsupportedAttribute(f"Resize in the mode {self.mode!r}")
        total = sum(found)
        return [item / total for item in found] if self.antialias else found

    def _nearest(self, ratio: float) -> list[float]:
        left = {
            "floor": ratio < 1,
            "ceil": False,
            "round_prefer_floor": ratio <= 0.5,
            "round_prefer_ceil": ratio < 0.5,
        }
        if self.nearest not in left:
            raise UnsupportedAttribute(f"Resize to the nearest by {self.nearest!r}")
        return [1.0, 0.0] if left[self.nearest] else [0.0, 1.0]

    def _cubic(self, x: float) -> float:
        a = self.cubic
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    def matrix(
        self, size: int, count: int, scale: float, roi: tuple[float, float]
    ) -> tuple[F64, NDArray[np.bool_]]:
        """([count, size] shares, which elements lie outside and are extrapolated). Raises TooLarge."""
        if size * count > MATRIX_MAX or count > 1 << 16:
            raise TooLarge(f"a dimension of {size} resized to {count}")
        found, outside = np.zeros((count, size)), np.zeros(count, dtype=np.bool_)
        for x in range(count):
            at = self.position(x, size, scale, count, roi)
            left = math.floor(at)
            ratio = 1.0 if at == left else at - left
            shares = self.coefficients(ratio, scale)
            first = (left if at != left else left - 1) - len(shares) // 2 + 1
            places = [first + k for k in range(len(shares))]
            if self.exclude_outside:
                shares = [s if 0 <= k < size else 0.0 for s, k in zip(shares, places, strict=True)]
                shares = [s / sum(shares) for s in shares]
            for share, place in zip(shares, places, strict=True):
                found[x, min(max(place, 0), size - 1)] += share
            outside[x] = self.coordinates == "tf_crop_and_resize" and not 0 <= at <= size - 1
        return found, outside


def _resized(
    x: Node,
    axes: list[int],
    counts: list[int],
    scales: list[float],
    rois: list[tuple[float, float]],
    rule: Rule,
) -> Node:
    """The tensor with feature axes resized, one after another."""
    beyond: list[tuple[int, NDArray[np.bool_]]] = []
    for place, count, scale, roi in zip(axes, counts, scales, rois, strict=True):
        if count == x.shape[place] and scale == 1.0 and roi == (0.0, 1.0):
            continue
        if not x.shape[place] or count < 1 or scale <= 0:
            raise ShapeMismatch(f"a dimension of {x.shape[place]} resized to {count}")
        shares, outside = rule.matrix(x.shape[place], count, scale, roi)
        if outside.any():
            beyond.append((place, outside))
        if ((shares == 0) | (shares == 1)).all():
            x = along(x, place, ir.array(shares.argmax(axis=1), DType.I64))
        else:
            x = _multiplied(x, place, shares)
    for place, outside in beyond:
        line = ir.reshape(ir.array(outside, DType.BOOL), (len(outside), *(1,) * (len(x.shape) - place - 1)))
        x = ir.select(line, ir.const(rule.extrapolation), x)
    return x


def _multiplied(x: Node, place: int, matrix: F64) -> Node:
    """Σ over an axis with a constant matrix [count, size]."""
    order = [axis for axis in range(len(x.shape)) if axis != place] + [place]
    moved = ir.permute(x, order)
    shares = ir.array(matrix, x.dtype)
    if x.batched:
        y = ir.dot(moved, shares, "ok")
    else:
        flat = ir.reshape(moved, (x.size // x.shape[place], x.shape[place]))
        y = ir.reshape(ir.matmul(flat, ir.transpose(shares)), (*moved.shape[:-1], len(matrix)))
    return ir.permute(y, [order.index(axis) for axis in range(len(order))])


def _places(x: Node, axes: Sequence[int] | None, given: int) -> list[int]:
    """Which ONNX axes the scales or sizes are for."""
    found = list(range(rank(x))) if axes is None else [axis % rank(x) for axis in axes]
    if len(found) != given or len(set(found)) != len(found):
        raise ShapeMismatch(f"{given} scales or sizes for {len(found)} dimensions")
    return found


def _sizes(x: Node, sizes: Value) -> list[int]:
    """Wanted sizes; the first may be the batch's own, which stays as it is."""
    if isinstance(sizes, Ints) and x.batched and sizes.array.reshape(-1)[:1].tolist() == [BATCH]:
        return [1, *Ints(sizes.array.reshape(-1)[1:]).exact()]
    return [int(item) for item in numbers(sizes)]


def _resize(
    x: Node, roi: Value | None, scales: Value | None, sizes: Value | None, axes: Sequence[int] | None,
    policy: str, rule: Rule,
) -> Node:  # fmt: skip
    factors = numbers(scales) if scales is not None else []
    wanted = _sizes(x, sizes) if sizes is not None else []
    if bool(factors) == bool(wanted):
        raise ShapeMismatch("Resize takes scales or sizes")
    places = _places(x, axes, len(factors or wanted))
    spans = numbers(roi) if roi is not None else []
    if rule.coordinates != "tf_crop_and_resize" or not spans:
        spans = [0.0] * len(places) + [1.0] * len(places)
    if len(spans) != 2 * len(places):
        raise ShapeMismatch("a region of interest has two numbers for each dimension")
    if x.batched and places[:1] == [0]:
        if (factors and factors[0] != 1.0) or spans[0] != 0.0 or spans[len(places)] != 1.0:
            raise UnsupportedAttribute("Resize of the batch")
        spans = spans[1 : len(places)] + spans[len(places) + 1 :]
        places, factors, wanted = places[1:], factors[1:], wanted[1:]
    axes_ = [place - x.batched for place in places]
    old = [x.shape[axis] for axis in axes_]
    if wanted:
        factors = [count / max(size, 1) for count, size in zip(wanted, old, strict=True)]
        if policy in ("not_larger", "not_smaller"):
            factor = (min if policy == "not_larger" else max)(factors)
            factors, wanted = [factor] * len(old), [math.floor(factor * size + 0.5) for size in old]
        elif policy != "stretch":
            raise UnsupportedAttribute(f"Resize that keeps the aspect ratio {policy!r}")
    else:
        wanted = [math.floor(factor * size) for factor, size in zip(factors, old, strict=True)]
    count = len(axes_)
    return _resized(x, axes_, wanted, factors, list(zip(spans[:count], spans[count:], strict=True)), rule)


@operator("Upsample", since=7)
def upsample_7(x: Node, *, mode: str = "nearest", scales: tuple[float, ...]) -> Node:
    return upsample(x, ir.array(np.array(scales), DType.F32), mode=mode)


@operator("Upsample", since=9)
def upsample(x: Node, scales: Value, *, mode: str = "nearest") -> Node:
    return _resize(x, None, scales, None, None, "stretch", Rule(mode, "asymmetric", "floor"))


@operator("Resize", since=10)
def resize_10(x: Node, scales: Value, *, mode: str = "nearest") -> Node:
    return _resize(x, None, scales, None, None, "stretch", Rule(mode, "asymmetric", "floor"))


@operator("Resize", since=11)
def resize(
    x: Node,
    roi: Value | None = None,
    scales: Value | None = None,
    sizes: Value | None = None,
    *,
    antialias: int = 0,
    axes: tuple[int, ...] | None = None,
    coordinate_transformation_mode: str = "half_pixel",
    cubic_coeff_a: float = -0.75,
    exclude_outside: int = 0,
    extrapolation_value: float = 0.0,
    keep_aspect_ratio_policy: str = "stretch",
    mode: str = "nearest",
    nearest_mode: str = "round_prefer_floor",
) -> Node:
    rule = Rule(
        mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a, bool(antialias),
        bool(exclude_outside), extrapolation_value,
    )  # fmt: skip
    return _resize(x, roi, scales, sizes, axes, keep_aspect_ratio_policy, rule)
