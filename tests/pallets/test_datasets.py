"""The datasets pallet: register, update, set_policy, close, and the privacy ledger."""

from __future__ import annotations

from typing import Any

import pytest

from primitives.data import Column, DatasetKind, DatasetState, Dtype, GivenWeights, Policy, Schema, WithoutDp
from primitives.scale import replace
from tests.pallets.samples import ALICE, BOB, POLICY, SCHEMA, policy, seal_key
from tests.pallets.world import DATASET_DEPOSIT, World

ROOT = bytes([5]) * 32
NAN, INFINITY, MINUS_ONE = 0x7FC0_0000, 0x7F80_0000, 0xBF80_0000


def register(world: World, **changes: Any) -> Any:
    """The call with valid arguments, save for changes."""
    arguments = {
        "kind": DatasetKind.Static,
        "schema": SCHEMA,
        "root": ROOT,
        "rows": 1_437,
        "chunks": 15,
        "seal_pk": seal_key(),
        "policy": POLICY,
    }
    return world.datasets.register.new(**{**arguments, **changes})


@pytest.fixture
def registered(world: World) -> World:
    """A world in which Alice has registered dataset 0."""
    world.do(register(world), ALICE)
    return world


def test_register_keeps_the_commitment_and_holds_a_deposit(world: World) -> None:
    events = world.do(register(world), ALICE)
    assert world.datasets.Registered(id=0, owner=ALICE, root=ROOT) in events
    dataset = world.datasets.datasets[0]
    assert (dataset.owner, dataset.rows, dataset.chunks, dataset.version) == (ALICE, 1_437, 15, 0)
    assert dataset.schema_hash == SCHEMA.hash
    assert dataset.state == DatasetState.Active
    assert world.held(ALICE) == DATASET_DEPOSIT
    world.do(register(world), BOB)
    assert world.datasets.owner(1) == BOB
    assert world.datasets.owner(2) is None


IDENTITY = bytes(32)
NOT_CANONICAL = (2**255 - 19).to_bytes(32, "little")
"""Zero in another spelling."""
NOT_A_POINT = b"\xff" * 32


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": DatasetKind.Stream}, "StreamsUnsupported"),
        ({"schema": replace(SCHEMA, columns=[])}, "BadSchema"),
        ({"schema": replace(SCHEMA, rows_per_chunk=0)}, "BadSchema"),
        ({"schema": replace(SCHEMA, rows_per_chunk=2_000), "chunks": 1}, "BadSchema"),
        ({"schema": replace(SCHEMA, columns=[*SCHEMA.columns, SCHEMA.columns[0]])}, "BadSchema"),
        ({"schema": replace(SCHEMA, columns=[Column(name=b"\xff", dtype=Dtype.U8, shape=[])])}, "BadSchema"),
        ({"schema": replace(SCHEMA, columns=[Column(name=b"a", dtype=Dtype.U8, shape=[0])])}, "BadSchema"),
        ({"rows": 0, "chunks": 0}, "WrongChunks"),
        ({"chunks": 14}, "WrongChunks"),
        ({"rows": 2**64 - 1}, "WrongChunks"),
        ({"seal_pk": IDENTITY}, "BadSealKey"),
        ({"seal_pk": NOT_CANONICAL}, "BadSealKey"),
        ({"seal_pk": NOT_A_POINT}, "BadSealKey"),
        ({"policy": policy(losses=[])}, "BadPolicy"),
        ({"policy": policy(optimizers=[])}, "BadPolicy"),
        ({"policy": policy(epochs_max=0)}, "BadPolicy"),
        ({"policy": policy(rate_min=0)}, "BadPolicy"),
        ({"policy": policy(rate_min=POLICY.rate_max + 1)}, "BadPolicy"),
        ({"policy": policy(rate_max=INFINITY)}, "BadPolicy"),
        ({"policy": policy(rate_max=NAN)}, "BadPolicy"),
        ({"policy": policy(rate_max=MINUS_ONE)}, "BadPolicy"),
    ],
)
def test_register_refuses(world: World, changes: dict[str, Any], error: str) -> None:
    world.refused(register(world, **changes), ALICE, error)


def test_register_refuses_who_cannot_pay(world: World) -> None:
    world.empty(ALICE)
    world.refused(register(world), ALICE, "CannotPayDeposit")


def test_register_stops_before_the_numbers_run_out(world: World) -> None:
    world.datasets.next_dataset_id.put(2**32 - 1)
    world.refused(register(world), ALICE, "NoIdsLeft")


def test_update_stops_before_the_versions_run_out(registered: World) -> None:
    world = registered
    world.datasets.datasets[0] = replace(world.datasets.datasets[0], version=2**32 - 2)
    call = world.datasets.update.new(0, bytes(32), 100, 1)
    world.do(call, ALICE)
    world.refused(call, ALICE, "NoIdsLeft")


