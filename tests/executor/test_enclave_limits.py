"""What the enclave's process cannot do, even when its compiler has been taken over. Each refusal has a
name.
"""

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest

from executor.confine import LAST_SECONDS
from executor.enclave import QUOTE_LIMITS, Enclave, Limits, Secrets, TrainResult
from executor.errors import (
    BadData,
    CommitmentMismatch,
    DeadlineExceeded,
    Diverged,
    EnclaveCrashed,
    ExecutorError,
    MemoryLimit,
    ModelError,
    OutOfFuel,
    SpecError,
)
from executor.rows import MemoryRows, RowSource
from primitives.data import Column, Dtype, Schema
from primitives.spec import Init
from tests.executor.planted import ROOT, PlantedEnclave, four_rows, matmul_model, spec_for

MODEL = matmul_model()
SPEC = spec_for(MODEL)
SMALL = Limits(memory=1 << 20, fuel=10**6, deadline_ms=120_000)
FOREVER = 'compile_training = lambda *_: plan("(loop (br 0))")'


@pytest.fixture(scope="module")
def unconfined() -> tuple[str, ...]:
    """What this system does not allow; a test of such a protection is skipped with its name."""
    return PlantedEnclave("").quote(MODEL, SPEC, 4).unconfined


def need(unconfined: tuple[str, ...], *protections: str) -> None:
    for protection in protections:
        if any(protection in name for name in unconfined):
            pytest.skip(f"this system does not give: {protection}")


def train(source: str, limits: Limits = SMALL, rows: RowSource | None = None) -> TrainResult:
    enclave = PlantedEnclave(source)
    return enclave.train(MODEL, rows or four_rows(), SPEC, limits, Secrets())


def probe(expression: str) -> str:
    """The text of an expression evaluated in the confined process."""
    source = f"""
import _thread, ctypes, errno, fcntl, mmap, resource, socket  # now: the confined process opens no files
from executor.errors import ModelError
PARENT = os.getppid()
def attempt(deed):
    try:
        return str(deed())
    except Exception as error:
        return type(error).__name__
def compile_training(*_):
    try:
        found = str({expression})
    except Exception as error:
        found = f"{{type(error).__name__}}: {{error}}"
    raise ModelError(found)
"""
    with pytest.raises(ModelError) as caught:
        PlantedEnclave(source).quote(MODEL, SPEC, 4)
    return str(caught.value)


# --- limits -------------------------------------------------------------------------------------------------


def test_a_planted_module_runs_and_counts_fuel() -> None:
    result = train("", rows=four_rows())
    assert result.steps == 4 and 0 < result.fuel < 100 and result.quoted.imports == 0
    assert result.first_loss is None and result.last_loss is None


def test_an_infinite_loop_runs_out_of_fuel() -> None:
    with pytest.raises(OutOfFuel):
        train(FOREVER)


def test_an_infinite_loop_meets_its_deadline() -> None:
    with pytest.raises(DeadlineExceeded, match="1500 ms"):
        train(FOREVER, Limits(memory=1 << 20, fuel=2**62, deadline_ms=1500))


def test_a_compiler_that_never_ends_meets_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        train("def compile_training(*_):\n    while True: pass", Limits(deadline_ms=1500))


def test_processor_time_may_be_bounded_apart_from_the_deadline() -> None:
    """As for a quote: on a busy machine an honest model takes long, and little of the processor."""
    with pytest.raises(DeadlineExceeded, match="processor time"):
        train("def compile_training(*_):\n    while True: pass", Limits(processor_ms=0))
    assert QUOTE_LIMITS.processor_ms is not None
    assert QUOTE_LIMITS.deadline_ms >= 5 * QUOTE_LIMITS.processor_ms


def test_a_process_that_does_not_read_meets_the_deadline() -> None:
    with pytest.raises(DeadlineExceeded):
        train("import time; time.sleep(60)", Limits(deadline_ms=1500))


def test_more_fuel_than_allowed_is_refused_before_the_rows() -> None:
    with pytest.raises(OutOfFuel, match="needs 1000001 units"):
        train("compile_training = lambda *_: plan(fuel=10**6 + 1)")


def test_more_memory_than_allowed_is_refused() -> None:
    with pytest.raises(MemoryLimit, match="over the limit"):
        train("compile_training = lambda *_: plan(pages=17)")
    with pytest.raises(MemoryLimit):
        train("compile_training = lambda *_: plan(pages=17, declared=65536)")


def test_a_module_that_grows_gets_no_more() -> None:
    grow = "(if (i32.ne (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable))"
    train(f"compile_training = lambda *_: plan({grow!r})")


def test_a_compiler_that_eats_memory() -> None:
    with pytest.raises(MemoryLimit):
        train("compile_training = lambda *_: bytearray(3 << 30)")


def test_a_module_with_an_import_is_refused() -> None:
    with pytest.raises(EnclaveCrashed, match="from outside"):
        head = '(import "a" "b" (func))'
        train(f"compile_training = lambda *_: plan(head={head!r})")


