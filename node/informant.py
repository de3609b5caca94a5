"""The line that a node says every few seconds, as Substrate's informant says it."""

from __future__ import annotations

import asyncio
import logging

from node.log import short
from node.service import Node

log = logging.getLogger("substrate")

EVERY = 5.0
"""Seconds."""


async def inform(node: Node, seconds: float = EVERY) -> None:
    """Say how the chain stands, until cancelled. There are no peers, so nothing is ever being synced."""
    while True:
        await asyncio.sleep(seconds)
        log.info("%s", line(node))


def line(node: Node) -> str:
    """`💤 Idle (0 peers), best: #5 (0x…), finalized #5 (0x…), ⬇ 0 ⬆ 0`"""
    best, final = node.chain.head, node.chain.finalized
    return (
        f"💤 Idle (0 peers), best: #{best.number} ({short(best.hash)}), "
        f"finalized #{final.number} ({short(final.hash)}), ⬇ 0 ⬆ 0"
    )
