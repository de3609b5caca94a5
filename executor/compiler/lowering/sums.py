"""Sums: over axes, over the rows of a batch, on privacy's integer grid."""

from executor.compiler.ir import Node
from executor.compiler.kernels.grid import GridOuter, GridSum, Lines, Noised
from executor.compiler.kernels.reduction import BatchSum, Reduce
from executor.compiler.lowering.places import Places, ints, pair
from executor.compiler.op import Op


def reduce(at: Places, node: Node) -> None:
    """A sum or maximum over axes."""
    source, axes = at.view(node.inputs[0]), ints(node.attrs[0])
    at.add(Reduce(at.name("reduce"), node.op, source, axes, at.new(node), node.batched))


def batch_sum(at: Places, node: Node) -> None:
    """A sum over the rows."""
    at.add(BatchSum(at.name("batch sum"), at.view(node.inputs[0]), at.new(node)))


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
