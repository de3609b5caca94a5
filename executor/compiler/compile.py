"""The compiler's front: a model and a training spec in, a plan out. Pure: the same input gives the same
bytes."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import reduce as fold
from math import prod

import numpy as np

from executor.compiler import ir
from executor.compiler.gradients import sweep
from executor.compiler.ir import Node, const
from executor.compiler.kernels.base import Buffer, Kernel
from executor.compiler.kernels.random import STEPS_MAX, Tick
from executor.compiler.losses import Objective, class_rule, objective, target_key
from executor.compiler.lowering.places import CELLS, NUMBERS, STEPS
from executor.compiler.op import MOVEMENT, Op
from executor.compiler.optimizers import Optimizer, State, clip_factor, clip_of, clipped, optimizer_of
from executor.compiler.plan import PROGRESS_PITCH, Kind, Parameter, Plan, Region, StateRegion, Target
from executor.compiler.private import (
    NOISE,
    check_noised,
    check_rows_apart,
    noised_means,
    noised_means_of_shards,
    private_sums,
)
from executor.compiler.program import MEMORY_MAX, Program, Shards, link
from executor.compiler.scan import body_of
from executor.compiler.schedule import Scheduler, Sinks, Update
from executor.compiler.types import DType
from executor.errors import (
    NotTrainable,
    TooLarge,
    UnknownTensor,
    UnsupportedNumerics,
    UnsupportedSpec,
    UnsupportedType,
)
from executor.graph.build import Model, batched_output, build
from executor.graph.constants import constants
from executor.graph.normalisation import trained_statistics
from executor.graph.parse import Graph, numbers_in, parse
from executor.privacy.grid import Grid
from executor.privacy.grid import grid as privacy_grid
from primitives.hashing import tagged
from primitives.spec import NUMERICS, Clip, LossTerm, TrainingSpec

LANES = 8
BATCH_MAX = 1 << 16
CALL_BYTES = 4 << 20
"""Rows that the host hands over in one call take about this many bytes, or one batch if that is more."""
U64_MAX = (1 << 64) - 1
INLINE_MAX = 8
"""Shards whose sum is taken inside the optimizer's step; more would make its expression too large."""
SLOTS = " slots of the shards"
"""Key of what the shards leave for the update; see `places.NUMBERS`."""


