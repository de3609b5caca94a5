"""Fourier transforms, as products with matrices of cosines and sines that are known from the length."""

import numpy as np
from numpy.typing import NDArray

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.errors import ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.movement import part
from executor.ops.table import operator
from executor.ops.values import Ints, feature_axis, ints, whole

LENGTH_MAX = 1 << 11
F64 = NDArray[np.float64]


@operator("DFT", since=17)
def dft_17(
    x: Node, length: Ints | None = None, *, axis: int = 1, inverse: int = 0, onesided: int = 0
) -> Node:
    return dft(x, length, ints(axis), inverse=inverse, onesided=onesided)


@operator("DFT", since=20)
def dft(
    x: Node, length: Ints | None = None, axis: Ints | None = None, *, inverse: int = 0, onesided: int = 0
) -> Node:
    """[…, n, 1 or 2] → […, n, 2]; onesided: the first half of a real signal's spectrum, or back from it."""
    place = feature_axis(x, -2 if axis is None else axis.one())
    last = len(x.shape) - 1
    if place == last or x.shape[-1] not in (1, 2) or not x.dtype.floating:
        raise ShapeMismatch("DFT wants numbers of one or two parts along its last dimension")
    given = x.shape[place]
    back = inverse and onesided
    count = length.one() if length is not None else 2 * (given - 1) if back else given
    if not 1 <= count <= LENGTH_MAX:
        raise TooLarge(f"a Fourier transform of length {count}; {LENGTH_MAX} are allowed")
    if inverse and not onesided:
        # ONNX's own test wants the float32 rounding of one certain algorithm where the result is zero.
        raise UnsupportedAttribute("the inverse DFT of a whole spectrum")
    x = _fitted(x, place, count // 2 + 1 if back else count)
    real, imaginary = part(x, last, 0, 1), part(x, last, 1, 1) if x.shape[-1] == 2 else None
    if back:
        return _from_half(real, imaginary, place, count)
    rows = count // 2 + 1 if onesided else count
    angle = 2 * np.pi / count * np.outer(np.arange(rows), np.arange(count))
    cosine, sine = np.cos(angle), np.sin(angle)
    a, b = _times(real, place, cosine), -_times(real, place, sine)
    if imaginary is not None:
        a, b = a + _times(imaginary, place, sine), b + _times(imaginary, place, cosine)
    return ir.concat([a, b], last)


def _fitted(x: Node, place: int, size: int) -> Node:
    """Cut, or padded with zeros."""
    if x.shape[place] >= size:
        return part(x, place, 0, size)
    after = [0] * len(x.shape)
    after[place] = size - x.shape[place]
    return ir.pad(x, [0] * len(x.shape), after)


def _from_half(real: Node, imaginary: Node | None, place: int, count: int) -> Node:
    """A real signal from the first half of its spectrum: the other half mirrors it."""
    half = np.arange(count // 2 + 1)
    weight = np.where((half == 0) | (2 * half == count), 1.0, 2.0) / count
    angle = 2 * np.pi / count * np.outer(np.arange(count), half)
    y = _times(real, place, np.cos(angle) * weight)
    return y if imaginary is None else y - _times(imaginary, place, np.sin(angle) * weight)


def _times(x: Node, place: int, matrix: F64) -> Node:
    """Σ over an axis with a constant matrix [rows, size]."""
    order = [axis for axis in range(len(x.shape)) if axis != place] + [place]
    moved, shares = ir.permute(x, order), ir.array(matrix, x.dtype)
    if x.batched:
        y = ir.dot(moved, shares, "ok")
    else:
        flat = ir.reshape(moved, (x.size // x.shape[place], x.shape[place]))
        y = ir.reshape(ir.matmul(flat, ir.transpose(shares)), (*moved.shape[:-1], len(matrix)))
    return ir.permute(y, [order.index(axis) for axis in range(len(order))])


@operator("STFT", since=17)
def stft(
    signal: Node, step: Ints, window: Node | None = None, length: Ints | None = None, *, onesided: int = 1
) -> Node:
    """[batch, n, 1 or 2] → [batch, frames, bins, 2]."""
    if len(whole(signal).shape) != 3:
        raise ShapeMismatch("STFT wants [batch, samples, parts]")
    size = length.one() if length is not None else window.size if window is not None else 0
    hop, samples = step.one(), signal.shape[1]
    if not 1 <= size <= samples or hop < 1:
        raise ShapeMismatch(f"frames of {size} samples every {hop} in {samples}")
    if (samples - size) // hop >= LENGTH_MAX:
        raise TooLarge("STFT of many frames")
    if onesided and signal.shape[2] == 2:
        raise UnsupportedAttribute("a onesided STFT of complex numbers")
    frames = []
    for first in range(0, samples - size + 1, hop):
        one = part(signal, 1, first, size)
        if window is not None:
            one = one * ir.reshape(window, (1, size, 1))
        frames.append(ir.reshape(one, (one.shape[0], 1, *one.shape[1:])))
    return dft(ir.concat(frames, 1), None, ints(2), onesided=onesided)