def test_a_trap_is_a_crash() -> None:
    with pytest.raises(EnclaveCrashed):
        train("compile_training = lambda *_: plan('unreachable')")


@pytest.mark.parametrize(
    ("deed", "said"),
    [
        ("os.abort()", "SIG"),
        ("os._exit(3)", "exit code 3"),
        ("os._exit(0)", "without an answer"),
        ("os.write(1, b'x' * 100) and os._exit(0)", "without an answer"),
        ("os.write(1, bytes([4, 255, 255, 255, 255])) and os._exit(0)", "without an answer"),
    ],
)
def test_a_process_that_dies_or_babbles(deed: str, said: str) -> None:
    with pytest.raises(EnclaveCrashed, match=said):
        train(f"compile_training = lambda *_: {deed}")


# --- what may cross -----------------------------------------------------------------------------------------


def test_nan_weights_stay_inside() -> None:
    with pytest.raises(Diverged):
        train("compile_training = lambda *_: plan('(f32.store (i32.const 1024) (f32.const nan))')")


def test_a_process_that_skips_the_check_cannot_send_nan_either() -> None:
    done = "first_loss=0, last_loss=0, weights=b'\\xff' * 24"
    with pytest.raises(Diverged):
        train(_after_rows(f"wire.send(writer, wire.Kind.DONE, encode(wire.Done, wire.Done(fuel=1, {done})))"))


@pytest.mark.parametrize("length", [0, 23, 25, 1 << 20])
def test_a_result_of_another_length_is_refused(length: int) -> None:
    done = f"first_loss=0, last_loss=0, weights=bytes({length})"
    with pytest.raises(ExecutorError) as caught:
        train(_after_rows(f"wire.send(writer, wire.Kind.DONE, encode(wire.Done, wire.Done(fuel=1, {done})))"))
    assert type(caught.value) is EnclaveCrashed


def test_no_words_after_the_rows() -> None:
    """A process that has seen rows can name one of a few errors, and nothing else."""
    text = "wire.Refused(name='BadData', text='row 1 is 5')"
    with pytest.raises(EnclaveCrashed) as caught:
        train(_after_rows(f"wire.send(writer, wire.Kind.REFUSED, encode(wire.Refused, {text}))"))
    assert "row" not in str(caught.value)
    with pytest.raises(BadData) as named:
        train("def bad(*_): raise worker.errors.BadData('row 1 is 5')\nworker.training.dataset = bad")
    assert "row 1" not in str(named.value)


def test_endless_progress_is_refused() -> None:
    frame = "wire.send(writer, wire.Kind.PROGRESS, bytes(8))"
    with pytest.raises(EnclaveCrashed):
        train(_after_rows(f"[{frame} for _ in range(9)]"))


def test_hostile_sentences_lose_their_control_characters() -> None:
    assert probe(r"'a\x1b[2J\nb' + 'x' * 10000")[:9] == "a?[2J?bxx"


def _after_rows(deed: str) -> str:
    return f"""
from executor import wire
from primitives.scale import encode
def leak(*given):
    reader, writer = given[-2:]
    for _ in range(3): reader.read(1)
    {deed}
worker._train = leak
"""


# --- what the process has -----------------------------------------------------------------------------------


