"""The running node: database, chain, pool, driver and port, from start to a clean stop."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from chain_spec import ChainSpec, genesis_block
from frame.forms import judged_alone
from frame.migrations import UpgradeFailed
from frame.runtime import Runtime
from frame.try_runtime import check_upgrade
from node.chain import Chain
from node.database import Database, Pruning
from node.database.columns import CACHE
from node.errors import BadOption, PortTaken
from node.folders import database_folder, kept_or_temporary, network_key
from node.informant import inform
from node.keystore import Keystore
from node.log import short
from node.metrics.exporter import Exporter
from node.pool import PoolConfig
from node.rpc.server import RpcServer
from node.rpc.session import Limits
from node.sealing import chosen
from node.service import Identity, Node, program_version
from primitives.command import printable

log = logging.getLogger("node")


class Prometheus(NamedTuple):
    """Where the metrics are served. A port that nobody asked for may be taken; then there are none."""

    host: str = "127.0.0.1"
    port: int = 9615
    asked: bool = False


@dataclass(frozen=True)
class Options:
    """What the command line decides."""

    spec: ChainSpec
    base_path: Path | None
    """None: a temporary folder that goes away at the end."""
    rpc_host: str = "127.0.0.1"
    rpc_port: int = 9944
    rpc_cors: tuple[str, ...] = ()
    rpc_workers: int = 0
    limits: Limits = field(default_factory=Limits)
    sealing: str = "instant"
    name: str = ""
    node_key: bytes | None = None
    """None: the one in the base path, made on first use."""
    sync: bool = True
    pruning: Pruning = field(default_factory=Pruning)
    cache: int = CACHE
    pool: PoolConfig | None = None
    prometheus: Prometheus | None = None
    """None: no metrics are served."""


async def run(options: Options, runtime: Runtime) -> None:
    """Run until SIGINT or SIGTERM. Raises `NodeError` when the node cannot start or go on."""
    chosen(options.sealing)
    _raise_descriptors()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    with kept_or_temporary(options.base_path) as base:
        folder = database_folder(base, options.spec)
        _introduce(options, folder)
        with Database.open(
            folder, sync=options.sync, pruning=options.pruning, cache=options.cache
        ) as database:
            key = options.node_key or network_key(base, options.spec)
            node = open_node(options.spec, database, runtime, options.pool, options.name, key)
            log.info("🏷  Local node identity is: %s", node.peer_id)
            node.sealing.choose(options.sealing)
            node.keystore = Keystore(folder.parent / "keystore")
            await _serve(node, options, stop)


def open_chain(spec: ChainSpec, database: Database, runtime: Runtime) -> Chain:
    """The chain in an open database, at the head where it was left; an empty one gets the genesis."""
    genesis = genesis_block(spec, runtime=runtime)
    chain = Chain(database, runtime, genesis.header, genesis.delta)
    if chain.is_new:
        state, block = short(chain.head.header.state_root), short(chain.genesis_hash)
        log.info("🔨 Initializing Genesis block/state (state: %s, header-hash: %s)", state, block)
    return chain


def _raise_descriptors() -> None:
    """Allow ourselves as many open files and connections as the system lets us have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def open_node(
    spec: ChainSpec,
    database: Database,
    runtime: Runtime,
    pool: PoolConfig | None = None,
    name: str = "",
    node_key: bytes | None = None,
) -> Node:
    """The node over an open database. Without `pool`, its limits are Substrate's."""
    chain = open_chain(spec, database, runtime)
    _check_upgrade(chain)
    _check_extensions(runtime)
    identity = Identity(spec.name, spec.chain_type, spec.properties)
    ban = 0.0 if spec.chain_type == "Development" else 1800.0
    return Node(chain, identity, pool or PoolConfig(ban_seconds=ban), name=name, node_key=node_key)


def _check_upgrade(chain: Chain) -> None:
    """Say that the next block upgrades the state, or refuse to start where it could not."""
    try:
        due = check_upgrade(chain.runtime, chain.state())
    except UpgradeFailed as error:
        raise BadOption(f"{error}. `gristmill try-upgrade` says more") from error
    if due:
        version = chain.runtime.version.spec_version
        log.info("⬆️  The next block upgrades the state to spec version %d", version)


def _check_extensions(runtime: Runtime) -> None:
    """Say what keeps the pool from judging many transactions at once."""
    alone = judged_alone(runtime.extensions)
    if alone:
        log.warning("🐌 %s without `judges_forms`: each transaction is admitted by itself", ", ".join(alone))


async def _serve(node: Node, options: Options, stop: asyncio.Event) -> None:
    server = RpcServer(node, options.limits, options.rpc_cors, options.rpc_workers)
    log.info("📦 Highest known block at #%d (%s)", node.chain.head.number, short(node.chain.head.hash))
    await server.start(options.rpc_host, options.rpc_port)
    exporter = await _exported(node, options.prometheus)
    log.info("Running JSON-RPC server: addr=%s:%d", options.rpc_host, server.port)
    _spare_the_collector()
    working, stopping = asyncio.create_task(node.sealing.run()), asyncio.create_task(stop.wait())
    informing = asyncio.create_task(inform(node))
    try:
        await asyncio.wait([working, stopping], return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            log.error("Essential task `sealing` failed. Shutting down service.")
            working.result()
    finally:
        for task in (working, stopping, informing):
            task.cancel()
        await server.stop()
        if exporter is not None:
            await exporter.stop()
        log.info("👋 Stopped at #%d", node.chain.head.number)


async def _exported(node: Node, wanted: Prometheus | None) -> Exporter | None:
    """The metrics, served. Raises `PortTaken` if the operator named the port."""
    if wanted is None:
        return None
    exporter = Exporter(node)
    try:
        await exporter.start(wanted.host, wanted.port)
    except PortTaken as error:
        if wanted.asked:
            raise
        log.warning("no Prometheus metrics: %s", error)
        return None
    return exporter


def _spare_the_collector() -> None:
    """What is loaded by now stays: the collector of cycles need not walk it again and again. It was off until
    now, see `node.commands.run`.
    """
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
    gc.enable()


def _introduce(options: Options, folder: Path) -> None:
    log.info("Gristmill Node")
    log.info("✌️  version %s", program_version())
    log.info("📋 Chain specification: %s", printable(options.spec.name))
    if options.name:
        log.info("🏷  Node name: %s", options.name)
    log.info("👤 Role: AUTHORITY, sealing %s", options.sealing)
    log.info("💾 Database: RocksDb at %s", folder)
