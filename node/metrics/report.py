"""The node's figures under Substrate's names, for dashboards made for Substrate.

Sources: `substrate/client/service/src/metrics.rs`, `proposer-metrics/src/lib.rs`,
`transaction-pool/src/single_state_txpool/metrics.rs`, `rpc-servers/src/middleware/metrics.rs`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from node.metrics.figures import Call, Figures
from node.metrics.process import process_families
from node.metrics.series import Family, Histogram, Sample, counter, gauge
from node.service import Node

AUTHORITY = 4


def families(node: Node, started: float) -> Iterator[Family]:
    """Everything that a scrape shows; `started` is when the node did, in seconds since 1970."""
    yield from _node(node, started)
    yield from _chain(node)
    yield from _pool(node)
    yield from _proposer(node.figures)
    yield from _rpc(node.figures)
    yield from process_families()


def _node(node: Node, started: float) -> Iterator[Family]:
    labels = {"name": node.name or "gristmill", "version": node.version}
    yield gauge(
        "substrate_build_info", "A metric with a constant '1' value labeled by name, version", 1, labels
    )
    yield gauge("substrate_node_roles", "The roles the node is running as", AUTHORITY)
    yield gauge(
        "substrate_process_start_time_seconds",
        "Number of seconds between the UNIX epoch and the moment the process started",
        int(started),
    )
    yield gauge("substrate_sub_libp2p_peers_count", "Number of connected peers", 0)
    yield gauge(
        "substrate_sub_libp2p_is_major_syncing", "Whether the node is performing a major sync or not.", 0
    )


def _chain(node: Node) -> Iterator[Family]:
    best, finalized = node.chain.head.number, node.chain.finalized_number
    heights = {"finalized": finalized, "best": best, "sync_target": best}
    samples = [Sample("", {"status": status}, height) for status, height in heights.items()]
    yield Family("substrate_block_height", "gauge", "Block height info of the chain", samples)
    yield gauge("substrate_number_leaves", "Number of known chain leaves (aka forks)", 1)
    cache = node.chain.database.cached_bytes()
    yield gauge("substrate_database_cache_bytes", "RocksDB cache size in bytes", cache)


def _pool(node: Node) -> Iterator[Family]:
    figures, ready = node.figures, len(node.pool.ready)
    yield gauge("substrate_ready_transactions_number", "Number of transactions in the ready queue", ready)
    for name, value, help in (
        ("submitted_transactions", figures.submitted, "Total number of transactions submitted"),
        (
            "validations_invalid",
            figures.invalid,
            "Total number of transactions that were removed from the pool as invalid",
        ),
        (
            "block_transactions_pruned",
            figures.pruned,
            "Total number of transactions that was requested to be pruned by block events",
        ),
        (
            "block_transactions_resubmitted",
            figures.resubmitted,
            "Total number of transactions that was requested to be resubmitted by block events",
        ),
    ):
        yield counter(f"substrate_sub_txpool_{name}", help, value)


def _proposer(figures: Figures) -> Iterator[Family]:
    name = "substrate_proposer"
    yield figures.block_constructed.family(
        f"{name}_block_constructed", "Histogram of time taken to construct new block"
    )
    yield figures.block_proposed.family(
        f"{name}_block_proposal_time",
        "Histogram of time taken to construct a block and prepare it for proposal",
    )
    yield figures.inherents.family(
        f"{name}_create_inherents_time", "Histogram of time taken to execute create inherents"
    )
    yield gauge(
        f"{name}_number_of_transactions",
        "Number of transactions included in block",
        figures.transactions_in_block,
    )
    reasons = [Sample("", {"reason": reason}, count) for reason, count in figures.end_reasons.items()]
    yield Family(
        f"{name}_end_proposal_reason",
        "counter",
        "The reason why the block proposing was ended. This doesn't include errors.",
        reasons,
    )


def _rpc(figures: Figures) -> Iterator[Family]:
    yield counter(
        "substrate_rpc_sessions_opened", "Number of persistent RPC sessions opened", figures.sessions_opened
    )
    yield counter(
        "substrate_rpc_sessions_closed", "Number of persistent RPC sessions closed", figures.sessions_closed
    )
    started: dict[tuple[str, str], int] = {}
    finished: list[Sample] = []
    times: list[Sample] = []
    for call, time in figures.calls.items():
        started[call[:2]] = started.get(call[:2], 0) + time.count
        finished.append(Sample("", {**_labels(call), "is_error": _word(call.is_error)}, time.count))
        times += _times(call, time)
    yield Family(
        "substrate_rpc_calls_started",
        "counter",
        "Number of received RPC calls (unique un-batched requests)",
        [Sample("", {"protocol": key[0], "method": key[1]}, count) for key, count in started.items()],
    )
    yield Family(
        "substrate_rpc_calls_finished",
        "counter",
        "Number of processed RPC calls (unique un-batched requests)",
        finished,
    )
    yield Family("substrate_rpc_calls_time", "histogram", "Total time [μs] of processed RPC calls", times)


def _times(call: Call, time: Histogram) -> Iterator[Sample]:
    """Those that ended well; Substrate has no label here for the others, and two of a kind would clash."""
    return time.samples(_labels(call)) if not call.is_error else iter(())


def _labels(call: Call) -> dict[str, Any]:
    return {"protocol": call.protocol, "method": call.method, "is_rate_limited": _word(call.is_limited)}


def _word(value: bool) -> str:
    return "true" if value else "false"
