"""A small pallet with one of everything, and a runtime of few pallets around it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Annotated

from frame import (
    AnyCall,
    CountedStorageMap,
    DispatchClass,
    DispatchError,
    Error,
    Event,
    Origin,
    Pallet,
    Pays,
    PostInfo,
    StorageDoubleMap,
    StorageMap,
    StorageValue,
    Twox64Concat,
    Weight,
    call,
)
from frame.runtime import Runtime
from frame.weights import weight
from pallets.system import System
from pallets.timestamp import Timestamp
from primitives.keys import Keypair
from primitives.scale import U8, U32, U64, AccountId, Bytes, Doc, MaxLen, Struct, TypeName

ALICE = Keypair.from_uri("//Alice")
BOB = Keypair.from_uri("//Bob")


@dataclass(frozen=True)
class Config:
    """The template's limits.

    max_step: The largest step.
    """

    max_step: U32 = 100
    unit: U64 = 1_000_000


class Weights:
    """Weights by call name."""

    @staticmethod
    def store() -> Weight:
        """One value."""
        return weight(10_000_000)

    @staticmethod
    def steps(n: int) -> Weight:
        """So many steps."""
        return weight(1_000_000 * n)


class Point(Struct, path="pallet_template::Point"):
    """Two numbers."""

    x: U32
    y: U32


class Template(Pallet[Config], weights=Weights, storage_version=3):
    """Stores numbers.

    And has a second paragraph.
    """

    something = StorageValue[U32](doc="The number.")
    total = StorageValue[U64](default=7)
    changes = StorageMap[AccountId, U32](default=0)
    points = StorageMap[U32, Point](hasher=Twox64Concat)
    pairs = StorageDoubleMap[U32, AccountId, U64](hashers=(Twox64Concat, Twox64Concat))
    names = CountedStorageMap[U32, Annotated[bytes, MaxLen(8)]]()
    log = StorageValue[list[U32]](default=[])

    class Stored(Event):
        """A user set a new value."""

        something: Annotated[U32, Doc("The new value.")]
        who: Annotated[AccountId, TypeName("T::AccountId")]

    class Stepped(Event):
        """Steps were taken."""

        steps: U32

    class StepTooLarge(Error):
        """The step is more than `max_step`."""

    class Refused(Error):
        """Always."""

    class HoldReason(IntEnum):
        """Why the template holds money."""

        First = 0
        Second = 1

    @dataclass
    class Genesis:
        """What may be set at the start."""

        something: U32 = 42
        points: list[tuple[U32, Point]] = field(default_factory=list)
        owner: AccountId | None = None

    def build_genesis(self, genesis: Genesis) -> None:
        self.something.put(genesis.something)
        for number, point in genesis.points:
            self.points[number] = point
        if genesis.owner is not None:
            self.changes[genesis.owner] = 1

    @call(0)
    def store(self, origin: Origin, something: U32) -> None:
        """Set the number."""
        who = origin.signed()
        self.something.put(something)
        self.changes[who] += 1
        self.deposit(self.Stored(something=something, who=who))

    @call(1, weight=lambda step: Weights.steps(step))  # noqa: PLW0108 - names the argument
    def steps(self, origin: Origin, step: U32, taken: U32) -> Weight:
        """Pays only for the steps taken."""
        origin.signed()
        if step > self.config.max_step:
            raise self.StepTooLarge()
        self.deposit(self.Stepped(steps=taken))
        return Weights.steps(taken)

    @call(2, weight=weight(5_000_000))
    def store_then_fail(self, origin: Origin, something: U32) -> None:
        """Writes, deposits, and fails."""
        origin.signed()
        self.something.put(something)
        self.deposit(self.Stepped(steps=something))
        raise self.Refused().after(weight(2_000_000))

    @call(3, weight=weight(1_000_000), dispatch_class=DispatchClass.Mandatory, inherent=True)
    def mandatory(self, origin: Origin, fail: bool) -> None:
        """Inherent that may fail."""
        origin.none()
        if fail:
            raise self.Refused()

    @call(4, weight=lambda call: call.info().weight)
    def nested(self, origin: Origin, call: AnyCall) -> None:
        """Dispatch another call."""
        origin.signed()
        self.dispatch(call, origin)

    @call(5, weight=lambda calls: weight(sum(c.info().weight.ref_time for c in calls)))
    def attempt(self, origin: Origin, calls: list[AnyCall]) -> PostInfo:
        """Dispatch calls, whether they fail or not; counts those that succeed. Free of charge."""
        origin.signed()
        for inner in calls:
            try:
                self.dispatch(inner, origin)
            except DispatchError:
                continue
            self.total.put(self.total.get() + 1)
        return PostInfo(pays=Pays.No)

    @call(6, weight=weight(1))
    def broken(self, origin: Origin) -> None:
        """Has a defect."""
        self.something.put(1)
        raise ZeroDivisionError("a defect")

    @call(7, weight=lambda size: weight(size))  # noqa: PLW0108 - names the argument
    def heavy(self, origin: Origin, size: U64) -> None:
        """Declares any weight."""
        origin.signed()

    @call(8, weight=lambda size: weight(size), dispatch_class=DispatchClass.Operational)  # noqa: PLW0108
    def heavy_operational(self, origin: Origin, size: U64) -> None:
        """Declares any weight in the Operational class."""
        origin.signed()

    @call(9, weight=weight(1))
    def remember(self, origin: Origin, data: Annotated[bytes, MaxLen(16)], flag: U8 | None) -> None:
        """Takes bounded bytes and an option."""
        origin.signed_or_root()

    @call(10, weight=weight(1))
    def bump(self, origin: Origin) -> None:
        """Adds the largest u32 to the changes: overflows the second time."""
        self.changes[origin.signed()] += (1 << 32) - 1

    @call(11, weight=weight(1))
    def carry(self, origin: Origin, data: Bytes) -> None:
        """Carries bytes."""
        origin.signed()


class TemplateRuntime(Runtime, spec_name="template", spec_version=1):
    """Three pallets, free transactions."""

    system = System(index=0)
    timestamp = Timestamp(index=1)
    template = Template(index=7, max_step=50)


def give(chain_state: object, who: bytes) -> None:
    """Give `who` a provider, so that it may send transactions."""
    chain_state.machine.system.inc_providers(who)  # type: ignore[attr-defined]
