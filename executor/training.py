"""The training loop: epochs, shuffled batches, calls into the module. Ours, never the model's.

Runs inside the enclave's process. What it does is fixed by (plan, spec, rows, initial weights): the order
of rows by `executor.shuffle`, as many whole batches a call as the plan allows, a new call with each epoch,
the last batch smaller.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from executor import rows
from executor.compiler.plan import Kind, Parameter, Plan, Region, Target
from executor.errors import BadData, Diverged, SpecError
from executor.initialise import kaiming_uniform
from executor.privacy.ahead import Ahead
from executor.privacy.noise import Noise
from executor.rates import Numbers
from executor.rows import Array
from executor.sandbox import Sandbox
from executor.shuffle import order
from executor.team import Helpers, Team
from primitives.data import Schema
from primitives.spec import Init, TrainingSpec


@dataclass(frozen=True)
class Trained:
    """What training leaves: parameters in plan order, mean losses of the first and the last epoch (None
    under differential privacy: they are not among what it releases), fuel used.
    """

    parameters: tuple[bytes, ...]
    first_loss: float | None
    last_loss: float | None
    fuel: int


LISTED_MAX = 20
"""Columns that a message lists."""


def check_columns(plan: Plan, spec: TrainingSpec, schema: Schema) -> None:
    """Refuse a spec whose columns do not fill the plan's tensors: SpecError, before any row is read."""
    named = [
        (item.column, region, f"the input {region.name!r} takes")
        for item, region in zip(spec.inputs, _inputs(plan, spec), strict=True)
    ]
    compared = [
        (column, target.region, f"the loss compares the output {term.target.tensor.decode()!r} with")
        for (column, target), term in zip(_compared(plan, spec), spec.terms, strict=True)
    ]
    for column_name, region, takes in [*named, *compared]:
        column = next((column for column in schema.columns if column.name == column_name), None)
        text = column_name.decode("utf-8", "replace")
        if column is None:
            there = ", ".join(item.name.decode("utf-8", "replace") for item in schema.columns[:LISTED_MAX])
            raise SpecError(f"the dataset has no column {text!r}; it has {there}")
        needed = int(np.prod(region.shape[1:], dtype=np.int64))
        if column.elements != needed:
            raise SpecError(f"column {text!r} has {column.elements} values a row, but {takes} {needed}")
        if not rows.same_order(column.shape, region.shape[1:]):
            shapes = f"rows of {list(column.shape)}, but {takes} {list(region.shape[1:])}"
            raise SpecError(
                f"column {text!r} has {shapes}: as many values in another order. Give it those axes (an "
                "image folder by --shape), or let the model transpose them"
            )
    for item, region in zip(spec.inputs, _inputs(plan, spec), strict=True):
        if item.affine is not None and region.kind is not Kind.F32:
            raise SpecError(f"{region.name!r} holds {region.kind.value}: only float32 inputs are normalised")


def dataset(
    plan: Plan, spec: TrainingSpec, schema: Schema, chunks: Sequence[bytes], count: int
) -> dict[str, Array]:
    """The rows as arrays by region name: float32 inputs, normalised, and the targets. Raises BadData,
    BadTable.
    """
    columns = [*(item.column for item in spec.inputs), *(column for column, _ in _compared(plan, spec))]
    table = rows.table(schema, chunks, count, list(dict.fromkeys(name.decode("utf-8") for name in columns)))
    return arrays_of(plan, spec, table, count)


def arrays_of(plan: Plan, spec: TrainingSpec, table: Mapping[str, Array], count: int) -> dict[str, Array]:
    """Columns as arrays by region name."""
    names = [item.column.decode("utf-8") for item in spec.inputs]
    arrays: dict[str, Array] = {}
    private = spec.dp is not None
    for item, name, region in zip(spec.inputs, names, _inputs(plan, spec), strict=True):
        if region.kind is Kind.F32:
            values: Array = rows.inputs(table[name], item.affine, private)
        else:
            values = rows.typed(table[name], region.kind.numpy, private)
        arrays[region.name] = values.reshape((count, *region.shape[1:]))
    for column, target in _compared(plan, spec):
        values = table[column.decode("utf-8")]
        if target.region.kind == Kind.I32:
            values = rows.classes(values, _class_count(target), target.ignored, private)
        else:
            values = rows.inputs(values, None, private)  # of the prediction's shape
        arrays[target.region.name] = values.reshape((count, *target.region.shape[1:]))
    return arrays