def test_update_is_a_new_version_under_the_same_ledger(registered: World) -> None:
    world = registered
    world.datasets.open_job(0, 5)
    events = world.do(world.datasets.update.new(0, bytes([6]) * 32, 1_600, 16), ALICE)
    assert events == [world.datasets.Updated(id=0, version=1, root=bytes([6]) * 32)]
    dataset = world.datasets.datasets[0]
    assert (dataset.root, dataset.rows, dataset.chunks) == (bytes([6]) * 32, 1_600, 16)
    assert world.datasets.in_use(0) == (5, 1)


def test_update_refuses(registered: World) -> None:
    world = registered
    world.refused(world.datasets.update.new(0, ROOT, 1_437, 15), BOB, "NotYourDataset")
    world.refused(world.datasets.update.new(1, ROOT, 1_437, 15), ALICE, "NoSuchDataset")
    world.refused(world.datasets.update.new(0, ROOT, 1_437, 16), ALICE, "WrongChunks")
    world.do(world.datasets.close.new(0), ALICE)
    world.refused(world.datasets.update.new(0, ROOT, 1_437, 15), ALICE, "NotActive")


def test_set_policy(registered: World) -> None:
    world = registered
    events = world.do(world.datasets.set_policy.new(0, policy(epochs_max=7)), ALICE)
    assert events == [world.datasets.PolicySet(id=0)]
    assert world.datasets.datasets[0].policy.epochs_max == 7


def test_set_policy_refuses(registered: World) -> None:
    world = registered
    world.refused(world.datasets.set_policy.new(0, POLICY), BOB, "NotYourDataset")
    world.refused(world.datasets.set_policy.new(9, POLICY), ALICE, "NoSuchDataset")
    world.refused(world.datasets.set_policy.new(0, policy(losses=[])), ALICE, "BadPolicy")
    world.do(world.datasets.close.new(0), ALICE)
    world.refused(world.datasets.set_policy.new(0, POLICY), ALICE, "NotActive")


def test_close_without_jobs_gives_the_deposit_back(registered: World) -> None:
    world = registered
    events = world.do(world.datasets.close.new(0), ALICE)
    assert world.datasets.Closed(id=0) in events
    assert world.datasets.datasets[0].state == DatasetState.Closed
    assert world.held(ALICE) == 0
    assert world.datasets.active(0) is None
    world.refused(world.datasets.close.new(0), ALICE, "NotActive")


def test_close_waits_for_the_last_open_job(registered: World) -> None:
    world = registered
    world.datasets.open_job(0, 3)
    world.datasets.open_job(0, 4)
    world.refused(world.datasets.close.new(0), BOB, "NotYourDataset")
    world.refused(world.datasets.close.new(1), ALICE, "NoSuchDataset")
    assert world.do(world.datasets.close.new(0), ALICE) == [world.datasets.Closing(id=0)]
    assert world.datasets.active(0) is None
    world.datasets.end_job(0, 3)
    assert world.datasets.active(0) is None
    assert world.held(ALICE) == DATASET_DEPOSIT
    world.datasets.spend(0, 4)
    world.datasets.end_job(0, 0)
    assert world.datasets.datasets[0].state == DatasetState.Closed
    assert world.held(ALICE) == 0


def test_the_ledger_reserves_spends_and_gives_back(registered: World) -> None:
    datasets = registered.datasets
    budget = POLICY.rho_budget
    datasets.open_job(0, 300)
    datasets.open_job(0, 200)
    assert datasets.rho_left(0) == budget - 500
    datasets.spend(0, 300)
    datasets.end_job(0, 0)
    datasets.end_job(0, 200)
    assert datasets.rho_left(0) == budget - 300
    assert datasets.ledger[0].spent == 300


def test_a_lower_budget_leaves_nothing_rather_than_less(registered: World) -> None:
    world = registered
    world.datasets.open_job(0, 300)
    world.do(world.datasets.set_policy.new(0, policy(rho_budget=10)), ALICE)
    assert world.datasets.rho_left(0) == 0


def test_the_largest_record_fits_its_weight(world: World) -> None:
    """256 columns with the longest names, and 64 trusted accounts twice."""
    columns = [Column(name=f"{i:064}".encode(), dtype=Dtype.F64, shape=[1, 1, 1, 1]) for i in range(256)]
    trusted = [bytes([i]) * 32 for i in range(64)]
    large: Policy = policy(
        without_dp=WithoutDp.Trusted(accounts=trusted),
        given_weights=GivenWeights.Trusted(accounts=trusted),
    )
    schema = Schema(columns=columns, rows_per_chunk=1)
    world.do(register(world, schema=schema, rows=1, chunks=1, policy=large), ALICE)
    stored = world.stored(world.datasets.datasets.key_of(0))
    assert len(stored) + 2_000 < world.weight(world.datasets.close.new(0)).proof_size
