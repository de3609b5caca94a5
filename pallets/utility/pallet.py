"""The pallet `utility` (`substrate/frame/utility/src/lib.rs`).

The carried calls run with the sender's own rights, each in a storage layer of its own. How deeply they may
nest is bounded by the decoding of extrinsics: some ten levels.
"""

from __future__ import annotations

from dataclasses import dataclass

from frame import (
    AnyCall,
    AnyDispatchError,
    AnyOrigin,
    BadOrigin,
    CallResult,
    DispatchError,
    Error,
    Event,
    Origin,
    Pallet,
    PostInfo,
    RuntimeCall,
    Weight,
    call,
)
from frame.weights import ZERO
from pallets.utility.carried import class_of, class_of_all, class_of_both, total
from pallets.utility.weights import Weights
from primitives.hashing import blake2_256
from primitives.scale import U16, U32, Err, Ok, Result

_PSEUDONYM = b"modlpy/utilisuba"


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    batched_calls_limit: The limit on the number of batched calls.
    """

    batched_calls_limit: U32 = 1_000


class Utility(Pallet[Config], weights=Weights):
    """Several calls in one."""

    class BatchInterrupted(Event):
        """The call at `index` failed, and those after it did not run."""

        index: U32
        error: AnyDispatchError

    class BatchCompleted(Event):
        """All calls succeeded."""

    class BatchCompletedWithErrors(Event):
        """All calls ran and some failed."""

    class ItemCompleted(Event):
        """One call of a batch succeeded."""

    class ItemFailed(Event):
        """One call of a batch failed."""

        error: AnyDispatchError

    class DispatchedAs(Event):
        """Root dispatched a call in another's name; `result` is its outcome."""

        result: Result[tuple[()], AnyDispatchError]

    class IfElseMainSuccess(Event):
        """The first of two calls succeeded; the second did not run."""

    class IfElseFallbackCalled(Event):
        """The first of two calls failed, and the second ran."""

        main_error: AnyDispatchError

    class TooManyCalls(Error):
        """There are more calls than `batched_calls_limit`."""

    @call(0, weight=lambda calls: Weights.batch(len(calls)) + total(calls), dispatch_class=class_of_all)
    def batch(self, origin: Origin, calls: list[AnyCall]) -> Weight:
        """Dispatch calls until one fails. The batch itself succeeds: an event tells how far it came."""
        self._check(origin, calls)
        used = ZERO
        for index, item in enumerate(calls):
            error, weight = self._run(item, origin)
            used = used + weight
            if error is not None:
                self.deposit(self.BatchInterrupted(index=index, error=error))
                return used + Weights.batch(index + 1)
            self.deposit(self.ItemCompleted())
        self.deposit(self.BatchCompleted())
        return used + Weights.batch(len(calls))

    @call(1, weight=lambda call: Weights.as_derivative() + call.info().weight, dispatch_class=class_of)
    def as_derivative(self, origin: Origin, index: U16, call: AnyCall) -> Weight:
        """Dispatch a call from the sender's sub-account of this index."""
        pseudonym = derivative_account(origin.signed(), index)
        overhead = Weights.as_derivative()
        error, weight = self._run(call, origin.acting_as(pseudonym))
        if error is not None:
            raise error.after(weight + overhead)
        return weight + overhead

    @call(2, weight=lambda calls: Weights.batch_all(len(calls)) + total(calls), dispatch_class=class_of_all)
    def batch_all(self, origin: Origin, calls: list[AnyCall]) -> Weight:
        """Dispatch calls all or none: the first failure undoes them and is the batch's own.

        Those of an account may not be `batch_all` themselves.
        """
        self._check(origin, calls)
        used = ZERO
        if not origin.is_root:
            origin = origin.filtered(self._is_no_batch_all)
        for index, item in enumerate(calls):
            error, weight = self._run(item, origin)
            used = used + weight
            if error is not None:
                raise error.after(used + Weights.batch_all(index + 1))
            self.deposit(self.ItemCompleted())
        self.deposit(self.BatchCompleted())
        return used + Weights.batch_all(len(calls))

    @call(3, weight=lambda call: Weights.dispatch_as() + call.info().weight, dispatch_class=class_of)
    def dispatch_as(self, origin: Origin, as_origin: AnyOrigin, call: AnyCall) -> None:
        """Root dispatches a call in another's name. Succeeds whatever becomes of it: see the event."""
        origin.root()
        error, _ = self._run(call, as_origin)
        self.deposit(self.DispatchedAs(result=Ok(()) if error is None else Err(error)))

    @call(4, weight=lambda calls: Weights.force_batch(len(calls)) + total(calls), dispatch_class=class_of_all)
    def force_batch(self, origin: Origin, calls: list[AnyCall]) -> Weight:
        """Dispatch all calls, whatever becomes of each."""
        self._check(origin, calls)
        used, failed = ZERO, False
        for item in calls:
            error, weight = self._run(item, origin)
            used = used + weight
            if error is None:
                self.deposit(self.ItemCompleted())
            else:
                failed = True
                self.deposit(self.ItemFailed(error=error))
        self.deposit(self.BatchCompletedWithErrors() if failed else self.BatchCompleted())
        return used + Weights.force_batch(len(calls))

    @call(5, weight=lambda weight: weight, dispatch_class=class_of)
    def with_weight(self, origin: Origin, call: AnyCall, weight: Weight) -> None:
        """Root dispatches a call and says how much it may weigh."""
        origin.root()
        self.dispatch(call, Origin.ROOT)

    @call(
        6,
        weight=lambda main, fallback: Weights.if_else() + total([main, fallback]),
        dispatch_class=class_of_both,
    )
    def if_else(self, origin: Origin, main: AnyCall, fallback: AnyCall) -> Weight:
        """Dispatch `main`; if it fails, dispatch `fallback`, whose failure is then the call's own."""
        if origin == Origin.NONE:
            raise BadOrigin()
        main_error, used = self._run(main, origin)
        if main_error is None:
            self.deposit(self.IfElseMainSuccess())
            return used + Weights.if_else()
        error, weight = self._run(fallback, origin)
        used = used + weight + Weights.if_else()
        if error is not None:
            raise error.after(used)
        self.deposit(self.IfElseFallbackCalled(main_error=main_error))
        return used

    @call(7, weight=lambda call: Weights.dispatch_as_fallible() + call.info().weight, dispatch_class=class_of)
    def dispatch_as_fallible(self, origin: Origin, as_origin: AnyOrigin, call: AnyCall) -> None:
        """Root dispatches a call in another's name, and fails when it does."""
        origin.root()
        error, weight = self._run(call, as_origin)
        if error is not None:
            raise error.after(weight + Weights.dispatch_as_fallible())
        self.deposit(self.DispatchedAs(result=Ok(())))

    def _is_no_batch_all(self, call: RuntimeCall) -> bool:
        return (call.pallet, call.name) != (self.name, "batch_all")

    def _check(self, origin: Origin, calls: list[AnyCall]) -> None:
        if origin == Origin.NONE:
            raise BadOrigin()
        if len(calls) > self.config.batched_calls_limit:
            raise self.TooManyCalls()

    def _run(self, call: RuntimeCall, origin: Origin) -> tuple[DispatchError | None, Weight]:
        # The outcome, and the weight that was used: never more than declared.
        declared = call.info().weight
        try:
            result = self.dispatch(call, origin)
        except DispatchError as error:
            return error, declared if error.actual_weight is None else error.actual_weight.min(declared)
        used = _used(result)
        return None, declared if used is None else used.min(declared)


def _used(result: CallResult) -> Weight | None:
    return result.actual_weight if isinstance(result, PostInfo) else result


def derivative_account(who: bytes, index: int) -> bytes:
    """The account of `who`'s sub-account `index`; no other key exists for it (`derivative_account_id`)."""
    return blake2_256(_PSEUDONYM + who + index.to_bytes(2, "little"))
