"""What the calls of the pallet sudo weigh, besides what they carry: an empty remark."""

from __future__ import annotations

from collections.abc import Iterator

from frame import Origin, RuntimeCall
from frame.benchmarking import Bench, Measured, benchmark
from frame.weights import weight
from pallets.sudo.pallet import Sudo
from primitives.extrinsic import MultiAddress


def _holder(b: Bench[Sudo]) -> Origin:
    who = b.signer("sudo", shared=True)
    b.pallet.key.put(who)
    return Origin.of(who)


def _empty(b: Bench[Sudo]) -> RuntimeCall:
    return b.call("System", "remark", b"")


@benchmark()
def sudo(b: Bench[Sudo]) -> Iterator[Measured]:
    """An empty remark as root."""
    yield b.extrinsic(_holder(b), b.pallet.sudo.new(_empty(b)))
    assert isinstance(b.ext.last_event(), Sudo.Sudid)


@benchmark(extra=True)
def sudo_unchecked_weight(b: Bench[Sudo]) -> Iterator[Measured]:
    """An empty remark as root; the key's holder says how much it may weigh."""
    yield b.extrinsic(_holder(b), b.pallet.sudo_unchecked_weight.new(_empty(b), weight(1)))
    assert isinstance(b.ext.last_event(), Sudo.Sudid)


@benchmark()
def set_key(b: Bench[Sudo]) -> Iterator[Measured]:
    """To another account."""
    holder, new = _holder(b), b.account("new")
    yield b.extrinsic(holder, b.pallet.set_key.new(MultiAddress.Id(value=new)))
    assert b.pallet.key.get() == new


@benchmark()
def sudo_as(b: Bench[Sudo]) -> Iterator[Measured]:
    """An empty remark in another's name."""
    who = MultiAddress.Id(value=b.account("other"))
    yield b.extrinsic(_holder(b), b.pallet.sudo_as.new(who, _empty(b)))
    assert isinstance(b.ext.last_event(), Sudo.SudoAsDone)


@benchmark()
def remove_key(b: Bench[Sudo]) -> Iterator[Measured]:
    """For good."""
    yield b.extrinsic(_holder(b), b.pallet.remove_key.new())
    assert not b.pallet.key.exists()
