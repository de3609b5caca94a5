"""A small chain for tests of the market's pallets: a runtime of the real pallets, and a hand on its
accounts and clock."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import pytest

from frame import DispatchError, Event, Origin, Pallet, RuntimeCall, Weight
from frame.backend import MemoryBackend
from frame.executive import post_info
from frame.host import PlainHost
from frame.runtime import Runtime
from frame.state import Key, Recorder
from frame.testing import Externalities
from pallets.balances import Balances
from pallets.blobs import Blobs
from pallets.compute import Compute
from pallets.datasets import Dataset, Datasets
from pallets.market import Market
from pallets.rewards import Rewards
from pallets.system import System
from pallets.timestamp import Timestamp
from primitives.data import DatasetKind, DatasetState, Tariff, Windows, pieces
from primitives.scale import replace
from tests.pallets.samples import (
    ALICE,
    BOB,
    CAROL,
    DAVE,
    EVE,
    GRIST,
    HOUR,
    MILLI,
    POLICY,
    SCHEMA,
    SECOND,
    TARIFF,
    WINDOWS,
    account,
    blob_hash,
    hashes,
    rent,
    seal_key,
)

ED = MILLI
START = 1_700_000_000_000
ENDOWMENT = 1_000 * GRIST
POOL = 50 * GRIST
ERA = 24 * HOUR
MIN_STAY = 5 * SECOND
ERA_POOL = 4 * GRIST
DATASET_DEPOSIT = 500 * 10**9
MODEL = b"a sealed model" * 1_000
RESULT = b"a sealed result" * 1_000
SINK = account("sink")
PEOPLE = (ALICE, BOB, CAROL, DAVE, EVE)


@dataclass(frozen=True)
class LockerConfig:
    """Whose money."""

    currency: Balances


class Locker(Pallet[LockerConfig]):
    """Some other pallet with claims on people's money."""

    class HoldReason(IntEnum):
        """Why."""

        Elsewhere = 0

    class FreezeReason(IntEnum):
        """Why."""

        Elsewhere = 0

    def lock(self, who: bytes) -> None:
        """Hold all that can be held."""
        amount = self.config.currency.reducible_balance(who, keep_alive=True)
        reason = self.reason(self.HoldReason.Elsewhere)
        if amount and self.config.currency.can_hold(reason, who, amount):
            self.config.currency.hold(reason, who, amount)

    def unlock(self, who: bytes) -> None:
        """Let go of it."""
        reason = self.reason(self.HoldReason.Elsewhere)
        held = self.config.currency.held(reason, who)
        if held:
            self.config.currency.release(reason, who, held)