def compile_training(model: bytes, spec: TrainingSpec, rows: int, *, gradients_only: bool = False) -> Plan:
    """The plan that trains `model` on `rows` rows as `spec` says. Raises ModelError or SpecError.

    With `gradients_only` a step leaves the gradients in `outputs` and changes no parameter (for tests).
    """
    optimizer = _check(spec, rows)
    names = [name.decode() for name in spec.trainable]
    graph = parse(model)
    unknown = set(names) - set(graph.initialisers)
    if unknown:
        raise UnknownTensor(f"the model has no initialiser {min(unknown)!r}")
    built = build(graph, _parameters(graph, names), tagged("dropout", spec.seed)[:8])
    goals = [_goal(built, term, number) for number, term in enumerate(spec.terms)]
    loss = None if spec.dp else fold(lambda a, b: a + b, [goal.mean() for goal in goals])
    seeds = _seeds(goals, spec.dp is not None)
    found = sweep(seeds, built.parameters.values())
    chosen = _chosen(built, found, names)
    fed = [item.tensor.decode() for item in spec.inputs]
    _check_inputs(built, fed, list(seeds))
    layout = Layout(spec.batch, rows, spec.shards)
    noise = sum(built.parameters[name].size for name in chosen) if spec.dp else 0
    layout.inputs({name: built.inputs[name] for name in fed}, [goal.target for goal in goals], noise)
    layout.rules = [goal.rule for goal in goals]
    layout.given = numbers_in(graph)
    weights, grid = [built.parameters[name] for name in chosen], None
    if spec.dp:
        grid = privacy_grid(spec.dp, spec.batch, noise)
        layout.variance = grid.variance
        check_rows_apart([*seeds.values(), *built.running.values()])
        totals = private_sums(found, weights, grid)
        means = noised_means(totals, grid, spec.batch)
    else:
        totals = means = [found[weight] for weight in weights]
    slopes = _Slopes(chosen, totals, means, loss, grid)
    running = {} if gradients_only else built.running
    layout.parameters(built, chosen, () if gradients_only else optimizer.states, running)
    roots = [node for pair in seeds.items() for node in pair]
    steps = spec.epochs * -(-rows // spec.batch)
    layout.count_steps(roots, steps)
    if gradients_only:
        sinks = _leaving(layout, slopes)
    elif spec.shards > 1:
        check_shards(roots)
        sinks = _of_a_shard(layout, built, slopes, optimizer, spec)
    else:
        sinks = _of_a_step(layout, built, slopes, optimizer, spec)
    if spec.dp:
        _check_released(layout, sinks)
    return layout.plan(built, sinks, steps, spec.epochs * -(-rows // layout.rows_per_call))


def default_trainable(model: bytes, outputs: Sequence[str]) -> list[str]:
    """What a spec that names no tensor trains, in the order of the file, if the loss compares these outputs.
    Raises a ModelError, UnknownTensor, NotTrainable."""
    graph = parse(model)
    built = build(graph, _parameters(graph, ()), bytes(8))
    unknown = [name for name in outputs if name not in built.outputs]
    if unknown:
        raise UnknownTensor(f"the model has no output {unknown[0]!r}; it has {', '.join(built.outputs)}")
    ends = [batched_output(built, name) for name in outputs]
    return _chosen(built, sweep({node: node for node in ends}, built.parameters.values()), ())


def _parameters(graph: Graph, names: Sequence[str]) -> Callable[[str, tuple[int, ...]], bool]:
    """Which initialisers are variables: running statistics and the named ones; if none are named, all
    tensors but single numbers and what is known to be constant."""
    statistics, left = trained_statistics(graph), constants(graph)

    def is_parameter(name: str, shape: tuple[int, ...]) -> bool:
        return name in statistics or (name in names if names else len(shape) > 0 and name not in left)

    return is_parameter


def compile_forward(model: bytes, batch: int, rows: int) -> Plan:
    """A plan that computes every graph output for each row; all initialisers are constants. Raises
    ModelError."""
    built = build(parse(model), lambda name, shape: False)
    layout = Layout(batch, rows)
    layout.inputs(built.inputs, [])
    outputs = [
        (batched_output(built, name), layout.output(name, node)) for name, node in built.outputs.items()
    ]
    steps = -(-rows // batch)
    return layout.plan(built, Sinks(outputs=outputs), steps, -(-rows // layout.rows_per_call))


@dataclass(frozen=True)
class Goal:
    """One loss of those that are added up: what it compares, and its factor."""

    prediction: Node
    target: Node
    objective: Objective
    factor: float
    rule: tuple[int | None, int | None]
    """Classes of the target, and the one that does not count."""

    def mean(self) -> Node:
        """Its part of the batch's loss."""
        return ir.batch_sum(self._weighted(self.objective.loss * self._share()))

    def seed(self, private: bool) -> Node:
        """The gradient by the prediction. Under differential privacy a row's share may not depend on other
        rows, and the batch size is public."""
        gradient = self.objective.gradient
        return self._weighted(gradient if private else gradient * self._share())

    def _share(self) -> Node:
        return self.objective.share(ir.make(Op.ROW_WEIGHT, (), (), True))

    def _weighted(self, value: Node) -> Node:
        return value if self.factor == 1.0 else value * const(self.factor)


def _goal(built: Model, term: LossTerm, number: int) -> Goal:
    name = term.target.tensor.decode()
    if name not in built.outputs:
        raise UnknownTensor(f"the model has no output {name!r}; it has {', '.join(built.outputs)}")
    prediction = batched_output(built, name)
    if prediction.dtype is not DType.F32:
        raise UnsupportedType(
            f"the output {name!r} is {prediction.dtype.value}: training is in f32, export the model in it"
        )
    target, goal = objective(term.loss, prediction, number)
    factor = float(np.float32(term.weight_num / term.weight_den))
    return Goal(prediction, target, goal, factor, class_rule(term.loss, prediction))


def _check(spec: TrainingSpec, rows: int) -> Optimizer:
    """What can be refused without the model; the optimizer that the spec names."""
    if spec.numerics != NUMERICS:
        raise UnsupportedNumerics(f"numerics {spec.numerics} is not {NUMERICS}")
    if spec.shards < 1 or spec.batch % spec.shards:
        raise UnsupportedSpec(f"a batch of {spec.batch} rows is not cut into {spec.shards} equal shards")
    if not 1 <= spec.batch <= BATCH_MAX:
        raise TooLarge(f"batches of {spec.batch} rows; 1 to {BATCH_MAX} are allowed")
    if rows < 1 or spec.epochs < 1:
        raise UnsupportedSpec("training takes at least one row and one epoch")
    return optimizer_of(spec.optimizer, spec.schedule)


def check_shards(roots: Sequence[Node]) -> None:
    """A shard sees its own rows only. Raises UnsupportedSpec where a row's gradient depends on other rows."""
    if any(node.op is Op.BATCH_SUM for node in ir.postorder(roots)):
        raise UnsupportedSpec("a model that works across the rows of a batch has one shard")


def sums_of_shards(lines: Node, values: Sequence[Node]) -> list[Node]:
    """The values of the whole batch: those of its shards added in their order."""
    sums, start = [], 0
    for value in values:
        parts = [
            ir.reshape(ir.take_slice(lines, [shard, start], [1, value.size], [1, 1]), value.shape)
            for shard in range(lines.shape[0])
        ]
        sums.append(fold(lambda a, b: a + b, parts))
        start += value.size
    return sums


def _chosen(model: Model, found: dict[Node, Node], names: Sequence[str]) -> list[str]:
    """Trained parameters in the order of the file. Raises NotTrainable."""
    reached = [name for name, node in model.parameters.items() if node in found]
    lost = set(names) - set(reached)
    if lost:
        raise NotTrainable(f"the loss does not depend on {min(lost)!r}, or it is not float32")
    if not reached:
        raise NotTrainable("the loss depends on no initialiser of type float32: export the model in float32")
    return reached


def _check_inputs(model: Model, fed: Sequence[str], roots: Sequence[Node]) -> None:
    unknown = set(fed) - set(model.inputs)
    if unknown:
        raise UnknownTensor(f"the model has no input {min(unknown)!r}; it has {', '.join(model.inputs)}")
    used = {node.attrs[0] for node in ir.postorder(roots) if node.op is Op.INPUT}
    hungry = sorted(str(name) for name in used if name not in fed)
    if hungry:
        raise UnknownTensor(f"nothing feeds the input {hungry[0]!r}")


def _updates(
    model: Model, slopes: dict[str, Node], optimizer: Optimizer, clip: Clip | None, inline: bool = False
) -> list[Update]:
    """The optimizer's step on every parameter, from the gradients by name; if `inline`, those are sums that
    the step adds up itself."""
    numbers = [
        ir.make(Op.NUMBER, (), (), False, optimizer.numbers, index) for index in range(optimizer.numbers)
    ]
    updates = []
    factor = clip_factor(clip, list(slopes.values()))
    for name, slope in slopes.items():
        node = model.parameters[name]
        states = [
            ir.make(Op.PARAM, (), node.shape, False, _state(name, state.name)) for state in optimizer.states
        ]
        stores = optimizer.rule(node, clipped(clip, factor, slope), states, numbers)
        factors = [] if factor is None else [factor]
        reads = _summands(slope) if inline else [slope]
        ends = (node, *states, *numbers, *factors, *reads)
        updates.append(Update(tuple(stores), ends, None if inline else slope))
    return updates


def _summands(total: Node) -> list[Node]:
    """What a sum adds up, in its order."""
    if total.op is not Op.ADD:
        return [total]
    return [item for node in total.inputs for item in _summands(node)]


def _state(name: str, kind: str) -> str:
    """Key of an optimizer's state; no tensor can be called so, since it is too long for a name."""
    return f"{kind} of " + name.ljust(257)


@dataclass
class _Parameter:
    buffer: Buffer
    trained: bool
    fan_in: int
    given: bytes
    states: list[tuple[Buffer, float]]
    start: float


class Layout:
    """Collects the host's regions, then builds the plan."""

    def __init__(self, batch: int, rows: int, shards: int = 1) -> None:
        if not 1 <= batch <= BATCH_MAX or rows < 1:
            raise TooLarge(f"batches of {batch} rows; 1 to {BATCH_MAX} are allowed")
        self.batch, self.rows, self.shards = batch, rows, shards
        self.blocks = -(-batch // shards // LANES)
        self.update = Sinks()
        self.slots: Buffer | None = None
        self.progress: Buffer | None = None
        self.places: dict[str, Buffer] = {}
        self.regions: list[Buffer] = []
        self.shapes: dict[Buffer, tuple[tuple[int, ...], Kind]] = {}
        self.features: dict[str, Node] = {}
        self.targets: list[Buffer] = []
        self.rules: list[tuple[int | None, int | None]] = []
        """Classes of each target, and the one that does not count."""
        self.outputs: list[tuple[str, Buffer]] = []
        self.held: list[_Parameter] = []
        self.rows_per_call = batch
        self.losses = Buffer("losses", 1, False, pinned=True)
        self.has_loss = False
        self.noise: Buffer | None = None
        self.variance: Fraction | None = None
        self.given = 0
        """Numbers in the model's file."""
        self.numbers: Buffer | None = None

    def _region(
        self, name: str, shape: tuple[int, ...], kind: Kind = Kind.F32, hosted: bool = False
    ) -> Buffer:
        buffer = Buffer(name, prod(shape), False, pinned=True, hosted=hosted, dtype=kind)
        self.regions.append(buffer)
        self.shapes[buffer] = (shape, kind)
        return buffer

    def inputs(self, features: dict[str, Node], targets: Sequence[Node], noise: int = 0) -> None:
        """Regions of rows: as many batches a call as fit CALL_BYTES, and no more than there are. `noise`
        numbers of privacy's noise go with each batch."""
        row = sum(node.size * node.dtype.width for node in features.values())
        row += 4 * sum(target.size for target in targets) + 4
        step = row * self.batch + 4 * noise
        per_call = max(1, min(CALL_BYTES // step, -(-self.rows // self.batch)))
        self.rows_per_call = per_call * self.batch
        if row * self.rows_per_call > MEMORY_MAX:
            raise TooLarge(f"one batch of rows takes {row * self.batch} bytes; {MEMORY_MAX} are allowed")
        self.features = features
        for name, node in features.items():
            shape = (self.rows_per_call, *node.shape)
            self.places[name] = self._region(name, shape, node.dtype, hosted=True)
        for number, target in enumerate(targets):
            kind = Kind.I32 if target.attrs[1] == "i32" else Kind.F32
            name = f"target {number + 1}" if number else "target"
            while name in features:
                name += "'"
            place = self._region(name, (self.rows_per_call, *target.shape), kind, hosted=True)
            self.targets.append(place)
            self.places[target_key(number)] = place
        if noise:
            self.places[NOISE] = self.noise = self._region("noise", (per_call, noise), Kind.I32, hosted=True)
        elif targets:
            self.losses = self._region("losses", (per_call,), hosted=True)
            self.has_loss = True

    def lines_of_shards(self, values: Sequence[Node]) -> tuple[Buffer, Node]:
        """A region with a line for each shard, in which its `values` lie side by side; and it as a node."""
        shape = (self.shards, sum(value.size for value in values))
        self.slots = self.places[SLOTS] = self._region("slots of the shards", shape)
        return self.slots, ir.make(Op.PARAM, (), shape, False, SLOTS)

    def loss(self, value: Node | None) -> tuple[Node, Buffer] | None:
        """Where the losses of the steps go; nowhere under differential privacy, which gives none away."""
        return None if value is None else (value, self.losses)

    def whole_inputs(self, inputs: dict[str, Node]) -> None:
        """Regions of whole tensors."""
        self.features = inputs
        for name, node in inputs.items():
            self.places[name] = self._region(name, node.shape, node.dtype)

    def parameters(
        self, model: Model, chosen: Sequence[str], states: Sequence[State], running: Collection[str] = ()
    ) -> None:
        """Regions of all parameters; those that are neither chosen nor running statistics are constants of
        the plan."""
        fans = fan_ins(model)
        for name in model.parameters:
            node, data = model.parameters[name], model.values[name]
            self.places[name] = buffer = self._region(name, node.shape)
            kept = []
            for state in states if name in chosen else ():
                place = self._region(f"{state.name} of {name}", node.shape)
                self.places[_state(name, state.name)] = place
                kept.append((place, state.fill))
            fan_in = fans.get(name, prod(node.shape[1:])) if len(node.shape) > 1 else 0
            if name in model.starts:
                fan_in = 0
            given, start = data.astype("<f4").tobytes(), model.starts.get(name, 0.0)
            trained = name in chosen or name in running
            self.held.append(_Parameter(buffer, trained, fan_in, given, kept, start))

    def count_steps(self, roots: Sequence[Node], steps: int) -> None:
        """A place for the number of the step, kept like an optimizer's state, if anything is random."""
        if not any(node.op is Op.RANDOM for node in ir.postorder(roots)):
            return
        if steps > STEPS_MAX:
            raise TooLarge(f"a run with dropout of more than {STEPS_MAX} steps")
        place = self.places[STEPS] = self._region("number of the step", ())
        next(item for item in self.held if item.trained).states.append((place, 0.0))

    def step_numbers(self, count: int) -> None:
        """A region for the numbers of each step of a call, if there are any."""
        if count:
            shape = (self.rows_per_call // self.batch, count)
            self.numbers = self.places[NUMBERS] = self._region("numbers of the step", shape, hosted=True)

    def output(self, name: str, node: Node) -> Buffer:
        """A region for a value: rows if it is batched."""
        shape = (self.rows_per_call, *node.shape) if node.batched else node.shape
        buffer = self._region(name, shape, node.dtype, hosted=node.batched)
        if node.batched:
            # Whole blocks are written: the last batch's padding needs room behind its rows.
            buffer.elements += LANES * node.size
        self.outputs.append((name, buffer))
        return buffer

    def plan(self, model: Model, sinks: Sinks, steps: int, calls: int) -> Plan:
        """Schedule, place and write everything. Raises TooLarge."""
        shards = None
        scheduler = Scheduler(self.blocks, self.places)
        if self.shards > 1:
            # Only the shards' step looks at the counts: the update knows of no rows.
            cells = self._region("counts of the shard", (3,), Kind.I32)
            lines = (2 + self.shards, PROGRESS_PITCH // 4)
            self.progress = self._region("progress of the instances", lines, Kind.I32)
            part, update = self.batch // self.shards, self._update(scheduler)
            shards = Shards(self.shards, part, cells, self.progress, update, scheduler.ahead)
            self.places[CELLS] = cells
            scheduler.shards = self.shards
        kernels = scheduler.run(sinks)
        pinned = [*self.regions, *(buffer for buffer, _ in scheduler.constants.entries)]
        pinned += [buffer for kernel in scheduler.ahead for buffer in kernel.writes]
        leaving = [item.buffer for item in self.held if item.trained]
        leaving += [buffer for _, buffer in self.outputs] + ([self.losses] if self.has_loss else [])
        program = link(kernels, pinned, leaving, self.blocks, self.batch, shards, self._shared())
        constants = [
            (Region(buffer.name, buffer.offset, (buffer.elements,), buffer.dtype), data)
            for buffer, data in scheduler.constants.entries
        ]
        constants += [(self._public(item.buffer), item.given) for item in self.held if not item.trained]
        return self._plan(program, steps, calls, tuple(constants))

    def _shared(self) -> list[Buffer]:
        """What instances that divide a batch have in common: what the host fills for a call, and what they
        leave for one another."""
        if self.shards == 1:
            return []
        given = [buffer for buffer in self.regions if buffer.hosted and buffer is not self.losses]
        return [*given, *(buffer for buffer in (self.slots, self.progress) if buffer)]

    def _update(self, scheduler: Scheduler) -> list[Kernel]:
        """The kernels of the update; their constants join those of the step."""
        second = Scheduler(self.blocks, self.places)
        second.constants = scheduler.constants
        kernels = second.run(self.update)
        counter = self.places.get(STEPS)
        return kernels if counter is None else [*kernels, Tick("tick", counter)]

    def _plan(
        self, program: Program, steps: int, calls: int, constants: tuple[tuple[Region, bytes], ...]
    ) -> Plan:
        work = program.flops + program.traffic
        fuel = steps * program.fuel_per_step + calls * program.fuel_per_call + program.fuel_of_finish
        if max(fuel, steps * work) > U64_MAX:
            raise TooLarge("the job's fuel or work is beyond 64 bits")
        return Plan(
            module=program.module,
            memory=program.memory,
            batch=self.batch,
            rows_per_call=self.rows_per_call,
            inputs=tuple(self._public(self.places[name]) for name in self.features),
            targets=tuple(
                Target(self._public(place), *rule)
                for place, rule in zip(self.targets, self.rules, strict=True)
            ),
            losses=self._public(self.losses) if self.has_loss else None,
            noise=self._public(self.noise) if self.noise else None,
            variance=self.variance,
            parameters=tuple(
                Parameter(
                    self._public(item.buffer),
                    item.fan_in,
                    item.given,
                    tuple(StateRegion(self._public(place), fill) for place, fill in item.states),
                    item.start,
                )
                for item in self.held
                if item.trained
            ),
            constants=constants,
            outputs=tuple(self._public(buffer) for _, buffer in self.outputs),
            flops=steps * program.flops,
            work=steps * work,
            fuel=fuel,
            steps=steps,
            fuel_per_step=program.fuel_per_step,
            fuel_per_call=program.fuel_per_call,
            fuel_of_finish=program.fuel_of_finish,
            numbers=self._public(self.numbers) if self.numbers else None,
            shards=self.shards,
            slots=self._public(self.slots) if self.slots else None,
            given=self.given - sum(item.buffer.elements for item in self.held if item.trained),
            shared=program.shared,
            progress=self._public(self.progress) if self.progress else None,
            kernels=program.kernels,
        )

    def _public(self, buffer: Buffer) -> Region:
        shape, kind = self.shapes[buffer]
        return Region(buffer.name, buffer.offset, shape, kind)


def _seeds(goals: Sequence[Goal], private: bool) -> dict[Node, Node]:
    """What the gradient begins with at each prediction: those of its losses together."""
    seeds: dict[Node, Node] = {}
    for goal in goals:
        seed, known = goal.seed(private), seeds.get(goal.prediction)
        seeds[goal.prediction] = seed if known is None else known + seed
    return seeds


@dataclass(frozen=True)
class _Slopes:
    """The slopes of the trained tensors `names` over a batch: sums, whole numbers on the `grid` under
    differential privacy, and means, with the noise in them there. The loss is None where it is not told."""

    names: Sequence[str]
    totals: Sequence[Node]
    means: Sequence[Node]
    loss: Node | None
    grid: Grid | None


def _leaving(layout: Layout, slopes: _Slopes) -> Sinks:
    """The gradients leave, and nothing is changed."""
    pairs = zip(slopes.names, slopes.means, strict=True)
    values = [(mean, layout.output(name, mean)) for name, mean in pairs]
    return Sinks(values=values, loss=layout.loss(slopes.loss))


def _of_a_shard(
    layout: Layout, built: Model, slopes: _Slopes, optimizer: Optimizer, spec: TrainingSpec
) -> Sinks:
    """Each part of the batch leaves its sums; the update, which follows all parts, adds them up."""
    layout.step_numbers(optimizer.numbers)
    left = [*slopes.totals] if slopes.loss is None else [slopes.loss, *slopes.totals]
    slots, lines = layout.lines_of_shards(left)
    whole = None
    if slopes.grid is None:
        whole, *means = sums_of_shards(lines, left)
    else:
        means = noised_means_of_shards(lines, slopes.totals, slopes.grid, spec.batch)
    inline = slopes.grid is None and spec.shards <= INLINE_MAX
    found = dict(zip(slopes.names, means, strict=True))
    updates = _updates(built, found, optimizer, clip_of(spec), inline)
    layout.update = Sinks(loss=layout.loss(whole), updates=updates)
    return Sinks(slots=[(value, slots) for value in left])


def _of_a_step(
    layout: Layout, built: Model, slopes: _Slopes, optimizer: Optimizer, spec: TrainingSpec
) -> Sinks:
    """The step ends with the update, of running statistics too."""
    layout.step_numbers(optimizer.numbers)
    found = dict(zip(slopes.names, slopes.means, strict=True))
    updates = _updates(built, found, optimizer, clip_of(spec))
    for name, new in built.running.items():
        updates.append(Update(((new, built.parameters[name]),), (new, built.parameters[name])))
    return Sinks(loss=layout.loss(slopes.loss), updates=updates)


def _check_released(layout: Layout, sinks: Sinks) -> None:
    """Under differential privacy nothing leaves a step but what has its noise. Raises NotPrivate."""
    updates = [*layout.update.updates, *sinks.updates]
    released = [new for update in updates for new, _ in update.stores]
    check_noised([*released, *(node for node, _ in sinks.values)], SLOTS)


def fan_ins(model: Model) -> dict[str, int]:
    """Fan-in of each parameter that is a matrix or kernel: the products summed into one output (He et al.
    2015)."""
    found: dict[str, int] = {}
    nodes = ir.postorder(model.outputs.values())
    outside: dict[Node, Node] = {}
    for node in [node for node in nodes if node.op is Op.SCAN]:
        body = body_of(node)
        outside.update(zip(body.shared, node.inputs[-len(body.shared) :], strict=True) if body.shared else ())
        nodes += ir.postorder(body.next)
    for node in nodes:
        if node.op not in (Op.DOT, Op.CONV):
            continue
        source = node.inputs[1]
        while source.op in MOVEMENT or source in outside:
            source = outside[source] if source in outside else source.inputs[0]
        if source.op is Op.PARAM:
            fan_in = node.inputs[0].shape[-1] if node.op is Op.DOT else prod(node.inputs[1].shape[1:])
            found.setdefault(str(source.attrs[0]), fan_in)
    return found
