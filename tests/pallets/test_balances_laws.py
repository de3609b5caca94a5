"""Whatever is done to money in whatever order, the laws of the pallet balances hold."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from frame import DispatchError
from tests.pallets.money import ALICE, BOB, BOND, CAROL, DAVE, ED, EVE, RENT, STAKE, VOTE, Bank, bank

PEOPLE = st.sampled_from([ALICE, BOB, CAROL, DAVE, EVE])
HOLDS = st.sampled_from([RENT, BOND])
FREEZES = st.sampled_from([VOTE, STAKE])
AMOUNTS = st.sampled_from([0, 1, ED - 1, ED, ED + 1, 10 * ED]) | st.integers(0, 1_200_000)


class Money(RuleBasedStateMachine):
    """Random deeds; each either happens or leaves the state as it was."""

    def __init__(self) -> None:
        super().__init__()
        self.ext = bank()
        self.b = self.ext.of(Bank.balances)

    def attempt(self, deed: Callable[[], object]) -> bool:
        """Whether the deed was possible; if not, nothing has changed."""
        before = self.ext.state()
        try:
            deed()
        except DispatchError:
            assert self.ext.state() == before, "a refused deed changed the state"
            return False
        return True

    def moved(self, deed: Callable[[], object], change: int) -> None:
        """The deed changes the issuance by `change`, less what is lost as dust."""
        before = self.b.total_issuance()
        self.ext.clear_events()
        if self.attempt(deed):
            dust = sum(e.amount for e in self.ext.events() if isinstance(e, self.b.DustLost))
            assert self.b.total_issuance() == before + change - dust

    @rule(source=PEOPLE, dest=PEOPLE, amount=AMOUNTS, keep=st.booleans())
    def transfer(self, source: bytes, dest: bytes, amount: int, keep: bool) -> None:
        existed = self.b.total_balance(source) > 0
        self.moved(lambda: self.b.transfer(source, dest, amount, keep), 0)
        if keep and existed:
            assert self.b.total_balance(source) >= ED

    @rule(who=PEOPLE, amount=AMOUNTS)
    def mint(self, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.mint_into(who, amount), amount)

    @rule(who=PEOPLE, amount=AMOUNTS)
    def burn(self, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.burn_from(who, amount), -amount)

    @rule(who=PEOPLE, amount=AMOUNTS)
    def pay_fee(self, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.withdraw_fee(who, amount), -amount)

    @rule(reason=HOLDS, who=PEOPLE, amount=AMOUNTS)
    def hold(self, reason: bytes, who: bytes, amount: int) -> None:
        possible = self.b.can_hold(reason, who, amount)
        assert self.attempt(lambda: self.b.hold(reason, who, amount)) == possible

    @rule(reason=HOLDS, who=PEOPLE, amount=AMOUNTS, exact=st.booleans())
    def release(self, reason: bytes, who: bytes, amount: int, exact: bool) -> None:
        self.moved(lambda: self.b.release(reason, who, amount, exact), 0)

    @rule(reason=HOLDS, source=PEOPLE, dest=PEOPLE, amount=AMOUNTS, on_hold=st.booleans())
    def transfer_on_hold(self, reason: bytes, source: bytes, dest: bytes, amount: int, on_hold: bool) -> None:
        self.moved(lambda: self.b.transfer_on_hold(reason, source, dest, amount, on_hold), 0)

    @rule(reason=HOLDS, who=PEOPLE)
    def settle(self, reason: bytes, who: bytes) -> None:
        """All that is held can always be paid out to a living account, whatever the owner has done."""
        held = self.b.held(reason, who)
        if held and self.b.total_balance(BOB):
            assert self.attempt(lambda: self.b.transfer_on_hold(reason, who, BOB, held))

    @rule(reason=HOLDS, who=PEOPLE, amount=AMOUNTS)
    def burn_held(self, reason: bytes, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.burn_held(reason, who, amount), -amount)

    @rule(reason=FREEZES, who=PEOPLE, amount=AMOUNTS)
    def freeze(self, reason: bytes, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.set_freeze(reason, who, amount), 0)

    @rule(identifier=st.sampled_from([b"lock one", b"lock two"]), who=PEOPLE, amount=AMOUNTS)
    def lock(self, identifier: bytes, who: bytes, amount: int) -> None:
        self.moved(lambda: self.b.set_lock(identifier, who, amount), 0)

    @invariant()
    def laws(self) -> None:
        self.ext.try_state()

    @invariant()
    def who_has_holds_is_alive(self) -> None:
        system = self.ext.of(Bank.system)
        for who in self.b.holds:
            assert system.account(who).data.free >= ED and system.providers(who) == 1


TestMoney = Money.TestCase
TestMoney.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
