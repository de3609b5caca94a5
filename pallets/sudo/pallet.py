"""The pallet `sudo` (`substrate/frame/sudo/src/lib.rs`).

What the sudo key sends is free of charge. A carried call that fails leaves no change, and the sudo call
itself succeeds: the event `Sudid` (`SudoAsDone`) tells how it went.
"""

from __future__ import annotations

from dataclasses import dataclass

from frame import (
    AnyCall,
    AnyDispatchError,
    BadOrigin,
    CannotLookup,
    DispatchClass,
    DispatchError,
    Error,
    Event,
    Origin,
    Pallet,
    Pays,
    PostInfo,
    StorageValue,
    Weight,
    call,
)
from pallets.sudo.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.scale import AccountId, Err, Ok, Result

_FREE = PostInfo(pays=Pays.No)


def class_of(call: AnyCall) -> DispatchClass:
    """A call in sudo keeps its class."""
    return call.info().dispatch_class


class Sudo(Pallet[None], weights=Weights):
    """One account that may act as root."""

    key = StorageValue[AccountId](doc="The account of the sudo key; nothing when there is none any more.")

    @dataclass
    class Genesis:
        """The first key; None for a chain without."""

        key: AccountId | None = None

    class Sudid(Event):
        """A sudo call has run; `sudo_result` is its outcome."""

        sudo_result: Result[tuple[()], AnyDispatchError]

    class KeyChanged(Event):
        """The sudo key has changed."""

        old: AccountId | None
        new: AccountId

    class KeyRemoved(Event):
        """The sudo key is gone for good."""

    class SudoAsDone(Event):
        """A call in somebody's name has run; `sudo_result` is its outcome."""

        sudo_result: Result[tuple[()], AnyDispatchError]

    class RequireSudo(Error):
        """The sender is not the sudo key."""

    @call(0, weight=lambda call: Weights.sudo() + call.info().weight, dispatch_class=class_of)
    def sudo(self, origin: Origin, call: AnyCall) -> PostInfo:
        """Dispatch a call as root."""
        self._check(origin)
        self.deposit(self.Sudid(sudo_result=self._run(call, Origin.ROOT)))
        return _FREE

    @call(1, weight=lambda weight: weight, dispatch_class=class_of)
    def sudo_unchecked_weight(self, origin: Origin, call: AnyCall, weight: Weight) -> PostInfo:
        """Dispatch a call as root and say how much it may weigh."""
        self._check(origin)
        self.deposit(self.Sudid(sudo_result=self._run(call, Origin.ROOT)))
        return _FREE

    @call(2)
    def set_key(self, origin: Origin, new: MultiAddress) -> PostInfo:
        """Hand the key to another account."""
        self._check(origin)
        account = _lookup(new)
        old = self.key.try_get()
        self.key.put(account)
        self.deposit(self.KeyChanged(old=old, new=account))
        return _FREE

    @call(3, weight=lambda call: Weights.sudo_as() + call.info().weight, dispatch_class=class_of)
    def sudo_as(self, origin: Origin, who: MultiAddress, call: AnyCall) -> PostInfo:
        """Dispatch a call as if `who` had signed it."""
        self._check(origin)
        self.deposit(self.SudoAsDone(sudo_result=self._run(call, Origin.of(_lookup(who)))))
        return _FREE

    @call(4)
    def remove_key(self, origin: Origin) -> PostInfo:
        """Do away with the sudo key for good."""
        self._check(origin)
        self.key.kill()
        self.deposit(self.KeyRemoved())
        return _FREE

    def _check(self, origin: Origin) -> None:
        if origin.is_root:
            return
        try:
            who = origin.signed()
        except BadOrigin:
            raise self.RequireSudo() from None
        if who != self.key.try_get():
            raise self.RequireSudo()

    def _run(self, call: AnyCall, origin: Origin) -> Result[tuple[()], DispatchError]:
        try:
            self.dispatch(call, origin)
        except DispatchError as error:
            return Err(error)
        return Ok(())

    def build_genesis(self, genesis: Genesis) -> None:
        """Store the first key."""
        if genesis.key is not None:
            self.key.put(genesis.key)


def _lookup(address: MultiAddress) -> bytes:
    if isinstance(address, MultiAddress.Id):
        return address.value
    raise CannotLookup()
