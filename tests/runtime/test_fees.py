"""Fees follow weight, length and multiplier; what `TransactionPaymentApi` quotes is what is charged; and a
block holds what its limits say.
"""

from __future__ import annotations

from typing import Any

import pytest

from frame.apis import FeeDetails, RuntimeDispatchInfo
from frame.backend import Delta
from frame.call import DispatchClass, DispatchInfo, RuntimeCall
from frame.limits import MIB
from frame.testing import Chain
from frame.transaction import Invalid, InvalidTransaction
from frame.weights import PICOS_PER_SECOND, Weight, weight
from pallets.transaction_payment import TransactionPayment
from pallets.transaction_payment.multiplier import ONE
from pallets.transaction_payment.pallet import FixedU128
from primitives.extrinsic import MultiAddress
from primitives.keys import Keypair
from primitives.scale import U128, codec
from runtime import GristmillRuntime, runtime
from runtime.constants import BYTE_FEE, GRIST
from runtime.weights.block import BASE_BLOCK
from runtime.weights.extrinsic import BASE_EXTRINSIC

ALICE, BOB = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob")
PAYMENT = GristmillRuntime.transaction_payment
LIMITS = GristmillRuntime.system.config


@pytest.fixture
def chain() -> Chain:
    return Chain(runtime(), {"balances": {"balances": [[ALICE.address, 10**6 * GRIST]]}})


def call(pallet: Any, name: str, *arguments: Any) -> RuntimeCall:
    return RuntimeCall(pallet.entry(name), arguments)


def ask(chain: Chain, name: str, args: bytes, kind: Any) -> Any:
    answer = chain.runtime.call(chain.state, f"TransactionPaymentApi_{name}", args, chain.host)
    return codec(kind).decode(answer)


def set_multiplier(chain: Chain, value: int) -> None:
    """As if blocks had been full, or empty, for long."""
    machine = chain.runtime.machine()
    key = machine.of(PAYMENT).next_fee_multiplier.key
    chain.state.apply(Delta({key: codec(FixedU128).encode(FixedU128(value=value))}))


def paid(chain: Chain) -> int:
    found = next(e for e in chain.events() if isinstance(e, TransactionPayment.TransactionFeePaid))
    return found.actual_fee


CALLS = {
    "a short remark": call(GristmillRuntime.system, "remark", b"x"),
    "a long remark": call(GristmillRuntime.system, "remark", bytes(100_000)),
    "a transfer": call(
        GristmillRuntime.balances, "transfer_keep_alive", MultiAddress.Id(value=BOB.account_id), GRIST
    ),
    "a blob": call(GristmillRuntime.blobs, "declare", 300_000, [bytes([1]) * 32, bytes([2]) * 32]),
}


