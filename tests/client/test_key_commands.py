"""`gristmill key`, against vectors that Substrate's documentation gives."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.__main__ import main
from primitives import node_key
from tests.running_node import RunningNode

# docs.substrate.io, `subkey inspect`, and the node keys of the tutorial "Simulate a network"
PHRASE = "caution juice atom organ advance problem want pledge someone senior holiday very"
PUBLIC = "0xd6a3105d6768e956e9e5d41050ac29843f98561410d3a47f9dd5b3b227ab8746"
ADDRESS = "5Gv8YYFu8H1btvmrJy9FjjAWfb99wrhV3uhPFoNEr918utyR"
FIRST_NODE_KEY = "0" * 63 + "1"
FIRST_PEER_ID = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> Run:
    """`key WORDS…` with a keyring of its own; `stdin` is what is typed."""
    monkeypatch.setenv("GRISTMILL_KEYRING", str(tmp_path / "home" / "keyring.json"))

    def call(*words: object, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(stdin)))
        code = main(["key", *map(str, words)])
        out, err = capsysbinary.readouterr()
        return code, out.decode("latin-1"), err.decode()

    return call


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    file = tmp_path / "phrase"
    file.write_text(PHRASE + "\n")
    file.chmod(0o600)
    return file


def test_a_secret_in_a_file_is_what_substrate_says(run: Run, secret: Path) -> None:
    shown = json.loads(run("inspect", "--secret-file", secret, "--json")[1])
    assert shown["public_key"] == shown["account_id"] == PUBLIC and shown["address"] == ADDRESS
    polkadot = json.loads(run("inspect", "--secret-file", secret, "-n", "polkadot", "--json")[1])
    assert polkadot["network_id"] == 0 and polkadot["address"].startswith("1")
    assert json.loads(run("inspect", PUBLIC, "--json")[1])["address"] == ADDRESS
    assert json.loads(run("inspect", ADDRESS, "--json")[1])["account"] == PUBLIC
    assert not any(word in "".join(run("inspect", "--secret-file", secret)[1:]) for word in PHRASE.split())


def test_insert_keeps_it_and_generate_without_a_name_keeps_nothing(run: Run, secret: Path) -> None:
    assert run("insert", "mine", "--secret-file", secret)[0] == 0
    assert json.loads(run("inspect", "mine", "--json")[1])["address"] == ADDRESS
    assert "error[KeyExists]" in run("insert", "mine", "--secret-file", secret)[2]
    for scheme, words in (("sr25519", 12), ("Ed25519", 24), ("ecdsa", 15)):
        made = json.loads(run("generate", "--scheme", scheme, "-w", words, "--json")[1])
        assert len(made["secret_phrase"].split()) == words and len(made["secret_seed"]) == 66
        assert len(made["public_key"]) == (68 if scheme == "ecdsa" else 66)
        file = secret.with_name(scheme)
        file.write_text(made["secret_phrase"])
        file.chmod(0o600)
        again = json.loads(run("inspect", "--secret-file", file, "--scheme", scheme, "--json")[1])
        assert again["address"] == made["address"] and "secret_seed" not in again
    assert [row["name"] for row in json.loads(run("inspect", "--json")[1])] == ["mine"]


def test_signatures_are_made_and_checked(run: Run, secret: Path) -> None:
    run("insert", "mine", "--scheme", "ed25519", "--secret-file", secret)
    for signer, scheme in (("mine", "sr25519"), ("//Alice", "sr25519")):
        code, out, _ = run("sign", signer, "--json", stdin=b"grain")
        signature = json.loads(out)["signature"]
        check = ("verify", signature, signer, "--scheme", scheme)
        assert code == 0 and run(*check, stdin=b"grain")[0] == 0
        assert run(*check, "--message", b"grain".hex(), "--hex")[0] == 0
        assert run(*check, "--message", "flour")[0] == 1
    assert "error[BadMessage]" in run("sign", "//Alice", "--hex", "--message", "x")[2]


def test_node_keys_name_nodes_as_libp2p_does(run: Run, tmp_path: Path) -> None:
    assert node_key.peer_id(bytes.fromhex(FIRST_NODE_KEY)) == FIRST_PEER_ID
    assert run("inspect-node-key", stdin=FIRST_NODE_KEY.encode())[1].strip() == FIRST_PEER_ID
    for flags in ((), ("--bin",)):
        file = tmp_path / f"node-key{len(flags)}"
        code, out, peer = run("generate-node-key", "--file", file, *flags)
        assert code == 0 and not out and file.stat().st_mode & 0o777 == 0o600
        assert run("inspect-node-key", "--file", file)[1] == peer
        assert "error[FileExists]" in run("generate-node-key", "--file", file)[2]
        with RunningNode("--node-key-file", str(file), "--rpc-workers=0") as node:
            assert node.rpc("system_localPeerId") == peer.strip()
            assert f"Local node identity is: {peer}" in "".join(node.log)
    _, out, peer = run("generate-node-key", "--bin")
    assert len(out) == 32 and node_key.peer_id(out.encode("latin-1")) == peer.strip()
    assert "error[BadSecret]" in run("inspect-node-key", stdin=b"short")[2]


def test_a_node_keeps_its_key_in_the_base_path(tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        with RunningNode("--rpc-workers=0", base_path=tmp_path) as node:
            names.add(node.rpc("system_localPeerId"))
    file = tmp_path / "chains" / "dev" / "network" / "secret_ed25519"
    assert names == {node_key.peer_id(file.read_bytes())} and file.stat().st_mode & 0o777 == 0o600
    os.truncate(file, 7)
    with pytest.raises(RuntimeError, match=r"error\[BadOption\]: .*secret_ed25519: a node key is 32 bytes"):
        RunningNode(base_path=tmp_path)


@pytest.mark.parametrize(
    "words",
    [("inspect", "0x12"), ("inspect", "nobody"), ("insert", "x", "--secret-file", "/no/such/file")],
    ids=" ".join,
)
def test_mistakes_are_sentences(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert code == 1 and not out and err.startswith("error[") and err.count("\n") == 1


@pytest.mark.parametrize(
    "words", [("inspect", PHRASE), ("sign", PHRASE, "--message", "x"), ("inspect", PHRASE + "//x")]
)
def test_a_phrase_on_the_command_line_is_refused_and_not_repeated(run: Run, words: tuple[str, ...]) -> None:
    code, out, err = run(*words)
    assert code == 1 and not out and err.startswith("error[SecretOnCommandLine]: ") and "--secret-file" in err
    assert not any(word in err.split() for word in ("juice", "atom", "senior"))
