"""The node as a client sees it: transfers a second end to end, boot, reads; and import without a client.

End to end: 1,000 accounts send; `benchmarks/load_client.py`, a process of its own, signs beforehand and
counts what is final; instant sealing, every block synced to the disk, every signature verified once (by the
node's worker processes; see docs/performance.md). Receivers are random ones of all accounts: at a million
accounts the state does not fit the caches. The figure is the median of several runs on one node.
"""

from __future__ import annotations

import compileall
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from substrateinterface import SubstrateInterface

from benchmarks.accounts import prepare
from benchmarks.ethereum import peers
from benchmarks.figure import Figure
from chain_spec import resolve
from frame.runtime import Block
from node.authoring import Author
from node.clock import Clock
from node.database import Database
from node.run import open_node
from node.service import Node
from runtime import runtime
from tests.running_node import ROOT, RunningNode
from tests.signing import GRIST, Signer, transfer

SIZES = {10_000: "", 100_000: "_100k_accounts", 1_000_000: "_1m_accounts"}
RUNS = 3
SECONDS = 10.0
SIGNED = 130_000
"""Transfers that are signed for a run: enough for the warm-up and the measured stretch at 10,000 a second."""
PEER = "a default Substrate node by its weights (not run here)"
PEER_TRANSFERS = 1500.0
IMPORTED = 2000
BLOCKS = 5
READS = 5000
READ = "0x26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"


def figures() -> Iterable[Figure]:
    """Boots nodes of its own; about six minutes, most of them under load."""
    yield from _boot()
    yield from _import()
    yield from _reads()
    for accounts, suffix in SIZES.items():
        yield from _end_to_end(accounts, suffix)
    yield from peers()


# ── boot ────────────────────────────────────────────────────────────────────


def _boot() -> Iterator[Figure]:
    _compiled()
    yield Figure("boot_seconds", statistics.median(_boot_once() for _ in range(5)), "s")
    with RunningNode("--no-prometheus") as node:
        time.sleep(2)  # a booted node, workers included
        connections = [_connect(node.ws) for _ in range(5)]
    seconds, own = map(statistics.median, zip(*connections, strict=True))
    yield Figure("connect_seconds_substrate_interface", seconds, "s")
    yield Figure("connect_client_cpu_seconds_substrate_interface", own, "s")


def _compiled() -> None:
    """Bytecode of our own packages, as a first start leaves it unless PYTHONDONTWRITEBYTECODE is set: boot is
    that of an installed program.
    """
    for package in ROOT.glob("*/__init__.py"):
        compileall.compile_dir(package.parent, quiet=1)


def _boot_once() -> float:
    """From the start of the process to the first answer."""
    began = time.perf_counter()
    with RunningNode("--no-prometheus") as node:
        node.rpc("system_chain")
        return time.perf_counter() - began


def _connect(url: str) -> tuple[float, float]:
    """Until substrate-interface has the metadata and knows the chain; and the processor time of the client,
    this process, in it.
    """
    began, own = time.perf_counter(), time.process_time()
    with SubstrateInterface(url=url) as client:
        client.init_runtime()
    return time.perf_counter() - began, time.process_time() - own


# ── end to end ──────────────────────────────────────────────────────────────


def _end_to_end(accounts: int, suffix: str) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        chain = prepare(Path(folder), accounts)
        with RunningNode("--chain", str(chain.spec), "--no-prometheus", base_path=chain.base_path) as node:
            time.sleep(2)
            processes = [node.process.pid, *_children(node.process.pid)]
            loads = [_load(node, accounts, processes) for _ in range(RUNS)]
            memory = sum(map(_resident, processes)) / 1e6
    rates = [load["transfers"] / load["seconds"] for load in loads]
    yield Figure(f"transfers_per_second_e2e{suffix}", statistics.median(rates), "1/s", PEER, PEER_TRANSFERS)
    names = ("load_client", "node_process", "rpc_workers")
    for i, name in enumerate(names):
        each = [sum(load["cpu_us_per_transfer"][i : i + 1 if i < 2 else None]) for load in loads]
        yield Figure(f"e2e_cpu_us_{name}{suffix}", statistics.median(each), "µs a transfer")
    blocks = sum(load["transfers"] for load in loads) / sum(load["blocks"] for load in loads)
    yield Figure(f"transfers_per_block_e2e{suffix}", blocks, "transfers")
    yield Figure(f"rss_mb{suffix or '_10k_accounts'}", memory, "MB")


