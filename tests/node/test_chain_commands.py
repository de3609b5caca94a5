"""The commands that work on a chain's data without a running node, on a real database that a node wrote."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_spec import genesis_block, load, resolve
from cli.__main__ import main
from node.authoring import Author
from node.block_file import read_blocks, write_blocks
from node.database import Database, Mode, Pruning
from node.errors import BadBlockFile
from node.folders import database_folder
from node.run import open_node
from node.service import Node
from runtime import GristmillRuntime
from tests.running_node import RunningNode
from tests.signing import GRIST, Signer, remark, transfer

NOW = 1_800_000_000_000
BLOCKS = 6
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, gristmill: GristmillRuntime) -> Path:
    """A base path with a dev chain of some blocks; tests only read it."""
    folder = tmp_path_factory.mktemp("base")
    grow(folder, gristmill)
    return folder


def grow(folder: Path, gristmill: GristmillRuntime, pruning: Pruning | None = None) -> None:
    spec = resolve("dev")
    with Database.open(database_folder(folder, spec), sync=False, pruning=pruning) as database:
        node = open_node(spec, database, gristmill)
        alice, bob = (Signer(uri, node.chain.genesis_hash) for uri in ("//Alice", "//Bob"))
        for i in range(BLOCKS):
            node.submit(alice.sign(transfer(bob.account, GRIST + i)))
            node.submit(bob.sign(remark(bytes(1000 * i))))
            assert Author(node).seal(NOW + i) is not None


@pytest.fixture
def run(capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """A command in this process: its exit code, stdout and stderr."""

    def call(*words: object) -> tuple[int, str, str]:
        code = main([str(word) for word in words])
        out, err = capsysbinary.readouterr()
        return code, out.decode("latin-1"), err.decode()

    return call


def head(run: Run, base: Path) -> tuple[int, str]:
    code, out, _ = run("chain-info", "--dev", "-d", base)
    assert code == 0
    info = json.loads(out)["database"]
    return info["best_number"], info["best_hash"]


def test_chain_info_shows_genesis_and_head(run: Run, base: Path) -> None:
    info = json.loads(run("chain-info", "--dev", "-d", base)[1])
    assert info["genesis_hash"] == "0x" + genesis_block(resolve("dev")).hash.hex()
    database = info["database"]
    assert database["best_number"] == database["finalized_number"] == BLOCKS
    assert database["state_pruning"] == "256" and database["oldest_state"] == 0
    assert "database" not in json.loads(run("chain-info", "--chain", "local", "-d", base)[1])


@pytest.mark.parametrize("form", [(), ("--binary",)])
def test_blocks_go_out_and_into_another_database(
    run: Run, base: Path, tmp_path: Path, form: tuple[str, ...]
) -> None:
    file, half = tmp_path / "blocks", tmp_path / "half"
    assert run("export-blocks", "--dev", "-d", base, file, *form)[0] == 0
    assert run("export-blocks", "--dev", "-d", base, half, "--from", 0, "--to", 2, *form)[0] == 0
    other = tmp_path / "other"
    for source, expected in ((half, 2), (file, BLOCKS), (file, BLOCKS)):
        code, _, err = run("import-blocks", "--dev", "-d", other, source, *form)
        assert code == 0 and f"Best: #{expected}" in err
    assert head(run, other) == head(run, base)
    assert run("check-block", "--dev", "-d", other)[0] == 0


def test_the_binary_file_is_substrates(run: Run, base: Path, tmp_path: Path) -> None:
    """Decoded by scalecodec from the type that Substrate's source gives."""
    import scalecodec.base as scale

    file = tmp_path / "blocks"
    run("export-blocks", "--dev", "-d", base, file, "--binary")
    data = file.read_bytes()
    assert int.from_bytes(data[:8], "little") == BLOCKS
    at = scale.ScaleBytes(bytearray(data[8:]))
    from scalecodec.type_registry import load_type_registry_preset

    registry = scale.RuntimeConfigurationObject()
    registry.update_type_registry(load_type_registry_preset("core"))
    numbers = []
    for _ in range(BLOCKS):
        header = {
            name: registry.create_scale_object(kind, at).decode(check_remaining=False)
            for name, kind in (
                ("parent", "H256"),
                ("number", "Compact<u32>"),
                ("state", "H256"),
                ("extrinsics", "H256"),
                ("logs", "Vec<u8>"),
            )
        }
        numbers.append(header["number"])
        extrinsics = registry.create_scale_object("Vec<Bytes>", at).decode(check_remaining=False)
        assert len(extrinsics) == 3
        assert (
            registry.create_scale_object("Option<Vec<([u8; 4], Bytes)>>", at).decode(check_remaining=False)
            is None
        )
    assert numbers == list(range(1, BLOCKS + 1)) and at.get_remaining_length() == 0