def _class_count(target: Target) -> int:
    """Classes that a cross-entropy tells apart."""
    if not target.classes:
        raise BadData("the model has no classes")
    return target.classes


def _compared(plan: Plan, spec: TrainingSpec) -> list[tuple[bytes, Target]]:
    """(column, target) of each loss."""
    return [(term.target.column, target) for term, target in zip(spec.terms, plan.targets, strict=True)]


def _inputs(plan: Plan, spec: TrainingSpec) -> list[Region]:
    """The plan's input regions in the spec's order."""
    by_name = {region.name: region for region in plan.inputs}
    return [by_name[item.tensor.decode("utf-8")] for item in spec.inputs]


def initial(plan: Plan, spec: TrainingSpec, key: bytes) -> list[bytes]:
    """Initial parameters in plan order: the model's own, or drawn from the beacon."""
    if isinstance(spec.init, Init.Given):
        return [parameter.given for parameter in plan.parameters]
    if not isinstance(spec.init, Init.Beacon):
        raise SpecError("registered base models are not supported yet")
    return [_drawn(key, number, parameter) for number, parameter in enumerate(plan.parameters)]


def _drawn(key: bytes, number: int, parameter: Parameter) -> bytes:
    if not parameter.fan_in:
        return np.full(parameter.region.shape, parameter.start, "<f4").tobytes()
    return kaiming_uniform(key, number, parameter.region.shape, parameter.fan_in).astype("<f4").tobytes()


Batches = Iterator[Mapping[str, Array]]


@dataclass(frozen=True)
class Held:
    """All rows in memory, as `dataset` gives them."""

    data: Mapping[str, Array]

    def epoch(self, plan: Plan, spec: TrainingSpec, number: int, count: int) -> Batches:
        """The rows of each call of an epoch, by region."""
        places = order(spec.seed, number, count, spec.shuffle)
        for start in range(0, count, plan.rows_per_call):
            taken = places[start : start + plan.rows_per_call]
            yield {name: array[taken] for name, array in self.data.items()}


@dataclass(frozen=True)
class Streamed:
    """Rows that come one call after another, already in order; `read` gives the columns of the next."""

    read: Callable[[int], Mapping[str, Array]]

    def epoch(self, plan: Plan, spec: TrainingSpec, number: int, count: int) -> Batches:
        """The rows of each call of an epoch, by region."""
        for start in range(0, count, plan.rows_per_call):
            rows = min(plan.rows_per_call, count - start)
            yield arrays_of(plan, spec, self.read(rows), rows)


@dataclass(frozen=True)
class Begin:
    """Where a run goes on: epochs done, and the optimizer's state behind them (empty: fresh)."""

    epochs: int = 0
    states: bytes = b""


@dataclass(frozen=True)
class Epoch:
    """A run after an epoch: its number from 1, mean loss, fuel used so far. What it holds can be read until
    the run goes on."""

    number: int
    loss: float | None
    fuel: int
    plan: Plan
    sandbox: Sandbox | Team

    def parameters(self) -> bytes:
        """The parameters in plan order."""
        return _canonical(self.sandbox, [parameter.region for parameter in self.plan.parameters])

    def states(self) -> bytes:
        """The optimizer's state."""
        return _canonical(self.sandbox, state_regions(self.plan))


