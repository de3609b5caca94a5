"""Private training steps (DP-SGD, noise included) against Opacus, as ratios in one run.

Ours is what the enclave does for each call: draw the noise from the key, write it, run the steps, fuel
counted. Opacus in both of its ways: per-sample gradients by hooks, and ghost clipping (two backward passes,
no per-sample gradients of dense layers). One thread each, the same clip, noise multiplier, batch and model.
"""

import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

from benchmarks.executor import FUEL, one_core, spec_of
from benchmarks.figure import Figure, compared, ratio
from benchmarks.models import Case, lenet, mlp
from benchmarks.peers import RATE
from executor.compiler.compile import compile_training
from executor.compiler.machine import Machine
from executor.privacy.noise import Noise
from primitives.scale import replace
from primitives.spec import Dp

DP = Dp(clip_num=1, clip_den=1, sigma_milli=1000)
STEPS = {"mlp": 50, "lenet": 8}
BATCH = {"mlp": 64, "lenet": 32}
WAYS = ("hooks", "ghost")


def figures() -> Iterator[Figure]:
    """Ratios for an MLP and LeNet-5."""
    opacus = find_spec("opacus") is not None
    if not opacus:
        print("  no Opacus here: its ratios are left out (pip install -e '.[bench]')", file=sys.stderr)
    with one_core():
        for make in (mlp, lenet):
            case = make()
            yield from _training(replace_batch(case, BATCH[case.name]), opacus)


def replace_batch(case: Case, batch: int) -> Case:
    """The case with another batch."""
    return Case(**{**case.__dict__, "batch": batch})


def _training(case: Case, opacus: bool) -> Iterator[Figure]:
    work: dict[str, Callable[[], object]] = {
        "ours": _private(case, DP),
        "without privacy": _private(case, None),
    }
    if opacus:
        work |= {way: _opacus_step(case, way) for way in WAYS}
    times = compared(work)
    ours, steps = times["ours"], STEPS[case.name]
    name = f"dp_{case.name}"
    peer = ("Opacus, ghost clipping", times["ghost"].least * 1e6) if opacus else ()
    yield Figure(f"{name}_step_us", ours.least / steps * 1e6, "µs", *peer)
    yield ratio(f"{name}_vs_without", ours, times["without privacy"], "our step without privacy")
    for way in WAYS if opacus else ():
        yield ratio(f"{name}_vs_opacus_{way}", times[way], ours, f"Opacus ({way}), 1 thread", times=steps)


def _private(case: Case, dp: Dp | None) -> Callable[[], object]:
    """A call of the enclave's loop, noise included."""
    steps = STEPS[case.name]
    plan = compile_training(case.model, replace(spec_of(case), dp=dp), steps * case.batch)
    assert plan.steps_per_call >= steps
    machine = Machine(plan, fuel=FUEL)
    x, labels = case.rows(steps * case.batch)
    machine.write(plan.inputs[0], x)
    assert plan.target is not None
    machine.write(plan.target, labels)
    noise = None if plan.variance is None else Noise(bytes(range(32)), plan.variance)
    region = plan.noise

    def call() -> None:
        if noise is not None and region is not None:
            noise.fill(machine.view(region)[:steps].reshape(-1).view(np.int32))
        machine.run(steps, case.batch)

    return call


def _opacus_step(case: Case, way: str) -> Callable[[], object]:
    """One step of Opacus on one batch."""
    import warnings

    import torch
    from opacus import PrivacyEngine

    torch.set_num_threads(1)
    rows, labels = case.rows(case.batch)
    x, y = torch.from_numpy(rows), torch.from_numpy(labels.astype(np.int64))
    model = case.torch().train()
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, y), batch_size=case.batch)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        made = PrivacyEngine().make_private(
            module=model,
            optimizer=torch.optim.SGD(model.parameters(), lr=RATE),
            data_loader=loader,
            criterion=torch.nn.CrossEntropyLoss(),
            noise_multiplier=DP.sigma_milli / 1000,
            max_grad_norm=DP.clip_num / DP.clip_den,
            poisson_sampling=False,
            grad_sample_mode=way,
        )
    private, optimizer = made[0], made[1]
    criterion = made[2] if way == "ghost" else torch.nn.CrossEntropyLoss()

    def step() -> None:
        optimizer.zero_grad()
        criterion(private(x), y).backward()
        optimizer.step()

    return step
