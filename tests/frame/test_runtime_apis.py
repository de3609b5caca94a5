"""Runtime APIs by `call`, as `state_call` reaches them."""

from __future__ import annotations

import pytest

from frame.apis import STANDARD, ApiFailed, CheckInherentsResult, FeeDetails, RuntimeDispatchInfo, UnknownApi
from frame.call import DispatchClass, RuntimeCall
from frame.testing import Chain
from frame.transaction import Validity
from frame.version import RuntimeVersion
from frame.weights import weight
from primitives.scale import ScaleError, codec, encode_compact, replace
from tests.frame.template_runtime import ALICE, BOB, TemplateRuntime

TEMPLATE = TemplateRuntime.template


def ask(chain: Chain, api: str, args: bytes = b"") -> bytes:
    """The answer on the chain's head; asking changes nothing."""
    before = dict(chain.state.top)
    answer = chain.runtime.call(chain.state, api, args, chain.host)
    assert chain.state.top == before
    return answer


def test_unknown_names_and_bad_arguments(chain: Chain) -> None:
    with pytest.raises(UnknownApi, match=r"^Exported method Core_versio is not found$"):
        ask(chain, "Core_versio")
    with pytest.raises(ScaleError):
        ask(chain, "Core_version", b"\0")
    with pytest.raises(ScaleError):
        ask(chain, "AccountNonceApi_account_nonce", b"\0")


def test_version(chain: Chain) -> None:
    version = codec(RuntimeVersion).decode(ask(chain, "Core_version"))
    assert version == chain.runtime.version
    ids = {api.hex(): number for api, number in version.apis}
    assert ids == {
        "df6acb689907609b": 5,
        "37e397fc7c91f5e4": 2,
        "40fe3ad401f8959a": 6,
        "d2bc9897eed08f15": 3,
        "bc9d89904f5b923f": 1,
        "37c8bb1350a9a2a8": 4,
    }
    assert (version.state_version, version.extrinsics_root_version) == (1, 0)


def test_metadata(chain: Chain) -> None:
    opaque = codec(bytes).decode(ask(chain, "Metadata_metadata"))
    assert opaque == chain.runtime.metadata(14)
    assert ask(chain, "Metadata_metadata_versions") == b"\x0c\x0e\0\0\0\x0f\0\0\0\x10\0\0\0"
    at = ask(chain, "Metadata_metadata_at_version", (15).to_bytes(4, "little"))
    assert codec(bytes).decode(at[1:]) == chain.runtime.metadata(15)
    assert ask(chain, "Metadata_metadata_at_version", (13).to_bytes(4, "little")) == b"\0"


def test_nonce_and_validity(chain: Chain) -> None:
    call = RuntimeCall(TEMPLATE.entry("store"), (5,))
    chain.block(chain.sign(ALICE, call))
    assert ask(chain, "AccountNonceApi_account_nonce", ALICE.account_id) == b"\1\0\0\0"
    assert ask(chain, "AccountNonceApi_account_nonce", BOB.account_id) == bytes(4)
    name = "TaggedTransactionQueue_validate_transaction"
    good = ask(chain, name, b"\2" + chain.sign(ALICE, call, nonce=1) + chain.header.hash)
    assert good[0] == 0
    assert codec(Validity).decode(good[1:]).provides == [ALICE.account_id + b"\1\0\0\0"]
    assert ask(chain, name, b"\2" + chain.sign(ALICE, call) + chain.header.hash) == b"\1\0\3"
    assert STANDARD[name].output.decode(b"\1\0\3").error.encode() == b"\0\3"


def test_fees_of_a_free_chain(chain: Chain) -> None:
    raw = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)))
    args = raw + len(raw).to_bytes(4, "little")
    info = codec(RuntimeDispatchInfo).decode(ask(chain, "TransactionPaymentApi_query_info", args))
    assert info == RuntimeDispatchInfo(weight=weight(10_000_000), class_=DispatchClass.Normal, partial_fee=0)
    details = codec(FeeDetails).decode(ask(chain, "TransactionPaymentApi_query_fee_details", args))
    assert details == FeeDetails(inclusion_fee=None, tip=0)
    assert ask(chain, "TransactionPaymentApi_query_length_to_fee", bytes(4)) == bytes(16)
    assert ask(chain, "TransactionPaymentApi_query_weight_to_fee", bytes(2)) == bytes(16)


def test_building_by_api(chain: Chain) -> None:
    data = b"\x04timstap0\x20" + (77).to_bytes(8, "little")
    inherents = ask(chain, "BlockBuilder_inherent_extrinsics", data)
    assert inherents == b"\x04\x14\x04\x01\x00\x35\x01"
    header = chain.header
    block = codec(type(header)).encode(header) + inherents
    checked = ask(chain, "BlockBuilder_check_inherents", block + data)
    assert codec(CheckInherentsResult).decode(checked).okay
    with pytest.raises(ApiFailed, match="InvalidBlock: the genesis block is not executed"):
        ask(chain, "Core_initialize_block", header.encode())
    assert ask(chain, "Core_initialize_block", replace(header, number=1).encode()) == b"\0"
    applied = ask(chain, "BlockBuilder_apply_extrinsic", inherents[1:])
    assert applied == b"\0\0"
    chain.block()
    bad = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,)), nonce=9)
    assert ask(chain, "BlockBuilder_apply_extrinsic", bad) == b"\1\0\2"
    failing = chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store_then_fail"), (5,)))
    assert ask(chain, "BlockBuilder_apply_extrinsic", failing) == bytes((0, 1, 3, 7, 1, 0, 0, 0))


def test_executing_by_api(chain: Chain) -> None:
    parent = chain.state
    chain.block(chain.sign(ALICE, RuntimeCall(TEMPLATE.entry("store"), (5,))))
    block = chain.blocks[-1]
    encoded = block.header.encode() + encode_compact(len(block.extrinsics)) + b"".join(block.extrinsics)
    assert chain.runtime.call(parent, "Core_execute_block", encoded, chain.host) == b""
