"""The node as a client sees it: transfers a second end to end, boot, reads; and block import without a client.

End to end: the extrinsics are signed beforehand, sent over one WebSocket by a process of its own, and counted when their
blocks are final. The node keeps its defaults: every signature verified, each block synced to the disk.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import aiohttp

from benchmarks.figure import Figure
from benchmarks.transfers import signed_transfers
from tests.running_node import RunningNode

SIGNERS = 1000
EACH = 8
PEER = "a native Substrate node with default weights admits 877 to 1,500 transfers/s"


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
