"""Training steps in the enclave against what an ML engineer would run instead, as ratios in one run.

Every ratio is peer's time / ours, one thread each, the peers interleaved with us in short runs and compared
by their least times over stretches of like length, the ratio of medians beside it; ours run with fuel
counted.
docs/performance-executor.md says what bounds each.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, reduce

import numpy as np

from benchmarks import peers
from benchmarks.figure import Figure, compared, ratio, seconds_each
from benchmarks.models import CASES, Case, cnn_of_a_million, lenet, mlp, products, resnet
from executor.compiler.compile import compile_forward, compile_training
from executor.compiler.machine import Machine
from executor.compiler.plan import Plan
from executor.errors import ExecutorError
from executor.sandbox import Sandbox
from executor.team import Helpers, Team, team_of
from primitives.job import model_hash
from primitives.spec import (
    NUMERICS,
    SPEC_VERSION,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
)

STEPS = {"mlp": 100, "lenet": 8, "lstm": 4}
"""Steps of one measured call, 1 of all others: what is timed takes some 20 ms, as the peer's does, since the
least of longer stretches is worse on a machine that others disturb.
"""
TWO_CORES = {"two_cores_vs_one": (resnet, 64, 8, 2), "two_cores_vs_one_lenet": (lenet, 64, 2, 8)}
"""Case, rows of a batch, shards, steps of a measured call."""
PRODUCTS = 4
SIZES = (256, 512)
FUEL = 1 << 62
EAGER = "PyTorch eager, its best layout, 1 thread"


def figures() -> Iterator[Figure]:
    """Ratios for training steps and matrix products, fuel, and seconds to compile."""
    with one_core():
        torch = peers.has_torch()
        for make in CASES:
            yield from _training(make(), torch)
        for size in SIZES:
            yield from _products(size, torch)
        yield _fuel()
        yield _compile()
    if _cores() < 2:
        print("  one processor here: two_cores_vs_one is left out")
        return
    helpers = Helpers(1)
    helpers.together(lambda: None, [_elsewhere])
    with one_core():
        yield from _two_cores(helpers)


@contextmanager
def one_core() -> Iterator[None]:
    """Pin the calling thread to one core, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _cores() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _elsewhere() -> None:
    """Pin the calling thread to another core than `one_core` takes: where anything else runs on the machine,
    a thread that wakes often stays on the core of the one that woke it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})


def spec_of(case: Case, *, epochs: int = 1, shards: int = 1) -> TrainingSpec:
    """SGD without momentum on cross-entropy."""
    return TrainingSpec(
        version=SPEC_VERSION,
        numerics=NUMERICS,
        model_hash=model_hash(case.model),
        inputs=[InputMap(column=b"x", tensor=b"x", affine=None)],
        target=Target(column=b"label", tensor=b"y"),
        loss=LossSpec.CrossEntropy(),
        optimizer=OptimizerSpec.Sgd(rate=float_bits(peers.RATE), momentum=0),
        schedule=Schedule.Constant(),
        epochs=epochs,
        batch=case.batch,
        seed=bytes(32),
        init=Init.Given(),
        trainable=[],
        dp=None,
        shuffle=False,
        shards=shards,
    )


def trainer(case: Case, plan: Plan, steps: int) -> Callable[[], object]:
    """`steps` training steps in one call, on rows that lie in the module's memory."""
    machine = Machine(plan, fuel=FUEL)
    x, labels = case.rows(steps * case.batch)
    machine.write(plan.inputs[0], x)
    assert plan.target is not None
    machine.write(plan.target, labels)
    return lambda: machine.run(steps, case.batch)


def _training(case: Case, torch: bool) -> Iterator[Figure]:
    """One model's step against every peer that has it."""
    steps = STEPS.get(case.name, 1)
    try:
        plan = compile_training(case.model, spec_of(case), steps * case.batch)
    except ExecutorError as error:
        print(f"  {case.name} is left out: {type(error).__name__}: {error}")
        return
    steps = min(steps, plan.steps_per_call)
    work = {"ours": trainer(case, plan, steps)}
    if torch:
        work |= peers.torch_steps(case)
    if case.name == "mlp":
        work["numpy"] = peers.numpy_mlp_step(case)
    times = compared(work)
    ours = times.pop("ours")
    step = ours.least / steps
    by_hand = times.pop("numpy", None)
    best = min(times, key=times.__getitem__, default="")
    peer = times[best].least * 1e6 if best else None
    yield Figure(f"{case.name}_step_us", step * 1e6, "µs", EAGER if best else "", peer)
    yield Figure(f"{case.name}_gflops", plan.flops / plan.steps / step / 1e9, "GFLOP/s")
    if best:
        yield ratio(f"{case.name}_vs_torch", times[best], ours, f"{EAGER} ({best})", times=steps)
    if by_hand:
        said = "the same step by hand in NumPy, 1 thread"
        yield ratio(f"{case.name}_vs_numpy", by_hand, ours, said, times=steps)
    yield from _forward(case)


