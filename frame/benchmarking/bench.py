"""What a benchmark is: a generator that sets up, yields the thing to measure, and verifies."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from frame.call import RuntimeCall
from frame.origin import Origin
from frame.pallet import Pallet
from frame.testing import Externalities
from primitives.extrinsic import signing_payload
from primitives.hashing import blake2_256
from primitives.keys import Keypair

P = TypeVar("P", bound=Pallet[Any])

Measured = Callable[[], object]
"""The code that is measured. `Bench.extrinsic` makes one of a call, as a block runs it."""


@dataclass(frozen=True)
class Linear:
    """A component that runs from `low` to `high`; time is taken to grow in proportion to it."""

    low: int
    high: int

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise TypeError(f"Linear({self.low}, {self.high}): 0 ≤ low ≤ high is needed")

    def points(self, steps: int) -> list[int]:
        """At most `steps` values spread evenly, both ends among them."""
        span = self.high - self.low
        count = min(max(steps, 2), span + 1)
        return sorted({self.low + span * i // max(count - 1, 1) for i in range(count)})


class Dispatched:
    """A call as a block meets it: its bytes are decoded and, if they are many, hashed for the signature, and
    it is dispatched in a storage layer of its own. Storing them in the body is counted by their number.
    """

    __slots__ = ("_machine", "call", "origin", "raw")

    def __init__(self, ext: Externalities, origin: Origin, call: RuntimeCall) -> None:
        self._machine = ext.machine
        self.origin = origin
        self.call = call
        self.raw = call.encode()

    def __call__(self) -> object:
        raw, machine = self.raw, self._machine
        signing_payload(raw, b"", b"")
        return machine.dispatch(machine.runtime.call_codec.decode(raw), self.origin)


@runtime_checkable
class Money(Protocol):
    """The pallet that keeps balances."""

    def minimum_balance(self) -> int:
        """The existential deposit."""
        ...

    def mint_into(self, who: bytes, amount: int) -> None:
        """New money."""
        ...


class Bench(Generic[P]):
    """A chain in block 1 and the pallet under measurement.

    Names of accounts are mixed with `seed` and `instance`: the same ones give the same accounts, and so the
    same storage keys; another instance lets a benchmark be set up again beside itself in one state.
    """

    def __init__(self, ext: Externalities, pallet: P, seed: int = 0, instance: int = 0) -> None:
        self.ext = ext
        self.pallet = pallet
        self.seed = seed
        self.instance = instance
        self.keys: dict[bytes, Keypair] = {}
        """The keys of the signers asked for, by account."""

    def account(self, name: str = "account", number: int = 0) -> bytes:
        """An account of this name and number; the same one each time, with nothing in it."""
        return self.unique(name, number)

    def unique(self, name: str, number: int = 0) -> bytes:
        """32 bytes of this name and number, other ones in another instance."""
        place = b"".join(part.to_bytes(8, "little") for part in (self.seed, self.instance, number))
        return blake2_256(name.encode() + place)

    def signer(self, name: str = "caller", number: int = 0, *, shared: bool = False) -> bytes:
        """An account that can sign; a shared one is the same in all instances."""
        key = shared_key(name) if shared else Keypair.from_seed(self.unique(name, number))
        self.keys[key.account_id] = key
        return key.account_id

    def caller(self, number: int = 0) -> Origin:
        """A signed origin: that of `signer("caller", number)`."""
        return Origin.of(self.signer("caller", number))

    def root(self) -> Origin:
        """The root origin."""
        return Origin.ROOT

    def none(self) -> Origin:
        """The origin of inherents."""
        return Origin.NONE

    def extrinsic(self, origin: Origin, call: RuntimeCall) -> Dispatched:
        """What a block does with `call`, to be yielded."""
        return Dispatched(self.ext, origin, call)

    def call(self, pallet: str, name: str, *arguments: object) -> RuntimeCall:
        """A call of another pallet, by its name in the runtime. TypeError, LookupError."""
        for found in self.ext.machine.pallets:
            if found.name == pallet:
                return RuntimeCall(found.entry(name), arguments)
        raise LookupError(f"{type(self.ext.runtime).__name__} has no pallet {pallet}")

    # -- setting up --------------------------------------------

    def money(self) -> Money:
        """The runtime's pallet of balances. LookupError when it has none."""
        for pallet in self.ext.machine.pallets:
            if isinstance(pallet, Money):
                return pallet
        raise LookupError(f"{type(self.ext.runtime).__name__} has no pallet that keeps money")

    def endow(self, who: bytes, times: int = 1_000_000) -> bytes:
        """Give an account so many existential deposits; returns it."""
        money = self.money()
        money.mint_into(who, money.minimum_balance() * times)
        return who

    def next_block(self, ms: int = 0) -> None:
        """Finish the block and begin the next one, `ms` later."""
        self.ext.next_block(ms)


def shared_key(name: str) -> Keypair:
    """The key of an account that all instances of all benchmarks share."""
    return Keypair.from_seed(blake2_256(name.encode() + bytes(8)))


@dataclass(frozen=True)
class Benchmark:
    """One benchmark and the components it is run over."""

    name: str
    function: Callable[..., Iterator[Measured]]
    components: Mapping[str, Linear]
    extra: bool = False
    """Only run when asked for; it has no weight of its own."""

    def points(self, steps: int) -> list[dict[str, int]]:
        """Where to measure: each component in turn runs over its range, the others at their top."""
        if not self.components:
            return [{}]
        tops = {name: component.high for name, component in self.components.items()}
        found = [
            {**tops, name: value}
            for name, component in self.components.items()
            for value in component.points(steps)
        ]
        return [point for at, point in enumerate(found) if point not in found[:at]]

    def edges(self) -> list[dict[str, int]]:
        """All components at their lowest, all at their highest, and each one alone at its highest."""
        lows = {name: component.low for name, component in self.components.items()}
        tops = {name: component.high for name, component in self.components.items()}
        found = [lows, tops, *({**lows, name: tops[name]} for name in self.components)]
        return [point for at, point in enumerate(found) if point not in found[:at]]


def benchmark(
    *, extra: bool = False, **components: Linear
) -> Callable[[Callable[..., Iterator[Measured]]], Benchmark]:
    """Make a generator function a benchmark: its name is the weight's, its parameters are the components.

    A component that has the name of a call's argument needs no wiring: it is that argument, or its length.
    """

    def make(function: Callable[..., Iterator[Measured]]) -> Benchmark:
        parameters = list(inspect.signature(function).parameters)[1:]
        if parameters != list(components):
            raise TypeError(
                f"{function.__name__}: it takes {parameters}, but its components are {list(components)}"
            )
        return Benchmark(function.__name__, function, components, extra)

    return make


def benchmarks_in(module: ModuleType) -> list[Benchmark]:
    """The benchmarks of a module, in the order of their definition."""
    return [value for value in vars(module).values() if isinstance(value, Benchmark)]
