"""Random people with multisigs, proxies and pure accounts: whatever they try, no money is lost or stuck."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from frame import DispatchError, RuntimeCall
from frame.weights import MAX
from pallets.multisig import multi_account_id
from pallets.proxy import ProxyType, pure_account
from primitives.hashing import blake2_256
from tests.pallets.money import ALICE, BOB, CAROL, Bank, at, bank, signed

OWNERS = sorted([ALICE, BOB, CAROL])
SHARED = multi_account_id(OWNERS, 2)
PEOPLE = st.sampled_from(OWNERS)
KINDS = st.sampled_from([ProxyType.Any, ProxyType.NonTransfer, ProxyType.CancelProxy])
DELAYS = st.sampled_from([0, 2])


class Wallets(RuleBasedStateMachine):
    """Three people, their composite account, and a pure account of each."""

    def __init__(self) -> None:
        super().__init__()
        self.ext = bank()
        self.b, self.m, self.p, self.u = (
            self.ext.of(pallet) for pallet in (Bank.balances, Bank.multisig, Bank.proxy, Bank.utility)
        )
        self.ext.dispatch(self.b.transfer_allow_death.new(at(SHARED), 10_000), signed(ALICE))
        self.heights = dict.fromkeys(OWNERS, 1)
        """When each person's latest pure account was made."""
        self.issued = self.b.total_issuance()

    def attempt(self, call: RuntimeCall, who: bytes) -> bool:
        """A call as it comes out of its own bytes; whether it succeeded."""
        before = self.ext.root()
        try:
            self.ext.dispatch(self.ext.runtime.call_codec.decode(call.encode()), signed(who))
        except DispatchError:
            assert self.ext.root() == before, "a refused call left something behind"
            return False
        return True

    def pure(self, who: bytes) -> bytes:
        """The person's latest pure account, if there is one."""
        return pure_account(who, self.heights[who], 0, ProxyType.Any, 0)

    def calls(self, amount: int) -> list[RuntimeCall]:
        pay = self.b.transfer_keep_alive.new(at(ALICE), amount)
        return [pay, self.u.batch.new([pay, pay]), self.p.remove_proxies.new(), self.p.poke_deposit.new()]

    @rule(who=PEOPLE, which=st.integers(0, 3), known=st.booleans(), hashed=st.booleans())
    def approve(self, who: bytes, which: int, known: bool, hashed: bool) -> None:
        call = self.calls(100)[which]
        digest = blake2_256(call.encode())
        operation = self.m.multisigs.get(SHARED, digest)
        when = operation.when if operation is not None and known else None
        others = [owner for owner in OWNERS if owner != who]
        if hashed:
            self.attempt(self.m.approve_as_multi.new(2, others, when, digest, MAX), who)
        else:
            self.attempt(self.m.as_multi.new(2, others, when, call, MAX), who)

    @rule(who=PEOPLE, which=st.integers(0, 3))
    def call_off(self, who: bytes, which: int) -> None:
        digest = blake2_256(self.calls(100)[which].encode())
        operation = self.m.multisigs.get(SHARED, digest)
        if operation is not None:
            others = [owner for owner in OWNERS if owner != who]
            done = self.attempt(self.m.cancel_as_multi.new(2, others, operation.when, digest), who)
            assert done == (operation.depositor == who)

    @rule(who=PEOPLE, other=PEOPLE, kind=KINDS, delay=DELAYS, adds=st.booleans())
    def delegate(self, who: bytes, other: bytes, kind: ProxyType, delay: int, adds: bool) -> None:
        make = self.p.add_proxy if adds else self.p.remove_proxy
        self.attempt(make.new(at(other), kind, delay), who)

    @rule(who=PEOPLE, real=PEOPLE, pure=st.booleans(), which=st.integers(0, 3), amount=st.integers(1, 2_000))
    def act(self, who: bytes, real: bytes, pure: bool, which: int, amount: int) -> None:
        account = self.pure(real) if pure else real
        self.attempt(self.p.proxy.new(at(account), None, self.calls(amount)[which]), who)

    @rule(who=PEOPLE)
    def spawn(self, who: bytes) -> None:
        if self.attempt(self.p.create_pure.new(ProxyType.Any, 0, 0), who):
            self.heights[who] = self.ext.of(Bank.system).block_number()
            self.attempt(self.b.transfer_keep_alive.new(at(self.pure(who)), 2_000), who)

    @rule(who=PEOPLE, real=PEOPLE)
    def end(self, who: bytes, real: bytes) -> None:
        call = self.p.kill_pure.new(at(real), ProxyType.Any, 0, self.heights[real], 0)
        self.attempt(self.p.proxy.new(at(self.pure(real)), None, call), who)

    @rule(who=PEOPLE, real=PEOPLE, other=PEOPLE)
    def share_a_pure_account(self, who: bytes, real: bytes, other: bytes) -> None:
        call = self.p.add_proxy.new(at(other), ProxyType.Any, 0)
        self.attempt(self.p.proxy.new(at(self.pure(real)), None, call), who)

    @rule(who=PEOPLE, real=PEOPLE, which=st.integers(0, 3), verb=st.integers(0, 3))
    def announce(self, who: bytes, real: bytes, which: int, verb: int) -> None:
        call = self.calls(50)[which]
        digest = blake2_256(call.encode())
        made = (
            self.p.announce.new(at(real), digest),
            self.p.remove_announcement.new(at(real), digest),
            self.p.reject_announcement.new(at(real), digest),
            self.p.proxy_announced.new(at(who), at(real), None, call),
        )[verb]
        self.attempt(made, who)

    @rule()
    def next_block(self) -> None:
        self.ext.next_block()

    @invariant()
    def laws(self) -> None:
        self.ext.try_state()
        assert self.b.total_issuance() == self.issued, "all the money is still there"

    def teardown(self) -> None:
        """Everybody can leave, and then nothing is held of anybody."""
        for (_, digest), operation in list(self.m.multisigs.items()):
            others = [owner for owner in OWNERS if owner != operation.depositor]
            off = self.m.cancel_as_multi.new(2, others, operation.when, digest)
            assert self.attempt(off, operation.depositor)
        for pure in list(self.p.pure_deposits):
            for proxy in list(self.p.proxies[pure][0]):
                gone = self.p.remove_proxy.new(at(proxy.delegate), proxy.proxy_type, proxy.delay)
                assert self.attempt(gone, pure)
        for who in (*OWNERS, SHARED):
            assert self.attempt(self.p.remove_proxies.new(), who)
            for item in list(self.p.announcements[who][0]):
                self.attempt(self.p.remove_announcement.new(at(item.real), item.call_hash), who)
        assert list(self.b.all_holds()) == []
        self.ext.try_state()


TestWallets = Wallets.TestCase
TestWallets.settings = settings(max_examples=20, stateful_step_count=40, deadline=None)
