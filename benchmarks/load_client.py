"""A load of transfers over one WebSocket, by a process of its own; prints one JSON object.

    python -m benchmarks.load_client PORT ACCOUNTS COUNT SECONDS PID…

It signs COUNT transfers beforehand, from 1,000 senders in turn to random ones of ACCOUNTS accounts, keeps
the node busy, and notes when each block is final. Afterwards, outside of the measured time, it reads those
blocks and counts the transfers in them. What counts is what became final between two blocks that are at least
SECONDS apart, the first one after a warm-up. The processor time of the PIDs and its own is that of the same
stretch.

The frames are made beforehand, with a masking key of zeros: the client should not be what is measured.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import selectors
import socket
import sys
import time
from typing import Any, NamedTuple

from benchmarks.accounts import GRIST, SIGNERS, receiver, signer
from primitives.extrinsic import signing_payload
from primitives.scale import CompactU32, CompactU128, codec

IN_FLIGHT = 5000
"""Submissions without an answer: less than a pool holds."""
AT_ONCE = 250
WARM_UP = 2.0
PATIENCE = 30.0

_COMPACT32, _COMPACT128 = codec(CompactU32).encode, codec(CompactU128).encode


class Rpc:
    """Calls over one kept HTTP connection, outside of the measured time."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def call(self, method: str, *params: Any) -> Any:
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
        self._http.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(self._http.getresponse().read())
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]


