"""Signed extrinsics for tests and benchmarks, made of bytes that the test knows, not by the node's code."""

from __future__ import annotations

from primitives.extrinsic import signing_payload
from primitives.keys import Keypair
from primitives.scale import U32, CompactU32, CompactU128, codec, encode
from runtime import GristmillRuntime

GRIST = 10**12
SPEC, TRANSACTIONS = GristmillRuntime.version.spec_version, GristmillRuntime.version.transaction_version
IMMORTAL = b"\x00"
TRANSFER_ALLOW_DEATH = b"\x02\x00"
TRANSFER_KEEP_ALIVE = b"\x02\x03"
REMARK = b"\x00\x00"

_NONCE, _TIP, _LENGTH = codec(CompactU32), codec(CompactU128), codec(CompactU32)


class Signer:
    """One key on one chain; counts its nonces."""

    def __init__(
        self, uri: str, genesis: bytes, spec_version: int = SPEC, transaction_version: int = TRANSACTIONS
    ) -> None:
        self.pair = Keypair.from_uri(uri)
        self.nonce = 0
        self._implicit = (
            encode(U32, spec_version) + encode(U32, transaction_version) + genesis + genesis + b"\x00"
        )

    @property
    def account(self) -> bytes:
        return self.pair.account_id

    def sign(self, call: bytes, nonce: int | None = None, tip: int = 0) -> bytes:
        """An immortal V4 extrinsic with its length prefix; without `nonce`, the next one."""
        if nonce is None:
            nonce, self.nonce = self.nonce, self.nonce + 1
        extra = IMMORTAL + _NONCE.encode(nonce) + _TIP.encode(tip) + b"\x00"
        signature = self.pair.sign(signing_payload(call, extra, self._implicit))
        kind = bytes([int(self.pair.scheme)])
        body = b"\x84\x00" + self.account + kind + signature + extra + call
        return _LENGTH.encode(len(body)) + body


def transfer(to: bytes, amount: int) -> bytes:
    """`Balances.transfer_keep_alive`."""
    return TRANSFER_KEEP_ALIVE + b"\x00" + to + _TIP.encode(amount)


def remark(data: bytes = b"") -> bytes:
    """`System.remark`."""
    return REMARK + _LENGTH.encode(len(data)) + data