def _load(node: RunningNode, accounts: int, processes: list[int]) -> dict[str, Any]:
    numbers = map(str, (node.port, accounts, SIGNED, SECONDS, *processes))
    command = [sys.executable, "-m", "benchmarks.load_client", *numbers]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True, timeout=600)
    load: dict[str, Any] = json.loads(done.stdout)
    if load["refused"]:
        raise RuntimeError(f"the node refused {load['refused']} transfers: {load['first_refusal']}")
    return load


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(word) for word in text.split()]


def _resident(pid: int) -> int:
    """Bytes of memory."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) * 1024


# ── reads ───────────────────────────────────────────────────────────────────


def _reads() -> Iterator[Figure]:
    """Storage reads over one kept HTTP connection, one after the other."""
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "state_getStorage", "params": [READ]}).encode()
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
    request = head % (len(body), body)
    rounds = []
    with (
        RunningNode("--no-prometheus") as node,
        socket.create_connection(("127.0.0.1", node.port)) as connection,
    ):
        for _ in range(RUNS):
            rounds.append(sorted(_timed_read(connection, request) for _ in range(READS)))
    yield Figure("rpc_reads_per_second", statistics.median(READS / sum(taken) for taken in rounds), "1/s")
    for percent in (50, 99):
        times = [taken[len(taken) * percent // 100] * 1000 for taken in rounds]
        yield Figure(f"rpc_p{percent}_ms", statistics.median(times), "ms")


def _timed_read(connection: socket.socket, request: bytes) -> float:
    began = time.perf_counter()
    connection.sendall(request)
    answer = connection.recv(65536)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer.decode())
    return time.perf_counter() - began


# ── without a client ────────────────────────────────────────────────────────


def _import() -> Iterator[Figure]:
    """Pool admission, its signatures verified in this process, and import of blocks whose signatures were
    verified before. Medians of blocks of `IMPORTED` transfers by 100 senders.
    """
    admitted, imported = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        Database.open(Path(folder) / "maker") as making,
        Database.open(Path(folder) / "taker") as taking,
    ):
        maker, taker = (open_node(resolve("dev"), database, runtime()) for database in (making, taking))
        taker.chain.verdicts = maker.chain.verdicts
        senders = _funded(maker, taker)
        for _ in range(BLOCKS):
            extrinsics = [
                senders[i % len(senders)].sign(
                    transfer(senders[i // 2 % len(senders)].account, GRIST // 1000)
                )
                for i in range(IMPORTED)
            ]
            began = time.perf_counter()
            for extrinsic in extrinsics:
                maker.submit(extrinsic)
            admitted.append(IMPORTED / (time.perf_counter() - began))
            block = _sealed(maker, IMPORTED)
            began = time.perf_counter()
            taker.chain.import_block(block)
            imported.append(IMPORTED / (time.perf_counter() - began))
    yield Figure("pool_admissions_per_second", statistics.median(admitted), "1/s")
    yield Figure("import_per_second", statistics.median(imported), "1/s")


def _funded(maker: Node, taker: Node) -> list[Signer]:
    alice = Signer("//Alice", maker.chain.genesis_hash)
    senders = [Signer(f"//load/{i}", maker.chain.genesis_hash) for i in range(100)]
    for sender in senders:
        maker.submit(alice.sign(transfer(sender.account, 100 * GRIST)))
    taker.chain.import_block(_sealed(maker, len(senders)))
    return senders


def _sealed(node: Node, transfers: int) -> Block:
    made = Author(node, patience=60).seal(Clock().now())
    if made is None or len(made.extrinsics) != transfers + 1:
        raise RuntimeError("the block does not hold all transfers")
    return Block(made.header, list(made.extrinsics))