def signed(rpc: Rpc, accounts: int, count: int) -> list[bytes]:
    """WebSocket frames of `count` submissions."""
    genesis = bytes.fromhex(rpc.call("chain_getBlockHash", 0)[2:])
    version = rpc.call("state_getRuntimeVersion")
    numbers = (version["specVersion"], version["transactionVersion"])
    implicit = b"".join(n.to_bytes(4, "little") for n in numbers) + genesis + genesis + b"\0"
    keys = [signer(i) for i in range(SIGNERS)]
    nonces = [_nonce(rpc, key.account_id) for key in keys]
    chance = random.Random(sum(nonces))
    frames = []
    for i in range(count):
        at = i % SIGNERS
        to = chance.randrange(accounts)
        dest = keys[to].account_id if to < SIGNERS else receiver(to)
        call = b"\x02\x03\x00" + dest + _COMPACT128(GRIST // 1000 + i % 1000)
        extra = b"\0" + _COMPACT32(nonces[at] + i // SIGNERS) + b"\0\0"
        signature = keys[at].sign(signing_payload(call, extra, implicit))
        body = b"\x84\0" + keys[at].account_id + b"\x01" + signature + extra + call
        digits = (_COMPACT32(len(body)) + body).hex()
        frames.append(
            _frame(f'{{"jsonrpc":"2.0","id":{i},"method":"author_submitExtrinsic","params":["0x{digits}"]}}')
        )
    return frames


def _nonce(rpc: Rpc, account: bytes) -> int:
    return int.from_bytes(
        bytes.fromhex(rpc.call("state_call", "AccountNonceApi_account_nonce", "0x" + account.hex())[2:]),
        "little",
    )


def _frame(text: str) -> bytes:
    payload = text.encode()
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + len(payload).to_bytes(2, "big")
    return b"\x81" + size + bytes(4) + payload


class Socket:
    """A WebSocket without a library between it and the wire."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.sendall(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: YSBsb2FkIG9mIGdyYWlucw==\r\n\r\n"
        )
        self._in = bytearray()
        while b"\r\n\r\n" not in self._in:
            self._in += self.sock.recv(4096)
        if b" 101 " not in self._in.split(b"\r\n")[0]:
            raise RuntimeError(f"no WebSocket: {bytes(self._in)!r}")
        del self._in[: self._in.index(b"\r\n\r\n") + 4]
        self.sock.setblocking(False)
        self.out = b""

    def push(self) -> None:
        """Send what the system takes now."""
        with contextlib.suppress(BlockingIOError):
            self.out = self.out[self.sock.send(self.out) :]

    def messages(self) -> list[bytes]:
        """The texts that have come whole."""
        try:
            data = self.sock.recv(1 << 20)
        except BlockingIOError:
            return []
        if not data:
            raise RuntimeError("the node hung up")
        buffer = self._in
        buffer += data
        found, at, end = [], 0, len(buffer)
        while at + 2 <= end:
            size, start = buffer[at + 1], at + 2
            if size == 126:
                size, start = int.from_bytes(buffer[at + 2 : at + 4], "big"), at + 4
            elif size == 127:
                size, start = int.from_bytes(buffer[at + 2 : at + 10], "big"), at + 10
            if start + size > end:
                break
            found.append(bytes(buffer[start : start + size]))
            at = start + size
        del buffer[:at]
        return found


class Final(NamedTuple):
    """A block that became final, and the state of things then."""

    number: int
    at: float
    cpu: list[float]
    """Seconds of processor time: this process, then those that are watched."""


class Load:
    """One run."""

    def __init__(self, port: int, frames: list[bytes], seconds: float, pids: list[int]) -> None:
        self._frames, self._seconds, self._pids = frames, seconds, pids
        self._load, self._heads = Socket(port), Socket(port)
        self._sent = self._answered = 0
        self.refused: list[str] = []
        self.blocks: list[Final] = []

    def run(self) -> None:
        """Until there is a stretch of SECONDS, or nothing is left to send and all of it is final."""
        watch = '{"jsonrpc":"2.0","id":"heads","method":"chain_subscribeFinalizedHeads","params":[]}'
        self._heads.out = _frame(watch)
        self._heads.push()
        waiting = selectors.DefaultSelector()
        waiting.register(self._load.sock, selectors.EVENT_READ)
        waiting.register(self._heads.sock, selectors.EVENT_READ)
        began = last = time.perf_counter()
        while True:
            self._feed()
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._load.out else 0)
            waiting.modify(self._load.sock, events)
            waiting.select(0.2)
            for text in self._load.messages():
                self._answered += 1
                if b'"error"' in text[:400]:
                    self.refused.append(text.decode())
            if self._note_heads():
                last = time.perf_counter()
            first = self.first(began)
            if first is not None and self.blocks[-1].at - first.at >= self._seconds:
                return
            if time.perf_counter() - last > (1.0 if self._answered == len(self._frames) else PATIENCE):
                return

    def first(self, began: float) -> Final | None:
        """The block with which the measured stretch begins."""
        return next((block for block in self.blocks if block.at - began > WARM_UP), None)

    def _feed(self) -> None:
        load = self._load
        room = min(IN_FLIGHT - (self._sent - self._answered), len(self._frames) - self._sent)
        if not load.out and room > 0:
            count = min(room, AT_ONCE)
            load.out = b"".join(self._frames[self._sent : self._sent + count])
            self._sent += count
        if load.out:
            load.push()

    def _note_heads(self) -> bool:
        found = False
        for text in self._heads.messages():
            message = json.loads(text)
            if "method" in message:
                number = int(message["params"]["result"]["number"], 16)
                own = time.process_time()
                self.blocks.append(Final(number, time.perf_counter(), [own, *map(_cpu, self._pids)]))
                found = True
        return found


def _cpu(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(port: int, accounts: int, count: int, seconds: float, pids: list[int]) -> dict[str, Any]:
    """Sign, load, count."""
    rpc = Rpc(port)
    frames = signed(rpc, accounts, count)
    load = Load(port, frames, seconds, pids)
    began = time.perf_counter()
    load.run()
    first, last = load.first(began), load.blocks[-1]
    if first is None or first is last:
        raise RuntimeError(f"no stretch to measure: {len(load.blocks)} blocks, refused: {load.refused[:1]}")
    stretch = [block for block in load.blocks if first.number < block.number <= last.number]
    transfers = sum(_transfers(rpc, block.number) for block in stretch)
    return {
        "transfers": transfers,
        "seconds": last.at - first.at,
        "blocks": len(stretch),
        "refused": len(load.refused),
        "first_refusal": load.refused[:1],
        "cpu_us_per_transfer": [(b - a) / transfers * 1e6 for a, b in zip(first.cpu, last.cpu, strict=True)],
    }


def _transfers(rpc: Rpc, number: int) -> int:
    body = rpc.call("chain_getBlock", rpc.call("chain_getBlockHash", number))
    return len(body["block"]["extrinsics"]) - 1  # but the timestamp


if __name__ == "__main__":
    port, accounts, count, seconds, *pids = sys.argv[1:]
    print(json.dumps(main(int(port), int(accounts), int(count), float(seconds), list(map(int, pids)))))
