"""Batches in shards: the same training, the same bits for any number of instances, threads as confined as
the rest."""

import threading
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wasmtime
from numpy.typing import NDArray

from executor.compiler.compile import compile_training
from executor.compiler.lowering import places, products
from executor.compiler.machine import Machine
from executor.compiler.plan import EXPORTS, SHARD_EXPORTS, Plan
from executor.enclave import Enclave, Limits, Secrets
from executor.errors import ModelError, OutOfFuel, UnsupportedSpec
from executor.privacy.ahead import Ahead
from executor.privacy.noise import Noise
from executor.readers import read_table
from executor.rows import MemoryRows
from executor.sandbox import Sandbox
from executor.team import Helpers, Team, sandbox_for, team_of
from executor.wasm.engine import engine
from primitives.spec import Clip, Dp, LossSpec, OptimizerSpec, TrainingSpec, float_bits
from primitives.wasm.call import Entry
from tests.executor.compile_cases import FUEL, Case, node, training_spec
from tests.executor.planted import ROOT, PlantedEnclave, four_rows, matmul_model, spec_for
from tests.executor.test_compile_operators import noise
from tests.executor.test_enclave_training import order

ROWS, BATCH = 44, 16
MEMORY = 1 << 28
DIGITS = ROOT / "examples" / "digits"
CASE = Case(
    [
        node("Conv", "x w c", "h", pads=[1, 1, 1, 1]),
        node("Tanh", "h", "t"),
        node("Flatten", "t", "f"),
        node("Gemm", "f v b", "y"),
    ],
    (2, 5, 5),
    {
        "w": noise(4, 2, 3, 3, seed=1),
        "c": noise(4, seed=2),
        "v": noise(100, 3, seed=3) / 8,
        "b": noise(3, seed=4),
    },
)


def data() -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    classes: NDArray[np.int32] = np.random.default_rng(5).integers(0, 3, ROWS).astype(np.int32)
    return noise(ROWS, *CASE.features, seed=6), classes


def spec(shards: int, **changes: Any) -> TrainingSpec:
    return training_spec(BATCH, rate=0.2, momentum=0.9, shards=shards, **changes)


def fill(box: Machine | Sandbox | Team, plan: Plan) -> None:
    x, classes = data()
    assert plan.target is not None
    if not isinstance(box, Machine):
        for region, value in plan.constants:
            box.write(region, value)
        for parameter in plan.parameters:
            box.write(parameter.region, parameter.given)
            for state in parameter.states:
                box.view(state.region)[...] = np.float32(state.fill)
    box.view(plan.inputs[0])[:ROWS] = x
    box.view(plan.target)[:ROWS] = classes