def train(
    plan: Plan,
    spec: TrainingSpec,
    sandbox: Sandbox | Team,
    start: Sequence[bytes],
    data: Held | Streamed,
    count: int,
    progress: Callable[[int], None],
    noise_key: bytes = bytes(32),
    begin: Begin | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    helpers: Helpers | None = None,
) -> Trained:
    """Run every epoch over `count` rows and read the weights. Raises OutOfFuel, and Diverged when a weight is
    NaN or infinite. Under differential privacy `noise_key` decides the noise; helpers that have nothing else
    to do draw it ahead.
    """
    begin = begin or Begin()
    noise = None
    if plan.variance is not None and plan.noise is not None:
        total = (spec.epochs - begin.epochs) * -(-count // spec.batch) * plan.noise.shape[1]
        free = Helpers(0) if helpers is None or isinstance(sandbox, Team) else helpers
        noise = Ahead(Noise(noise_key, plan.variance), total, free)
    for region, value in plan.constants:
        sandbox.write(region, value)
    for parameter, value in zip(plan.parameters, start, strict=True):
        sandbox.write(parameter.region, value)
    _restore(plan, sandbox, begin.states)
    losses: list[float | None] = []
    done, numbers = begin.epochs * -(-count // spec.batch), Numbers(spec, count)
    numbers.skip(done)
    for epoch in range(begin.epochs, spec.epochs):
        means = []
        for part in _calls(plan, sandbox, data.epoch(plan, spec, epoch, count), numbers, noise):
            done += len(part)
            means.append(part)
            progress(done)
        losses.append(_mean(np.concatenate(means), count, plan.batch) if plan.losses else None)
        if on_epoch is not None:
            on_epoch(Epoch(epoch + 1, losses[-1], sandbox.fuel_used, plan, sandbox))
    sandbox.call("finish")
    parameters = tuple(sandbox.view(parameter.region).tobytes() for parameter in plan.parameters)
    if not all(np.isfinite(np.frombuffer(value, "<f4")).all() for value in parameters):
        raise Diverged("training ended in NaN or infinity; a smaller learning rate may help")
    return Trained(parameters, losses[0], losses[-1], sandbox.fuel_used)


def state_regions(plan: Plan) -> list[Region]:
    """Where the optimizer keeps its state, parameter after parameter."""
    return [state.region for parameter in plan.parameters for state in parameter.states]


def check_begin(plan: Plan, spec: TrainingSpec, begin: Begin) -> None:
    """Refuse to go on from what is no state of this run: SpecError."""
    if begin.states and sum(region.size for region in state_regions(plan)) != len(begin.states):
        raise SpecError("the optimizer's state is not that of this model and optimizer")
    if begin.epochs >= spec.epochs:
        raise SpecError(f"{begin.epochs} epochs are done already; {spec.epochs} in all leave none to run")


def _restore(plan: Plan, sandbox: Sandbox | Team, states: bytes) -> None:
    """Fill the optimizer's state: fresh, or with what an earlier run left."""
    if not states:
        for parameter in plan.parameters:
            for state in parameter.states:
                sandbox.view(state.region)[...] = np.float32(state.fill)
        return
    regions, at = state_regions(plan), 0
    for region in regions:
        sandbox.write(region, states[at : at + region.size])
        at += region.size


def _canonical(sandbox: Sandbox | Team, regions: Sequence[Region]) -> bytes:
    """The regions' float32 values, every NaN the same one."""
    values = [np.array(sandbox.view(region), dtype="<f4") for region in regions]
    for array in values:
        array[np.isnan(array)] = np.float32(np.nan)
    return b"".join(array.tobytes() for array in values)


def _calls(
    plan: Plan, sandbox: Sandbox | Team, batches: Batches, numbers: Numbers, noise: Ahead | None
) -> Iterator[NDArray[np.float32]]:
    """One pass over the rows in their order; the mean loss of each step (zero where none is computed),
    call by call.
    """
    for batch in batches:
        rows = len(batch[plan.targets[0].region.name])
        for region in plan.rows_regions:
            sandbox.view(region)[:rows] = batch[region.name]
        steps = -(-rows // plan.batch)
        if plan.numbers is not None:
            sandbox.view(plan.numbers)[:steps] = numbers.take(steps)
        run = partial(sandbox.call, "run", steps, rows - (steps - 1) * plan.batch)
        if noise is not None and plan.noise is not None:
            place = sandbox.view(plan.noise)[:steps].reshape(-1).view(np.int32)
            noise.fill(place)
            noise.run(run, len(place))
        else:
            run()
        losses = sandbox.view(plan.losses)[:steps] if plan.losses else np.zeros(steps)
        yield losses.astype(np.float32)


def _mean(losses: NDArray[np.float32], count: int, batch: int) -> float:
    """Mean loss over an epoch's rows: batch means weighted by their rows, summed exactly, rounded to
    float32.
    """
    weights = np.full(len(losses), batch, dtype=np.float64)
    weights[-1] = count - batch * (len(losses) - 1)
    return float(np.float32(math.fsum(weights * losses.astype(np.float64)) / count))
