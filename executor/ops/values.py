"""What flows along the edges of an ONNX graph while it is read: tensors, or integers that are known now.

Either turns into the other where an operator wants it: known integers become a constant tensor, and a tensor
that depends on constants only is folded into known integers.

PyTorch computes shapes with operators (Shape → Gather → Concat → Reshape); such values are small arrays of
integers, in which `BATCH` stands for the size of the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from executor.compiler import fold, ir
from executor.compiler.ir import Node
from executor.compiler.types import DType
from executor.errors import DynamicShape, ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.aside import Aside
from executor.ops.batch import Batch

Integer = int | Batch
INTEGERS_MAX = 4096
"""Elements of an integer tensor: they are shapes, axes, indices, not data."""
INT64 = range(-(2**63), 2**63)


@dataclass(frozen=True, eq=False)
class Ints:
    """Integers known now, with a shape: an array of Python ints and BATCH.

    Few and of 64 bits, as ONNX has them: a short model could else double a list, or square a number, until
    the memory is full. Raises TooLarge.
    """

    array: NDArray[np.object_]
    dtype: DType = DType.I64

    def __post_init__(self) -> None:
        if self.array.size > INTEGERS_MAX:
            raise TooLarge(f"an integer tensor of more than {INTEGERS_MAX} elements")
        if any(isinstance(item, int) and item not in INT64 for item in self.array.reshape(-1).tolist()):
            raise TooLarge("an integer of more than 64 bits")

    @property
    def of_batch(self) -> bool:
        """Whether the size of the batch is among them."""
        return any(isinstance(item, Batch) for item in self.array.reshape(-1).tolist())

    def exact(self) -> list[int]:
        """The numbers. Raises DynamicShape where the batch is among them."""
        values = [item for item in self.array.reshape(-1).tolist() if isinstance(item, int)]
        if len(values) != self.array.size:
            raise DynamicShape("a number that must be known depends on the size of the batch")
        return values

    def one(self) -> int:
        """A single number."""
        values = self.exact()
        if len(values) != 1:
            raise ShapeMismatch("a single number is wanted")
        return values[0]

    def reshaped(self, sizes: Sequence[int]) -> "Ints":
        """The same integers in another shape. Raises ShapeMismatch."""
        if len(sizes) > ir.RANK_MAX or any(size < 0 for size in sizes) or prod(sizes) != self.array.size:
            raise ShapeMismatch(f"{self.array.size} integers are reshaped to {list(sizes)[: ir.RANK_MAX]}")
        return Ints(self.array.reshape(tuple(sizes)), self.dtype)


Value = Node | Ints | Aside
Values = tuple[Value | None, ...]
"""What an operator with several outputs gives."""


def ints(values: object, dtype: DType = DType.I64) -> Ints:
    """Integers from nested lists or an array."""
    source = values.tolist() if isinstance(values, np.ndarray) else values
    return Ints(np.array(source, dtype=np.object_), dtype)


def tensor(value: Value) -> Node:
    """A tensor; known integers become a constant. Raises DynamicShape where the batch is among them."""
    if isinstance(value, Ints):
        values = np.array(value.exact(), dtype=value.dtype.numpy)
        return ir.array(values.reshape(value.array.shape), value.dtype)
    if isinstance(value, Aside):
        raise UnsupportedAttribute("an operator on a tensor whose batch is not its first dimension")
    return value


def folded(value: Value) -> NDArray[Any] | None:
    """The array of a value that is known now; None if it depends on data."""
    if isinstance(value, Ints):
        return np.array(value.exact(), dtype=value.dtype.numpy).reshape(value.array.shape)
    return None if isinstance(value, Aside) else fold.folded(value)


def unknown(value: Value) -> DynamicShape:
    """The refusal of a shape that depends on data; `inputs` names the graph inputs among them."""
    error = DynamicShape("a shape, axis or index depends on data")
    if isinstance(value, Node):
        error.inputs = fold.inputs_of(value)
    return error


def integers(value: Value) -> Ints:
    """Integers known now. Raises DynamicShape."""
    if isinstance(value, Ints):
        return value
    found = folded(value)
    if found is None or isinstance(value, Aside) or value.dtype.floating:
        raise unknown(value)
    return ints(found.astype(np.int64), DType.I64)


def numbers(value: Value) -> list[float]:
    """Numbers of any type, known now. Raises DynamicShape."""
    found = folded(value)
    if found is None:
        raise unknown(value)
    return [float(item) for item in found.reshape(-1)]


def whole(x: Node) -> Node:
    """The tensor, if it is none of a batch. Raises UnsupportedAttribute."""
    if x.batched:
        raise UnsupportedAttribute("an operator works across the rows of the batch")
    return x


def rank(x: Node) -> int:
    """Dimensions as ONNX counts them: the batch is one."""
    return len(x.shape) + x.batched


def feature_axis(x: Node, axis: int) -> int:
    """An ONNX axis as a feature axis. Raises ShapeMismatch, or UnsupportedAttribute for the batch itself."""
    total = rank(x)
    if not -total <= axis < total:
        raise ShapeMismatch(f"axis {axis} of a tensor with {total} dimensions")
    axis = axis % total - x.batched
    if axis < 0:
        raise UnsupportedAttribute("an operator works across the rows of the batch")
    return axis


def feature_axes(x: Node, axes: list[int]) -> list[int]:
    """Several axes, each once."""
    found = [feature_axis(x, axis) for axis in axes]
    if len(set(found)) != len(found):
        raise ShapeMismatch("an axis is named twice")
    return found


def aligned(*values: Node) -> tuple[Node, ...]:
    """Operands of an elementwise operator: numpy's rule on whole shapes becomes ours on features.

    An unbatched operand may have a leading 1 where the others have the batch. Batched operands of different
    rank would line the batch of one up with a feature of the other: refused.
    """
    batched = [node for node in values if node.batched]
    if not batched:
        return values
    depth = len(batched[0].shape)
    if any(len(node.shape) != depth for node in batched):
        raise ShapeMismatch("batched tensors of different rank do not broadcast")
    return tuple(node if node.batched else _under(node, depth) for node in values)


def _under(node: Node, depth: int) -> Node:
    """An unbatched operand without its batch axis, which must be 1."""
    if len(node.shape) <= depth:
        return node
    if len(node.shape) > depth + 1 or node.shape[0] != 1:
        raise ShapeMismatch(f"a tensor of shape {list(node.shape)} does not broadcast over the batch")
    return ir.reshape(node, node.shape[1:])
