"""Reading without trusting the node: a value, and the proof that it stands in a block's state.

All that is trusted is the block's hash, which the reader has from elsewhere (a finalized head seen by
several nodes, a checkpoint). The header must hash to it, the proof must lead from the header's state root to
the key. Whatever the node answers, the result is the chain's value or a ProofError.
"""

from collections.abc import Iterable
from typing import Any

from client.errors import ClientError
from client.rpc import Rpc
from primitives.digest import Digest, DigestItem
from primitives.header import Header
from primitives.scale import ScaleError, codec
from primitives.trie import TrieError, verify_child_proof, verify_proof

_LOG = codec(DigestItem)


class ProofError(ClientError):
    """The node did not prove what was asked. `name` is BadHeader or BadProof."""


def proven_header(rpc: Rpc, block: bytes) -> Header:
    """The header whose hash is `block`. ProofError BadHeader."""
    answer = rpc.call("chain_getHeader", _hex(block))
    try:
        header = _header(answer)
    except (KeyError, TypeError, ValueError, AttributeError, ScaleError):
        raise ProofError(f"the node gave no header of block {_hex(block)}", "BadHeader") from None
    if header.hash != block:
        raise ProofError(f"the node's header is not that of block {_hex(block)}", "BadHeader")
    return header


def proven_values(
    rpc: Rpc, block: bytes, keys: Iterable[bytes], child: bytes | None = None
) -> dict[bytes, bytes | None]:
    """The values of storage `keys` in the block with hash `block`, None for what is proven absent; with
    `child`, in the child trie of that name. ProofError.
    """
    wanted = list(dict.fromkeys(keys))
    root = proven_header(rpc, block).state_root
    proof = _read_proof(rpc, block, wanted, child)
    try:
        if child is None:
            return {key: verify_proof(root, proof, key) for key in wanted}
        return {key: verify_child_proof(root, proof, child, key) for key in wanted}
    except TrieError as error:
        raise ProofError(f"the node's proof does not hold: {error}", "BadProof") from None


def _read_proof(rpc: Rpc, block: bytes, keys: list[bytes], child: bytes | None) -> list[bytes]:
    listed = [_hex(key) for key in keys]
    if child is None:
        answer = rpc.call("state_getReadProof", listed, _hex(block))
    else:
        name = _hex(b":child_storage:default:" + child)
        answer = rpc.call("state_getChildReadProof", name, listed, _hex(block))
    return [bytes.fromhex(item[2:]) for item in answer["proof"]]


def _header(answer: Any) -> Header:
    logs = [_LOG.decode(bytes.fromhex(log.removeprefix("0x"))) for log in answer["digest"]["logs"]]
    parent, state, extrinsics = (
        bytes.fromhex(answer[name].removeprefix("0x"))
        for name in ("parentHash", "stateRoot", "extrinsicsRoot")
    )
    return Header(
        parent_hash=parent,
        number=int(answer["number"], 16),
        state_root=state,
        extrinsics_root=extrinsics,
        digest=Digest(logs=logs),
    )


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
