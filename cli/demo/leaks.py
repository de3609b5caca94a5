"""The byte scan: everything that left the provider, searched for the provider's rows.

A byte scan, not a privacy proof: it finds rows in the encodings it knows (see `client.leak_scan`), not
what a model memorises. What is searched: the results in plaintext before they were sealed, the provider's
and the buyer's traffic with the node, the blocks, the node's database, all logs and outputs, and what the
buyer holds in the end.
"""

from collections.abc import Iterable
from pathlib import Path

from client.chain import Chain
from client.leak_scan import LeakScan, Report
from executor.readers import Table


def scan(
    table: Table,
    source: Path,
    affines: dict[str, tuple[float, float]],
    folders: Iterable[Path],
    blocks: Iterable[tuple[str, bytes]],
) -> Report:
    """Search folders and blocks for the rows of a table."""
    search = LeakScan(table, source, affines)
    for folder in folders:
        search.tree(folder)
    for name, data in blocks:
        search.bytes(name, data)
    return search.report()


def blocks(chain: Chain) -> list[tuple[str, bytes]]:
    """Every extrinsic of every block, as bytes."""
    _, height = chain.finalized()
    found = []
    for number in range(height + 1):
        block = chain.rpc.call("chain_getBlock", chain.rpc.call("chain_getBlockHash", number))
        for index, extrinsic in enumerate(block["block"]["extrinsics"]):
            found.append((f"block {number}, extrinsic {index}", bytes.fromhex(extrinsic[2:])))
    return found
