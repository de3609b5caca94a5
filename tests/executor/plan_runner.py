"""A training plan run as the enclave's child runs it, without the enclave."""

from collections.abc import Mapping
from typing import Any

from numpy.typing import NDArray

from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from executor.rates import Numbers
from primitives.spec import TrainingSpec
from tests.executor.compile_cases import FUEL


def run_plan(
    plan: Plan, spec: TrainingSpec, inputs: Mapping[str, NDArray[Any]], target: NDArray[Any]
) -> tuple[Machine, list[float]]:
    """All epochs with the rows in order; the loss of each step. The fuel used must be the fuel quoted."""
    rows = len(target)
    machine, numbers = Machine(plan, FUEL), Numbers(spec, rows)
    losses: list[float] = []
    assert plan.target is not None and plan.losses is not None
    for parameter in plan.parameters:
        for state in parameter.states:
            machine.view(state.region)[...] = state.fill
    for _ in range(spec.epochs):
        for first in range(0, rows, plan.rows_per_call):
            count = min(plan.rows_per_call, rows - first)
            for region in plan.inputs:
                machine.write(region, inputs[region.name][first : first + count])
            machine.write(plan.target, target[first : first + count])
            steps = -(-count // plan.batch)
            if plan.numbers is not None:
                machine.write(plan.numbers, numbers.take(steps))
            machine.run(steps, count - (steps - 1) * plan.batch)
            losses += machine.view(plan.losses)[:steps].tolist()
    machine.finish()
    assert FUEL - machine.fuel_left() == plan.fuel
    return machine, losses
