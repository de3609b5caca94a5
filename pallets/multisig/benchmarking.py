"""What the calls of the pallet multisig weigh: `s` other signatories, a call of `z` bytes."""

from __future__ import annotations

from collections.abc import Iterator

from frame import Origin, RuntimeCall
from frame.benchmarking import Bench, Dispatched, Linear, Measured, benchmark
from frame.weights import ZERO
from pallets.multisig.pallet import Multisig, multi_account_id
from pallets.multisig.types import MAX_SIGNATORIES, Timepoint
from primitives.hashing import blake2_256
from primitives.scale import encode_compact, replace

OTHERS = MAX_SIGNATORIES - 1
LONGEST = 10_000


class _Group:
    """An account of which `s` others and the caller decide. The caller stands at `place` among them, and
    has a key; it and the first have money for deposits.
    """

    def __init__(self, b: Bench[Multisig], s: int, place: int = 0) -> None:
        self.b = b
        caller = b.signer("signatory")
        others = [b.account("other", number) for number in range(s)]
        names = [bytes(4) + who[4:] for who in others[:place]] + [caller]
        self.names = sorted(names) + sorted(b"\xff" * 4 + who[4:] for who in others[place:])
        for who in dict.fromkeys((self.names[0], caller)):
            b.pallet.config.currency.mint_into(who, 10**18)

    def origin(self, place: int) -> Origin:
        return Origin.of(self.names[place])

    def others(self, place: int) -> list[bytes]:
        return [*self.names[:place], *self.names[place + 1 :]]

    def account(self, threshold: int) -> bytes:
        return multi_account_id(self.names, threshold)

    def approval(self, place: int, threshold: int, call: RuntimeCall, when: Timepoint | None) -> Dispatched:
        call_hash = blake2_256(call.encode())
        new = self.b.pallet.approve_as_multi.new(threshold, self.others(place), when, call_hash, ZERO)
        return self.b.extrinsic(self.origin(place), new)

    def approve(self, place: int, threshold: int, call: RuntimeCall, when: Timepoint | None) -> None:
        self.approval(place, threshold, call, when)()

    def approved(self, count: int, threshold: int, call: RuntimeCall) -> None:
        """So many approvals: the first is given, the others are written down as they would stand there."""
        self.approve(0, threshold, call, None)
        key = self.account(threshold), blake2_256(call.encode())
        multisigs = self.b.pallet.multisigs
        multisigs[key] = replace(multisigs[key], approvals=self.names[:count])


def _call(b: Bench[Multisig], z: int) -> RuntimeCall:
    """A remark whose encoding is about `z` bytes long."""
    raw = bytes((0, 0)) + encode_compact(z) + bytes(z)
    found: RuntimeCall = b.ext.runtime.call_codec.decode(raw)
    return found


def _now(b: Bench[Multisig]) -> Timepoint:
    return Timepoint(height=b.pallet.block_number(), index=b.pallet.system.extrinsic_index())


@benchmark(z=Linear(0, LONGEST))
def as_multi_threshold_1(b: Bench[Multisig], z: int) -> Iterator[Measured]:
    """The call does nothing."""
    group, call = _Group(b, OTHERS), _call(b, z)
    yield b.extrinsic(group.origin(0), b.pallet.as_multi_threshold_1.new(group.others(0), call))


@benchmark(s=Linear(2, OTHERS), z=Linear(0, LONGEST))
def as_multi_create(b: Bench[Multisig], s: int, z: int) -> Iterator[Measured]:
    """The first approval."""
    group, call = _Group(b, s), _call(b, z)
    yield b.extrinsic(
        group.origin(0), b.pallet.as_multi.new(s + 1, group.others(0), None, call, call.info().weight)
    )
    assert b.pallet.multisigs.get(group.account(s + 1), blake2_256(call.encode())) is not None


@benchmark(s=Linear(3, OTHERS), z=Linear(0, LONGEST))
def as_multi_approve(b: Bench[Multisig], s: int, z: int) -> Iterator[Measured]:
    """The last approval but one."""
    group, call, now = _Group(b, s, s - 1), _call(b, z), _now(b)
    group.approved(s - 1, s + 1, call)
    yield b.extrinsic(
        group.origin(s - 1), b.pallet.as_multi.new(s + 1, group.others(s - 1), now, call, call.info().weight)
    )
    operation = b.pallet.multisigs.get(group.account(s + 1), blake2_256(call.encode()))
    assert operation is not None and len(operation.approvals) == s


@benchmark(s=Linear(2, OTHERS), z=Linear(0, LONGEST))
def as_multi_complete(b: Bench[Multisig], s: int, z: int) -> Iterator[Measured]:
    """The last approval; the call does nothing."""
    group, call, now = _Group(b, s, s), _call(b, z), _now(b)
    group.approved(s, s + 1, call)
    yield b.extrinsic(
        group.origin(s), b.pallet.as_multi.new(s + 1, group.others(s), now, call, call.info().weight)
    )
    assert b.pallet.multisigs.get(group.account(s + 1), blake2_256(call.encode())) is None


@benchmark(s=Linear(2, OTHERS))
def approve_as_multi_create(b: Bench[Multisig], s: int) -> Iterator[Measured]:
    """The first approval, by hash."""
    group, call = _Group(b, s), _call(b, 0)
    yield group.approval(0, s + 1, call, None)
    assert b.pallet.multisigs.get(group.account(s + 1), blake2_256(call.encode())) is not None


@benchmark(s=Linear(2, OTHERS))
def approve_as_multi_approve(b: Bench[Multisig], s: int) -> Iterator[Measured]:
    """The second approval, by hash."""
    group, call, now = _Group(b, s, 1), _call(b, 0), _now(b)
    group.approve(0, s + 1, call, None)
    yield group.approval(1, s + 1, call, now)
    operation = b.pallet.multisigs.get(group.account(s + 1), blake2_256(call.encode()))
    assert operation is not None and len(operation.approvals) == 2


@benchmark(s=Linear(2, OTHERS))
def cancel_as_multi(b: Bench[Multisig], s: int) -> Iterator[Measured]:
    """An operation with one approval."""
    group, call, now = _Group(b, s), _call(b, 0), _now(b)
    group.approve(0, s + 1, call, None)
    call_hash = blake2_256(call.encode())
    yield b.extrinsic(group.origin(0), b.pallet.cancel_as_multi.new(s + 1, group.others(0), now, call_hash))
    assert b.pallet.multisigs.get(group.account(s + 1), call_hash) is None


@benchmark(s=Linear(2, OTHERS))
def poke_deposit(b: Bench[Multisig], s: int) -> Iterator[Measured]:
    """The deposit was taken at another rate."""
    group, call = _Group(b, s), _call(b, 0)
    group.approve(0, s + 1, call, None)
    account, call_hash = group.account(s + 1), blake2_256(call.encode())
    operation = b.pallet.multisigs[account, call_hash]
    b.pallet.multisigs[account, call_hash] = replace(operation, deposit=operation.deposit - 1)
    yield b.extrinsic(group.origin(0), b.pallet.poke_deposit.new(s + 1, group.others(0), call_hash))
    assert b.pallet.multisigs[account, call_hash].deposit == operation.deposit
