"""A whole job on the chain's own runtime: signed, in blocks that are built and executed again, with fees."""

from __future__ import annotations

from frame import Event, RuntimeCall
from frame.testing import PERIOD_MS, Chain, Externalities
from pallets.compute import Compute
from primitives.data import DatasetKind
from primitives.job import JobState
from primitives.keys import Keypair
from runtime import GristmillRuntime
from tests.pallets.samples import GRIST, POLICY, SCHEMA, SPEC, blob_hash, hashes, rent, seal_key
from tests.pallets.world import MODEL, RESULT

R = GristmillRuntime
RUNTIME = GristmillRuntime()
ALICE, BOB, CAROL = (Keypair.from_uri(f"//{name}") for name in ("Alice", "Bob", "Carol"))
PRICE, FEE = 10 * 10**9 + 1, 2 * 10**8 + 1


class Village:
    """A chain, and people who sign in turn."""

    def __init__(self) -> None:
        balances = [[pair.account_id, 1_000 * GRIST] for pair in (ALICE, BOB, CAROL)]
        self.chain = Chain(RUNTIME, {"balances": {"balances": balances}, "rewards": {"pool": GRIST}})
        self.nonces: dict[bytes, int] = {}

    def block(self, *calls: tuple[Keypair, RuntimeCall]) -> list[Event]:
        """A block of these calls, all of which succeed; returns its events."""
        signed = []
        for pair, call in calls:
            nonce = self.nonces.get(pair.account_id, 0)
            self.nonces[pair.account_id] = nonce + 1
            signed.append(self.chain.sign(pair, call, nonce))
        outcome = self.chain.block(*signed)
        assert all(result == b"\0" for result in outcome.results), outcome.results
        return self.chain.events()

    def look(self) -> Externalities:
        """The state after the last block."""
        view = Externalities(RUNTIME)
        view.overlay.reset(self.chain.state)
        return view

    def total(self, pair: Keypair) -> int:
        """What somebody has."""
        return self.look().of(R.balances).total_balance(pair.account_id)


def test_a_job_from_registration_to_settlement() -> None:
    village = Village()
    view = Externalities(RUNTIME)
    datasets, market, blobs, compute = (
        view.of(R.datasets),
        view.of(R.market),
        view.of(R.blobs),
        view.of(R.compute),
    )
    register = datasets.register.new(DatasetKind.Static, SCHEMA, bytes(32), 1_000, 10, seal_key(), POLICY)
    village.block((ALICE, register), (ALICE, market.list.new(0, rent())))
    village.block(
        (BOB, blobs.declare.new(len(MODEL), hashes(MODEL))),
        (BOB, blobs.put.new(blob_hash(MODEL), 0, MODEL)),
        (BOB, compute.submit.new(0, blob_hash(MODEL), 1, SPEC, GRIST, seal_key(9))),
    )
    parent = village.chain.header.hash
    village.block((ALICE, compute.accept.new(0, None)))
    assert village.look().of(R.compute).jobs[0].beacon == parent
    village.block(
        (ALICE, blobs.declare.new(len(RESULT), hashes(RESULT))),
        (ALICE, blobs.put.new(blob_hash(RESULT), 0, RESULT)),
        (ALICE, compute.submit_result.new(0, blob_hash(RESULT), len(RESULT), bytes(32))),
    )
    provider, buyer = village.total(ALICE), village.total(BOB)
    events = village.block((BOB, compute.confirm.new(0)))
    assert Compute.Settled(job=0, provider=ALICE.account_id, price=PRICE, fee=FEE) in events
    assert village.total(ALICE) == provider + PRICE
    assert village.total(BOB) < buyer - PRICE - FEE, "the buyer also pays for the transaction"
    after = village.look()
    assert after.of(R.compute).jobs[0].state == JobState.Settled
    after.try_state()


def test_deadlines_pass_with_the_blocks_that_expire() -> None:
    """Instant sealing: nothing happens between blocks, and `expire` itself brings the later moment."""
    village = Village()
    view = Externalities(RUNTIME)
    datasets, market, blobs, compute = (
        view.of(R.datasets),
        view.of(R.market),
        view.of(R.blobs),
        view.of(R.compute),
    )
    register = datasets.register.new(DatasetKind.Static, SCHEMA, bytes(32), 1_000, 10, seal_key(), POLICY)
    village.block(
        (ALICE, register),
        (ALICE, market.list.new(0, rent())),
        (BOB, blobs.declare.new(len(MODEL), hashes(MODEL))),
        (BOB, blobs.put.new(blob_hash(MODEL), 0, MODEL)),
        (BOB, compute.submit.new(0, blob_hash(MODEL), 1, SPEC, GRIST, seal_key(9))),
    )
    late = village.look().of(R.compute).jobs[0].accept_by + 1
    village.chain.clock = late - PERIOD_MS
    events = village.block((CAROL, compute.expire.new(0)))
    assert Compute.Expired(job=0, slashed=0) in events
    village.look().try_state()
