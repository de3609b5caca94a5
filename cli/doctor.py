"""`gristmill doctor`: what this machine has of what gristmill needs, one line a check.

Exit code 0 when everything needed is there; advice (what is missing but not needed) never fails.
"""

import json
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple

from primitives.command import Command

PYTHON = (3, 11)
NODE_PORT = 9944
RESERVED = 8 << 30
"""Address space that an enclave's process asks for, most of it never touched."""

FMA_PROBE = """
(module (memory 1) (func (export "fused") (result f32)
  (f32x4.extract_lane 0 (f32x4.relaxed_madd
    (f32x4.splat (f32.const 1.00000011920928955078125))
    (f32x4.splat (f32.const 1.00000011920928955078125))
    (f32x4.splat (f32.const -1.0000002384185791015625))))))
"""
"""(1 + 2⁻²³)² − (1 + 2⁻²²) is 2⁻⁴⁶ when fused and 0 when the product is rounded first."""


class State(Enum):
    """How a check went: `ADVICE` is missing but not needed."""

    OK = "ok"
    ADVICE = "note"
    FAILED = "missing"


class Finding(NamedTuple):
    """What a check found, in words."""

    state: State
    text: str


def python_version() -> Finding:
    """Python is new enough."""
    good = sys.version_info >= PYTHON
    needed = ".".join(map(str, PYTHON))
    text = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding(State.OK, text) if good else Finding(State.FAILED, f"{text}; {needed} or newer is needed")


def enclave_engine() -> Finding:
    """wasmtime fuses multiply-adds deterministically and counts fuel."""
    import wasmtime

    from executor.wasm.engine import engine

    machine = engine(fuel=True)
    store = wasmtime.Store(machine)
    store.set_fuel(1000)
    module = wasmtime.Module(machine, FMA_PROBE)
    fused = wasmtime.Instance(store, module, []).exports(store)["fused"]
    assert isinstance(fused, wasmtime.Func)
    if fused(store) != 2.0**-46 or store.get_fuel() >= 1000:
        return Finding(State.FAILED, "wasmtime does not fuse multiply-adds as every other machine does")
    return Finding(State.OK, f"wasmtime {_version('wasmtime')}: fuel, SIMD, deterministic fused multiply-add")


def enclave_confinement() -> Finding:
    """What an enclave's process can give up on this system."""
    probe = "from executor.confine import confine; import json; "
    probe += f"print(json.dumps(confine({RESERVED}, {RESERVED}, 10)))"
    root = _root()
    command = [sys.executable, "-I", "-B", "-c", f"import sys; sys.path.insert(0, {root!r}); {probe}"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False, env={})
    if done.returncode:
        return Finding(State.FAILED, "an enclave's process cannot set its limits here")
    missing = json.loads(done.stdout)
    if missing:
        return Finding(State.ADVICE, f"limits and kill work; not on this system: {'; '.join(missing)}")
    return Finding(State.OK, "limits, own user and network namespace, no file system, fewer system calls")


def database() -> Finding:
    """RocksDB opens, writes and reads."""
    from rocksdict import Options, Rdict

    with tempfile.TemporaryDirectory() as folder:
        store = Rdict(folder, Options(raw_mode=True))
        store[b"k"] = b"v"
        good = store[b"k"] == b"v"
        store.close()
    return Finding(State.OK, f"RocksDB (rocksdict {_version('rocksdict')}) opens") if good else _lost()


def _lost() -> Finding:
    return Finding(State.FAILED, "RocksDB lost what was written")


def signatures() -> Finding:
    """The native libraries of keys and sealing load."""
    import rbcl
    import sr25519

    loaded = f"sr25519 {_version('py-sr25519-bindings')}, ristretto255 (rbcl {_version('rbcl')})"
    return Finding(State.OK if rbcl and sr25519 else State.FAILED, loaded)


def evaluator() -> Finding:
    """onnxruntime, with which buyers evaluate."""
    from executor.onnx_runtime import onnxruntime

    return Finding(State.OK, f"onnxruntime {onnxruntime.__version__}, its telemetry off")


def port() -> Finding:
    """The node's default port is free."""
    with socket.socket() as probe:
        probe.settimeout(0.5)
        if probe.connect_ex(("127.0.0.1", NODE_PORT)) == 0:
            return Finding(State.ADVICE, f"port {NODE_PORT} is in use: a node may be running; see --rpc-port")
    return Finding(State.OK, f"port {NODE_PORT} is free")


def javascript() -> Finding:
    """Node.js, which only the tests with JavaScript clients need."""
    found = shutil.which("node")
    if found is None:
        return Finding(State.ADVICE, "no Node.js: the tests with JavaScript clients are skipped")
    done = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=10, check=False)
    return Finding(State.OK, f"Node.js {done.stdout.strip()} (for tests with JavaScript clients)")


CHECKS: dict[str, Callable[[], Finding]] = {
    "python": python_version,
    "enclave engine": enclave_engine,
    "enclave confinement": enclave_confinement,
    "database": database,
    "signatures": signatures,
    "evaluator": evaluator,
    "port": port,
    "javascript": javascript,
}


def examine() -> dict[str, Finding]:
    """Run every check; one that raises has failed."""
    findings = {}
    for name, check in CHECKS.items():
        try:
            findings[name] = check()
        except Exception as error:
            findings[name] = Finding(State.FAILED, f"{type(error).__name__}: {error}")
    return findings


def _version(distribution: str) -> str:
    from importlib.metadata import version

    return version(distribution)


def _root() -> str:
    from pathlib import Path

    return str(Path(__file__).resolve().parent.parent)


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill doctor`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(arguments: Namespace) -> int:
    """Print the findings; 1 when something needed is missing."""
    findings = examine()
    if arguments.json:
        print(json.dumps({name: {"state": f.state.value, "text": f.text} for name, f in findings.items()}))
    else:
        width = max(map(len, findings)) + 2
        for name, finding in findings.items():
            print(f"{finding.state.value:<9}{name:<{width}}{finding.text}")
    return 1 if any(finding.state == State.FAILED for finding in findings.values()) else 0


COMMANDS = {
    "doctor": Command(help="check that this machine has what gristmill needs", configure=configure, run=run)
}
