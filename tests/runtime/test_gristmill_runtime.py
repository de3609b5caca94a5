"""The Gristmill runtime as a whole: what its format promises, fees, and the pieces fitting together."""

from __future__ import annotations

from typing import Any

import pytest

from frame import TokenError
from frame.apis import RuntimeDispatchInfo
from frame.call import RuntimeCall
from frame.genesis import GenesisError
from frame.testing import Chain, externalities
from frame.transaction import Invalid, InvalidTransaction
from pallets.balances import Balances
from pallets.rewards import Rewards
from pallets.system import System
from pallets.transaction_payment import TransactionPayment
from primitives.extrinsic import MultiAddress
from primitives.hashing import twox_128
from primitives.keys import Keypair
from primitives.scale import codec
from runtime import GristmillRuntime, runtime
from runtime.constants import GRIST, MILLI

ALICE, BOB = Keypair.from_uri("//Alice"), Keypair.from_uri("//Bob")
ENDOWED: dict[str, Any] = {
    "balances": {"balances": [[ALICE.address, 1000 * GRIST], ["0x" + BOB.account_id.hex(), GRIST]]},
    "sudo": {"key": ALICE.address},
}
BALANCES = GristmillRuntime.balances


@pytest.fixture
def chain() -> Chain:
    return Chain(runtime(), ENDOWED)


def free(chain: Chain, key: Keypair) -> int:
    """The free balance on the head."""
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    return machine.of(BALANCES).free_balance(key.account_id)


def issuance(chain: Chain) -> int:
    """All money on the head."""
    machine = chain.runtime.machine()
    machine.overlay.reset(chain.state)
    return machine.of(BALANCES).total_issuance()


def transfer(dest: Keypair, amount: int) -> RuntimeCall:
    """A transfer that may not reap the sender."""
    return RuntimeCall(
        BALANCES.entry("transfer_keep_alive"), (MultiAddress.Id(value=dest.account_id), amount)
    )


def test_indices_never_change() -> None:
    assert {p.name: p.index for p in GristmillRuntime.pallets}.items() >= {
        "System": 0,
        "Timestamp": 1,
        "Balances": 2,
        "TransactionPayment": 3,
        "Sudo": 4,
        "Utility": 5,
        "Multisig": 6,
        "Proxy": 7,
        "Blobs": 9,
        "Datasets": 10,
        "Rewards": 11,
        "Market": 12,
        "Compute": 13,
    }.items()
    calls = {
        "Balances.transfer_keep_alive": b"\x02\x03",
        "Balances.transfer_allow_death": b"\x02\x00",
        "Utility.batch_all": b"\x05\x02",
        "Sudo.sudo": b"\x04\x00",
        "Blobs.declare": b"\x09\x00",
        "Datasets.register": b"\x0a\x00",
        "Market.list": b"\x0c\x00",
        "Compute.submit": b"\x0d\x00",
        "Compute.expire": b"\x0d\x07",
        "Rewards.claim": b"\x0b\x00",
    }
    found = {
        f"{e.pallet_name}.{e.definition.name}": e.prefix for e in GristmillRuntime.call_codec.entries.values()
    }
    assert {name: found[name] for name in calls} == calls


def test_every_call_has_a_weight_and_fits_a_block() -> None:
    made = runtime()
    assert made.missing_weights() == []
    machine = made.machine()
    for pallet in machine.pallets:
        pallet.integrity_test()


def test_genesis(chain: Chain) -> None:
    state = chain.state.top
    for pallet in GristmillRuntime.pallets:
        key = twox_128(pallet.name.encode()) + bytes.fromhex("4e7b9012096b41c4eb3aaf947f6ea429")
        assert state[key] == pallet.storage_version.to_bytes(2, "little")
    system = twox_128(b"System")
    assert state[b":extrinsic_index"] == bytes(4)
    assert state[system + twox_128(b"ParentHash")] == b"E" * 32
    assert state[system + twox_128(b"UpgradedToU32RefCount")] == b"\1"
    assert state[system + twox_128(b"UpgradedToTripleRefCount")] == b"\1"
    assert state[b":code"].startswith(b"\0asm")
    assert chain.runtime.version.encode() in state[b":code"]
    assert system + twox_128(b"Events") not in state
    assert free(chain, ALICE) == 1000 * GRIST
    assert free(chain, BOB) == GRIST


