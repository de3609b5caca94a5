"""From kernels to a module: the memory plan, the functions around the kernels, exact fuel.

`run(steps, last_rows)` calls `step` for each batch; `step` calls the kernels in order; `finish()` replaces
every NaN that may leave by the canonical one, so that payloads, which differ between machines, never show.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from executor.compiler.kernels.base import BLOCK_NUMBER, SLACK, Buffer, Kernel, Lanes
from executor.compiler.kernels.blocks import ByBlock
from executor.compiler.kernels.double import written
from executor.compiler.kernels.nest import Access, Nest
from executor.compiler.kernels.scan import Loop
from executor.compiler.plan import PAGE, PROGRESS_PITCH
from executor.compiler.types import HALVES, DType
from executor.errors import TooLarge
from executor.wasm.code import Code
from executor.wasm.encoding import I32, Body, module

MEMORY_MAX = 1 << 30
"""Bytes of linear memory that a plan may have."""
CANONICAL_NANS = {
    DType.F32: (0x7FC00000).to_bytes(4, "little"),
    DType.F64: (0x7FF8 << 48).to_bytes(8, "little"),
    DType.F16: (0x7E00).to_bytes(2, "little"),
    DType.BF16: (0x7FC0).to_bytes(2, "little"),
}
MODULE_MAX = 16 << 20
"""Bytes of code: what a host compiles in a few seconds."""
ALIGNMENT = 32
FIRST = 64
"""Address of the first buffer; nothing lies at 0."""
PARAMETERS = 3


@dataclass(frozen=True)
class Program:
    """A module and its exact costs."""

    module: bytes
    memory: int
    fuel_per_step: int
    fuel_per_call: int
    fuel_of_finish: int
    kernels: tuple[tuple[str, int, int], ...]
    flops: int
    shared: int
    """Bytes from address 0 on that the shared buffers take, whole pages."""
    traffic: int
    """Bytes that the kernels of a step read and write, each buffer once a kernel; the host's rows are counted
    where they become lanes."""


@dataclass(frozen=True)
class Shards:
    """How a batch is cut: `count` shards of `part` rows; the step's kernels leave each shard's gradients in a
    slot, and `update` adds the slots in their order and takes the optimizer's step."""

    count: int
    part: int
    cells: Buffer
    """Three i32: rows of the batch, rows of the shard, number of its first row in the batch."""
    progress: Buffer
    """See `Plan.progress`."""
    update: Sequence[Kernel]
    ahead: Sequence[Kernel]
    """What all shards use and only parameters decide: it runs when a call begins, since the host may have
    written parameters, and after each update."""


