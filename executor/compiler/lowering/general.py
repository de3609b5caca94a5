"""Any type, and the rarer primitives, by loops over single elements: what vector kernels do not cover."""

from executor.compiler.ir import Node
from executor.compiler.kernels import general as loops
from executor.compiler.kernels import indexing, scans
from executor.compiler.kernels.base import View, c_strides
from executor.compiler.kernels.random import Tick, Uniform
from executor.compiler.lowering.places import CELLS, STEPS, Places, ints
from executor.compiler.lowering.windows import pad
from executor.compiler.op import POINTWISE, Op
from executor.errors import UnsupportedType


def general(at: Places, node: Node) -> None:
    """The same by loops over single elements. Raises UnsupportedType."""
    if node.op is Op.PAD:
        pad(at, node)
        return
    if node.op is Op.RANDOM:
        random(at, node)
        return
    if node.op in (Op.PUT, Op.CONCAT):
        (put if node.op is Op.PUT else concat)(at, node)
        return
    sources = tuple(at.view(item) for item in node.inputs)
    name, target = at.name(node.op.name.lower()), at.new(node)
    if node.op in POINTWISE:
        at.add(loops.Pointwise(name, node.op, sources, at.views[node]))
    elif node.op in loops.STARTS:
        at.add(loops.Fold(name, node.op, sources[0], ints(node.attrs[0]), target))
    elif node.op is Op.BATCH_SUM:
        at.add(loops.RowSum(name, sources[0], target))
    elif node.op is Op.MATMUL:
        at.add(loops.Product(name, sources[0], sources[1], target))
    elif node.op is Op.DOT:
        at.add(loops.Product(name, *as_matrices(node, *sources), target))
    elif node.op is Op.ARG:
        axis, last = node.attrs
        assert isinstance(axis, int)
        at.add(scans.Arg(name, sources[0], axis, bool(last), target))
    elif node.op is Op.CUMULATE:
        op, axis, exclusive = node.attrs
        assert isinstance(op, Op) and isinstance(axis, int)
        at.add(scans.Cumulate(name, op, sources[0], axis, bool(exclusive), target))
    elif node.op is Op.RANK:
        at.add(scans.Rank(name, sources[0], target))
    elif node.op is Op.TAKE:
        at.add(indexing.Take(name, sources[0], sources[1], target))
    elif node.op is Op.PUT_SUM:
        at.add(loops.Filled(at.name("fill"), target, 0))
        at.add(indexing.Put(name, Op.ADD, sources[0], sources[1], target, node.shape[0]))
    else:
        raise UnsupportedType(f"{node.op.name} of {node.dtype.value}")


def random(at: Places, node: Node) -> None:
    """Random numbers of the step, whose number is kept in the module from step to step."""
    key, number = node.attrs
    assert isinstance(key, bytes) and isinstance(number, int)
    counter, cells = at.places[STEPS], at.places.get(CELLS)
    if cells is None and not any(isinstance(kernel, Tick) for kernel in at.kernels):
        at.add(Tick("tick", counter))
    name, target = at.name("random"), at.new(node)
    at.add(Uniform(name, key, number, counter, target, node.shape, cells))


def concat(at: Places, node: Node) -> None:
    """Each input copied to its place."""
    (axis,) = node.attrs
    assert isinstance(axis, int)
    target, strides, start = at.new(node), c_strides(node.shape), 0
    for item in node.inputs:
        place = View(target, item.shape, strides, start * strides[axis])
        at.add(at.copy("concat", at.view(item), place))
        start += item.shape[axis]


def put(at: Places, node: Node) -> None:
    """A copy, then the updates at their indices."""
    x, index, updates = (at.view(item) for item in node.inputs)
    (op,) = node.attrs
    assert isinstance(op, Op)
    target = at.new(node)
    at.add(loops.Pointwise(at.name("copy"), Op.IDENTITY, (x,), at.views[node]))
    at.add(indexing.Put(at.name("put"), op, index, updates, target, node.shape[0]))


def as_matrices(node: Node, x: View, w: View) -> tuple[View, View]:
    """Operands of a DOT as those of a product: x [*m, k], w [*1, k, n]."""
    if node.attrs[0] == "ok":
        w = View(w.buffer, w.shape[::-1], w.strides[::-1], w.start)
    lead = len(x.shape) - 2
    if lead < 0:
        x = View(x.buffer, (1, *x.shape), (0, *x.strides), x.start)
    shape, zeros = (*x.shape[:-2], *w.shape), (0,) * max(lead, 0)
    return x, View(w.buffer, shape, (*zeros, *w.strides), w.start)
