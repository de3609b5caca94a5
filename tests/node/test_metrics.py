"""What Prometheus scrapes of a real node, read by its own client library; and the informant's line."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import urllib.request
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from node.authoring import Author
from node.informant import inform
from node.metrics.series import Family, Histogram, Sample, text
from node.service import Node
from tests.running_node import RpcRefusal, RunningNode
from tests.signing import Signer, remark

EXPORTER = re.compile(r"Prometheus exporter started at 127\.0\.0\.1:(\d+)")
Scrape = Callable[[], dict[tuple[str, frozenset[tuple[str, str]]], float]]


@pytest.fixture(scope="module")
def node_under_scrape() -> Iterator[RunningNode]:
    with RunningNode("--prometheus-port=0", "--name=Miller") as node:
        yield node


@pytest.fixture
def scrape(node_under_scrape: RunningNode) -> Scrape:
    found = EXPORTER.search("".join(node_under_scrape.log))
    assert found is not None

    def read() -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        with urllib.request.urlopen(f"http://127.0.0.1:{found[1]}/metrics", timeout=20) as answer:
            assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
            body = answer.read().decode()
        samples = [s for family in text_string_to_metric_families(body) for s in family.samples]
        values = {(_bare(s.name, body), frozenset(s.labels.items())): s.value for s in samples}
        assert len(values) == len(samples), "no series twice"
        return values

    return read


def _bare(name: str, body: str) -> str:
    """The name as it was sent: the library calls every counter `…_total`."""
    return name if f"\n{name}" in body else name.removesuffix("_total")


def of(values: dict[tuple[str, frozenset[tuple[str, str]]], float], name: str, /, **labels: str) -> float:
    return values[name, frozenset(labels.items())]


def test_the_figures_follow_what_the_node_does(node_under_scrape: RunningNode, scrape: Scrape) -> None:
    node, before = node_under_scrape, scrape()
    genesis = bytes.fromhex(node.rpc("chain_getBlockHash", 0)[2:])
    alice = Signer("//Alice", genesis)
    node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark()).hex())
    node.wait_for_block(1)
    with pytest.raises(RpcRefusal):
        node.rpc("author_submitExtrinsic", "0x" + alice.sign(remark(), nonce=0).hex())
    for name in ("no_such_method", 'another\n"one"'):
        with pytest.raises(RpcRefusal):
            node.rpc(name)
    now = scrape()
    for status in ("best", "finalized", "sync_target"):
        assert of(before, "substrate_block_height", status=status) == 0
        assert of(now, "substrate_block_height", status=status) == 1
    assert of(now, "substrate_build_info", name="Miller", version=node.rpc("system_version")) == 1
    assert of(now, "substrate_ready_transactions_number") == 0
    assert of(now, "substrate_sub_txpool_submitted_transactions") == 2
    assert of(now, "substrate_sub_txpool_validations_invalid") == 1
    assert of(now, "substrate_sub_txpool_block_transactions_pruned") == 2
    assert of(now, "substrate_proposer_number_of_transactions") == 1
    assert of(now, "substrate_proposer_block_constructed_count") == 1
    assert of(now, "substrate_proposer_end_proposal_reason", reason="no_more_transactions") == 1
    call = {"protocol": "http", "method": "author_submitExtrinsic"}
    assert of(now, "substrate_rpc_calls_started", **call) == 2
    for is_error in ("true", "false"):
        labels = {**call, "is_error": is_error, "is_rate_limited": "false"}
        assert of(now, "substrate_rpc_calls_finished", **labels) == 1
    assert of(now, "substrate_rpc_calls_time_count", **call, is_rate_limited="false") == 1
    assert of(now, "substrate_rpc_calls_started", protocol="http", method="unknown") == 2
    assert of(now, "process_resident_memory_bytes") > 1 << 20
    assert of(now, "process_cpu_seconds_total") >= of(before, "process_cpu_seconds_total") > 0
    assert of(now, "process_open_fds") < of(now, "process_max_fds")
    assert (
        0
        <= of(now, "process_start_time_seconds") - of(now, "substrate_process_start_time_seconds") + 60
        < 120
    )


def test_a_port_that_was_asked_for_must_be_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(RuntimeError, match=r"error\[PortTaken\]: port \d+ is taken") as caught:
            RunningNode(f"--prometheus-port={taken.getsockname()[1]}")
    assert "choose one with --prometheus-port" in str(caught.value) and "Traceback" not in str(caught.value)


def test_histograms_are_cumulative_and_labels_are_quoted() -> None:
    histogram = Histogram((1, 2))
    for value in (0.5, 1, 1.5, 7):
        histogram.observe(value)
    odd = Family("odd", "gauge", "a\\b\nc", [Sample("", {"name": 'say "x"\n\\'}, 0.25)])
    assert text([histogram.family("h", "help"), odd]).splitlines() == [
        "# HELP h help",
        "# TYPE h histogram",
        'h_bucket{le="1"} 2',
        'h_bucket{le="2"} 3',
        'h_bucket{le="+Inf"} 4',
        "h_sum 10",
        "h_count 4",
        "# HELP odd a\\\\b\\nc",
        "# TYPE odd gauge",
        'odd{name="say \\"x\\"\\n\\\\"} 0.25',
    ]


def test_the_informant_says_how_the_chain_stands(
    node: Node, author: Author, caplog: pytest.LogCaptureFixture
) -> None:
    block = author.seal(1_800_000_000_000, empty=True)
    assert block is not None

    async def listen() -> None:
        talking = asyncio.create_task(inform(node, 0.01))
        async with asyncio.timeout(20):
            while len(caplog.messages) < 4:
                await asyncio.sleep(0.01)
        talking.cancel()

    with caplog.at_level(logging.INFO):
        caplog.clear()
        asyncio.run(listen())
    digest = block.hash.hex()
    name = f"0x{digest[:4]}…{digest[-4:]}"
    expected = f"💤 Idle (0 peers), best: #1 ({name}), finalized #1 ({name}), ⬇ 0 ⬆ 0"
    assert caplog.messages.count(expected) >= 2