def link(
    kernels: Sequence[Kernel],
    pinned: Iterable[Buffer],
    leaving: Sequence[Buffer],
    blocks: int,
    batch: int,
    shards: Shards | None = None,
    shared: Collection[Buffer] = (),
) -> Program:
    """Place all buffers, write all functions. `leaving` are the regions that the host reads; those that are
    `shared` by several instances lie on pages of their own. Raises TooLarge."""
    every = [*kernels, *((*shards.update, *shards.ahead) if shards else ())]
    memory, pages = place(every, pinned, blocks, shared)
    first = sum(1 + (len(kernel.inner) if isinstance(kernel, Loop | ByBlock) else 0) for kernel in every)
    functions_of_all = Shared(first + (7 if shards else 3))
    lanes, alone = Lanes(blocks, functions_of_all), Lanes(1, functions_of_all, single=True)
    bodies: list[Body] = []
    size = 0

    parts: dict[int, list[int]] = {}

    def write(kernel: Kernel, lanes: Lanes) -> tuple[int, int]:
        """The kernel's function, behind those that it calls: (index, fuel)."""
        nonlocal size
        code = Code(BLOCK_NUMBER + 1 if lanes.single else PARAMETERS)
        if isinstance(kernel, Loop | ByBlock):
            inside = alone if isinstance(kernel, ByBlock) else lanes
            inner = [write(item, inside) for item in kernel.inner]
            kernel.emit_loop(code, inner)
            parts[len(bodies)] = [fuel for _, fuel in inner]
        else:
            kernel.emit(code, lanes)
        bodies.append(code.body())
        size += len(code.out)
        if size > MODULE_MAX:
            raise TooLarge(f"the module of this model has more than {MODULE_MAX} bytes")
        return len(bodies) - 1, code.fuel

    functions = [write(kernel, lanes) for kernel in every]
    step = _step(functions[: len(kernels)])
    codes, exports = [step], []
    if shards is None:
        run, per_step, per_call = _run(first, step.fuel, batch)
    else:
        update = _update(functions[len(kernels) :])
        share, fuel_of_share = _share(first, step.fuel, shards)
        ahead = _update(functions[len(every) - len(shards.ahead) :])
        codes += [update, share, _work(first, batch, shards), ahead]
        exports = [("work", first + 3)]
        run, per_step, per_call = _run_shards(first, fuel_of_share, update.fuel, ahead.fuel, batch, shards)
    finish = _finish(leaving)
    exports += [("run", first + len(codes)), ("finish", first + len(codes) + 1)]
    bodies += [*(code.body() for code in (*codes, run, finish)), *functions_of_all.bodies]
    turns = [shards.count if shards and number < len(kernels) else 1 for number in range(len(every))]
    table = [
        (name, turn * fuel, turn * flop)
        for kernel, turn, (number, cost) in zip(every, turns, functions, strict=True)
        for name, fuel, flop in _costs(kernel, cost, parts.get(number, []), blocks)
    ]
    return Program(
        module=module(bodies, memory // PAGE, exports),
        memory=memory,
        fuel_per_step=per_step,
        fuel_per_call=per_call,
        fuel_of_finish=finish.fuel,
        kernels=tuple(table),
        flops=sum(flop for _, _, flop in table),
        shared=pages,
        traffic=sum(turn * _traffic(kernel, blocks) for kernel, turn in zip(every, turns, strict=True)),
    )


def _costs(kernel: Kernel, fuel: int, parts: Sequence[int], blocks: int) -> Iterator[tuple[str, int, int]]:
    """Name, fuel and float operations of a kernel; of kernels by block, each one's, and what is left."""
    if not isinstance(kernel, ByBlock):
        yield kernel.name, fuel, kernel.flops(blocks)
        return
    for inner, part in zip(kernel.inner, parts, strict=True):
        yield inner.name, blocks * part, inner.flops(blocks)
    yield kernel.name, fuel - blocks * sum(parts), 0


class Shared:
    """Functions of the module that kernels call: each is written once, when first asked for, behind the
    others."""

    def __init__(self, first: int) -> None:
        self.first = first
        self.bodies: list[Body] = []
        self.known: dict[str, tuple[int, int]] = {}

    def call(self, code: Code, name: str) -> None:
        """Write a call."""
        if name not in self.known:
            body, fuel = written(name)
            self.known[name] = (self.first + len(self.bodies), fuel)
            self.bodies.append(body)
        code.call(*self.known[name])


def _traffic(kernel: Kernel, blocks: int) -> int:
    """Bytes that a kernel reads and writes."""
    if isinstance(kernel, Loop | ByBlock):
        return kernel.traffic(blocks)
    return sum(buffer.bytes(blocks) for buffer in {*kernel.reads, *kernel.writes} if not buffer.hosted)


def place(
    kernels: Sequence[Kernel], pinned: Iterable[Buffer], blocks: int, shared: Collection[Buffer] = ()
) -> tuple[int, int]:
    """Give every buffer its offset; returns the memory's size in bytes and how many of them the shared
    buffers take, both whole pages. Those lie first, then the other pinned ones; the rest share memory when
    their lives do not meet. Raises TooLarge."""
    top, pages = FIRST, 0
    for buffer in shared:
        buffer.offset = top
        top = _after(top, buffer, blocks)
    if shared:
        top = pages = -(-top // PAGE) * PAGE
    for buffer in pinned:
        if buffer not in shared:
            buffer.offset = top
            top = _after(top, buffer, blocks)
    uses = list(_uses(kernels))
    last = {buffer: index for index, (_, touched) in enumerate(uses) for buffer in touched}
    free: list[tuple[int, int]] = []
    for index, (filled, touched) in enumerate(uses):
        for buffer in filled:
            if buffer.offset < 0:
                top = _claim(buffer, free, top, blocks)
        for buffer in dict.fromkeys(touched):
            if last[buffer] == index and not buffer.pinned:
                _give_back(free, buffer.offset, _after(buffer.offset, buffer, blocks))
    memory = -(-(top + SLACK) // PAGE) * PAGE
    if memory > MEMORY_MAX:
        raise TooLarge(f"a step needs {memory} bytes of memory; {MEMORY_MAX} are allowed")
    return memory, pages


def _uses(kernels: Sequence[Kernel]) -> Iterator[tuple[Sequence[Buffer], Sequence[Buffer]]]:
    """For kernel after kernel, what it writes and what it touches. What kernels by block share with others
    lives from before the first of them until after the last."""
    for kernel in kernels:
        if not isinstance(kernel, ByBlock):
            yield kernel.writes, (*kernel.reads, *kernel.writes)
            continue
        lasting = [buffer for buffer in kernel.writes if not buffer.brief]
        yield lasting, lasting
        for inner in kernel.inner:
            brief = [buffer for buffer in inner.writes if buffer.brief]
            yield brief, [buffer for buffer in (*inner.reads, *inner.writes) if buffer.brief]
        yield (), [buffer for buffer in (*kernel.reads, *kernel.writes) if not buffer.brief]


def _after(offset: int, buffer: Buffer, blocks: int) -> int:
    """First aligned address behind a buffer at `offset` and its slack."""
    return -(-(offset + buffer.bytes(blocks) + SLACK) // ALIGNMENT) * ALIGNMENT


def _claim(buffer: Buffer, free: list[tuple[int, int]], top: int, blocks: int) -> int:
    """Place a buffer into the smallest hole that holds it, else at the top; returns the new top."""
    size = _after(0, buffer, blocks)
    holes = [(end - start, start, end) for start, end in free if end - start >= size]
    if not holes:
        buffer.offset = top
        return top + size
    _, start, end = min(holes)
    free.remove((start, end))
    if end - start > size:
        free.append((start + size, end))
    buffer.offset = start
    return top


def _give_back(free: list[tuple[int, int]], start: int, end: int) -> None:
    """Add a hole, joined with its neighbours."""
    for hole in list(free):
        if hole[1] == start:
            free.remove(hole)
            start = hole[0]
        elif hole[0] == end:
            free.remove(hole)
            end = hole[1]
    free.append((start, end))


def _step(functions: Sequence[tuple[int, int]]) -> Code:
    """Calls every kernel (function, fuel) with (ROW0, LIVE, STEP)."""
    code = Code(PARAMETERS)
    for number, cost in functions:
        for parameter in range(PARAMETERS):
            code.get(parameter)
        code.call(number, cost)
    return code


def _run(step: int, step_fuel: int, batch: int) -> tuple[Code, int, int]:
    """run(steps, last_rows), its fuel for each step and besides."""
    code = Code(2)
    steps, last_rows = 0, 1
    row0, number = code.local(I32), code.local(I32)
    with code.unless_zero(steps):
        before = code.fuel
        with code.loop_while_counting(steps):
            code.get(row0)
            code.get(last_rows)
            code.i32(batch)
            code.get(steps)
            code.i32(1)
            code.op("i32.eq")
            code.op("select")
            code.get(number)
            code.call(step, step_fuel)
            for local, by in ((row0, batch), (number, 1)):
                code.get(local)
                code.i32(by)
                code.op("i32.add")
                code.set(local)
    return code, code.fuel - before, before


def _update(functions: Sequence[tuple[int, int]]) -> Code:
    """update(step): calls the kernels that follow the last shard; ahead(step): some of them."""
    code = Code(1)
    for number, cost in functions:
        code.i32(0)
        code.i32(1)
        code.get(0)
        code.call(number, cost)
    return code


def _share(step: int, step_fuel: int, shards: Shards) -> tuple[Code, int]:
    """share(row0, rows, first, count): `count` ≥ 1 shards of a batch of `rows` rows that begins at `row0`;
    and its fuel for all of them. A shard behind the last row works on the first rows with weights of zero."""
    code = Code(4)
    row0, rows, index, count = range(4)
    start, live = code.local(I32), code.local(I32)
    before = code.fuel
    with code.loop_while_counting(count):
        code.get(index)
        code.i32(shards.part)
        code.op("i32.mul")
        code.tee(start)
        code.get(rows)
        code.op("i32.lt_u")
        code.set(live)
        # live = rows behind the shard's start, at most a part, or none.
        code.get(rows)
        code.get(start)
        code.op("i32.sub")
        code.i32(shards.part)
        code.get(rows)
        code.get(start)
        code.op("i32.sub")
        code.i32(shards.part)
        code.op("i32.lt_u")
        code.op("select")
        code.i32(0)
        code.get(live)
        code.op("select")
        code.set(live)
        for place, value in ((0, rows), (4, live), (8, start)):
            code.i32(0)
            code.get(value)
            code.memory("i32.store", shards.cells.offset + place)
        code.get(row0)
        code.get(row0)
        code.get(start)
        code.op("i32.add")
        code.get(live)
        code.op("i32.eqz")
        code.op("select")
        code.get(live)
        code.get(live)
        code.op("i32.eqz")
        code.op("i32.add")
        code.get(index)
        code.call(step, step_fuel)
        code.get(index)
        code.i32(1)
        code.op("i32.add")
        code.set(index)
    return code, before + (code.fuel - before) * shards.count


def _run_shards(
    first: int, fuel_of_share: int, fuel_of_update: int, fuel_of_ahead: int, batch: int, shards: Shards
) -> tuple[Code, int, int]:
    """run(steps, last_rows): each step all shards, then the update; fuel as of `_run`."""
    code = Code(2)
    steps, last_rows = 0, 1
    row0, number = code.local(I32), code.local(I32)
    with code.unless_zero(steps):
        code.i32(0)
        code.call(first + 4, fuel_of_ahead)
        before = code.fuel
        with code.loop_while_counting(steps):
            code.get(row0)
            code.get(last_rows)
            code.i32(batch)
            code.get(steps)
            code.i32(1)
            code.op("i32.eq")
            code.op("select")
            code.i32(0)
            code.i32(shards.count)
            code.call(first + 2, fuel_of_share)
            code.get(number)
            code.call(first + 1, fuel_of_update)
            for local, by in ((row0, batch), (number, 1)):
                code.get(local)
                code.i32(by)
                code.op("i32.add")
                code.set(local)
    return code, code.fuel - before, before


SPINS = 1 << 15
"""How often an instance looks whether another has come before it lets the host wait."""


def _work(first: int, batch: int, shards: Shards) -> Code:
    """work(number, of, steps, last_rows): what instance `number` among `of` does of a call. It takes one
    shard of the step after another until none is left, and when all are done the update. Who is faster takes
    more shards; each leaves its gradients in its own slot, whoever works on it. Returns when the instance has
    taken all updates, or has waited too long for others: called again, it goes on from where it was. What it
    burns is in no quote."""
    code = Code(4)
    number, of, steps, last_rows = range(4)
    mine, step, following, end, ticket, other, spins = (code.local(I32) for _ in range(7))
    taken = shards.progress.offset
    done, updated = taken + PROGRESS_PITCH, taken + 2 * PROGRESS_PITCH

    def line(index: int) -> None:
        code.get(index)
        code.i32(PROGRESS_PITCH)
        code.op("i32.mul")

    def wait(address: Callable[[], None], offset: int, least: int) -> None:
        """Until a number of `progress` is `least`; gives up on the whole function after a while."""
        code.i32(SPINS)
        code.set(spins)
        with code.block():
            with code.repeated():
                address()
                code.memory("i32.atomic.load", offset)
                code.get(least)
                code.op("i32.ge_s")
                code.branch_if(1)
                code.get(spins)
                code.i32(1)
                code.op("i32.sub")
                code.tee(spins)
                code.branch_if(0)
            code.leave()

    line(number)
    code.tee(mine)
    code.memory("i32.atomic.load", updated)
    code.set(step)
    with code.block():
        # After an update it is done already: who looks for others again and again does not repeat it.
        code.get(step)
        code.branch_if(0)
        code.i32(0)
        code.call(first + 4, 0)
    with code.block(), code.repeated():
        code.get(step)
        code.get(steps)
        code.op("i32.ge_s")
        code.branch_if(1)
        # The slots are free when everyone has taken the update before.
        code.get(of)
        code.set(other)
        with code.repeated():
            code.get(other)
            code.i32(-1)
            code.op("i32.add")
            code.set(other)
            wait(partial(line, other), updated, step)
            code.get(other)
            code.branch_if(0)
        code.get(step)
        code.i32(1)
        code.op("i32.add")
        code.set(following)
        code.get(following)
        code.i32(shards.count)
        code.op("i32.mul")
        code.set(end)
        with code.block(), code.repeated():
            code.i32(0)
            code.memory("i32.atomic.load", taken)
            code.tee(ticket)
            code.get(end)
            code.op("i32.ge_s")
            code.branch_if(1)
            code.i32(0)
            code.get(ticket)
            code.get(ticket)
            code.i32(1)
            code.op("i32.add")
            code.memory("i32.atomic.rmw.cmpxchg", taken)
            code.get(ticket)
            code.op("i32.ne")
            code.branch_if(0)
            code.get(step)
            code.i32(batch)
            code.op("i32.mul")
            code.get(last_rows)
            code.i32(batch)
            code.get(following)
            code.get(steps)
            code.op("i32.eq")
            code.op("select")
            code.get(ticket)
            code.get(end)
            code.op("i32.sub")
            code.i32(shards.count)
            code.op("i32.add")
            code.i32(1)
            code.call(first + 2, 0)
            code.i32(0)
            code.i32(1)
            code.memory("i32.atomic.rmw.add", done)
            code.set(spins)
            code.branch(0)
        wait(lambda: code.i32(0), done, end)
        code.get(step)
        code.call(first + 1, 0)
        code.get(mine)
        code.get(following)
        code.tee(step)
        code.memory("i32.atomic.store", updated)
        code.branch(0)
    return code


def _finish(regions: Sequence[Buffer]) -> Code:
    """finish(): canonical NaNs in every region that may be read by the host."""
    code = Code()
    value = code.local()
    for region in regions:
        if not region.elements or region.dtype not in CANONICAL_NANS:
            continue
        access = Access(region.offset, (16,))
        nest = Nest(code, [access])
        with nest.loop(0, -(-region.elements * region.dtype.width // 16)):
            nest.push(access)
            nest.push(access)
            code.memory("v128.load", access.base)
            code.tee(value)
            code.v128(CANONICAL_NANS[region.dtype] * (16 // region.dtype.width))
            _numbers(code, value, region.dtype)
            code.op("v128.bitselect")
            code.memory("v128.store", access.base)
    return code


def _numbers(code: Code, value: int, dtype: DType) -> None:
    """Push a mask: ones where the lanes of `value` are no NaN."""
    code.get(value)
    if dtype in HALVES:
        infinity = 0x7C00 if dtype is DType.F16 else 0x7F80
        code.v128((0x7FFF).to_bytes(2, "little") * 8)
        code.op("v128.and")
        code.v128(infinity.to_bytes(2, "little") * 8)
        code.op("i16x8.gt_u")
        code.v128(bytes([255] * 16))
        code.op("v128.xor")
        return
    code.get(value)
    code.op("f64x2.eq" if dtype is DType.F64 else "f32x4.eq")
