"""The short ways of a block's usual extrinsics do what the long ways do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from frame.accounts import NO_ACCOUNT, AccountData, AccountInfo
from frame.call import DispatchClass, DispatchInfo
from frame.machine import Machine
from frame.transaction import TransactionValidityError
from frame.weights import Weight
from primitives.scale import changer, replace
from runtime import GristmillRuntime, runtime

WHO = st.binary(min_size=31, max_size=33)
AMOUNT = st.integers(-1, 2**128)
FIELDS: dict[str, st.SearchStrategy[tuple[Any, ...]]] = {
    "balances.Transfer": st.tuples(WHO, WHO, AMOUNT),
    "balances.Withdraw": st.tuples(WHO, AMOUNT),
    "transaction_payment.TransactionFeePaid": st.tuples(WHO, AMOUNT, AMOUNT),
}


def outcome(work: Callable[[], object]) -> str:
    try:
        return str(work())
    except Exception as error:
        return f"{type(error).__name__}: {error}"


@pytest.mark.parametrize("name", list(FIELDS))
@given(st.data())
def test_an_event_without_an_object_is_the_same_event(name: str, data: st.DataObject) -> None:
    machine = runtime().machine()
    machine.of(GristmillRuntime.system).number.put(1)
    pallet = machine.of(getattr(GristmillRuntime, name.partition(".")[0]))
    event = getattr(pallet, name.partition(".")[2])
    fields = data.draw(FIELDS[name])
    key = machine.of(GristmillRuntime.system).events.key
    found = []
    for work in (
        lambda: pallet.depositor(event)(*fields),
        lambda: pallet.deposit(event(**dict(zip(event.__match_args__, fields, strict=True)))),
    ):
        machine.overlay.begin()
        found.append((outcome(work), machine.overlay.get(key)))
        machine.overlay.rollback()
    assert found[0] == found[1]


KINDS = [
    DispatchInfo(Weight(ref_time=time, proof_size=proof), kind)
    for kind in DispatchClass
    for time, proof in ((10**6, 0), (3 * 10**11, 10**6), (2 * 10**12, 5), (10**20, 1))
    if time < 2**64
]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(KINDS),
        st.sampled_from([100, 100, 10**6, 2**31]),
        st.sampled_from(["keep", "keep", "keep", "undo", "forget"]),
        st.integers(1, 6),
    ),
    max_size=12,
)


@given(STEPS)
def test_room_is_counted_alike_for_the_same_kind_and_for_others(
    steps: list[tuple[DispatchInfo, int, str, int]],
) -> None:
    def used(machine: Machine, slowly: bool) -> list[object]:
        system, found = machine.of(GristmillRuntime.system), list[object]()
        for info, length, then, times in steps:
            machine.overlay.begin()
            for _ in range(times):
                if slowly:
                    machine.overlay.get(system.block_weight.key)  # bytes from here on
                try:
                    system.use_room(info, length)
                    said = b""
                except TransactionValidityError as error:
                    said = error.encode()
                found.append((said, system.block_weight.get(), system.all_extrinsics_len.try_get()))
            if then == "undo":
                machine.overlay.rollback()
            else:
                machine.overlay.commit()
            if then == "forget":
                machine.overlay.get(system.block_weight.key)
        return found

    made = runtime()
    assert used(made.machine(), slowly=False) == used(made.machine(), slowly=True)


@given(st.integers(0, 2**128 - 1), st.integers(0, 2**32 - 1))
def test_a_changed_part_of_a_part_leaves_all_else(free: int, nonce: int) -> None:
    account = replace(NO_ACCOUNT, nonce=nonce)
    expected = replace(account, data=replace(account.data, free=free))
    assert changer(AccountInfo, "data", "free")(account, free) == expected
    assert account.data.free == 0
    with pytest.raises(TypeError, match="no field"):
        changer(AccountInfo, "data", "money")
    with pytest.raises(TypeError, match="has no fields"):
        changer(AccountData, "free", "bits")
