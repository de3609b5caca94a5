"""The command table, and that every failure is one sentence with a name and the right exit code."""

import importlib
import json
import subprocess
import sys
import types
from argparse import Namespace

import pytest

from cli import __main__ as entry
from cli.table import COMMANDS, Entry
from executor.errors import OutOfFuel
from frame.declaration_error import DeclarationError
from primitives.command import Command


def gristmill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *words], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_where_the_table_says(name: str) -> None:
    command = importlib.import_module(COMMANDS[name].module).COMMANDS[name]
    assert command.help.casefold() == COMMANDS[name].help.casefold()
    help_text = gristmill(name, "--help")
    assert help_text.returncode == 0 and f"gristmill {name}" in help_text.stdout


def test_no_command_is_missing_from_the_table() -> None:
    for module in {place.module for place in COMMANDS.values()}:
        assert set(importlib.import_module(module).COMMANDS) <= set(COMMANDS)


def test_help_imports_no_heavy_module() -> None:
    heavy = "{'numpy', 'wasmtime', 'onnx', 'aiohttp', 'rich', 'node', 'client', 'executor'}"
    code = f"import sys; from cli.__main__ import main; main(['--help']); print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_version_and_usage() -> None:
    assert gristmill("--version").stdout.startswith("gristmill 0.")
    for words in ((), ("nod",), ("train",), ("train", "--nonsense")):
        done = gristmill(*words)
        assert done.returncode == 2 and not done.stdout and "Traceback" not in done.stderr
    assert "did you mean `gristmill node`?" in gristmill("nod").stderr


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("node", "--dev", "--ws-port", "9944"), "there is no --ws-port: HTTP and WebSocket share one port"),
        (("node", "--bootnodes=/dns/x"), "there is no --bootnodes: there are no peers"),
        (("node", "--rpc-prot", "1"), "there is no --rpc-prot; did you mean --rpc-port?"),
        (("node", "--rpc-p", "1"), "there is no --rpc-p"),
        (("node", "dev"), "nothing here takes 'dev'"),
        (("node", "--rpc-port", "x"), "argument --rpc-port: invalid int value: 'x'"),
        (("key", "inspect", "--suri", "//Alice"), "there is no --suri: a secret comes from a file"),
        (("benchmark", "pallet", "--wasm-execution=compiled"), "the runtime is part of the program"),
    ],
)
def test_words_that_mean_nothing_are_one_sentence(words: tuple[str, ...], sentence: str) -> None:
    done = gristmill(*words)
    assert done.returncode == 2 and not done.stdout
    assert done.stderr.startswith("error[Usage]: ") and sentence in done.stderr
    assert done.stderr.count("\n") == 1 and "--help` lists" in done.stderr


class Renamed(OutOfFuel):
    """An error that carries its own name."""

    name = "compute.TooLate"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OutOfFuel("no more"), "error[OutOfFuel]: no more"),
        (OutOfFuel(), "error[OutOfFuel]: The job needs more instructions than the limit allows."),
        (OutOfFuel("two\n  lines"), "error[OutOfFuel]: two lines"),
        (FileNotFoundError(2, "No such file or directory", "a.csv"), "a.csv"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            "error[ConnectionRefusedError]: Connection refused",
        ),
        (ModuleNotFoundError("no", name="rocksdict"), "error[MissingPackage]: the Python package rocksdict"),
        (DeclarationError("P.f: no weight"), "error[DeclarationError]: P.f: no weight"),
        (ZeroDivisionError("by zero"), "error[Defect]: ZeroDivisionError: by zero"),
    ],
)
def test_failures_are_sentences(
    error: Exception, expected: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _run(monkeypatch, error) == 1
    output = capsys.readouterr()
    assert expected in output.err and output.err.count("\n") == 1 and not output.out


def test_our_errors_may_bring_a_name(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Renamed, "__module__", "client.errors")
    assert _run(monkeypatch, Renamed("over")) == 1
    assert capsys.readouterr().err == "error[compute.TooLate]: over\n"


def test_a_traceback_is_there_for_those_who_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GRISTMILL_TRACEBACK", "1")
    assert _run(monkeypatch, ZeroDivisionError("by zero")) == 1
    assert "Traceback" in capsys.readouterr().err


def test_interruption_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, KeyboardInterrupt()) == 130


def _run(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> int:
    """Run a command that fails with the error."""

    def fail(_: Namespace) -> int:
        raise error

    module = types.ModuleType("failing")
    module.COMMANDS = {"fail": Command("fails", lambda _: None, fail)}  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "failing", module)
    monkeypatch.setitem(COMMANDS, "fail", Entry("failing", "fails"))
    return entry.main(["fail"])


def test_doctor() -> None:
    done = gristmill("doctor", "--json")
    findings = json.loads(done.stdout)
    assert done.returncode == 0, findings
    assert {"python", "enclave engine", "enclave confinement", "database", "port"} <= findings.keys()
    assert all(finding["state"] in ("ok", "note") for finding in findings.values())
    assert "wasmtime" in gristmill("doctor").stdout


def test_train_refuses_bad_files_in_a_sentence(tmp_path: object) -> None:
    missing = gristmill("train", "--model", "no.onnx", "--data", "no.csv", "--target", "y")
    assert missing.returncode == 1 and missing.stderr.startswith("error[FileNotFoundError]: ")
    assert "Traceback" not in missing.stderr


def test_flags_without_a_command_are_said_to_belong_to_the_node() -> None:
    done = gristmill("--dev")
    assert done.returncode == 2 and "`gristmill node --dev`" in done.stderr
