"""The pallet `proxy` (`substrate/frame/proxy/src/lib.rs`).

An account names delegates, each for a kind of calls, at once or a delay after an announcement that the
account may reject. A pure account has no key at all: its delegates are its only way to act. What a delegate
does runs with the account's origin and a filter that goes along into every carried call.

Deposits are held under reasons of this pallet instead of being reserved. One thing is better than in
Substrate: who paid the first deposit of a pure account is remembered (`PureDeposits`), so that it goes back
there however the account's proxies end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from frame import (
    AnyCall,
    AnyDispatchError,
    CannotLookup,
    Error,
    Event,
    Origin,
    Pallet,
    Pays,
    PostInfo,
    RuntimeCall,
    StorageMap,
    Twox64Concat,
    call,
    invariant,
)
from frame.traits import Currency
from frame.weights import db
from pallets.proxy.types import (
    MAX_PENDING,
    MAX_PROXIES,
    Announcement,
    Announcements,
    DepositKind,
    Proxies,
    ProxyDefinition,
    ProxyRules,
    ProxyType,
    PureDeposit,
)
from pallets.proxy.weights import Weights
from primitives.extrinsic import MultiAddress
from primitives.hashing import blake2_256
from primitives.scale import H256, U16, U32, U128, AccountId, CompactU32, Err, Ok, Result, codec, replace

_PURE_TAG = b"modlpy/proxy____"
_PURE = codec(tuple[AccountId, U32, U32, ProxyType, U16]).encode


@dataclass(frozen=True)
class Config:
    """What the runtime decides.

    proxy_deposit_base: The base amount of currency needed to reserve for creating a proxy.
    proxy_deposit_factor: The amount of currency needed per proxy added.
    max_proxies: The maximum amount of proxies allowed for a single account.
    max_pending: The maximum amount of time-delayed announcements that are allowed to be pending.
    announcement_deposit_base: The base amount of currency needed to reserve for creating an announcement.
    announcement_deposit_factor: The amount of currency needed per announcement made.
    """

    currency: Currency
    rules: ProxyRules
    proxy_deposit_base: U128
    proxy_deposit_factor: U128
    announcement_deposit_base: U128
    announcement_deposit_factor: U128
    max_proxies: U32 = MAX_PROXIES
    max_pending: U32 = MAX_PENDING


class Proxy(Pallet[Config], weights=Weights):
    """Accounts that act for others, and accounts without keys."""

    proxies = StorageMap[AccountId, Proxies](
        default=([], 0),
        hasher=Twox64Concat,
        doc="Who may act for an account, and the deposit for that.",
    )
    announcements = StorageMap[AccountId, Announcements](
        default=([], 0), hasher=Twox64Concat, doc="The announcements made by the proxy (key)."
    )
    pure_deposits = StorageMap[AccountId, PureDeposit](
        hasher=Twox64Concat, doc="Who holds the first deposit of a pure account."
    )

    class HoldReason(IntEnum):
        """Why this pallet holds money."""

        Proxies = 0
        Announcements = 1

    # -- events and errors, in Substrate's order --------------------------------------------

    class ProxyExecuted(Event):
        """A delegate has made a call; `result` is its outcome."""

        result: Result[tuple[()], AnyDispatchError]

    class PureCreated(Event):
        """An account without a key came into being; `at` and `extrinsic_index` are needed to end it."""

        pure: AccountId
        who: AccountId
        proxy_type: ProxyType
        disambiguation_index: U16
        at: U32
        extrinsic_index: U32

    class PureKilled(Event):
        """A pure account ended itself."""

        pure: AccountId
        spawner: AccountId
        proxy_type: ProxyType
        disambiguation_index: U16

    class Announced(Event):
        """A delegate has announced a call."""

        real: AccountId
        proxy: AccountId
        call_hash: H256

    class ProxyAdded(Event):
        """An account has a new delegate."""

        delegator: AccountId
        delegatee: AccountId
        proxy_type: ProxyType
        delay: U32

    class ProxyRemoved(Event):
        """A delegate may not act any more."""

        delegator: AccountId
        delegatee: AccountId
        proxy_type: ProxyType
        delay: U32

    class DepositPoked(Event):
        """A deposit follows the present rates."""

        who: AccountId
        kind: DepositKind
        old_deposit: U128
        new_deposit: U128

    class TooMany(Error):
        """There are too many proxies, or too many announcements pending."""

    class NotFound(Error):
        """There is no such proxy or announcement."""

    class NotProxy(Error):
        """The sender is no proxy of the account, or not one of this kind."""

    class Unproxyable(Error):
        """The call is not one that this kind of proxy may make."""

    class Duplicate(Error):
        """The account is such a proxy already."""

    class NoPermission(Error):
        """The call may not be made by proxy, or not by this account."""

    class Unannounced(Error):
        """The call was not announced, or not long enough ago."""

    class NoSelfProxy(Error):
        """An account cannot be its own proxy."""

    # -- calls --------------------------------------------

    @call(
        0,
        weight=lambda call: Weights.proxy(MAX_PROXIES) + db(1, 1) + call.info().weight,
        dispatch_class=lambda call: call.info().dispatch_class,
    )
    def proxy(
        self, origin: Origin, real: MultiAddress, force_proxy_type: ProxyType | None, call: AnyCall
    ) -> None:
        """Make a call for another account. Succeeds whatever becomes of it: see the event."""
        who = origin.signed()
        account = _lookup(real)
        found = self._find(account, who, force_proxy_type)
        if found.delay:
            raise self.Unannounced()
        self._act(found.proxy_type, account, call)

    @call(1, weight=lambda: Weights.add_proxy(MAX_PROXIES))
    def add_proxy(self, origin: Origin, delegate: MultiAddress, proxy_type: ProxyType, delay: U32) -> None:
        """Let another account act for the sender, `delay` blocks after announcing it."""
        who = origin.signed()
        new = ProxyDefinition(delegate=_lookup(delegate), proxy_type=proxy_type, delay=delay)
        if new.delegate == who:
            raise self.NoSelfProxy()
        listed, old = self.proxies[who]
        if new in listed:
            raise self.Duplicate()
        if len(listed) >= self.config.max_proxies:
            raise self.TooMany()
        deposit = self._proxies_deposit(len(listed) + 1)
        self._settle(who, old, deposit)
        self.proxies[who] = sorted([*listed, new], key=_order), deposit
        self.deposit(
            self.ProxyAdded(delegator=who, delegatee=new.delegate, proxy_type=proxy_type, delay=delay)
        )

    @call(2, weight=lambda: Weights.remove_proxy(MAX_PROXIES))
    def remove_proxy(self, origin: Origin, delegate: MultiAddress, proxy_type: ProxyType, delay: U32) -> None:
        """Take back what `add_proxy` gave."""
        who = origin.signed()
        gone = ProxyDefinition(delegate=_lookup(delegate), proxy_type=proxy_type, delay=delay)
        listed, old = self.proxies[who]
        if gone not in listed:
            raise self.NotFound()
        self._put_proxies(who, [proxy for proxy in listed if proxy != gone], old)
        self.deposit(
            self.ProxyRemoved(delegator=who, delegatee=gone.delegate, proxy_type=proxy_type, delay=delay)
        )

    @call(3, weight=lambda: Weights.remove_proxies(MAX_PROXIES))
    def remove_proxies(self, origin: Origin) -> None:
        """Remove all of the sender's proxies. A pure account loses all access, and what money it has."""
        who = origin.signed()
        _, old = self.proxies[who]
        self._put_proxies(who, [], old)

    @call(4, weight=lambda: Weights.create_pure(MAX_PROXIES))
    def create_pure(self, origin: Origin, proxy_type: ProxyType, delay: U32, index: U16) -> None:
        """Make an account without a key, whose first proxy is the sender. `index` tells apart several that
        one extrinsic makes.
        """
        who = origin.signed()
        height, place = self.block_number(), self.system.extrinsic_index()
        pure = pure_account(who, height, place, proxy_type, index)
        if pure in self.proxies:
            raise self.Duplicate()
        deposit = self._proxies_deposit(1)
        self.config.currency.hold(self.reason(self.HoldReason.Proxies), who, deposit)
        first = ProxyDefinition(delegate=who, proxy_type=proxy_type, delay=delay)
        self.proxies[pure] = [first], deposit
        self.pure_deposits[pure] = PureDeposit(spawner=who, amount=deposit)
        self.deposit(
            self.PureCreated(
                pure=pure,
                who=who,
                proxy_type=proxy_type,
                disambiguation_index=index,
                at=height,
                extrinsic_index=place,
            )
        )

    @call(5, weight=lambda: Weights.kill_pure(MAX_PROXIES))
    def kill_pure(
        self,
        origin: Origin,
        spawner: MultiAddress,
        proxy_type: ProxyType,
        index: U16,
        height: CompactU32,
        ext_index: CompactU32,
    ) -> None:
        """A pure account ends itself: all access is lost, and what money it has; the deposit goes back.

        The arguments are those of `create_pure`, and where that was.
        """
        who = origin.signed()
        maker = _lookup(spawner)
        if pure_account(maker, height, ext_index, proxy_type, index) != who:
            raise self.NoPermission()
        _, old = self.proxies[who]
        self._put_proxies(who, [], old)
        self.deposit(
            self.PureKilled(pure=who, spawner=maker, proxy_type=proxy_type, disambiguation_index=index)
        )

    @call(6, weight=lambda: Weights.announce(MAX_PENDING, MAX_PROXIES))
    def announce(self, origin: Origin, real: MultiAddress, call_hash: H256) -> None:
        """Say that a call with this hash will be made for another account."""
        who = origin.signed()
        account = _lookup(real)
        self._find(account, who, None)
        pending, old = self.announcements[who]
        if len(pending) >= self.config.max_pending:
            raise self.TooMany()
        new = Announcement(real=account, call_hash=call_hash, height=self.block_number())
        self._put_announcements(who, [*pending, new], old)
        self.deposit(self.Announced(real=account, proxy=who, call_hash=call_hash))

    @call(7, weight=lambda: Weights.remove_announcement(MAX_PENDING, MAX_PROXIES))
    def remove_announcement(self, origin: Origin, real: MultiAddress, call_hash: H256) -> None:
        """Take an announcement back."""
        who = origin.signed()
        account = _lookup(real)
        self._drop(who, lambda item: item.real == account and item.call_hash == call_hash)

    @call(8, weight=lambda: Weights.reject_announcement(MAX_PENDING, MAX_PROXIES))
    def reject_announcement(self, origin: Origin, delegate: MultiAddress, call_hash: H256) -> None:
        """Forbid a call that a delegate has announced."""
        who = origin.signed()
        self._drop(_lookup(delegate), lambda item: item.real == who and item.call_hash == call_hash)

    @call(
        9,
        weight=lambda call: Weights.proxy_announced(MAX_PENDING, MAX_PROXIES) + db(1, 1) + call.info().weight,
        dispatch_class=lambda call: call.info().dispatch_class,
    )
    def proxy_announced(
        self,
        origin: Origin,
        delegate: MultiAddress,
        real: MultiAddress,
        force_proxy_type: ProxyType | None,
        call: AnyCall,
    ) -> None:
        """Make a call that a delegate has announced, its delay ago. Anybody may send it."""
        origin.signed()
        agent, account = _lookup(delegate), _lookup(real)
        found = self._find(account, agent, force_proxy_type)
        call_hash, latest = blake2_256(call.encode()), self.block_number() - found.delay

        def is_due(item: Announcement) -> bool:
            return item.real == account and item.call_hash == call_hash and item.height <= latest

        if not any(map(is_due, self.announcements[agent][0])):
            raise self.Unannounced()
        self._drop(agent, is_due)
        self._act(found.proxy_type, account, call)

    @call(10, weight=Weights.poke_deposit)
    def poke_deposit(self, origin: Origin) -> PostInfo:
        """Bring the sender's deposits to the present rates; free of charge when that changes one."""
        who = origin.signed()
        changed = False
        listed, old = self.proxies[who]
        if old != self._proxies_deposit(len(listed)):
            self._put_proxies(who, listed, old)
            self._poked(who, DepositKind.Proxies, old, self.proxies[who][1])
            changed = True
        pending, old = self.announcements[who]
        if old != self._announcements_deposit(len(pending)):
            self._put_announcements(who, pending, old)
            self._poked(who, DepositKind.Announcements, old, self.announcements[who][1])
            changed = True
        return PostInfo(pays=Pays.No if changed else Pays.Yes)

    # -- acting --------------------------------------------

    def _find(self, real: bytes, delegate: bytes, kind: ProxyType | None) -> ProxyDefinition:
        for proxy in self.proxies[real][0]:
            if proxy.delegate == delegate and kind in (None, proxy.proxy_type):
                return proxy
        raise self.NotProxy()

    def _act(self, kind: ProxyType, real: bytes, call: RuntimeCall) -> None:
        # The sender has shown to be a proxy of `real`: filters on the sender's own way here do not count.
        origin = Origin.of(real).filtered(lambda inner: self._may(kind, inner))
        error, _ = self.attempt(call, origin)
        self.deposit(self.ProxyExecuted(result=Ok(()) if error is None else Err(error)))

    def _may(self, kind: ProxyType, call: RuntimeCall) -> bool:
        if call.pallet == self.name:
            if call.name in ("add_proxy", "remove_proxy"):
                # A delegate cannot give or take what it does not have itself.
                if not self.config.rules.is_superset(kind, call.arguments["proxy_type"]):
                    return False
            elif call.name in ("remove_proxies", "kill_pure") and kind is not ProxyType.Any:
                return False
        return self.config.rules.allows(kind, call)

    # -- the books --------------------------------------------

    def _put_proxies(self, who: bytes, listed: list[ProxyDefinition], old: int) -> None:
        deposit = self._proxies_deposit(len(listed))
        self._settle(who, old, deposit)
        if listed:
            self.proxies[who] = listed, deposit
        else:
            self.proxies.remove(who)

    def _settle(self, who: bytes, old: int, new: int) -> None:
        """Hold or release the difference; what a spawner paid goes back last, and to the spawner."""
        currency, reason = self.config.currency, self.reason(self.HoldReason.Proxies)
        if new > old:
            currency.hold(reason, who, new - old)
            return
        pure = self.pure_deposits.get(who)
        paid = 0 if pure is None else pure.amount
        own = min(old - new, old - paid)
        if own:
            currency.release(reason, who, own)
        back = old - new - own
        if pure is not None and back:
            currency.release(reason, pure.spawner, back)
            if paid > back:
                self.pure_deposits[who] = replace(pure, amount=paid - back)
            else:
                self.pure_deposits.remove(who)

    def _drop(self, delegate: bytes, drops: Callable[[Announcement], bool]) -> None:
        pending, old = self.announcements[delegate]
        kept = [item for item in pending if not drops(item)]
        if len(kept) == len(pending):
            raise self.NotFound()
        self._put_announcements(delegate, kept, old)

    def _put_announcements(self, who: bytes, pending: list[Announcement], old: int) -> None:
        deposit = self._announcements_deposit(len(pending))
        reason = self.reason(self.HoldReason.Announcements)
        if deposit > old:
            self.config.currency.hold(reason, who, deposit - old)
        elif deposit < old:
            self.config.currency.release(reason, who, old - deposit)
        if pending:
            self.announcements[who] = pending, deposit
        else:
            self.announcements.remove(who)

    def _proxies_deposit(self, count: int) -> int:
        return self.config.proxy_deposit_base + self.config.proxy_deposit_factor * count if count else 0

    def _announcements_deposit(self, count: int) -> int:
        base, factor = self.config.announcement_deposit_base, self.config.announcement_deposit_factor
        return base + factor * count if count else 0

    def _poked(self, who: bytes, kind: DepositKind, old: int, new: int) -> None:
        self.deposit(self.DepositPoked(who=who, kind=kind, old_deposit=old, new_deposit=new))

    # -- checks of the state --------------------------------------------

    def held_deposits(self) -> Iterator[tuple[IntEnum, bytes, int]]:
        """What is held for proxies and announcements, with whoever paid it."""
        for who, (_, deposit) in self.proxies.items():
            pure = self.pure_deposits.get(who)
            paid = 0 if pure is None else pure.amount
            yield self.HoldReason.Proxies, who, deposit - paid
            if pure is not None:
                yield self.HoldReason.Proxies, pure.spawner, pure.amount
        for who, (_, deposit) in self.announcements.items():
            yield self.HoldReason.Announcements, who, deposit

    def integrity_test(self) -> None:
        """The bounds of the storage hold what the configuration allows."""
        assert self.config.max_proxies <= MAX_PROXIES, f"at most {MAX_PROXIES} proxies fit"
        assert self.config.max_pending <= MAX_PENDING, f"at most {MAX_PENDING} announcements fit"

    @invariant
    def proxies_are_well_formed(self) -> Iterator[str]:
        """No list is empty or too long; delegates are sorted, without repetition; nobody is their own."""
        for who, (listed, _) in self.proxies.items():
            where = f"proxies of {who.hex()}"
            if not listed:
                yield f"{where}: an empty list"
            if listed != sorted(set(listed), key=_order):
                yield f"{where}: out of order"
            if len(listed) > self.config.max_proxies:
                yield f"{where}: too many"
            if any(proxy.delegate == who for proxy in listed):
                yield f"{where}: its own proxy"

    @invariant
    def announcements_are_well_formed(self) -> Iterator[str]:
        """No list is empty or too long, and nothing was announced in the future."""
        for who, (pending, _) in self.announcements.items():
            where = f"announcements of {who.hex()}"
            if not pending:
                yield f"{where}: an empty list"
            if len(pending) > self.config.max_pending:
                yield f"{where}: too many"
            if any(item.height > self.block_number() for item in pending):
                yield f"{where}: from the future"

    @invariant
    def spawners_paid_no_more_than_is_due(self) -> Iterator[str]:
        """What a spawner has on hold for a pure account is part of that account's deposit."""
        for who, pure in self.pure_deposits.items():
            if who not in self.proxies:
                yield f"pure account {who.hex()}: a deposit without proxies"
            elif pure.amount > self.proxies[who][1]:
                yield f"pure account {who.hex()}: the spawner paid more than is due"


def pure_account(who: bytes, height: int, extrinsic: int, proxy_type: ProxyType, index: int) -> bytes:
    """The account that `create_pure` makes in extrinsic `extrinsic` of block `height`."""
    return blake2_256(_PURE_TAG + _PURE((who, height, extrinsic, proxy_type, index)))


def _order(proxy: ProxyDefinition) -> tuple[bytes, int, int]:
    return proxy.delegate, proxy.proxy_type, proxy.delay


def _lookup(address: MultiAddress) -> bytes:
    if isinstance(address, MultiAddress.Id):
        return address.value
    raise CannotLookup()