class MarketRuntime(Runtime, spec_name="market-test", spec_version=1):
    """The pallets of the market on the real ones below them."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    balances = Balances(index=2, existential_deposit=ED)
    blobs = Blobs(index=9, currency=balances, time=timestamp, min_stay=MIN_STAY)
    datasets = Datasets(index=10, currency=balances, deposit=DATASET_DEPOSIT)
    rewards = Rewards(
        index=11, currency=balances, time=timestamp, datasets=datasets, era_ms=ERA, era_pool=ERA_POOL
    )
    market = Market(index=12, currency=balances, datasets=datasets)
    compute = Compute(
        index=13, escrow=market, datasets=datasets, blobs=blobs, rewards=rewards, time=timestamp
    )
    locker = Locker(index=20, currency=balances)


RUNTIME = MarketRuntime()


class World:
    """One state of that chain. Calls are dispatched as in a block, without fees."""

    def __init__(self) -> None:
        endowed = Balances.Genesis(balances=[(who, ENDOWMENT) for who in PEOPLE])
        self.host = PlainHost()
        self.ext = Externalities(
            RUNTIME, {"balances": endowed, "rewards": Rewards.Genesis(pool=POOL)}, self.host
        )
        self.overlay = self.ext.overlay
        self.blobs = self.ext.of(MarketRuntime.blobs)
        self.datasets = self.ext.of(MarketRuntime.datasets)
        self.rewards = self.ext.of(MarketRuntime.rewards)
        self.market = self.ext.of(MarketRuntime.market)
        self.compute = self.ext.of(MarketRuntime.compute)
        self.system = self.ext.of(MarketRuntime.system)
        self.balances = self.ext.of(MarketRuntime.balances)
        self.locker = self.ext.of(MarketRuntime.locker)
        self.ext.set_time(START)
        self._announced = self.issuance()

    # --- calls ----------------------------------------------------------------------------------------

    def do(self, call: RuntimeCall, who: bytes) -> list[Event]:
        """Dispatch a call that must succeed; returns its events."""
        seen = len(self.events())
        self._dispatch(call, who)
        return self.events()[seen:]

    def attempt(self, call: RuntimeCall, who: bytes) -> str | None:
        """Dispatch a call; returns the name of its error, if any. A refused call must leave everything as
        it was."""
        before = self.overlay.delta()
        try:
            self._dispatch(call, who)
        except DispatchError as error:
            assert self.overlay.delta() == before, "a refused call left something behind"
            return error.name
        return None

    def refused(self, call: RuntimeCall, who: bytes, error: str) -> None:
        """Dispatch a call that must fail with this error of its own pallet and leave the state root as it
        was."""
        root = self.root()
        expected = getattr(self.ext.machine.by_index[call.entry.pallet_index], error)
        with pytest.raises(expected):
            self._dispatch(call, who)
        assert self.root() == root

    def _dispatch(self, call: RuntimeCall, who: bytes) -> None:
        """The call as it comes out of its own bytes, as in a block."""
        decoded = RUNTIME.call_codec.decode(call.encode())
        self.ext.dispatch(decoded, Origin.of(who))

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """What happens inside is undone."""
        with self.ext.undone():
            yield

    def cost(self, call: RuntimeCall, who: bytes) -> tuple[int, int, int, Weight]:
        """Distinct keys that a call reads and writes, and the bytes it reads, the block's own keys aside; and
        the weight that it is charged."""
        recorder = Recorder(MemoryBackend(self.ext.state()))
        machine = RUNTIME.machine(recorder, PlainHost())
        post = post_info(machine.dispatch(call, Origin.of(who)))
        reads = [key for key in recorder.reads if not self._is_free(key)]
        writes = [key for key in recorder.writes if not self._is_free(key)]
        size = sum(len(self.overlay.get(key) or b"") for key in reads)
        return len(reads), len(writes), size, post.weight_of(call.info())

    def _is_free(self, key: Key) -> bool:
        """Keys that are in the block's memory anyway: Substrate's list, `frame_system` and the issuance."""
        assert isinstance(key, bytes)
        own = key.startswith(self.system.account_info.key[:16]) and not key.startswith(
            self.system.account_info.key
        )
        return own or key == self.balances.total_issuance_value.key

    def weight(self, call: RuntimeCall) -> Weight:
        """The declared weight of a call."""
        return call.info().weight

    def events(self) -> list[Event]:
        """The events of this block so far."""
        return self.ext.events()

    # --- state ----------------------------------------------------------------------------------------

    def root(self) -> bytes:
        """The state root."""
        return self.ext.root()

    def stored(self, key: bytes) -> bytes:
        """The raw value at a key that is there."""
        value = self.overlay.get(key)
        assert value is not None
        return value

    def indexed(self) -> list[tuple[bytes, int, bytes]]:
        """The pieces that the host was given."""
        return self.host.blobs

    def check(self, *but: str) -> None:
        """Every pallet's state agrees with itself and with the others', but for these invariants."""
        found = [str(violation) for violation in self.ext.violations() if violation.invariant not in but]
        assert not found, "\n".join(found)

    # --- time -----------------------------------------------------------------------------------------

    def now(self) -> int:
        """The block's moment in ms."""
        return self.ext.time()

    def wait(self, milliseconds: int) -> None:
        """A block later, so much later."""
        self._announced += self._issued()
        self.ext.next_block(milliseconds)

    def next_block(self) -> None:
        """Another block at the same moment."""
        self.wait(0)

    def parent_hash(self) -> bytes:
        """The hash of the present block's parent."""
        return self.system.parent_hash()

    # --- money ----------------------------------------------------------------------------------------

    def free(self, who: bytes) -> int:
        """What an account has outside holds."""
        return self.balances.free_balance(who)

    def total(self, who: bytes) -> int:
        """What an account has."""
        return self.balances.total_balance(who)

    def held(self, who: bytes) -> int:
        """What is held of an account, for any reason."""
        return self.total(who) - self.free(who)

    def issuance(self) -> int:
        """All money."""
        return self.balances.total_issuance()

    def announced(self) -> int:
        """The issuance as one who only reads events knows it."""
        return self._announced + self._issued()

    def _issued(self) -> int:
        """Money that this block's events say was made, less what they say was destroyed."""
        total = 0
        for event in self.events():
            if isinstance(event, Balances.Minted):
                total += event.amount
            elif isinstance(event, Balances.Burned | Balances.BurnedHeld | Balances.DustLost):
                total -= event.amount
        return total

    def market_holds(self) -> int:
        """What the escrow holds of anybody."""
        reasons = [self.market.reason(reason) for reason in Market.HoldReason]
        return sum(self.balances.held(reason, who) for reason in reasons for who in PEOPLE)

    def give(self, who: bytes, amount: int) -> None:
        """New money."""
        self.balances.mint_into(who, amount)

    def empty(self, who: bytes) -> None:
        """Send away all that the chain lets go: the account is reaped, unless something is held of it."""
        amount = self.balances.reducible_balance(who, keep_alive=False)
        if amount:
            self.give(SINK, ED)
            self.balances.transfer(who, SINK, amount, keep_alive=False)

    def reap(self, who: bytes) -> None:
        """Let everything else go, so that the account can vanish; it must."""
        self.wait(31 * 24 * HOUR)
        for hash, blob in list(self.blobs.blobs.items()):
            if blob.owner == who:
                self.do(self.blobs.expire.new(hash), DAVE)
        self.empty(who)
        assert not self.system.account_exists(who)

    def freeze(self, who: bytes) -> None:
        """A freeze over more than the account has."""
        if self.system.account_exists(who):
            self.balances.set_freeze(self.locker.reason(Locker.FreezeReason.Elsewhere), who, 2**100)

    def thaw(self, who: bytes) -> None:
        """No freeze."""
        if self.system.account_exists(who):
            self.balances.thaw(self.locker.reason(Locker.FreezeReason.Elsewhere), who)

    def lock(self, who: bytes) -> None:
        """Another pallet holds the rest."""
        self.locker.lock(who)

    def unlock(self, who: bytes) -> None:
        """It lets go."""
        self.locker.unlock(who)

    def earn(self, who: bytes) -> None:
        """New money for somebody who may have none left."""
        self.give(who, GRIST)

    # --- short cuts -----------------------------------------------------------------------------------

    def declare(self, who: bytes, data: bytes) -> bytes:
        """Declare a blob."""
        self.do(self.blobs.declare.new(len(data), hashes(data)), who)
        return blob_hash(data)

    def put(self, who: bytes, data: bytes) -> None:
        """Put all pieces of a declared blob."""
        for index, piece in enumerate(pieces(data)):
            self.do(self.blobs.put.new(blob_hash(data), index, piece), who)

    def upload(self, who: bytes, data: bytes) -> bytes:
        """Declare and put."""
        hash = self.declare(who, data)
        self.put(who, data)
        return hash

    def offer(self, who: bytes, tariff: Tariff = TARIFF, windows: Windows = WINDOWS, **changes: Any) -> int:
        """Register a dataset of 1,000 rows and list it; returns its number."""
        id = self.datasets.next_dataset_id.get()
        root = id.to_bytes(32, "little")
        agreed = replace(POLICY, **changes)
        kind = DatasetKind.Static
        self.do(self.datasets.register.new(kind, SCHEMA, root, 1_000, 10, seal_key(), agreed), who)
        self.do(self.market.list.new(id, rent(tariff, windows)), who)
        return id

    def sample_dataset(self, owner: bytes) -> Dataset:
        """A record that no call made, without deposit."""
        return Dataset(
            owner=owner, kind=DatasetKind.Static, schema_hash=SCHEMA.hash, schema=SCHEMA, root=bytes(32),
            rows=1, chunks=1, seal_pk=seal_key(), policy=POLICY, state=DatasetState.Active, version=0,
            deposit=0,
        )  # fmt: skip