def _forward(case: Case) -> Iterator[Figure]:
    """The forward pass alone against onnxruntime, which does not train."""
    steps = STEPS.get(case.name, 1)
    plan = compile_forward(case.model, case.batch, steps * case.batch)
    steps = min(steps, plan.steps_per_call)
    machine = Machine(plan, fuel=FUEL)
    x, _ = case.rows(steps * case.batch)
    machine.write(plan.inputs[0], x)
    peer_run = peers.onnxruntime_forward(case.model, x[: case.batch])
    if peer_run is None:
        return
    times = compared({"ours": lambda: machine.run(steps, case.batch), "peer": peer_run})
    ours, peer, said = times["ours"], times["peer"], "onnxruntime, 1 thread"
    yield Figure(f"{case.name}_forward_us", ours.least / steps * 1e6, "µs", said, peer.least * 1e6)
    yield ratio(f"{case.name}_forward_vs_onnxruntime", peer, ours, said, times=steps)


def _products(size: int, torch: bool) -> Iterator[Figure]:
    """A chain of products of size × size, fuel counted, layout changes at both ends included."""
    model, weights = products(size, PRODUCTS)
    plan = compile_forward(model, size, size)
    machine = Machine(plan, fuel=FUEL)
    x = np.random.default_rng(3).uniform(-1, 1, (size, size)).astype(np.float32)
    machine.write(plan.inputs[0], x)
    work: dict[str, Callable[[], object]] = {
        "ours": lambda: machine.run(1, size),
        "numpy": lambda: reduce(np.matmul, weights, x),
    }
    if (other := peers.onnxruntime_forward(model, x)) is not None:
        work["onnxruntime"] = other
    if torch:
        work["torch"] = peers.torch_products(x, weights)
    times = compared(work)
    ours = times.pop("ours")
    rate = 2 * PRODUCTS * size**3 / 1e9
    yield Figure(f"gemm_{size}_gflops", rate / ours.least, "GFLOP/s")
    for peer, taken in times.items():
        name = f"gemm_vs_{peer}" if size == SIZES[-1] else f"gemm_{size}_vs_{peer}"
        yield ratio(name, taken, ours, f"{peer}, 1 thread, {rate / taken.least:.0f} GFLOP/s, n = {size}")


def _fuel() -> Figure:
    """Quoted over used, for a job of several epochs with a last batch that is not full."""
    case = mlp()
    rows, epochs = 7 * case.batch + 5, 3
    plan = compile_training(case.model, spec_of(case, epochs=epochs), rows)
    machine = Machine(plan, fuel=FUEL)
    for _ in range(epochs):
        machine.run(8, 5)
    machine.finish()
    return Figure("fuel_quoted_over_used", plan.fuel / (FUEL - machine.fuel_left()), "×")


def _compile() -> Figure:
    """Model bytes to a module that runs, wasmtime's compilation included."""
    case = cnn_of_a_million()

    def work() -> None:
        Machine(compile_training(case.model, spec_of(case), case.batch), fuel=FUEL)

    return Figure("compile_seconds_cnn", seconds_each(work, runs=3), "s")


def _two_cores(helpers: Helpers) -> Iterator[Figure]:
    """Two instances that divide each batch's shards, against one that works on all of them, with the same
    bits; two copies of the whole job at once, which know nothing of each other: what the machine gives; and
    the job on one core with whole batches: what cutting them costs. The calling thread works on the core on
    which the one does, the helper on another."""
    for name, (make, batch, shards, steps) in TWO_CORES.items():
        case = replace(make(), batch=batch)
        plan, uncut = (
            compile_training(case.model, spec_of(case, shards=count), steps * batch) for count in (shards, 1)
        )
        assert plan.steps_per_call == uncut.steps_per_call == steps
        one, other, first = (Sandbox(plan, plan.memory, FUEL) for _ in range(3))
        two = team_of(plan, first, FUEL, helpers)
        if two is None:
            print("  instances cannot share memory here: two_cores_vs_one is left out")
            return
        whole = Sandbox(uncut, uncut.memory, FUEL)
        for box, of in ((one, plan), (other, plan), (two, plan), (whole, uncut)):
            _fill(box, of, case, steps * batch)
            box.call("run", steps, batch)
        weights = [[box.view(item.region).tobytes() for item in plan.parameters] for box in (one, two)]
        assert weights[0] == weights[1], "the number of cores changed a bit"
        alone, beside, together, at_once = (
            partial(box.call, "run", steps, batch) for box in (one, other, two, whole)
        )
        work: dict[str, Callable[[], object]] = {
            "one": alone,
            "two": together,
            "copies": partial(helpers.together, alone, [beside]),
            "whole": at_once,
        }
        times = compared(work, budget=20)
        said = f"the same job on one core, {case.name}, batch {batch} in {shards} shards"
        yield ratio(name, times["one"], times["two"], said)
        bound = "two independent copies of that job at once, each on a core: what the machine gives"
        yield ratio(name.replace("two_cores", "two_copies"), times["one"], times["copies"], bound, times=2)
        cost = f"one core in {shards} shards against one core with whole batches, {case.name}"
        yield ratio(name.replace("two_cores_vs_one", "shards_vs_whole"), times["whole"], times["one"], cost)


def _fill(box: Sandbox | Team, plan: Plan, case: Case, rows: int) -> None:
    """Constants, the parameters that the model's file gives, and rows."""
    for region, value in plan.constants:
        box.write(region, value)
    for parameter in plan.parameters:
        box.write(parameter.region, parameter.given)
    assert plan.target is not None
    x, labels = case.rows(rows)
    box.view(plan.inputs[0])[: len(x)] = x
    box.view(plan.target)[: len(x)] = labels
