"""kill -9 at random moments of a node under load over WebSocket: the head is the old or the new one, whole,
and nothing that was called final is lost.

A quarter of the kills comes at any time, one at any time after a block is final, one is aimed at the making
of a block's batch, one at its writing. GRISTMILL_CRASH_SEED repeats a run that failed.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest

from chain_spec import resolve
from node.folders import database_folder
from tests.crash.ledger import Ledger
from tests.running_node import READY, ROOT
from tests.signing import GRIST, Signer, remark, transfer

ROUNDS = 100
SOAK_ROUNDS = 3000
NAMES = ("Alice", "Bob", "Charlie", "Dave", "Eve", "Ferdie")
LONGEST = 0.25
"""Seconds under load before a kill at any time."""
AIMS = ((None, LONGEST), ("commit", 0.015), ("final", LONGEST), ("write", 0.002))
"""Turn by turn: what a kill is aimed at, and its seconds after that, or after the load began, at most."""
STEPS = ("commit", "write")
"""What the node announces on its log before it does it."""
FIRST = 5
"""An aimed kill takes one of so many first blocks."""
DEAD = re.compile(rb"Traceback|error\[")


class Mother:
    """Forks nodes; see `mother.py`. One node lives at a time."""

    def __init__(self, log: Path) -> None:
        self._log = log
        command = [sys.executable, "-m", "tests.crash.mother"]
        self._read, write = os.pipe()
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=write, text=True
        )
        os.close(write)
        assert self._line() == "ready"

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def start(self, flags: list[str], aim: tuple[str, int] | None) -> Node:
        """A node that listens."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"flags": flags, "aim": aim}) + "\n")
        self.process.stdin.flush()
        node = Node(int(self._line()), self._read)
        node.wait_until_ready()
        return node

    def buried(self) -> int:
        """The exit status of the node, once it is dead."""
        return int(self._line())

    def close(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(timeout=20)
        self.process.stdout.close()
        os.close(self._read)


@dataclass
class Node:
    """A forked node; its stderr comes through a pipe."""

    pid: int
    pipe: int
    port: int = 0
    log: bytearray = field(default_factory=bytearray)

    def wait_until_ready(self) -> None:
        while not (found := READY.search(self.log.decode("utf-8", "replace"))):
            self.read()
        self.port = int(found[1])

    def read(self) -> bytes:
        data = os.read(self.pipe, 65536)
        assert data, f"the mother is gone:\n{self.log.decode('utf-8', 'replace')}"
        self.log += data
        assert not DEAD.search(self.log), self.log.decode("utf-8", "replace")
        return data

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def mother(log: Path) -> Iterator[Mother]:
    made = Mother(log)
    try:
        yield made
    finally:
        made.close()


# ── the load ────────────────────────────────────────────────────────────────


class Crowd:
    """Signers with money on the dev chain, who pay each other."""

    def __init__(self, genesis: bytes) -> None:
        self.signers = [Signer(f"//{name}{stash}", genesis) for stash in ("", "//stash") for name in NAMES]

    def follow(self, ledger: Ledger) -> None:
        """Go on with the nonces that the chain has: what the crash swallowed is signed anew."""
        for signer in self.signers:
            signer.nonce = ledger.nonces[signer.account]

    def some(self, rng: random.Random, count: int) -> list[bytes]:
        """Transfers, and now and then a large remark, of random signers."""
        calls = []
        for _ in range(count):
            who, to = rng.choice(self.signers), rng.choice(self.signers)
            large = rng.random() < 0.03
            call = remark(rng.randbytes(30_000)) if large else transfer(to.account, rng.randrange(1, GRIST))
            calls.append(who.sign(call))
        return calls


async def press(
    port: int, crowd: Crowd, rng: random.Random, kill: Callable[[], object], *, after_final: bool
) -> int:
    """Submit without waiting until the node is dead; the last block that it called final. `kill` is called
    once the load runs, or with `after_final` once a block of it is final.
    """
    final = began = 0
    async with aiohttp.ClientSession() as session, session.ws_connect(f"ws://127.0.0.1:{port}") as socket:
        await socket.send_str('{"jsonrpc":"2.0","id":0,"method":"chain_subscribeFinalizedHeads","params":[]}')

        async def submit() -> None:
            ident = 0
            while True:
                for extrinsic in crowd.some(rng, 25):
                    ident += 1
                    text = json.dumps(
                        {
                            "jsonrpc": "2.0",
                            "id": ident,
                            "method": "author_submitExtrinsic",
                            "params": ["0x" + extrinsic.hex()],
                        }
                    )
                    await socket.send_str(text)
                await asyncio.sleep(0)

        submitting = asyncio.create_task(submit())
        if not after_final:
            kill()
        try:
            async for message in socket:
                if message.type is not aiohttp.WSMsgType.TEXT:
                    break
                answer = json.loads(message.data)
                if answer.get("method") == "chain_finalizedHead":
                    final = max(final, int(answer["params"]["result"]["number"], 16))
                    began = began or final  # the subscription's first answer is the head as it was
                    if after_final and final > began:
                        after_final = False
                        kill()
        finally:
            submitting.cancel()
            await asyncio.gather(submitting, return_exceptions=True)
    return final


def killer(node: Node, delay: float, *, aimed: bool) -> Callable[[], object]:
    """What starts the thread that kills: after `delay` seconds, or so long into the announced write."""

    def work() -> None:
        if aimed:
            deadline = time.monotonic() + 10
            while b"\nnow\n" not in node.log and time.monotonic() < deadline:
                node.read()
        wake = time.perf_counter() + delay
        while (left := wake - time.perf_counter()) > 0:
            if left > 0.001:
                time.sleep(left / 2)
        node.kill()

    return threading.Thread(target=work).start


# ── the rounds ──────────────────────────────────────────────────────────────


def crash(rounds: int, seed: int, base: Path) -> None:
    """Kill and check, `rounds` times on one database."""
    spec = resolve("dev")
    ledger = Ledger(database_folder(base, spec))
    flags = [
        "--dev",
        "--base-path",
        str(base),
        "--rpc-port=0",
        "--state-pruning=40",
        "--no-prometheus",
        "--rpc-workers=0",
    ]
    crowd: Crowd | None = None
    number = moved = 0
    with mother(base / "log") as nodes:
        for turn in range(rounds):
            rng = random.Random(f"{seed} {turn}")
            moment, longest = AIMS[turn % len(AIMS)]
            node = nodes.start(flags, (moment, rng.randrange(1, FIRST)) if moment in STEPS else None)
            if crowd is None:
                crowd = Crowd(genesis_of(node.port))
            crowd.follow(ledger)
            kill = killer(node, rng.uniform(0, longest), aimed=moment in STEPS)
            try:
                final = asyncio.run(press(node.port, crowd, rng, kill, after_final=moment == "final"))
            except (OSError, aiohttp.ClientError):
                final = 0  # killed before it could answer
            assert nodes.buried() == -signal.SIGKILL
            before, number = number, ledger.check(final, rng)
            moved += number > before
            assert number > before or moment != "final", "the load reached the chain"
    assert sum(ledger.nonces.values()) >= moved >= rounds // len(AIMS)


def genesis_of(port: int) -> bytes:
    import urllib.request

    body = b'{"jsonrpc":"2.0","id":1,"method":"chain_getBlockHash","params":[0]}'
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=20) as response:
        return bytes.fromhex(json.load(response)["result"][2:])


def told_seed() -> int:
    return int(os.environ.get("GRISTMILL_CRASH_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


@pytest.mark.timeout(600)
def test_kill_9_a_hundred_times_under_load(tmp_path: Path) -> None:
    seed = told_seed()
    print(f"GRISTMILL_CRASH_SEED={seed}")  # shown when it fails
    crash(ROUNDS, seed, tmp_path)


@pytest.mark.soak
@pytest.mark.timeout(7200)
def test_kill_9_for_an_hour(tmp_path: Path) -> None:
    seed = told_seed()
    print(f"GRISTMILL_CRASH_SEED={seed}")
    crash(SOAK_ROUNDS, seed, tmp_path)
