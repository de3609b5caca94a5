"""The benchmark commands over real blocks and databases: that they do what they say, not how fast."""

from __future__ import annotations

import json
import math
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median_low
from typing import Any

import pytest

from chain_spec import resolve
from frame.benchmarking.reference import Reference
from frame.benchmarking.worst import read_worst
from frame.machine import Machine
from frame.origin import Origin
from frame.weights import Weight
from node.benchmark.cli import COMMANDS, KINDS
from node.benchmark.crowd import Corner, Crowd
from node.benchmark.errors import BenchmarkError
from node.benchmark.machine import Score, measure, read_reference, recorded_reference
from node.benchmark.stage import median_bound, stage
from node.benchmark.subjects import choose, fresh
from node.benchmark.worst_case import find_corners, room_for
from node.chain import OpenBlock
from node.database import Database
from node.folders import database_folder
from node.run import open_node
from runtime import GristmillRuntime, runtime
from runtime.weights.block import BASE_BLOCK
from runtime.weights.extrinsic import BASE_EXTRINSIC


def gristmill(*words: str) -> int:
    command = COMMANDS["benchmark"]
    parser = ArgumentParser()
    command.configure(parser)
    return command.run(parser.parse_args(list(words)))


def corner(pallet: str, name: str, **components: int) -> Corner:
    (subject,) = choose(pallet, name)
    return Corner(subject.task(subject.benchmarks[0]), components)


def test_each_kind_is_one_line_of_help(capsys: pytest.CaptureFixture[str]) -> None:
    for kind in KINDS:
        with pytest.raises(SystemExit) as ended:
            gristmill(kind, "--help")
        assert ended.value.code == 0 and "--json" in capsys.readouterr().out


def test_a_block_is_filled_built_and_imported() -> None:
    """Every instance has accounts of its own and does what the benchmark does; weights are what they declare;
    imported with signatures verified anew, the block is the same one.
    """
    crowd = Crowd(fresh())
    for instance in range(3):
        crowd.add(corner("balances", "transfer_allow_death"), instance)
    assert len({member.signer.account_id for member in crowd.members}) == 3
    with stage(crowd.ext) as standing:
        height = standing.chain.head.number
        built = standing.fill(list(crowd.extrinsics()), 2)
        assert standing.chain.head.number == height, "the stage is as it was"
        assert standing.chain.import_block(built.block).number == height + 1
    assert (built.taken, built.failed) == (3, 0)
    assert len(built.build_times) == len(built.import_times) == 2 and built.ratio > 0
    weight = crowd.members[0].call.info().weight.ref_time
    expected = BASE_BLOCK.ref_time + 3 * (BASE_EXTRINSIC.ref_time + weight)
    assert expected <= built.declared < 2 * expected


def test_what_an_attacker_sends_succeeds() -> None:
    """Set up side by side, jobs in every state take their next step in one real block."""
    crowd = Crowd(fresh())
    names = ("accept", "submit_result", "confirm", "cancel")
    for instance, name in enumerate(names):
        crowd.add(
            corner("compute", name, **({"columns": 2} if name in ("confirm", "cancel") else {})), instance
        )
    assert len(crowd.able()) == 4
    with stage(crowd.ext) as standing:
        built = standing.fill(list(crowd.extrinsics()), 1)
    assert (built.taken, built.failed) == (4, 0)


def test_calls_of_root_go_by_sudo_and_hooks_are_nobodys() -> None:
    crowd = Crowd(fresh())
    member = crowd.add(corner("system", "set_heap_pages"), 0)
    assert member is not None and (member.call.pallet, member.call.name) == ("Sudo", "sudo")
    assert crowd.add(corner("timestamp", "on_finalize"), 1) is None
    assert crowd.add(corner("timestamp", "set"), 2) is None
    assert len(crowd.able()) == 1


def test_an_account_without_a_key_acts_by_its_proxy() -> None:
    crowd = Crowd(fresh())
    member = crowd.add(corner("proxy", "kill_pure", p=1), 0)
    assert member is not None and (member.call.pallet, member.call.name) == ("Proxy", "proxy")
    pure = member.call.args[0].value
    assert len(crowd.able()) == 1
    crowd.ext.dispatch(member.call, Origin.of(member.signer.account_id))
    assert pure not in crowd.ext.of(GristmillRuntime.proxy).proxies