@pytest.mark.parametrize(
    ("config", "text"),
    [
        ({"balance": {}}, "no pallet `balance`; there are: system, timestamp"),
        ({"balances": {"balance": []}}, "balances.balance: there is no such field"),
        ({"balances": {"balances": [["5GrwvaEF", 1]]}}, r"balances.balances\[0\]\[0\]: "),
        ({"balances": {"balances": [["0x00", 1]]}}, r"balances.balances: \[0\]: "),
        ({"balances": {"balances": [[ALICE.address, -1]]}}, "balances.balances: .*-1 does not fit u128"),
        ({"balances": {"balances": [[ALICE.address, 1.5]]}}, "balances.balances: "),
        ({"balances": 5}, "balances: an object is expected"),
        ({"system": {"x": 1}}, "system: the pallet has no genesis"),
    ],
)
def test_bad_genesis(config: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        runtime().genesis(config)


def test_a_transfer_pays_what_was_asked(chain: Chain) -> None:
    raw = chain.sign(ALICE, transfer(BOB, 5 * GRIST), tip=7)
    args = raw + len(raw).to_bytes(4, "little")
    answer = chain.runtime.call(chain.state, "TransactionPaymentApi_query_info", args, chain.host)
    fee = codec(RuntimeDispatchInfo).decode(answer).partial_fee
    before, money = free(chain, ALICE), issuance(chain)
    chain.block(raw)
    paid = next(e for e in chain.events() if isinstance(e, TransactionPayment.TransactionFeePaid))
    assert (paid.actual_fee, paid.tip) == (fee + 7, 7)
    assert before - free(chain, ALICE) == 5 * GRIST + fee + 7
    assert free(chain, BOB) == 6 * GRIST
    assert issuance(chain) <= money
    assert MILLI // 100 < fee < 10 * MILLI
    kinds = [type(event).__name__ for event in chain.events()]
    assert kinds[-2:] == ["TransactionFeePaid", "ExtrinsicSuccess"]


def test_a_failing_call_pays_and_counts(chain: Chain) -> None:
    before = free(chain, BOB)
    outcome = chain.block(chain.sign(BOB, transfer(ALICE, 99 * GRIST)))
    assert outcome.results[1][0] == 1
    assert before - MILLI * 10 < free(chain, BOB) < before
    failed = chain.events()[-1]
    assert isinstance(failed, System.ExtrinsicFailed)
    assert isinstance(failed.dispatch_error, TokenError)
    chain.block(chain.sign(BOB, transfer(ALICE, MILLI), nonce=1))


def test_who_cannot_pay_is_not_heard(chain: Chain) -> None:
    poor = Keypair.from_uri("//Poor")
    chain.block(chain.sign(ALICE, transfer(poor, MILLI)))
    with pytest.raises(InvalidTransaction) as caught:
        chain.block(chain.sign(poor, transfer(ALICE, 1)))
    assert caught.value.kind is Invalid.Payment


def test_metadata_stays_small_and_is_read_whole() -> None:
    from scalecodec.base import RuntimeConfigurationObject, ScaleBytes
    from scalecodec.type_registry import load_type_registry_preset

    raw = runtime().metadata(14)
    assert len(raw) < 100_000
    config = RuntimeConfigurationObject()
    config.update_type_registry(load_type_registry_preset("core"))
    config.update_type_registry(load_type_registry_preset("legacy"))
    metadata = config.create_scale_object("MetadataVersioned", ScaleBytes(raw))
    metadata.decode()
    config.add_portable_registry(metadata)
    assert [p.value["name"] for p in metadata.pallets] == [p.name for p in GristmillRuntime.pallets]
    for pallet in metadata.pallets:
        for item in pallet.storage or []:
            config.get_decoder_class(item.get_value_type_string())


def test_storage_of_bounded_size_stays_bounded() -> None:
    """Every map's entries have a bound, so that a deposit can be set by it; lists of events are no state
    to keep.
    """
    free_of_bounds = {"System.Digest", "System.Events", "System.EventTopics", "System.ExtrinsicData"}
    unbounded = {
        f"{p.name}.{item.name}"
        for p in GristmillRuntime.pallets
        for item in p.declaration.storage
        if item.codec.max_len is None and f"{p.name}.{item.name}" not in free_of_bounds
    }
    assert unbounded <= {"System.LastRuntimeUpgrade"}


def test_pallets_meet() -> None:
    ext = externalities(
        GristmillRuntime, {"balances": Balances.Genesis(balances=[(ALICE.account_id, GRIST)])}
    )
    assert ext.of(GristmillRuntime.rewards).config.currency is ext.of(BALANCES)
    assert ext.pallet(Rewards) is ext.of(GristmillRuntime.rewards)
    ext.roll(3)
    ext.try_state()


MOST = 2**128 - 1


@pytest.mark.parametrize(
    ("balances", "why"),
    [
        ([[ALICE.address, 0]], "balances: .* below the existential deposit"),
        ([[ALICE.address, 10**12]] * 2, "balances: .* two balances"),
        ([[ALICE.address, MOST], [BOB.address, MOST]], "balances: "),
    ],
)
def test_a_genesis_that_no_pallet_takes_is_refused_by_name(balances: list[Any], why: str) -> None:
    with pytest.raises(GenesisError, match=why):
        runtime().genesis({"balances": {"balances": balances}})