@pytest.mark.parametrize("multiplier", [ONE // 1000, ONE, 7 * ONE + 3])
@pytest.mark.parametrize("name", CALLS)
def test_the_quote_is_the_fee(chain: Chain, name: str, multiplier: int) -> None:
    set_multiplier(chain, multiplier)
    raw = chain.sign(ALICE, CALLS[name], tip=5)
    args = raw + len(raw).to_bytes(4, "little")
    info = ask(chain, "query_info", args, RuntimeDispatchInfo)
    fees = ask(chain, "query_fee_details", args, FeeDetails).inclusion_fee
    assert fees is not None
    assert info.weight == CALLS[name].info().weight
    assert info.partial_fee == fees.base_fee + fees.len_fee + fees.adjusted_weight_fee
    assert fees.base_fee == BASE_EXTRINSIC.ref_time and fees.len_fee == len(raw) * BYTE_FEE
    assert fees.adjusted_weight_fee == info.weight.ref_time * multiplier // ONE
    lengths = ask(chain, "query_length_to_fee", len(raw).to_bytes(4, "little"), U128)
    assert lengths == fees.len_fee
    whole = ask(chain, "query_weight_to_fee", codec(Weight).encode(info.weight), U128)
    assert whole == info.weight.ref_time
    before = balance(chain)
    chain.block(raw)
    assert paid(chain) == info.partial_fee + 5
    spent = {"a transfer": GRIST}.get(name, 0)
    held = balance(chain, held=True)
    assert before - balance(chain) == info.partial_fee + 5 + spent + held


def balance(chain: Chain, held: bool = False) -> int:
    """Alice's free money, or what is held of hers."""
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    balances = machine.of(GristmillRuntime.balances)
    free = balances.free_balance(ALICE.account_id)
    return balances.total_balance(ALICE.account_id) - free if held else free


def test_what_was_not_used_is_given_back(chain: Chain) -> None:
    """A batch that stops early pays for what ran."""
    remark = call(GristmillRuntime.system, "remark", bytes(5_000))
    failing = call(GristmillRuntime.system, "set_heap_pages", 1)
    batch = call(GristmillRuntime.utility, "batch", [failing, *[remark] * 50])
    raw = chain.sign(ALICE, batch)
    quoted = ask(chain, "query_info", raw + len(raw).to_bytes(4, "little"), RuntimeDispatchInfo)
    chain.block(raw)
    assert paid(chain) < quoted.partial_fee - 40 * remark.info().weight.ref_time


def test_dearer_and_longer_calls_cost_more(chain: Chain) -> None:
    def fee(remark: bytes) -> int:
        raw = chain.sign(ALICE, call(GristmillRuntime.system, "remark", remark))
        args = raw + len(raw).to_bytes(4, "little")
        quoted: int = ask(chain, "query_info", args, RuntimeDispatchInfo).partial_fee
        return quoted

    assert fee(b"") < fee(bytes(1000)) < fee(bytes(100_000))


def test_full_blocks_make_fees_rise_and_empty_ones_fall(chain: Chain) -> None:
    def multiplier() -> int:
        machine = chain.runtime.machine()
        machine.overlay.reset(chain.state)
        return machine.of(PAYMENT).multiplier()

    set_multiplier(chain, 5 * ONE)
    chain.block()
    fallen = multiplier()
    assert fallen < 5 * ONE
    remark = call(GristmillRuntime.system, "remark", b"")
    batch = call(GristmillRuntime.utility, "batch", [remark] * 1000)
    room = (LIMITS.block_weights.per_class.normal.max_total or weight(0)).ref_time // 2
    count = room // batch.info().weight.ref_time + 1
    chain.block(*(chain.sign(ALICE, batch, nonce=nonce) for nonce in range(count)))
    assert multiplier() > fallen, "a block that is half full is over the target"


def test_the_limits_are_those_that_were_measured() -> None:
    weights, lengths = LIMITS.block_weights, LIMITS.block_length
    assert weights.max_block.ref_time == 2 * PICOS_PER_SECOND
    normal = weights.per_class.normal
    assert normal.max_total is not None
    assert normal.max_total.ref_time == 3 * PICOS_PER_SECOND // 2
    assert (lengths.max.normal, lengths.max.operational) == (5 * MIB * 3 // 4, 5 * MIB)
    assert weights.base_block == BASE_BLOCK
    assert normal.base_extrinsic == BASE_EXTRINSIC and BASE_EXTRINSIC.proof_size > 0


def test_a_block_is_full_when_its_weight_is(chain: Chain) -> None:
    """Batches of a thousand remarks, until the next would go over three quarters of two seconds."""
    remark = call(GristmillRuntime.system, "remark", b"")
    batch = call(GristmillRuntime.utility, "batch", [remark] * 1000)
    each = batch.info().weight.ref_time + BASE_EXTRINSIC.ref_time
    normal = LIMITS.block_weights.per_class.normal.max_total
    assert normal is not None
    fits = normal.ref_time // each
    builder = chain.open()
    raw = chain.sign(ALICE, batch)
    machine = builder.machine
    for _ in range(fits):  # in the books only: running them all would take the block's seconds
        machine.system.use_room(batch.info(), 10)
    with pytest.raises(InvalidTransaction) as caught:
        builder.apply(raw)
    assert caught.value.kind is Invalid.ExhaustsResources
    used = machine.system.used_weight(batch.info().dispatch_class)
    assert normal.ref_time - each < used.ref_time <= normal.ref_time


def test_a_block_is_full_when_its_length_is(chain: Chain) -> None:
    longest = LIMITS.block_length.max.normal
    remark = call(GristmillRuntime.system, "remark", bytes(longest // 2))
    builder = chain.open()
    builder.apply(chain.sign(ALICE, remark))
    with pytest.raises(InvalidTransaction) as caught:
        builder.apply(chain.sign(ALICE, remark, nonce=1))
    assert caught.value.kind is Invalid.ExhaustsResources
    builder.abandon()


@pytest.mark.parametrize("first", [0, 10])
def test_a_block_takes_its_length_to_the_byte(chain: Chain, first: int) -> None:
    """The first extrinsic as well as one like the last, whose room is known."""
    info = call(GristmillRuntime.system, "remark", b"").info()
    builder = chain.open()
    system = builder.machine.system
    if first:
        system.use_room(info, first)
    left = LIMITS.block_length.max.normal - system.all_extrinsics_len.get()  # type: ignore[attr-defined]
    with pytest.raises(InvalidTransaction):
        system.use_room(info, left + 1)
    system.use_room(info, left)
    with pytest.raises(InvalidTransaction):
        system.use_room(info, 1)
    builder.abandon()


def test_what_is_reserved_for_operational_calls_is_all_that_a_full_block_has(chain: Chain) -> None:
    normal, operational = (
        LIMITS.block_weights.of(kind) for kind in (DispatchClass.Normal, DispatchClass.Operational)
    )
    assert normal.max_total and normal.max_extrinsic and operational.reserved
    builder = chain.open()
    system = builder.machine.system
    while True:
        left = normal.max_total - system.used_weight(DispatchClass.Normal) - normal.base_extrinsic
        if not left.ref_time:
            break
        system.use_room(DispatchInfo(weight(min(left.ref_time, normal.max_extrinsic.ref_time))), 10)
    most = operational.reserved.ref_time - operational.base_extrinsic.ref_time
    with pytest.raises(InvalidTransaction):
        system.use_room(DispatchInfo(weight(most + 1), DispatchClass.Operational), 10)
    system.use_room(DispatchInfo(weight(most), DispatchClass.Operational), 10)
    builder.abandon()


def test_a_weight_costs_at_most_a_whole_block() -> None:
    fee = runtime().machine().of(PAYMENT).weight_fee(2**63, 0)
    assert fee == LIMITS.block_weights.max_block.ref_time
