"""`engine_*`: blocks made and finalized when somebody asks, as Substrate's manual seal has it.

Source: `substrate/client/consensus/manual-seal/src/rpc.rs`, `error.rs`.
"""

from __future__ import annotations

from node.errors import BadBlock, UnknownBlock
from node.rpc.errors import RpcError
from node.rpc.params import Anything, BlockHash, Flag
from node.rpc.table import Json, method
from node.rpc.wire import hexed
from node.service import Node

BLOCK_IMPORT_FAILED = 11_000
EMPTY_TRANSACTION_POOL = 12_000
BLOCK_NOT_FOUND = 13_000
BLOCKCHAIN_ERROR = 16_000


@method("engine_createBlock", unsafe=True)
def create_block(
    node: Node, create_empty: Flag, finalize: Flag, parent_hash: BlockHash | None = None
) -> Json:
    """Make a block of what is ready, by default on the best block; its hash and what its import meant."""
    try:
        block = node.author.seal(node.clock.now(), empty=create_empty, parent=parent_hash, finalize=finalize)
    except UnknownBlock as error:
        raise RpcError(BLOCK_NOT_FOUND, str(error)) from None
    except BadBlock as error:
        raise RpcError(BLOCK_IMPORT_FAILED, f"Block import failed: {error}") from None
    if block is None:
        raise RpcError(
            EMPTY_TRANSACTION_POOL,
            "Transaction pool is empty, set create_empty to true, if you want to create empty blocks",
        )
    aux = {
        "headerOnly": False,
        "clearJustificationRequests": False,
        "needsJustification": False,
        "badJustification": False,
        "isNewBest": True,
    }
    return {"hash": hexed(block.hash), "aux": aux}


@method("engine_finalizeBlock", unsafe=True)
def finalize_block(node: Node, hash: BlockHash, justification: Anything | None = None) -> Json:
    """Make a block and all before it final. There is nobody to justify it to: a justification is ignored."""
    try:
        node.chain.finalize(hash)
    except UnknownBlock as error:
        raise RpcError(BLOCKCHAIN_ERROR, f"Finalization Error: {error}") from None
    return True