def test_the_corners_are_the_ends_of_all_components() -> None:
    found = find_corners("compute", "submit")
    assert [one.components for one in found] == [
        {"columns": 256, "trainable": 256, "numbers": 1024},
        {"columns": 1, "trainable": 0, "numbers": 0},
    ]
    assert [one.name for one in find_corners("sudo", "set_key")] == ["sudo::set_key"]
    remark = fresh().of(GristmillRuntime.system).remark.new(b"")
    assert room_for(remark, 0, 100) > 10 * room_for(remark, 0, 5)


def test_worst_case(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says the slowest ratio, writes it down, and fails above the limit."""
    words = ("worst-case", "--pallet", "sudo,timestamp", "--fill", "0.2", "--repeat", "1")
    out = tmp_path / "worst.json"
    assert gristmill(*words, "--limit", "1000000", "--output", str(out)) == 0
    text = capsys.readouterr().out
    assert "Slowest measured to declared: " in text and "timestamp::on_finalize: a hook" in text
    trials = read_worst(out.read_text())
    ratios = [trial["ratio"] for trial in trials]
    assert ratios == sorted(ratios, reverse=True)
    by_name = {trial["name"]: trial for trial in trials}
    assert by_name["sudo::sudo"]["extrinsics"] > 1 and by_name["sudo::sudo"]["failed"] == 0
    assert "the 4 worst in turn" in by_name and "all calls in turn" in by_name
    assert gristmill(*words, "--limit", "0.000001", "--no-mix", "--json") == 1
    assert json.loads(capsys.readouterr().out)[0]["ratio"] > 0


def test_overhead_writes_the_base_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With so many extrinsics that the block of them takes many times as long as the empty one."""
    words = ("overhead", "--repeat", "3", "--extrinsics", "300", "--mul", "2", "--add", "7")
    assert gristmill(*words, "--output", str(tmp_path), "--json") == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["block_ns"] > 7 and shown["extrinsic_ns"] > 7 and shown["proof_bytes"] > 2603
    found = {name: constants(tmp_path / f"{name}.py") for name in ("block", "extrinsic")}
    base = found["block"]["BASE_BLOCK"]
    assert isinstance(base, Weight) and base.ref_time == shown["block_ns"] * 1000
    each = found["extrinsic"]["BASE_EXTRINSIC"]
    assert isinstance(each, Weight) and each.proof_size == shown["proof_bytes"]


def constants(path: Path) -> dict[str, object]:
    """The names of a written module."""
    space: dict[str, object] = {}
    exec(compile(path.read_text(), path.name, "exec"), space)
    return space


def test_storage_writes_the_database_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "weights.py"
    sizes = ("--keys", "300", "--reads", "50", "--batch", "100", "--blocks", "2")
    assert gristmill("storage", *sizes, "--output", str(target), "--weight-metric", "p95") == 0
    assert "Reads of one key" in capsys.readouterr().out
    found = constants(target)
    assert found["READ"] and found["WRITE"] and found["LONGEST_FREE"] == 80
    assert "READ_BYTE" in found and "WRITE_BYTE" in found
    with pytest.raises(BenchmarkError, match="--batch is at most --keys"):
        gristmill("storage", "--keys", "5")


def test_extrinsic(capsys: pytest.CaptureFixture[str]) -> None:
    words = ("extrinsic", "--low", "--max-ext-per-block", "4", "--repeat", "2", "--json")
    assert gristmill(*words) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["extrinsic"], shown["extrinsics"], shown["failed"]) == ("system::remark(remark = 0)", 4, 0)
    with pytest.raises(BenchmarkError, match="no signed extrinsic does it"):
        gristmill("extrinsic", "--pallet", "timestamp", "--extrinsic", "on_finalize")
    with pytest.raises(BenchmarkError, match="name one benchmark"):
        gristmill("extrinsic", "--extrinsic", "*")


