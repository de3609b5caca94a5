"""kill -9 of the daemon at every step, and of the node in the middle of a job: the job ends, with one
result.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from client import buyer, datasets, jobs
from client.chain import wait_for
from primitives.job import JobState
from tests.end_to_end.people import Town
from tests.running_node import ROOT, RunningNode, lasting_port

LONG = 120
"""Seconds after which nothing is waited for any more, on a machine however busy."""
MOMENTS = [
    "sent:register",
    "sent:list",
    "before:accepting",
    "after:accepting",
    "sent:accept",
    "after:training",
    "before:sealed",
    "after:sealed",
    "after:publishing",
    "sent:declare",
    "sent:put",
    "before:submitting",
    "after:submitting",
    "sent:submit_result",
]


@contextmanager
def daemon(town: Town, moment: str) -> Iterator[subprocess.Popen[str]]:
    """The daemon in a process of its own, which dies at `moment`."""
    command = [sys.executable, "-m", "tests.end_to_end.dying_daemon", moment, str(town.data), "--json"]
    log = (town.home / "daemon.log").open("a")
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "HOME": str(town.home)},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        log.close()
        if process.stdout is not None:
            process.stdout.close()


def served_dataset(process: subprocess.Popen[str]) -> int:
    """The number that the daemon prints when it is ready."""
    assert process.stdout is not None
    return int(json.loads(process.stdout.readline())["dataset"])


def ended(town: Town, job: int) -> jobs.Job:
    """The job once it is delivered or over."""

    def done() -> jobs.Job | None:
        found = jobs.read(town.chain, job)
        return None if found.state in {JobState.Submitted, JobState.Accepted} else found

    return wait_for(done, LONG, f"the end of job {job}")


def events_of(town: Town, name: str) -> list[int]:
    """The jobs that this Compute event named, over the whole chain."""
    found = []
    for number in range(1, town.chain.finalized()[1] + 1):
        block = town.chain.block_hash(number)
        assert block is not None
        for event in town.chain.events(block):
            if (event.pallet, event.name) == ("Compute", name):
                found.append(int(event.fields["job"]))
    return found


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_daemon_dies_and_comes_back(town: Town, moment: str) -> None:
    town.settle_in()
    registering = moment in {"sent:register", "sent:list"}
    with daemon(town, moment) as first:
        if registering:
            assert first.wait(timeout=LONG) == -signal.SIGKILL
        else:
            job = town.order(served_dataset(first)).job
            assert first.wait(timeout=LONG) == -signal.SIGKILL, f"it never came to {moment}"
    results = town.data / "chains" / town.chain.genesis.hex()[:16] / "results"
    stored = results.joinpath(f"{job}.sealed") if not registering else None
    before = stored.read_bytes() if stored is not None and stored.exists() else None
    with daemon(town, "never") as second:
        number = served_dataset(second)
        if registering:
            job = town.order(number).job
        record = ended(town, job)
        second.send_signal(signal.SIGINT)
        assert second.wait(timeout=LONG) == 0, "stopped cleanly"
    assert record.state == JobState.Delivered
    if before is not None and moment not in {"before:sealed"}:
        assert stored is not None and stored.read_bytes() == before, "a restart submits the same bytes"
    buyer.fetch(town.chain, town.buyer, job)
    assert events_of(town, "Delivered").count(job) == 1
    assert events_of(town, "Accepted").count(job) == 1
    owner = town.provider.keypair.account_id
    assert [n for n, dataset in datasets.every(town.chain) if dataset.owner == owner] == [number]


def test_ctrl_c_in_the_middle_of_a_training(town: Town) -> None:
    """It stops, with exit code 0; the job is done after the next start."""
    town.settle_in()
    with daemon(town, "never") as first:
        job = town.order(served_dataset(first), epochs=1000).job
        log = town.home / "daemon.log"
        wait_for(lambda: "training" in log.read_text() or None, LONG, "the training")
        first.send_signal(signal.SIGINT)
        assert first.wait(timeout=LONG) == 0
    if town.state(job) == JobState.Accepted:
        with daemon(town, "never") as second:
            served_dataset(second)
            assert ended(town, job).state == JobState.Delivered
    assert events_of(town, "Delivered").count(job) == 1


def test_two_runs_give_the_same_weights(town: Town) -> None:
    """The daemon dies after training and before storing: the second run's weights are those of the first."""
    town.settle_in()
    provider = town.daemon()
    assert provider.dataset is not None
    job = town.order(provider.dataset).job
    provider.tick()
    accepted = jobs.read(town.chain, job)
    first = provider._train(job, accepted)[0]
    again = provider._train(job, accepted)[0]
    assert first != again, "salts differ"
    assert first[:1000] == again[:1000]
    provider.tick()
    weights = buyer.fetch(town.chain, town.buyer, job).package.weights
    assert weights in first and weights in again


@pytest.mark.parametrize("pause", [0.0, 0.15, 0.4, 1.0])
def test_the_node_dies_in_the_middle_of_a_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pause: float
) -> None:
    monkeypatch.setenv("GRISTMILL_KEYRING", str(tmp_path / "keyring.json"))
    monkeypatch.setenv("GRISTMILL_ORDERS", str(tmp_path / "orders"))
    base = tmp_path / "node"
    port = lasting_port()
    with RunningNode(base_path=base, port=port) as node:
        town = Town(node.http, tmp_path, f"dying-node-{pause}")
        town.settle_in()
        with daemon(town, "never") as process:
            job = town.order(served_dataset(process)).job
            ordered = town.chain.block_hash(town.chain.finalized()[1])
            time.sleep(pause)
            node.kill()
            with RunningNode(base_path=base, port=port) as again:
                assert again.port == port
                number = town.chain.number(ordered) if ordered else 0
                assert town.chain.block_hash(number) == ordered, "what was in a block is still there"
                record = ended(town, job)
                assert record.state == JobState.Delivered
                buyer.fetch(town.chain, town.buyer, job)
                jobs.confirm(town.chain, town.signer(town.buyer), job)
                assert events_of(town, "Delivered").count(job) == 1
                assert town.state(job) == JobState.Settled
                process.send_signal(signal.SIGINT)
                assert process.wait(timeout=LONG) == 0
        town.chain.rpc.close()


def test_the_daemon_waits_for_a_node_that_is_away(town: Town, node: RunningNode) -> None:
    """SIGINT stops it cleanly, and two daemons never share a directory."""
    town.settle_in()
    with daemon(town, "never") as process:
        served_dataset(process)
        with daemon(town, "never") as second:
            assert second.wait(timeout=LONG) == 1
        assert "AlreadyRunning" in (town.home / "daemon.log").read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=LONG) == 0
