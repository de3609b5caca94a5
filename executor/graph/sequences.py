"""Lists of tensors, as exporters write `split`, `chunk` and `stack`: known while the graph is read.

How long a list is, and which of its tensors is meant, must not depend on data; a list is no graph input or
output. ONNX's definitions: SequenceConstruct, SequenceEmpty, SequenceInsert, SequenceErase, SequenceAt,
SequenceLength, SplitToSequence and ConcatFromSequence (opset 11).
"""

from collections.abc import Callable, Sequence

from executor.errors import MalformedGraph, ShapeMismatch, UnsupportedType
from executor.graph.parse import PORTS_MAX, Step
from executor.ops import apply
from executor.ops.movement import shape_of, slice_, squeeze, unsqueeze
from executor.ops.table import fitting
from executor.ops.values import Value, integers, ints

Listed = tuple[Value, ...]
Lists = dict[str, Listed]
LENGTH_MAX = 1024


def run(step: Step, values: dict[str, Value], lists: Lists, opset: int) -> None:
    """Do a step of `SEQUENCES`. Raises a ModelError."""
    if len(step.outputs) != 1 or not step.outputs[0]:
        raise MalformedGraph(f"{step.op} has one output")
    with fitting(step.op):
        found = SEQUENCES[step.op](Taken(step, values, lists, opset))
    if isinstance(found, tuple):
        if len(found) > LENGTH_MAX:
            raise ShapeMismatch(f"a list of more than {LENGTH_MAX} tensors")
        lists[step.outputs[0]] = found
    else:
        values[step.outputs[0]] = found


class Taken:
    """What a step is given."""

    def __init__(self, step: Step, values: dict[str, Value], lists: Lists, opset: int) -> None:
        self.step, self.values, self.lists, self.opset = step, values, lists, opset

    def tensor(self, place: int) -> Value:
        """An input that is a tensor."""
        found = self.values.get(self._name(place))
        if found is None:
            raise UnsupportedType(f"{self.step.op} takes a tensor as its input {place}")
        return found

    def listed(self) -> Listed:
        """The first input, a list."""
        found = self.lists.get(self._name(0))
        if found is None:
            raise UnsupportedType(f"{self.step.op} of what is no list that the graph makes")
        return found

    def place(self, place: int, default: int, length: int) -> int:
        """An input that is a place in a list of this length, also counted from its end."""
        number = integers(self.tensor(place)).one() if self.has(place) else default
        if not -length <= number < length:
            raise ShapeMismatch(f"place {number} of a list of {length}")
        return number % length

    def has(self, place: int) -> bool:
        return bool(self._name(place))

    def number(self, name: str, default: int | None = None) -> int:
        """An attribute."""
        found = self.step.attributes.get(name, default)
        if not isinstance(found, int):
            raise MalformedGraph(f"{self.step.op} without the attribute {name!r}")
        return found

    def _name(self, place: int) -> str:
        return self.step.inputs[place] if place < len(self.step.inputs) else ""


def _construct(of: Taken) -> Listed:
    return tuple(of.tensor(place) for place in range(len(of.step.inputs)))


def _insert(of: Taken) -> Listed:
    old = of.listed()
    place = integers(of.tensor(2)).one() if of.has(2) else len(old)
    if not -len(old) <= place <= len(old):
        raise ShapeMismatch(f"place {place} of a list of {len(old)}")
    return (*old[:place], of.tensor(1), *old[place:])


def _erase(of: Taken) -> Listed:
    old = of.listed()
    place = of.place(1, -1, len(old))
    return old[:place] + old[place + 1 :]


def _at(of: Taken) -> Value:
    old = of.listed()
    return old[of.place(1, 0, len(old))]


def _split(of: Taken) -> Listed:
    x, axis = of.tensor(0), of.number("axis", 0)
    dims = shape_of(x)
    if not -len(dims) <= axis < len(dims):
        raise ShapeMismatch(f"axis {axis} of a tensor with {len(dims)} dimensions")
    size = dims[axis]
    if not isinstance(size, int):
        raise ShapeMismatch("SplitToSequence across the rows of the batch")
    sizes = _sizes(of, size)
    ends = [sum(sizes[: number + 1]) for number in range(len(sizes))]
    parts = [
        slice_(x, ints([end - part]), ints([end]), ints([axis]))
        for end, part in zip(ends, sizes, strict=True)
    ]
    if not of.has(1) and not of.number("keepdims", 1):
        parts = [squeeze(part, ints([axis])) for part in parts]
    return tuple(parts)


def _sizes(of: Taken, size: int) -> list[int]:
    """Sizes of the parts: each 1, one number for all but a smaller last, or a list."""
    if not of.has(1):
        return [1] * min(size, LENGTH_MAX + 1)
    given = integers(of.tensor(1))
    found = given.exact()
    if given.array.ndim == 0:
        (each,) = found
        if each < 1 or -(-size // each) > LENGTH_MAX:
            raise ShapeMismatch(f"parts of {each} of a dimension of {size}")
        found = [min(each, size - start) for start in range(0, size, each)]
    if sum(found) != size or min(found, default=0) < 0 or len(found) > LENGTH_MAX:
        raise ShapeMismatch(f"a dimension of {size} is split into parts that do not fit")
    return found


def _concat(of: Taken) -> Value:
    parts: Sequence[Value] = of.listed()
    if not 1 <= len(parts) <= PORTS_MAX:
        raise ShapeMismatch(f"a list of {len(parts)} tensors is joined; 1 to {PORTS_MAX} are allowed")
    axis = of.number("axis")
    if of.number("new_axis", 0):
        parts = [unsqueeze(part, ints([axis])) for part in parts]
    found = apply("Concat", max(of.opset, 4), parts, {"axis": axis})
    assert not isinstance(found, tuple)
    return found


SEQUENCES: dict[str, Callable[[Taken], Value | Listed]] = {
    "SequenceConstruct": _construct,
    "SequenceEmpty": lambda of: (),
    "SequenceInsert": _insert,
    "SequenceErase": _erase,
    "SequenceAt": _at,
    "SequenceLength": lambda of: ints(len(of.listed())),
    "SplitToSequence": _split,
    "ConcatFromSequence": _concat,
}