def test_json_blocks_are_those_of_the_rpc(run: Run, base: Path) -> None:
    _, out, _ = run("export-blocks", "--dev", "-d", base, "--from", 3, "--to", 3)
    block = json.loads(out)
    assert block["justifications"] is None and block["block"]["header"]["number"] == "0x3"
    with RunningNode(base_path=base) as node:
        assert node.rpc("chain_getBlock", node.rpc("chain_getBlockHash", 3)) == block


def test_check_block_executes_it_again(run: Run, base: Path) -> None:
    number, digest = head(run, base)
    for name in (number, digest, 1):
        code, out, _ = run("check-block", "--dev", "-d", base, name)
        assert code == 0 and "completed in" in out
    refusals = {"0": "BadBlock", "99": "UnknownBlock", "0x" + "1" * 64: "UnknownBlock", "x": "BadOption"}
    for name, error in refusals.items():
        code, out, err = run("check-block", "--dev", "-d", base, name)
        assert code == 1 and f"error[{error}]" in err and not out


def test_revert_takes_blocks_back(run: Run, tmp_path: Path, gristmill: GristmillRuntime) -> None:
    grow(tmp_path, gristmill)
    assert "Reverted 2 blocks. Best: #4" in run("revert", "--dev", "-d", tmp_path, 2)[1]
    assert head(run, tmp_path)[0] == BLOCKS - 2
    assert "Reverted 4 blocks. Best: #0" in run("revert", "--dev", "-d", tmp_path)[1]
    assert "There aren't any blocks to revert." in run("revert", "--dev", "-d", tmp_path)[1]
    assert run("revert", "--dev", "-d", tmp_path, "--", -1)[0] == 1


def test_pruned_states_and_bodies_are_named(run: Run, tmp_path: Path, gristmill: GristmillRuntime) -> None:
    grow(tmp_path, gristmill, Pruning(Mode("constrained", 2), Mode("constrained", 3)))
    code, _, err = run("check-block", "--dev", "-d", tmp_path, 5)
    assert code == 1 and "error[UnknownBlock]: UnknownBlock: State already discarded for 0x" in err
    assert run("check-block", "--dev", "-d", tmp_path)[0] == 0
    code, _, err = run("export-blocks", "--dev", "-d", tmp_path)
    assert code == 1 and "the body of block 1 is not kept" in err
    assert run("export-blocks", "--dev", "-d", tmp_path, tmp_path / "file")[0] == 1
    assert not list(tmp_path.glob("file*")), "a file is whole or not there"
    assert "Reverted 1 blocks. Best: #5" in run("revert", "--dev", "-d", tmp_path)[1]


def test_an_exported_state_is_a_genesis_with_the_same_root(run: Run, base: Path, tmp_path: Path) -> None:
    file = tmp_path / "spec.json"
    assert run("export-state", "--dev", "-d", base, 4, "--output", file)[0] == 0
    _, block, _ = run("export-blocks", "--dev", "-d", base, "--from", 4, "--to", 4)
    root = json.loads(block)["block"]["header"]["stateRoot"]
    assert "0x" + genesis_block(load(file)).header.state_root.hex() == root
    assert run("export-state", "--dev", "-d", base, 4)[1] == file.read_text()


def test_purge_chain_asks_and_spares_a_running_node(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gristmill: GristmillRuntime
) -> None:
    grow(tmp_path, gristmill)
    for answer in ("", "n\n"):
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        code, out, _ = run("purge-chain", "--dev", "-d", tmp_path)
        assert code == 0 and out.endswith("Aborted\n") and (tmp_path / "chains/dev/db").is_dir()
    with RunningNode(base_path=tmp_path) as node:
        code, _, err = run("purge-chain", "--dev", "-d", tmp_path, "-y")
        assert code == 1 and "error[DatabaseLocked]" in err
        assert node.rpc("system_health")
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    assert run("purge-chain", "--dev", "-d", tmp_path)[1].endswith("removed.\n")
    assert not (tmp_path / "chains/dev").exists()
    assert "did not exist" in run("purge-chain", "--dev", "-d", tmp_path, "-y")[2]


