"""Sends extrinsics from a file over one WebSocket and counts them when final; prints one JSON object.

python -m benchmarks.load_client ws://127.0.0.1:9944 FILE        (one hex extrinsic a line)
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp

IN_FLIGHT = 3000
"""Requests without an answer at any moment: a client that respects the pool's limit."""


class Load:
    """One run over one connection."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse, extrinsics: list[str]) -> None:
        self._ws = ws
        self._requests = [
            f'{{"jsonrpc":"2.0","id":{i},"method":"author_submitExtrinsic","params":["{xt}"]}}'
            for i, xt in enumerate(extrinsics)
        ]
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._refused: list[str] = []
        self._final = 0
        self._blocks = 0
        self._began = self._ended = 0.0

    async def run(self) -> dict[str, Any]:
        await self._call("heads", "chain_subscribeFinalizedHeads")
        self._began = time.perf_counter()
        sending = asyncio.create_task(self._send())
        await self._receive()
        await sending
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            "final": self._final,
            "seconds": self._ended - self._began,
            "blocks": self._blocks,
            "refused": len(self._refused),
            "first_refusal": self._refused[:1],
            "client_cpu_seconds": usage.ru_utime + usage.ru_stime,
        }

    async def _send(self) -> None:
        for request in self._requests:
            await self._room.acquire()
            await self._ws.send_str(request)

    async def _receive(self) -> None:
        while self._final + len(self._refused) < len(self._requests):
            message = await self._ws.receive_json(timeout=60)
            if "method" in message:
                await self._ask_for_body(message["params"]["result"]["number"])
            elif str(message["id"]).startswith("body"):
                self._count(message["result"])
            elif str(message["id"]).startswith("hash"):
                await self._ws.send_json(
                    {
                        "jsonrpc": "2.0",
                        "id": "body",
                        "method": "chain_getBlock",
                        "params": [message["result"]],
                    }
                )
            elif isinstance(message["id"], int):
                self._room.release()
                if "error" in message:
                    self._refused.append(json.dumps(message["error"]))

    async def _call(self, ident: str, method: str, *params: str) -> None:
        await self._ws.send_json({"jsonrpc": "2.0", "id": ident, "method": method, "params": params})

    async def _ask_for_body(self, number: str) -> None:
        await self._call("hash", "chain_getBlockHash", number)

    def _count(self, answer: Any) -> None:
        signed = len(answer["block"]["extrinsics"]) - 1
        if int(answer["block"]["header"]["number"], 16) <= self.first:
            return
        self._final += signed
        self._blocks += 1
        self._ended = time.perf_counter()

    first = 0
    """The head at the start; what it holds does not count."""


async def main(url: str, file: Path) -> dict[str, Any]:
    extrinsics = file.read_text(encoding="ascii").split()
    async with aiohttp.ClientSession() as session, session.ws_connect(url, max_msg_size=0) as ws:
        load = Load(ws, extrinsics)
        await ws.send_json({"jsonrpc": "2.0", "id": 0, "method": "chain_getHeader", "params": []})
        load.first = int((await ws.receive_json())["result"]["number"], 16)
        return await load.run()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1], Path(sys.argv[2])))))
