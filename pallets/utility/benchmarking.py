"""What the calls of the pallet utility weigh, besides what they carry: empty remarks."""

from __future__ import annotations

from collections.abc import Iterator

from frame import RuntimeCall
from frame.benchmarking import Bench, Linear, Measured, benchmark
from frame.weights import weight
from pallets.utility.pallet import Utility

MOST = 1_000


def _empty(b: Bench[Utility]) -> RuntimeCall:
    return b.call("System", "remark", b"")


@benchmark(calls=Linear(0, MOST))
def batch(b: Bench[Utility], calls: int) -> Iterator[Measured]:
    """So many calls that succeed."""
    yield b.extrinsic(b.caller(), b.pallet.batch.new([_empty(b)] * calls))
    assert isinstance(b.ext.last_event(), Utility.BatchCompleted)


@benchmark()
def as_derivative(b: Bench[Utility]) -> Iterator[Measured]:
    """A call of a sub-account."""
    yield b.extrinsic(b.caller(), b.pallet.as_derivative.new(7, _empty(b)))


@benchmark(calls=Linear(0, MOST))
def batch_all(b: Bench[Utility], calls: int) -> Iterator[Measured]:
    """So many calls that succeed."""
    yield b.extrinsic(b.caller(), b.pallet.batch_all.new([_empty(b)] * calls))
    assert isinstance(b.ext.last_event(), Utility.BatchCompleted)


@benchmark(calls=Linear(0, MOST))
def force_batch(b: Bench[Utility], calls: int) -> Iterator[Measured]:
    """So many calls, which all fail: an error is caught and told for each."""
    failing = b.call("System", "set_heap_pages", 1)
    yield b.extrinsic(b.caller(), b.pallet.force_batch.new([failing] * calls))
    expected = Utility.BatchCompletedWithErrors if calls else Utility.BatchCompleted
    assert isinstance(b.ext.last_event(), expected)


@benchmark(extra=True)
def with_weight(b: Bench[Utility]) -> Iterator[Measured]:
    """A call by root, who says how much it may weigh."""
    yield b.extrinsic(b.root(), b.pallet.with_weight.new(_empty(b), weight(1)))


@benchmark()
def dispatch_as(b: Bench[Utility]) -> Iterator[Measured]:
    """A call in another's name."""
    yield b.extrinsic(b.root(), b.pallet.dispatch_as.new(b.caller(1), _empty(b)))
    assert isinstance(b.ext.last_event(), Utility.DispatchedAs)


@benchmark()
def dispatch_as_fallible(b: Bench[Utility]) -> Iterator[Measured]:
    """A call in another's name."""
    yield b.extrinsic(b.root(), b.pallet.dispatch_as_fallible.new(b.caller(1), _empty(b)))
    assert isinstance(b.ext.last_event(), Utility.DispatchedAs)


@benchmark()
def if_else(b: Bench[Utility]) -> Iterator[Measured]:
    """The first call fails, the second runs."""
    failing = b.call("System", "set_heap_pages", 1)
    yield b.extrinsic(b.caller(), b.pallet.if_else.new(failing, _empty(b)))
    assert isinstance(b.ext.last_event(), Utility.IfElseFallbackCalled)
