"""What else a developer boots for a chain on the own machine: ganache (npm) and eth-tester (PyPI), Ethereum
in JavaScript and in Python. Plain transfers, one after the other, each in a block of its own, at once.

ganache comes through npx, if there is npm; eth-tester from the extra `bench`, else into an environment of its
own for as long as it runs. Where one cannot be had, its figure is left out.
"""

from __future__ import annotations

import json
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.figure import Figure

ROOT = Path(__file__).parent.parent
GANACHE = "ganache@7.9.2"
ETH_TESTER = "eth-tester[py-evm]==0.14.0b1"
SECONDS = 3.0
RUNS = 3
BOOT = 120.0


def peers() -> Iterator[Figure]:
    """`peer_ganache_tps`, `peer_eth_tester_tps`, where they install."""
    for name, run in (("peer_ganache_tps", _ganache), ("peer_eth_tester_tps", _eth_tester)):
        try:
            yield Figure(name, run(), "1/s")
        except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            print(f"  {name}: not run: {error}", file=sys.stderr)


def _rate(send: Callable[[], object]) -> float:
    """Median over runs of how often `send` returns in a second."""
    rates = []
    for _ in range(RUNS):
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            send()
            count += 1
        rates.append(count / (time.perf_counter() - began))
    return statistics.median(rates)


def _eth_tester() -> float:
    if find_spec("eth_tester"):
        return _eth_tester_here()
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = str(Path(folder) / "bin" / "python")
        subprocess.run([python, "-m", "pip", "install", "-q", ETH_TESTER], check=True, capture_output=True)
        command = [python, "-c", "from benchmarks.ethereum import _eth_tester_here as f; print(f())"]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        return float(done.stdout)


def _eth_tester_here() -> float:
    from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-not-found,unused-ignore]

    tester = EthereumTester(PyEVMBackend())
    one, two, *_ = tester.get_accounts()
    payment = {"from": one, "to": two, "value": 1, "gas": 21000, "max_fee_per_gas": 10**10}
    payment["max_priority_fee_per_gas"] = 1

    def send() -> None:
        receipt = tester.get_transaction_receipt(tester.send_transaction(payment))
        if not receipt["status"]:
            raise RuntimeError("eth-tester: a transfer failed")

    return _rate(send)


def _ganache() -> float:
    with _running_ganache() as port:
        one, two, *_ = _call(port, "eth_accounts")

        def send() -> None:
            digest = _call(port, "eth_sendTransaction", {"from": one, "to": two, "value": "0x1"})
            if _call(port, "eth_getTransactionReceipt", digest)["status"] != "0x1":
                raise RuntimeError("ganache: a transfer failed")

        return _rate(send)


@contextmanager
def _running_ganache() -> Iterator[int]:
    npx = shutil.which("npx")
    if npx is None:
        raise RuntimeError("there is no npm")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as folder:
        command = [npx, "--yes", GANACHE, "--logging.quiet", f"--server.port={port}"]
        process = subprocess.Popen(
            command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            _wait(port, process)
            yield port
        finally:
            subprocess.run(["kill", "--", f"-{process.pid}"], check=False)
            process.wait(timeout=30)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + BOOT
    while time.monotonic() < until and process.poll() is None:
        try:
            _call(port, "eth_chainId")
            return
        except OSError:
            time.sleep(0.2)
    raise RuntimeError(f"{GANACHE} does not start")


def _call(port: int, method: str, *params: Any) -> Any:
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as response:
        answer = json.load(response)
    if "error" in answer:
        raise RuntimeError(f"ganache: {answer['error']}")
    return answer["result"]