def trained(box: Machine | Sandbox | Team, plan: Plan, epochs: int = 3) -> list[NDArray[Any]]:
    """Losses of the last epoch, and the weights."""
    fill(box, plan)
    steps = -(-ROWS // BATCH)
    for _ in range(epochs):
        last = ROWS - (steps - 1) * BATCH
        if isinstance(box, Machine):
            box.run(steps, last)
        else:
            box.call("run", steps, last)
    if isinstance(box, Machine):
        box.finish()
    else:
        box.call("finish")
    assert plan.losses is not None
    regions = [plan.losses, *(item.region for item in plan.parameters)]
    return [box.view(region).copy() for region in regions]


def team_for(plan: Plan, helpers: int, fuel: int = FUEL) -> Team:
    team = team_of(plan, Sandbox(plan, MEMORY, fuel), fuel, Helpers(helpers))
    assert team is not None
    return team


@pytest.mark.parametrize("shards", [2, 4, 8, 16])
def test_shards_train_as_the_whole_batch_does(shards: int) -> None:
    """To rounding: the last batch has 12 rows, so that some shards are short and some are empty."""
    whole = compile_training(CASE.bytes(), spec(1), ROWS)
    cut = compile_training(CASE.bytes(), spec(shards), ROWS)
    for a, b in zip(trained(Machine(whole), whole), trained(Machine(cut), cut), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-6)


ADAM = OptimizerSpec.AdamW(
    rate=float_bits(0.01),
    beta1=float_bits(0.9),
    beta2=float_bits(0.999),
    epsilon=float_bits(1e-8),
    weight_decay=float_bits(0.01),
    amsgrad=False,
    clip=Clip.Norm(limit=float_bits(0.5)),
)
WEIGHTED = LossSpec.WeightedCrossEntropy(
    weights=[float_bits(w) for w in (1.0, 2.0, 3.0)], ignore=None, smoothing=0, probabilities=False
)


@pytest.mark.parametrize("change", [{}, {"optimizer": ADAM}])
def test_the_number_of_instances_changes_no_bit(change: dict[str, Any]) -> None:
    plan = compile_training(CASE.bytes(), spec(4, **change), ROWS)
    alone = trained(Sandbox(plan, MEMORY, FUEL), plan)
    for count in (1, 2, 3, 7):
        team = team_for(plan, count)
        for a, b in zip(alone, trained(team, plan), strict=True):
            assert a.tobytes() == b.tobytes()


MATRICES = Case(
    [
        node("MatMul", "x a", "h"),
        node("Tanh", "h", "t"),
        node("MatMul", "t b", "k"),
        node("Flatten", "k", "f"),
        node("MatMul", "f c", "g"),
        node("Relu", "g", "r"),
        node("Gemm", "r d", "y", transB=1),
    ],
    (5, 10),
    {
        "a": noise(10, 9, seed=1) / 3,
        "b": noise(9, 6, seed=2) / 3,
        "c": noise(30, 14, seed=3) / 5,
        "d": noise(3, 14, seed=4) / 3,
    },
)


@pytest.mark.parametrize("held", [1 << 20, 2000, 0])
def test_packing_for_all_shards_changes_no_bit(monkeypatch: pytest.MonkeyPatch, held: int) -> None:
    """Large matrices are packed when a call begins and after each update: all, those for which there is room,
    or none. What the host writes between two calls counts."""

    def run(plan: Plan, box: Machine | Sandbox | Team) -> list[bytes]:
        found = []
        for start in (1.0, 0.5):
            for name, value in (("x", noise(ROWS, 5, 10, seed=6)), ("y", data()[1])):
                region = plan.inputs[0] if name == "x" else plan.target
                assert region is not None
                box.view(region)[:ROWS] = value
            # A team's twins take over what is written before the first call only.
            for parameter in plan.parameters if start == 1.0 or isinstance(box, Machine) else ():
                given = np.frombuffer(parameter.given, np.float32).reshape(parameter.region.shape)
                box.view(parameter.region)[...] = given * np.float32(start)
                for state in parameter.states:
                    box.view(state.region)[...] = np.float32(state.fill)
            found.append(b"".join(box.view(item.region).tobytes() for item in plan.parameters))
            if isinstance(box, Machine):
                box.run(3, ROWS - 2 * BATCH)
            else:
                box.call("run", 3, ROWS - 2 * BATCH)
            found.append(b"".join(box.view(item.region).tobytes() for item in plan.parameters))
        return found

    ordinary = compile_training(MATRICES.bytes(), spec(4), ROWS)
    monkeypatch.setattr(products, "CACHED", 0)
    monkeypatch.setattr(places, "HELD_MAX", held)
    packing = compile_training(MATRICES.bytes(), spec(4), ROWS)
    packs = [name for name, _, _ in packing.kernels if "pack" in name]
    assert len(packs) == 7, "four forwards, three for the gradient by what they multiply"
    behind = [name for name, _, _ in packing.kernels[-len(packs) :] if "pack" in name]
    assert len(behind) == 7 if held > 2000 else 0 < len(behind) < 7 if held else not behind
    machine = Machine(packing, FUEL)
    expected = run(ordinary, Machine(ordinary, FUEL))
    assert run(packing, machine) == expected and expected[1] != expected[3]
    assert FUEL - machine.fuel_left() == 2 * packing.fuel_of_call(3)
    alone = run(packing, Sandbox(packing, MEMORY, FUEL))
    for count in (1, 3):
        assert run(packing, team_for(packing, count)) == alone


def test_fuel_is_as_quoted_alone_and_in_a_team() -> None:
    plan = compile_training(CASE.bytes(), spec(4, epochs=3), ROWS)
    machine = Machine(plan, FUEL)
    trained(machine, plan)
    team = team_for(plan, 1)
    trained(team, plan)
    assert FUEL - machine.fuel_left() == plan.fuel == team.fuel_used


def test_a_team_runs_out_of_fuel_where_one_sandbox_would() -> None:
    plan = compile_training(CASE.bytes(), spec(4), ROWS)
    team = team_for(plan, 1, plan.fuel_of_call(3) - 1)
    with pytest.raises(OutOfFuel):
        trained(team, plan)


@pytest.mark.parametrize("poor", [0, 1, 2])
def test_whoever_fails_in_a_team_its_error_is_told_and_nobody_waits_for_ever(
    poor: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = compile_training(CASE.bytes(), spec(4), ROWS)
    team = team_for(plan, 2)
    box = team._boxes[poor]
    monkeypatch.setattr(box, "refuel", lambda units: Sandbox.refuel(box, plan.fuel_per_step // 8))
    with pytest.raises(OutOfFuel):
        trained(team, plan)


def test_an_instance_waits_for_one_that_is_late() -> None:
    """Longer than it looks: it sleeps, and goes on where it was."""
    plan = compile_training(CASE.bytes(), spec(4), ROWS)
    alone = trained(Sandbox(plan, MEMORY, FUEL), plan)
    team = team_for(plan, 1)
    box = team._boxes[1]
    ready, refuel = threading.Event(), box.refuel

    def late(units: int) -> None:
        ready.wait(0.05)
        refuel(units)

    box.refuel = late  # type: ignore[method-assign]
    for a, b in zip(alone, trained(team, plan), strict=True):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("packed", [False, True])
def test_whoever_is_there_takes_all_shards_until_it_must_wait(
    packed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By turns: an instance does a whole step alone, and waits before the next, since the slots are taken.
    Whoever goes in again finds its matrices packed by its last update."""
    if packed:
        monkeypatch.setattr(products, "CACHED", 0)
    plan = compile_training(CASE.bytes(), spec(4), ROWS)
    alone, first, second = (Sandbox(plan, MEMORY, FUEL) for _ in range(3))
    assert any(name.startswith("pack.") for name, _, _ in plan.kernels) is packed
    assert first.share([second], plan.shared) and plan.progress is not None
    progress = first.view(plan.progress)[:4, 0]
    for box in (alone, first, second):
        fill(box, plan)
    progress[:] = 0
    steps, last = -(-ROWS // BATCH), ROWS % BATCH
    alone.call("run", steps, last)
    seen = []
    for number in (0, 1, 0, 1, 0):
        (first, second)[number].call("work", number, 2, steps, last)
        seen.append(progress.tolist())
    assert seen == [[4, 4, 1, 0], [8, 8, 1, 2], [12, 12, 3, 2], [12, 12, 3, 3], [12, 12, 3, 3]]
    for parameter in plan.parameters:
        expected = alone.view(parameter.region).tobytes()
        assert all(box.view(parameter.region).tobytes() == expected for box in (first, second))


@pytest.mark.parametrize("doubles", [False, True])
def test_pages_are_shared_or_left_as_they_were(doubles: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = compile_training(CASE.bytes(), spec(2), ROWS)
    one, two = (Sandbox(plan, MEMORY, FUEL) for _ in range(2))
    for number, box in enumerate((one, two)):
        box.whole()[:] = 7 + number
    if not doubles:
        monkeypatch.setattr("executor.wasm.pages._doubles", lambda pages: False)
        assert team_of(plan, one, FUEL, Helpers(1)) is None
    assert plan.shared % 65536 == 0 and one.share([two], plan.shared) is doubles
    one.whole()[1] = two.whole()[plan.shared - 1] = 9
    expected = (9, 9) if doubles else (7, 8)
    assert (one.whole()[plan.shared - 1], two.whole()[1]) == expected
    assert (one.whole()[0], two.whole()[0]) == ((7, 7) if doubles else (7, 8))
    assert (one.whole()[plan.shared], two.whole()[plan.shared]) == (7, 8)


def test_a_bound_call_takes_only_what_was_checked() -> None:
    machine = wasmtime.Engine()
    store = wasmtime.Store(machine)
    text = """(module (func (export "two") (param i32 i32) (if (local.get 1) (then unreachable)))
        (func (export "wide") (param i64)) (func (export "one") (result i32) i32.const 1))"""
    exports = wasmtime.Instance(store, wasmtime.Module(machine, text), []).exports(store)
    two, wide, one = (exports[name] for name in ("two", "wide", "one"))
    assert isinstance(two, wasmtime.Func)
    Entry(store, two)(7, 0)
    with pytest.raises(wasmtime.Trap, match="unreachable"):
        Entry(store, two)(7, 1)
    with pytest.raises(TypeError, match="2 arguments expected, 1 given"):
        Entry(store, two)(7)
    for function in (wide, one):
        assert isinstance(function, wasmtime.Func)
        with pytest.raises(TypeError, match="i32"):
            Entry(store, function)


def test_exports_are_as_described() -> None:
    plan = compile_training(CASE.bytes(), spec(2), ROWS)
    module = wasmtime.Module(engine(), plan.module)
    assert {item.name for item in module.exports} == {*EXPORTS, *SHARD_EXPORTS}


def test_small_steps_are_not_handed_around() -> None:
    plan = compile_training(CASE.bytes(), spec(2), ROWS)
    assert isinstance(sandbox_for(plan, MEMORY, FUEL, Helpers(1)), Sandbox)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"shards": 3}, "equal shards"),
        ({"shards": 0}, "equal shards"),
        ({"shards": 2, "loss": WEIGHTED}, "across the rows"),
    ],
)
def test_what_cannot_be_cut_is_refused_by_name(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(UnsupportedSpec, match=why):
        compile_training(CASE.bytes(), training_spec(BATCH, **changes), ROWS)


PRIVATE = Dp(clip_num=1, clip_den=2, sigma_milli=4000)


def privately(box: Machine | Sandbox | Team, plan: Plan) -> list[bytes]:
    """Weights after three epochs under differential privacy."""
    assert plan.variance is not None and plan.noise is not None and plan.losses is None
    noise = Noise(bytes(32), plan.variance)
    fill(box, plan)
    steps = -(-ROWS // BATCH)
    for _ in range(3):
        noise.fill(box.view(plan.noise)[:steps].reshape(-1).view(np.int32))
        arguments = (steps, ROWS - (steps - 1) * BATCH)
        box.run(*arguments) if isinstance(box, Machine) else box.call("run", *arguments)
    return [box.view(item.region).tobytes() for item in plan.parameters]


def test_whole_numbers_add_up_to_the_same_bits_however_a_private_batch_is_cut() -> None:
    plans = [compile_training(CASE.bytes(), spec(shards, dp=PRIVATE), ROWS) for shards in (1, 2, 4, 8, 16)]
    first, *others = [privately(Machine(plan), plan) for plan in plans]
    assert all(other == first for other in others)
    for count in (1, 2, 3, 7):
        team = team_for(plans[3], count)
        assert privately(team, plans[3]) == first


@pytest.mark.parametrize("change", [{"optimizer": ADAM}, {"dp": PRIVATE, "optimizer": ADAM}])
def test_fuel_of_shards_is_as_quoted(change: dict[str, Any]) -> None:
    plan = compile_training(CASE.bytes(), spec(8, **change), ROWS)
    machine = Machine(plan, FUEL)
    fill(machine, plan)
    machine.run(3, ROWS - 2 * BATCH)
    assert FUEL - machine.fuel_left() == plan.fuel_of_call(3)


@pytest.mark.parametrize("dp", [None, PRIVATE])
def test_enclaves_with_one_thread_and_with_two_give_the_same_bytes(dp: Dp | None) -> None:
    table = read_table(DIGITS / "provider.csv", {"pixels": (1, 8, 8)})
    some = {name: column[:300] for name, column in table.columns.items()}
    rows = MemoryRows(table.schema(), some, secret=bytes(32))
    model = Path(DIGITS / "cnn.onnx").read_bytes()
    job = order(model, batch=64, epochs=1, shards=2, dp=dp)
    limits = Limits(deadline_ms=120_000)
    secret = Secrets(bytes([7]) * 32)
    results = [Enclave(threads).train(model, rows, job, limits, secret, losses=True) for threads in (1, 2)]
    one, two = results
    assert one.weights == two.weights and one.first_loss == two.first_loss
    assert one.fuel == two.fuel == one.quoted.work.fuel


@pytest.mark.parametrize("threads", [2, 3])
def test_a_confined_team_shares_memory_and_gives_the_same_bytes(threads: int) -> None:
    """With steps of any size handed around; the planted job refuses to run alone."""
    source = """
from executor import team
from executor.compiler.compile import compile_training
team.WORTH = 0
def sandbox_for(*arguments):
    made = team.sandbox_for(*arguments)
    assert isinstance(made, team.Team), "one sandbox alone"
    return made
worker.sandbox_for = sandbox_for
"""
    table = read_table(DIGITS / "provider.csv", {"pixels": (1, 8, 8)})
    some = {name: column[:100] for name, column in table.columns.items()}
    rows = MemoryRows(table.schema(), some, secret=bytes(32))
    model = Path(DIGITS / "mlp.onnx").read_bytes()
    job = order(model, batch=24, epochs=2, shards=3)
    limits = Limits(deadline_ms=120_000)
    secret = Secrets(bytes([7]) * 32)
    alone = Enclave(1).train(model, rows, job, limits, secret, losses=True)
    together = PlantedEnclave(source, threads=threads).train(model, rows, job, limits, secret, losses=True)
    assert together.weights == alone.weights and together.last_loss == alone.last_loss
    assert together.fuel == alone.fuel == alone.quoted.work.fuel


def test_noise_drawn_ahead_is_the_same_noise() -> None:
    """A call an epoch: the second and the third find their noise drawn."""
    table = read_table(DIGITS / "provider.csv", {"pixels": (1, 8, 8)})
    rows = MemoryRows(table.schema(), table.columns, secret=bytes(32))
    model = Path(DIGITS / "mlp.onnx").read_bytes()
    job = order(model, batch=96, epochs=3, dp=PRIVATE)
    limits, secret = Limits(deadline_ms=120_000), Secrets(bytes([7]) * 32)
    one, two = (Enclave(threads).train(model, rows, job, limits, secret) for threads in (1, 2))
    assert one.weights == two.weights and one.fuel == two.fuel == one.quoted.work.fuel


def test_noise_ahead_is_the_stream_whatever_is_asked_for() -> None:
    whole = Noise(bytes(32), Fraction(10**6)).take(1000)
    for helpers in (0, 1):
        ahead = Ahead(Noise(bytes(32), Fraction(10**6)), 1000, Helpers(helpers))
        found: list[NDArray[np.int32]] = []
        done: list[int] = []
        for count, following in ((10, 10), (30, 300), (5, 7), (400, 10**6), (555, 100)):
            part = np.empty(count, dtype=np.int32)
            ahead.fill(part)
            ahead.run(partial(done.append, count), following)
            found.append(part)
        assert done == [10, 30, 5, 400, 555] and np.array_equal(np.concatenate(found), whole)


DEEDS = ("open('/etc/passwd')", "os.fork()", "socket.socket()", "_thread.start_new(int, ())")


def test_threads_are_confined_too() -> None:
    source = f"""
import _thread, socket
from executor.errors import ModelError
kept = []
class Kept(worker.Helpers):
    def __init__(self, count):
        super().__init__(count)
        kept.append(self)
worker.Helpers = Kept
def compile_training(*_):
    found = []
    def look():
        for deed in {DEEDS!r}:
            try:
                found.append("done: " + str(eval(deed)))
            except Exception as error:
                found.append("refused: " + str(error))
    kept[0].together(lambda: None, [look])
    raise ModelError("; ".join(found))
"""
    model = matmul_model()
    job, limits = spec_for(model, shards=2), Limits(deadline_ms=60_000)
    with pytest.raises(ModelError) as caught:
        PlantedEnclave(source, threads=2).train(model, four_rows(), job, limits, Secrets())
    assert str(caught.value).count("refused") == len(DEEDS), caught.value
