"""Sums: over axes, over the rows of a batch, on privacy's integer grid."""

from executor.compiler.ir import Node
from executor.compiler.kernels.grid import GridOuter, GridSum, Lines, Noised
from executor.compiler.kernels.reduction import BatchSum, Reduce
from executor.compiler.lowering.places import Leaves, Places, ints, pair
from executor.compiler.op import Op


def reduce(at: Places, node: Node, leaves: Leaves) -> None:
    """A sum or maximum over axes of what is computed from `leaves`."""
    (value,), axes = node.inputs, ints(node.attrs[0])
    at.add(Reduce(at.name("reduce"), node.op, value, leaves, axes, at.new(node)))


def batch_sum(at: Places, node: Node, leaves: Leaves) -> None:
    """A sum over the rows of what is computed from `leaves`."""
    at.add(BatchSum(at.name("batch sum"), node.inputs[0], leaves, at.new(node)))


def grid_sum(at: Places, node: Node) -> None:
    """Rows' gradients, or their factors, as whole numbers added up."""
    kind = GridSum if node.op is Op.GRID_SUM else GridOuter
    left, right = (at.contiguous(item) for item in node.inputs)
    at.add(kind(at.name(node.op.name.lower()), left, right, at.new(node)))


def noised(at: Places, node: Node) -> None:
    """Integer sums and their noise to a mean."""
    name, place, factor, parts = node.attrs
    assert isinstance(factor, float)
    (item,), noise = node.inputs, at.places[str(name)]
    lines, start = pair(parts)
    summed = Lines(at.contiguous(item), lines, item.size // lines, start)
    at.add(Noised(at.name("noised"), summed, noise, pair(place), factor, at.new(node)))