def test_environment_is_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRISTMILL_SECRET", "open sesame")
    assert "sesame" not in probe("dict(os.environ)")
    assert set(eval(probe("sorted(os.environ)"))) <= {"LC_CTYPE", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"}


def test_descriptors_are_closed() -> None:
    reader, writer = os.pipe()
    os.set_inheritable(reader, True)
    try:
        # Nothing is read or written, but by a descriptor that is open for one of the two.
        libc = "ctypes.CDLL(None)"
        open_ones = f"[n for n in range(256) if not {libc}.read(n, 0, 0) or not {libc}.write(n, 0, 0)]"
        assert probe(open_ones) == "[0, 1, 2]"
    finally:
        os.close(reader)
        os.close(writer)


@pytest.mark.parametrize("path", ["/etc/passwd", str(onnx.__file__), "/proc/self/environ", "/tmp"])
def test_no_file_opens(path: str, unconfined: tuple[str, ...]) -> None:
    need(unconfined, "Landlock")
    assert "Error" in probe(f"open({path!r})") and "Error" in probe(f"os.listdir({path!r})")


def test_no_file_is_written() -> None:
    assert "Error" in probe("open('/tmp/gristmill-escape', 'wb').write(b'x' * 9)")


def test_no_program_runs_and_no_address_is_reached(unconfined: tuple[str, ...]) -> None:
    need(unconfined, "seccomp")
    assert "Error" in probe("os.execv('/bin/sh', ['sh'])")
    assert "Error" in probe("socket.socket().connect(('127.0.0.1', 9))")
    assert "Error" in probe("os.fork()")
    assert "Error" in probe("os.kill(PARENT, 0)")


def test_there_is_no_network_even_with_a_socket(unconfined: tuple[str, ...]) -> None:
    need(unconfined, "network")
    script = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import errno, socket\n"
    script += "from executor import confine; assert confine._new_namespaces()\n"
    script += "print(socket.socket().connect_ex(('127.0.0.1', 9)), errno.ENETUNREACH)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert len(set(done.stdout.split())) == 1


def test_resource_limits_are_set() -> None:
    limits = ["AS", "DATA", "CPU", "NOFILE", "FSIZE", "NPROC", "CORE"]
    found = eval(probe(f"[resource.getrlimit(getattr(resource, 'RLIMIT_' + n)) for n in {limits}]"))
    soft, hard = found.pop(limits.index("CPU"))
    assert hard == soft + LAST_SECONDS > LAST_SECONDS, "first SIGXCPU, which says why, then SIGKILL"
    limits.remove("CPU")
    assert all(soft == hard != -1 for soft, hard in found), dict(zip(limits, found, strict=True))
    assert [found[limits.index(name)] for name in ("FSIZE", "NPROC", "CORE")] == [(0, 0)] * 3


def test_what_is_not_confined_is_said() -> None:
    result = train("worker.confine = lambda *_: ['the moon']")
    assert "the moon" in result.quoted.unconfined


# --- the rows -----------------------------------------------------------------------------------------------


class Other:
    """A source under another root."""

    def __init__(self, inner: MemoryRows) -> None:
        self.root, self.schema, self.rows = bytes(32), inner.schema, inner.rows
        self.chunk = inner.chunk


def test_rows_that_do_not_match_their_commitment() -> None:
    with pytest.raises(CommitmentMismatch):
        train("", rows=Other(four_rows()))


class Raw:
    """Chunks as they are, under their own root."""

    def __init__(self, schema: Schema, rows: int, chunk: bytes) -> None:
        from primitives import merkle

        self.schema, self.rows, self._chunk = schema, rows, chunk
        top = merkle.leaf(0, bytes(16), chunk)
        self.root = merkle.root(schema.hash, rows, 1, top)

    def chunk(self, i: int) -> tuple[bytes, bytes]:
        return bytes(16), self._chunk


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_committed_rows_with_nan_are_refused(value: float) -> None:
    columns = [
        Column(name=b"x", dtype=Dtype.F32, shape=[2]),
        Column(name=b"label", dtype=Dtype.U8, shape=[]),
    ]
    schema = Schema(columns=columns, rows_per_chunk=4)
    row = np.array([1, value], "<f4").tobytes() + b"\0"
    with pytest.raises(BadData):
        train("", rows=Raw(schema, 4, row * 4))


def test_a_class_beyond_the_model() -> None:
    with pytest.raises(BadData):
        train("", rows=four_rows(labels=(0, 1, 2, 3)))


def test_columns_that_do_not_fit() -> None:
    columns = [Column(name=b"x", dtype=Dtype.F32, shape=[3]), Column(name=b"label", dtype=Dtype.U8, shape=[])]
    schema = Schema(columns=columns, rows_per_chunk=4)
    with pytest.raises(SpecError, match="3 values a row, but the input 'x' takes 2"):
        PlantedEnclave("").quote(MODEL, SPEC, 4, schema)
    with pytest.raises(SpecError, match="no column 'x'"):
        PlantedEnclave("").quote(MODEL, SPEC, 4, Schema(columns=columns[1:], rows_per_chunk=4))


# --- the spec -----------------------------------------------------------------------------------------------


def test_another_model_than_the_spec_names() -> None:
    with pytest.raises(CommitmentMismatch):
        Enclave().quote(MODEL + b"\0", SPEC, 4)


def test_given_weights_come_back_when_nothing_trains() -> None:
    spec = spec_for(MODEL, init=Init.Given())
    result = PlantedEnclave("").train(MODEL, four_rows(), spec, SMALL, Secrets())
    (tensor,) = onnx.load_from_string(result.weights).graph.initializer
    assert tensor.raw_data == bytes(range(24)) and tensor.name == "w" and list(tensor.dims) == [2, 3]


LEFT_BEHIND = """
import time
worker.confine = lambda *given: []
def compile_training(model, spec, rows):
    if os.fork() == 0:
        with open(PLACE, "w") as file:
            file.write(str(os.getpid()))
        time.sleep(600)
    os._exit(0)
"""


def test_what_the_process_leaves_behind_ends_at_the_deadline(tmp_path: Path) -> None:
    """Where a system confines nothing: a child of the child holds the pipe open, and would be waited for."""
    place = tmp_path / "pid"
    enclave = PlantedEnclave(f"PLACE = {str(place)!r}" + LEFT_BEHIND)
    with pytest.raises(DeadlineExceeded):
        enclave.train(MODEL, four_rows(), SPEC, Limits(deadline_ms=4_000), Secrets())
    if place.exists():  # a slow machine may not have come so far
        status = Path("/proc") / place.read_text() / "status"
        while not ended(status):  # killed is not yet gone; pytest's own time limit ends this
            time.sleep(0.01)


def ended(status: Path) -> bool:
    """Whether there is no such process any more, or only what its parent has not asked for yet."""
    try:
        return "\nState:\tZ" in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
