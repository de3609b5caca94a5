"""Sub-graphs: taken or left, and repeated, as far as that is known while the graph is read. Loops are
unrolled."""

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.types import DType
from executor.errors import MalformedGraph, ShapeMismatch, TooLarge, UnsupportedAttribute
from executor.ops.aside import Aside, stacked
from executor.ops.movement import part
from executor.ops.table import Body, operator
from executor.ops.values import Value, Values, folded, numbers, tensor, unknown, whole

TURNS_MAX = 1024


def _truth(condition: Value) -> bool:
    """Raises DynamicShape."""
    known = folded(condition)
    if known is None:
        raise unknown(condition)
    if known.size != 1:
        raise ShapeMismatch("a condition is a single bool")
    return bool(known.reshape(-1)[0])


@operator("If")
def if_(condition: Value, *, then_branch: Body, else_branch: Body) -> Values:
    return tuple(then_branch() if _truth(condition) else else_branch())


@operator("Loop")
def loop(count: Value | None = None, condition: Value | None = None, *state: Value, body: Body) -> Values:
    """The body's values come last but for those that it collects turn by turn."""
    turns = TURNS_MAX + 1 if count is None else int(numbers(count)[0])
    going = True if condition is None else _truth(condition)
    carried: list[Value] = list(state)
    collected: list[list[Value]] = []
    turn = 0
    while going and turn < turns:
        if turn >= TURNS_MAX:
            raise TooLarge(f"a loop of more than {TURNS_MAX} turns")
        again, *found = body(ir.scalar(turn, DType.I64), ir.scalar(True, DType.BOOL), *carried)
        if len(found) < len(carried):
            raise MalformedGraph("a loop's body gives fewer values than it takes")
        carried, extra = found[: len(state)], found[len(state) :]
        collected = collected or [[] for _ in extra]
        for items, item in zip(collected, extra, strict=True):
            items.append(item)
        turn += 1
        going = turn < turns and _truth(again)
    return (*carried, *(_stacked(items, 0, False) for items in collected))


def _stacked(items: list[Value], axis: int, backwards: bool) -> Value:
    """Values of all turns along a new axis, which a batch may lie behind."""
    if not items:
        raise UnsupportedAttribute("a loop without turns collects values")
    items = items[::-1] if backwards else items
    of_batch = [
        item for item in items if isinstance(item, Aside) or (isinstance(item, Node) and item.batched)
    ]
    if len(of_batch) == len(items):
        return stacked(of_batch, axis)
    nodes = [whole(tensor(item)) for item in items]
    place = axis % (len(nodes[0].shape) + 1)
    wide = [ir.reshape(item, (*item.shape[:place], 1, *item.shape[place:])) for item in nodes]
    return ir.concat(wide, place)


@operator("Scan", since=9)
def scan(
    *inputs: Value,
    body: Body,
    num_scan_inputs: int,
    scan_input_axes: tuple[int, ...] | None = None,
    scan_input_directions: tuple[int, ...] | None = None,
    scan_output_axes: tuple[int, ...] | None = None,
    scan_output_directions: tuple[int, ...] | None = None,
) -> Values:
    """The body runs along an axis of its last inputs; its last outputs are put together."""
    count = len(inputs) - num_scan_inputs
    if not 0 < num_scan_inputs <= len(inputs):
        raise MalformedGraph(f"Scan over {num_scan_inputs} of {len(inputs)} inputs")
    return _scanned(
        list(inputs[:count]),
        [whole(tensor(item)) for item in inputs[count:]],
        body,
        (scan_input_axes, scan_input_directions, scan_output_axes, scan_output_directions),
    )


Places = tuple[int, ...] | None


def _scanned(
    carried: list[Value], rows: list[Node], body: Body, places: tuple[Places, Places, Places, Places]
) -> Values:
    axes = [axis % len(row.shape) for axis, row in zip(places[0] or (0,) * len(rows), rows, strict=True)]
    senses = places[1] or (0,) * len(rows)
    turns = {row.shape[axis] for axis, row in zip(axes, rows, strict=True)}
    if len(turns) != 1 or max(turns) > TURNS_MAX:
        raise ShapeMismatch(f"Scan over axes of {sorted(turns)} elements")
    length, count = turns.pop(), len(carried)
    collected: list[list[Value]] = []
    for turn in range(length):
        given = []
        for row, axis, sense in zip(rows, axes, senses, strict=True):
            one = part(row, axis, length - 1 - turn if sense else turn, 1)
            given.append(ir.reshape(one, (*row.shape[:axis], *row.shape[axis + 1 :])))
        found = body(*carried, *given)
        carried, extra = found[:count], found[count:]
        collected = collected or [[] for _ in extra]
        for items, item in zip(collected, extra, strict=True):
            items.append(item)
    out_axes = places[2] or (0,) * len(collected)
    out_senses = places[3] or (0,) * len(collected)
    stacked = (
        _stacked(items, axis, bool(sense))
        for items, axis, sense in zip(collected, out_axes, out_senses, strict=True)
    )
    return (*carried, *stacked)


@operator("Scan", since=8)
def scan_8(
    lengths: Value | None, *inputs: Value, body: Body, num_scan_inputs: int, directions: Places = None
) -> Values:
    """Opset 8 repeats the scan for each row of a batch."""
    if lengths is not None:
        raise UnsupportedAttribute("Scan with lengths of each row")
    count = len(inputs) - num_scan_inputs
    tensors = [whole(tensor(item)) for item in inputs]
    results: list[Values] = []
    for row in range(tensors[0].shape[0]):
        one = [ir.reshape(part(item, 0, row, 1), item.shape[1:]) for item in tensors]
        results.append(_scanned(list(one[:count]), one[count:], body, (None, directions, None, None)))
    return tuple(
        _stacked([tensor(item) for item in kind if item is not None], 0, False)
        for kind in zip(*results, strict=True)
    )
