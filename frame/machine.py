"""A runtime bound to one state: pallets that run, and the one place where calls are dispatched."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import itemgetter
from types import MethodType
from typing import TYPE_CHECKING, Any, TypeVar

from frame.backend import Backend, Delta, MemoryBackend
from frame.bound import BoundItem
from frame.call import CallEntry, CallResult, RuntimeCall
from frame.errors import DispatchError, Error
from frame.host import Host
from frame.origin import Origin
from frame.pallet import Pallet
from frame.state import Overlay
from frame.straight import applier, judger
from frame.traits import SystemPallet

if TYPE_CHECKING:
    from frame.extensions.base import Extension
    from frame.runtime import Runtime

A = TypeVar("A", bound=Pallet[Any])

MOST_KEPT = 40_000
"""Values of the state that stay in memory from block to block; of more, those that were written last."""


class Trap(Exception):
    """A call ended with something other than a DispatchError (its cause): the runtime has a defect."""


class _Methods(dict[CallEntry, Callable[..., CallResult]]):
    """What runs a call, given the origin and the arguments, by the call's entry."""

    def __init__(self, by_index: Mapping[int, Pallet[Any]]) -> None:
        super().__init__()
        self._by_index = by_index

    def __missing__(self, entry: CallEntry) -> Callable[..., CallResult]:
        made = self[entry] = MethodType(entry.definition.function, self._by_index[entry.pallet_index])
        return made


class Machine:
    """The pallets of a runtime on one overlay. One caller uses it at a time; between uses it is reset."""

    def __init__(self, runtime: Runtime, overlay: Overlay | None = None) -> None:
        self.runtime = runtime
        self.overlay = Overlay(MemoryBackend()) if overlay is None else overlay
        self.host: Host = runtime.no_host
        self.extrinsics: list[bytes] = []
        self.began: bytes | None = None
        """The block on whose state this machine was set, if told."""
        self.ended: bytes | None = None
        """The block whose making has led to the state in the overlay, if it is finished."""
        self.delta: Delta | None = None
        """The block's changes, once it is finalized."""
        self.pallets: tuple[Pallet[Any], ...] = tuple(pallet.bound(self) for pallet in runtime.pallets)
        self.by_index: dict[int, Pallet[Any]] = {pallet.index: pallet for pallet in self.pallets}
        system = self.by_index[runtime.system_index]
        self.system: SystemPallet = system  # type: ignore[assignment]
        for pallet in self.pallets:
            pallet.connect(self.by_index, self.system)
        self.extensions: tuple[Extension, ...] = tuple(e.bound(self) for e in runtime.extensions)
        self.signing = tuple(e for e in self.extensions if e.defines("implicit_bytes"))
        self.decides: Callable[[tuple[Any, ...]], Any] = _taking(e.slot for e in self.signing if e.slot >= 0)
        """Takes out of the extra what `signed_along` is looked up by."""
        self.signed_along: dict[Any, bytes] = {}
        """What is signed along, by what decides it besides the block: the same in most extrinsics of a block.
        Emptied when a block begins, and when someone writes to the state by raw keys."""
        self._error_index = {error: p.index for p in self.pallets for error in p.declaration.errors}
        self.methods = _Methods(self.by_index)
        self.apply_signed = applier(self)
        """What `executive.plainly_applied` does with a signed extrinsic, as straight-line code."""
        self.judge_signed = judger(self)
        """What all extensions together say of a signed extrinsic to the pool."""

    def reset(self, backend: Backend, host: Host, at: bytes | None = None) -> None:
        """Stand on another state, that of the block `at` if that is told: after the block that was made here
        last, what is known of its state stays in memory.
        """
        if at is not None and at == self.ended:
            self.overlay.rebase(backend, MOST_KEPT)
        else:
            self.overlay.reset(backend)
        self.began, self.ended = at, None
        self.signed_along.clear()
        self.host = host
        self.extrinsics = []
        self.delta = None

    def forget_values(self) -> None:
        """Forget what storage items remember of keys and values, as if none had been seen before."""
        for pallet in self.pallets:
            for value in vars(pallet).values():
                if isinstance(value, BoundItem):
                    value.forget()

    def of(self, declared: A) -> A:
        """The bound copy of a pallet declared in the runtime's class body."""
        bound: A = self.by_index[declared.index]  # type: ignore[assignment]
        return bound

    def dispatch(self, call: RuntimeCall, origin: Origin) -> CallResult:
        """Run `call` in a storage layer of its own.

        DispatchError: the layer is rolled back; a pallet's error then knows its pallet's index.
        Trap: the call is defective; the layer is rolled back.
        """
        if origin.filters and not all(allows(call) for allows in origin.filters):
            raise self.located(self.system.call_filtered())
        overlay = self.overlay
        overlay.begin()
        try:
            result = self.methods[call.entry](origin, *call.args)
        except DispatchError as error:
            overlay.rollback()
            self.located(error)
            raise
        except Trap:
            overlay.rollback()
            raise
        except Exception as error:
            overlay.rollback()
            raise self.trap(call, error) from error
        except BaseException:
            overlay.rollback()
            raise
        overlay.commit()
        return result

    def trap(self, call: RuntimeCall, error: Exception) -> Trap:
        """What is raised when a call ends with an error that it may not end with."""
        return Trap(f"{call.pallet}.{call.name} failed with {type(error).__name__}: {error}")

    def located(self, error: DispatchError) -> DispatchError:
        """The error, which knows its pallet's index from here on."""
        if isinstance(error, Error) and error.module_index is None:
            error.module_index = self._error_index[type(error)]
        return error


def _taking(slots: Iterable[int]) -> Callable[[tuple[Any, ...]], Any]:
    places = tuple(slots)
    return itemgetter(*places) if places else lambda extra: ()
