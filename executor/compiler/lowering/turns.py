"""A scan: sequences of what the turns give, slots for what one turn sees, a loop over the body."""

from collections.abc import Callable, Sequence

from executor.compiler import ir
from executor.compiler.ir import Node
from executor.compiler.kernels.base import Buffer, Kernel, View, c_strides
from executor.compiler.kernels.scan import Loop, TurnCopy
from executor.compiler.lowering.places import Places
from executor.compiler.op import Op
from executor.compiler.scan import Body, body_of, turns_of


def scan(at: Places, inner: Places, schedule: Callable[[Sequence[Node]], list[Buffer]], node: Node) -> None:
    """Lower a SCAN. `schedule` schedules the body on `inner`, which has no kernels yet, and gives where its
    results lie."""
    body, (turns, backwards) = body_of(node), turns_of(node)
    first = len(body.carried)
    second = first + len(body.scanned)
    starts, sequences, shared = node.inputs[:first], node.inputs[first:second], node.inputs[second:]
    inner.constants, inner.prefix = at.constants, at.name("scan") + "."
    for item, outside in zip(body.shared, shared, strict=True):
        inner.outside[item] = at, outside
    carried = [inner.slot(item) for item in body.carried]
    for item, start, place in zip(body.carried, starts, carried, strict=True):
        whole = View(place, item.shape, c_strides(item.shape))
        leaf = at.leaf_of(start)
        value = ir.make(Op.SLOT, (), item.shape, item.batched, "start")
        at.add(at.elementwise(value, ((value, whole),), {value: leaf}, "start"))
    before: list[Kernel] = []
    for item, outside in zip(body.scanned, sequences, strict=True):
        whole_sequence, place = at.contiguous(outside), inner.slot(item)
        before.append(TurnCopy(at.name("turn"), whole_sequence, place, False))
    found = schedule((*body.next, *body.given))
    after: list[Kernel] = []
    for number, (value, part) in enumerate(zip(body.given, found[first:], strict=True)):
        buffer = Buffer(at.name("sequence"), turns * value.size, value.batched)
        at.parts[node, "given", number] = buffer
        after.append(TurnCopy(at.name("turn"), buffer, part, True))
    kernels = [*before, *inner.kernels, *after, *moves(inner, body, found[:first], carried)]
    at.parts.update(((node, "carried", number), place) for number, place in enumerate(carried))
    at.add(Loop(at.name("scan"), tuple(kernels), turns, backwards))


def moves(at: Places, body: Body, found: Sequence[Buffer], carried: Sequence[Buffer]) -> list[Kernel]:
    """New carried values into their slots, once nothing reads the old ones; what lies in a slot itself is
    taken out first."""
    at.kernels = []

    def copy(source: Buffer, target: Buffer, like: Node) -> None:
        mark = ir.make(Op.SLOT, (), like.shape, like.batched, "next")
        from_, to = (View(buffer, like.shape, c_strides(like.shape)) for buffer in (source, target))
        at.add(at.elementwise(mark, ((mark, to),), {mark: from_}, "next"))

    changed = [(a, b, like) for a, b, like in zip(found, carried, body.carried, strict=True) if a is not b]
    sources = []
    for source, _, like in changed:
        if source in carried:
            held = Buffer(at.name("held"), like.size, like.batched)
            copy(source, held, like)
            sources.append(held)
        else:
            sources.append(source)
    for source, (_, target, like) in zip(sources, changed, strict=True):
        copy(source, target, like)
    return at.kernels
