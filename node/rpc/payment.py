"""`payment_*`: what a transaction would cost, from the runtime's TransactionPaymentApi."""

from __future__ import annotations

from frame.apis import FeeDetails, RuntimeDispatchInfo
from node.errors import NodeError
from node.rpc.errors import DECODE_ERROR, RUNTIME_ERROR, RpcError
from node.rpc.params import BlockHash, Hex
from node.rpc.table import Json, method
from node.service import Node
from primitives.scale import U32, Bytes, ScaleError, decode, encode


@method("payment_queryInfo")
def query_info(node: Node, encoded_xt: Hex, at: BlockHash | None = None) -> Json:
    """Weight, class and fee without tip, the fee as a decimal string."""
    what = "Unable to query dispatch info."
    info = decode(RuntimeDispatchInfo, _ask(node, "query_info", encoded_xt, at, what))
    return {
        "weight": {"ref_time": info.weight.ref_time, "proof_size": info.weight.proof_size},
        "class": info.class_.name.lower(),
        "partialFee": str(info.partial_fee),
    }


@method("payment_queryFeeDetails")
def query_fee_details(node: Node, encoded_xt: Hex, at: BlockHash | None = None) -> Json:
    """The parts of the fee, in hex; null for a transaction that pays none."""
    what = "Unable to query fee details."
    fee = decode(FeeDetails, _ask(node, "query_fee_details", encoded_xt, at, what)).inclusion_fee
    if fee is None:
        return {"inclusionFee": None}
    return {
        "inclusionFee": {
            "baseFee": hex(fee.base_fee),
            "lenFee": hex(fee.len_fee),
            "adjustedWeightFee": hex(fee.adjusted_weight_fee),
        }
    }


def _ask(node: Node, call: str, extrinsic: bytes, at: bytes | None, what: str) -> bytes:
    args = readable(extrinsic, what) + encode(U32, len(extrinsic))
    try:
        return node.runtime_call(f"TransactionPaymentApi_{call}", args, at)
    except NodeError as error:
        raise RpcError(RUNTIME_ERROR, what, str(error)) from None


def readable(extrinsic: bytes, what: str) -> bytes:
    """The extrinsic, if its length prefix is right; `what` is the text of the error."""
    try:
        decode(Bytes, extrinsic)
    except ScaleError as error:
        raise RpcError(DECODE_ERROR, what, str(error)) from None
    return extrinsic