def test_blocks_of_a_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = resolve("dev")
    with Database.open(database_folder(tmp_path, spec), sync=False) as database:
        node = open_node(spec, database, runtime())
        for number in range(3):
            OpenBlock(node.chain, 1_800_000_000_000 + 6_000 * number).seal()
    where = ("--dev", "--base-path", str(tmp_path), "--repeat", "1")
    gristmill("block", *where, "--from", "2", "--json")
    rows = json.loads(capsys.readouterr().out)
    assert [row["block"] for row in rows] == [2, 3]
    assert all(row["declared_ns"] > BASE_BLOCK.ref_time // 1000 and row["taken_ns"] > 0 for row in rows)
    gristmill("block", *where)
    assert "Block 1 with     1 tx used" in capsys.readouterr().out
    with pytest.raises(BenchmarkError, match="has blocks 1 to 3, and no block 4"):
        gristmill("block", *where, "--from", "4")


def test_no_machine_is_made_while_a_block_is_timed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes longer than the first block of a chain may."""
    spec = resolve("dev")
    with Database.open(database_folder(tmp_path, spec), sync=False) as database:
        node = open_node(spec, database, runtime())
        for number in range(2):
            OpenBlock(node.chain, 1_800_000_000_000 + 6_000 * number).seal()
    made: list[int] = []
    timed: list[int] = []
    take, begin = Reference.take, Machine.__init__

    def counted(self: Reference, work: Callable[[], object]) -> int:
        before = len(made)
        taken = take(self, work)
        timed.append(len(made) - before)
        return taken

    def noted(self: Machine, *arguments: Any) -> None:
        made.append(1)
        begin(self, *arguments)

    monkeypatch.setattr(Reference, "take", counted)
    monkeypatch.setattr(Machine, "__init__", noted)
    gristmill("block", "--dev", "--base-path", str(tmp_path), "--repeat", "5")
    assert made and timed[-10:] == [0] * 10


def test_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    scores = [Score("Copy", "MiB/s", 90.0), Score("New", "1/s", 1.0)]
    monkeypatch.setattr("node.benchmark.machine.measure", lambda repeat, folder: iter(scores))
    record = tmp_path / "reference.json"
    assert gristmill("machine", "--record", str(record)) == 0
    assert read_reference(record) == {"Copy": 90.0, "New": 1.0}
    scores[0] = Score("Copy", "MiB/s", 82.0)
    assert gristmill("machine", "--reference", str(record)) == 0, "nine tenths are enough"
    assert "From 2 benchmarks in total, 2 passed" in capsys.readouterr().out
    assert gristmill("machine", "--reference", str(record), "--tolerance", "1") == 1
    assert gristmill("machine", "--reference", str(record), "--tolerance", "1", "--allow-fail", "--json") == 0
    record.write_text("[]")
    with pytest.raises(BenchmarkError, match="is no reference"):
        gristmill("machine", "--reference", str(record))


def test_the_machine_is_measured_in_what_the_reference_has() -> None:
    assert {score.name for score in measure(1, None)} == set(read_reference(None))


def test_a_block_is_timed_until_more_cannot_change_the_verdict() -> None:
    assert median_bound([5, 9], 5) == math.inf, "two of five say nothing"
    assert median_bound([5, 9, 7], 5) == 9 and median_bound([5, 9, 7, 1, 1], 5) == median_low([5, 9, 7, 1, 1])
    crowd = Crowd(fresh())
    crowd.add(corner("system", "remark", remark=0), 0)
    with stage(crowd.ext) as standing:
        extrinsics = list(crowd.extrinsics())
        fine = standing.challenge(extrinsics, 5, enough=math.inf)
        doubtful = standing.challenge(extrinsics, 5, enough=0.0)
    assert (len(fine.build_times), len(fine.import_times)) == (1, 1)
    assert (len(doubtful.build_times), len(doubtful.import_times)) == (5, 5)


def test_without_a_reference_loop_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record = tmp_path / "old.json"
    record.write_text('{"scores": {"Copy": 1}}')
    monkeypatch.setattr("node.benchmark.machine._record_file", lambda: record)
    with pytest.raises(BenchmarkError, match="benchmark machine --record"):
        recorded_reference()
    assert recorded_reference(normalise=False).recorded is None