@pytest.mark.parametrize(
    "words",
    [("check-block",), ("export-blocks",), ("revert",), ("export-state",)],
    ids=lambda words: words[0],
)
def test_a_command_for_an_existing_chain_makes_none(run: Run, tmp_path: Path, words: tuple[str]) -> None:
    code, _, err = run(*words, "--dev", "-d", tmp_path)
    assert code == 1 and "error[NoDatabase]: there is no database of chain dev in" in err
    assert not list(tmp_path.iterdir())


def test_an_import_of_no_file_makes_no_database(run: Run, tmp_path: Path) -> None:
    code, _, err = run("import-blocks", "--dev", "-d", tmp_path / "new", tmp_path / "absent")
    assert code == 1 and "No such file or directory" in err
    assert not list(tmp_path.iterdir())


# ── files from strangers ────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def files(base: Path, gristmill: GristmillRuntime) -> dict[bool, bytes]:
    """The chain's blocks as a file, by whether it is binary."""
    found = {}
    with Database.open(database_folder(base, resolve("dev")), sync=False) as database:
        chain = open_node(resolve("dev"), database, gristmill).chain
        for binary in (False, True):
            file = io.BytesIO()
            write_blocks(file, chain, 1, BLOCKS, binary=binary)
            found[binary] = file.getvalue()
    return found


def test_files_that_are_none_are_refused_by_name(files: dict[bool, bytes]) -> None:
    binary, text = files[True], files[False]
    huge = (1).to_bytes(8, "little") + bytes(32) + b"\4" + bytes(64)
    cases = {
        "the file ends within a block": (True, binary[:-1]),
        "ends within a block": (True, b""),
        "more than 1048576": (True, huge + b"\xfe\xff\xff\xff"),
        "more than 67108864 bytes": (True, huge + b"\0\4\xfe\xff\xff\xff"),
        "no digest item has the tag 9": (True, huge + b"\4\x09"),
        "above 32 bits": (True, huge + b"\x07" + bytes(9)),
        "no JSON block": (False, text[:-3]),
        "block 1 in the file is no SignedBlock": (False, b'{"block": {"header": {"parentHash": "0x00"}}}'),
        "'block' is missing": (False, b"{}"),
        "written with --binary": (False, binary),
        "no JSON block where": (False, b"[" * 100_000),
    }
    for sentence, (is_binary, data) in cases.items():
        with pytest.raises(BadBlockFile, match=sentence):
            list(read_blocks(io.BytesIO(data), binary=is_binary))
    assert len(list(read_blocks(io.BytesIO(text.replace(b"\n", b"")), binary=False))) == BLOCKS


@settings(max_examples=150, deadline=None)
@given(data=st.data(), binary=st.booleans())
def test_damaged_files_raise_nothing_else(
    files: dict[bool, bytes], data: st.DataObject, binary: bool
) -> None:
    damaged = bytearray(files[binary])
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(damaged) - 1))
        damaged[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=5))
    try:
        for block in read_blocks(io.BytesIO(bytes(damaged)), binary=binary):
            assert all(isinstance(extrinsic, bytes) for extrinsic in block.extrinsics)
    except BadBlockFile:
        pass


def test_blocks_of_another_chain_change_nothing(
    run: Run, base: Path, tmp_path: Path, node: Node, author: Author
) -> None:
    file = tmp_path / "blocks"
    author.seal(NOW - 5, empty=True)
    with file.open("wb") as out:
        write_blocks(out, node.chain, 0, 1, binary=True)
    before = head(run, base)
    code, _, err = run("import-blocks", "--dev", "-d", base, file, "--binary")
    assert code == 1 and "error[BadBlock]: block 1 is another one here" in err and head(run, base) == before
    tampered = bytearray(file.read_bytes())
    tampered[-2] ^= 1
    file.write_bytes(tampered)
    code, _, err = run("import-blocks", "--dev", "-d", tmp_path / "new", file, "--binary")
    assert code == 1 and "error[BadBlock]: block 1 does not execute" in err
    assert head(run, tmp_path / "new")[0] == 0
