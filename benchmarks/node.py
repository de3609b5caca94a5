"""The node as a client sees it: transfers a second end to end, boot, reads; and import without a client.

End to end: the extrinsics are signed beforehand, sent over one WebSocket by a process of its own, and counted
when their blocks are final. The node keeps its defaults: every signature is verified, each block is synced to
the disk.
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from substrateinterface import SubstrateInterface

from benchmarks.figure import Figure
from benchmarks.transfers import signed_transfers, signers
from chain_spec import resolve
from frame.runtime import Block
from node.authoring import Author
from node.clock import now_ms
from node.database import Database
from node.host import VerdictCache
from node.run import open_node
from runtime import runtime
from tests.running_node import ROOT, RunningNode
from tests.signing import GRIST, Signer, transfer

SIGNERS = 1000
EACH = 20
PEER = "a default Substrate node by its weights (not run here)"
PEER_TRANSFERS = 1500.0
IMPORTED = 2000
READS = 3000


def figures() -> Iterable[Figure]:
    """Boots nodes of its own; about a minute."""
    yield from _boot()
    yield from _end_to_end()
    yield from _reads()
    yield from _import()


def _boot() -> Iterator[Figure]:
    seconds = []
    for _ in range(3):
        with RunningNode() as node:
            seconds.append(node.boot_seconds)
    yield Figure("boot_seconds", statistics.median(seconds), "s")
    with RunningNode() as node:
        seconds = [_connect(node.ws) for _ in range(3)]
    yield Figure("connect_seconds_substrate_interface", statistics.median(seconds), "s")


def _connect(url: str) -> float:
    """Until substrate-interface has the metadata and knows the chain."""
    began = time.perf_counter()
    with SubstrateInterface(url=url) as client:
        client.init_runtime()
    return time.perf_counter() - began


def _end_to_end() -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder, RunningNode(base_path=Path(folder)) as node:
        load = _load(node, Path(folder) / "load", signed_transfers(signers(node, SIGNERS), EACH))
        if load["refused"]:
            raise RuntimeError(f"the node refused {load['refused']} transfers: {load['first_refusal']}")
        rate = load["final"] / load["seconds"]
        yield Figure("transfers_per_second_e2e", rate, "1/s", PEER, PEER_TRANSFERS)
        yield Figure("transfers_per_block_e2e", load["final"] / load["blocks"], "transfers")
        yield Figure("load_client_cpu_seconds", load["client_cpu_seconds"], "s")


def _load(node: RunningNode, file: Path, extrinsics: list[bytes]) -> dict[str, float]:
    file.write_text("\n".join("0x" + data.hex() for data in extrinsics), encoding="ascii")
    command = [sys.executable, "-m", "benchmarks.load_client", node.ws, str(file)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=300)
    answer: dict[str, float] = json.loads(done.stdout)
    return answer


def _reads() -> Iterator[Figure]:
    """Storage reads over one kept HTTP connection, one after the other."""
    key = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": [key]}).encode()
    request = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    with RunningNode() as node, socket.create_connection(("127.0.0.1", node.port)) as connection:
        taken = [_timed_read(connection, request % (len(body), body)) for _ in range(READS)]
    yield Figure("rpc_reads_per_second", len(taken) / sum(taken), "1/s")
    yield Figure("rpc_p99_ms", sorted(taken)[len(taken) * 99 // 100] * 1000, "ms")


def _timed_read(connection: socket.socket, request: bytes) -> float:
    began = time.perf_counter()
    connection.sendall(request)
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    return time.perf_counter() - began


def _import() -> Iterator[Figure]:
    """Pool admission, and import of a block whose signatures were verified before, in this process."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Database.open(Path(folder) / "maker") as making,
        Database.open(Path(folder) / "taker") as taking,
    ):
        maker, taker = (open_node(resolve("dev"), database, runtime()) for database in (making, taking))
        alice = Signer("//Alice", maker.chain.genesis_hash)
        bob = Signer("//Bob", b"").account
        extrinsics = [alice.sign(transfer(bob, GRIST // 1000)) for _ in range(IMPORTED)]
        began = time.perf_counter()
        for extrinsic in extrinsics:
            maker.submit(extrinsic)
        yield Figure("pool_admissions_per_second", IMPORTED / (time.perf_counter() - began), "1/s")
        made = Author(maker).seal(now_ms())
        if made is None or len(made.extrinsics) != IMPORTED + 1:
            raise RuntimeError("the block does not hold all transfers")
        verdicts: VerdictCache = maker.chain.verdicts
        taker.chain.verdicts = verdicts
        began = time.perf_counter()
        taker.chain.import_block(Block(made.header, list(made.extrinsics)))
        yield Figure("import_per_second", IMPORTED / (time.perf_counter() - began), "1/s")
