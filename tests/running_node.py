"""A real node in a process of its own, for tests that talk to it over real sockets."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
READY = re.compile(r"Running JSON-RPC server: addr=[\d.]+:(\d+)")


def lasting_port() -> int:
    """A free port that can be taken again after a restart: the system gives ports of this range to nobody
    who leaves the choice to it.
    """
    for step in range(10_000):
        port = 20_000 + (os.getpid() + step) % 10_000
        with socket.socket() as probe, suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("no port is free between 20000 and 29999")


class RpcRefusal(Exception):
    """The node answered with an error."""

    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']} ({error.get('data')})")
        self.code, self.message, self.data = error["code"], error["message"], error.get("data")


class RunningNode:
    """`gristmill node --dev` on a free port. Its log is kept in `log`."""

    def __init__(self, *flags: str, base_path: Path | None = None, port: int = 0) -> None:
        self.log: list[str] = []
        began = time.perf_counter()
        command = [sys.executable, "-m", "cli", "node", "--dev", f"--rpc-port={port}", *flags]
        if base_path is not None:
            command += ["--base-path", str(base_path)]
        self.process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        self.port = self._wait_until_ready()
        self.boot_seconds = time.perf_counter() - began
        self._reader = threading.Thread(target=self._read_on, daemon=True)
        self._reader.start()

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    def _wait_until_ready(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            found = READY.search(line)
            if found:
                return int(found[1])
        self.process.wait(timeout=120)
        self.process.stderr.close()
        raise RuntimeError(f"the node did not start ({self.process.returncode}):\n{''.join(self.log)}")

    def _read_on(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)

    def rpc(self, method: str, *params: Any) -> Any:
        """One call over HTTP; raises `RpcRefusal`."""
        answer = self.post({"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)})
        if "error" in answer:
            raise RpcRefusal(answer["error"])
        return answer["result"]

    def post(self, body: Any) -> Any:
        """The decoded answer to any body; bytes go out as they are."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.http, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as response:
            text = response.read()
        return json.loads(text) if text else None

    def wait_for_block(self, number: int, seconds: float = 120) -> None:
        """Until the best block is at least `number`."""
        deadline = time.monotonic() + seconds
        while int(self.rpc("chain_getHeader")["number"], 16) < number:
            assert time.monotonic() < deadline, f"no block {number} within {seconds} s:\n{''.join(self.log)}"
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._end()

    def stop(self, how: signal.Signals = signal.SIGINT) -> int:
        """Stop it as an operator would; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(how)
        self._end()
        return self.process.returncode

    def _end(self) -> None:
        self.process.wait(timeout=120)
        self._reader.join(timeout=120)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def __enter__(self) -> RunningNode:
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()
