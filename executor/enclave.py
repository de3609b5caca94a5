"""The enclave, seen from outside: one child process a run, which parses, compiles and trains under limits.

    Enclave().quote(model, spec, rows)                     → Quoted       static figures, no private data
    Enclave().train(model, rows, spec, limits, secret, …)  → TrainResult  weights.onnx, what a receipt says

The parent never parses the model. It checks the rows against their root before the child sees one, gives
the child an empty environment and two pipes, kills it at the deadline, and reads frames of bounded length
only (`executor.wire`).

Guarantees: the same (model, spec, rows, initial key) gives the same bytes of `weights.onnx` on every
machine; after an error no part of a result is returned. Raises ExecutorError by name, see `executor.errors`.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np

from executor import wire
from executor.errors import (
    CommitmentMismatch,
    DeadlineExceeded,
    Diverged,
    EnclaveCrashed,
    ExecutorError,
    MemoryLimit,
    SpecError,
    by_name,
)
from executor.rows import RowSource, checked_chunks
from executor.stream import Stream
from executor.weights import Span, check_slots, filled
from executor.wire import Kind
from primitives.data import Schema
from primitives.hashing import tagged
from primitives.job import Work, model_hash, weights_hash
from primitives.scale import ScaleError, decode, encode, replace
from primitives.spec import TrainingSpec, bits_float, check_spec, steps

MIB = 1 << 20
GIB = 1 << 30
EXECUTOR_VERSION = b"gristmill-executor/0.1.0"

HEADROOM = 768 * MIB
"""Writable bytes of the child besides wasm memory and rows: interpreter, libraries, parser, compiler."""
RESERVED = 6 * GIB
"""Address space that is never written: wasmtime reserves 4 GiB and guards around a memory, so that an
access needs no bounds check."""
STACK = 16 * MIB
"""Of a thread."""
ROW_COPIES = 24
"""Bytes of address space for each byte of rows: a u8 becomes a float32, and copies exist for a while."""
MODEL_COPIES = 12
MODEL_MAX = 64 * MIB
TEMPLATE_ROOM = MIB
RESIDENT_MAX = 64 * MIB
"""Bytes of rows that the child holds; more are streamed."""
STATES_MAX, STATES_ROOM = 3, 64
"""Tensors that an optimizer keeps for each parameter, at most; and bytes besides, such as dropout's count."""
ROWS_PER_CALL_MAX = 1 << 24
KEY_SIZE = 32


@dataclass(frozen=True)
class Limits:
    """What a run may use: bytes of wasm memory, units of fuel, milliseconds from start to result, and
    milliseconds of processor time for each of its threads, as many if they are not given."""

    memory: int = GIB
    fuel: int = 10**13
    deadline_ms: int = 600_000
    processor_ms: int | None = None


@dataclass(frozen=True)
class Secrets:
    """What never leaves the provider: the key of privacy's noise. Jobs without DP do not use it."""

    noise_key: bytes = field(default=bytes(KEY_SIZE), repr=False)


QUOTE_LIMITS = Limits(memory=GIB, fuel=2**62, deadline_ms=300_000, processor_ms=60_000)
"""No plan may need more memory (`executor.compiler.program.MEMORY_MAX`). Reading a model is bounded by the
processor time it takes, so that an honest one is not refused because the machine is busy with something else.
"""


@dataclass(frozen=True)
class Quoted:
    """Static figures of a run: `parameters` are trained, `given` are the other numbers in the model's file.
    `unconfined` names the protections that this system did not allow."""

    work: Work
    steps: int
    parameters: int
    given: int
    module_hash: bytes
    module_bytes: int
    imports: int
    unconfined: tuple[str, ...]


@dataclass(frozen=True)
class TrainResult:
    """A finished run. Losses are None unless asked for: they are computed on private rows."""

    weights: bytes
    weights_hash: bytes
    quoted: Quoted
    steps: int
    fuel: int
    first_loss: float | None
    last_loss: float | None


@dataclass(frozen=True)
class EpochResult:
    """A run after an epoch: its number from 1, mean loss, fuel so far; with `snapshots` also the weights and
    the optimizer's state, from which the run can go on."""

    number: int
    loss: float
    fuel: int
    weights: bytes
    states: bytes


@dataclass(frozen=True)
class Resume:
    """Where a run goes on: epochs done, and the optimizer's state; the weights are those of the model."""

    epochs: int
    states: bytes


class Stopped(Exception):
    """`on_epoch` ended the run: it wants no more epochs."""


class Enclave:
    """Trains in a child process. Stateless: one value serves any number of runs, also at once.

    A job whose batches are cut into shards runs on `threads` threads, at most as many as it has shards; by
    default on as many as the process has processors. Under differential privacy a second one draws noise
    ahead where there are no shards to share. The result is the same bytes for any number.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads if threads is not None else _processors()

    def command(self) -> list[str]:
        """How the child is started: isolated from the caller's environment, directory and user packages."""
        root = str(Path(__file__).resolve().parent.parent)
        start = f"import sys; sys.path.insert(0, {root!r}); from executor import worker; worker.main()"
        return [sys.executable, "-I", "-B", "-X", "utf8", "-c", start]

    def quote(self, model: bytes, spec: TrainingSpec, rows: int, schema: Schema | None = None) -> Quoted:
        """What a run over `rows` rows will cost, and whether the model and the spec are accepted at all.

        With a schema, the spec's columns are checked too. Deadline 60 s.
        """
        job = _job(model, spec, rows, schema, QUOTE_LIMITS)
        with _child(self.command(), QUOTE_LIMITS.deadline_ms) as child:
            return _quoted(child.plan(job))

    def describe(
        self, model: bytes, spec: TrainingSpec, rows: int, schema: Schema | None = None
    ) -> tuple[Quoted, wire.Description]:
        """As `quote`, and the whole plan for people: operators, memory map, kernels, exports, the module."""
        job = replace(_job(model, spec, rows, schema, QUOTE_LIMITS), describe=True)
        with _child(self.command(), QUOTE_LIMITS.deadline_ms) as child:
            quoted = _quoted(child.plan(job))
            return quoted, child.description()

    def train(
        self,
        model: bytes,
        rows: RowSource,
        spec: TrainingSpec,
        limits: Limits,
        secret: Secrets,
        *,
        init_key: bytes = bytes(KEY_SIZE),
        losses: bool = False,
        progress: Callable[[int, int], None] | None = None,
        on_epoch: Callable[[EpochResult], bool] | None = None,
        snapshots: bool = False,
        resume: Resume | None = None,
    ) -> TrainResult:
        """Train on rows and return the new weights.

        `init_key` is `executor.initialise.init_key(beacon, job)`. `losses` asks for the mean losses of the
        first and last epoch; under differential privacy there are none. `progress` is called with (steps
        done, all steps), never more. The deadline covers all of it.

        With `losses`, `on_epoch` is told each epoch, with `snapshots` also the weights then: for rows of
        one's own, since a loss or an early stop tells of them. When it returns False the run ends with
        Stopped. A dataset of more than RESIDENT_MAX bytes is streamed, see `executor.stream`.
        """
        stream = Stream(rows, spec) if _large(rows) else None
        chunks = [] if stream else checked_chunks(rows)
        if resume is not None and spec.dp is not None:
            raise SpecError(
                "a differentially private run does not go on: its noise was that of the whole run"
            )
        if spec.dp is not None and secret.noise_key == bytes(KEY_SIZE):
            raise SpecError("differential privacy needs a noise key that nobody else knows")
        losses = losses and spec.dp is None
        job = _job(model, spec, rows.rows, rows.schema, limits, init_key, chunks, losses, self.threads)
        job = replace(
            job,
            streamed=stream is not None,
            snapshots=snapshots and losses,
            epochs_done=resume.epochs if resume else 0,
            states=resume.states if resume else b"",
        )
        with _child(self.command(), limits.deadline_ms) as child:
            planned = child.plan(job)
            talk = Talk(job, planned, progress, on_epoch if losses else None)
            done = child.run(chunks, _of_this_run(secret, spec, rows.root, init_key), talk, stream)
        weights = _weights(planned, done.weights)
        return TrainResult(
            weights=weights,
            weights_hash=weights_hash(weights),
            quoted=_quoted(planned),
            steps=planned.steps,
            fuel=done.fuel,
            first_loss=bits_float(done.first_loss) if losses else None,
            last_loss=bits_float(done.last_loss) if losses else None,
        )


def _job(
    model: bytes,
    spec: TrainingSpec,
    rows: int,
    schema: Schema | None,
    limits: Limits,
    init_key: bytes | None = None,
    chunks: Sequence[bytes] = (),
    losses: bool = False,
    threads: int = 1,
) -> wire.Job:
    if len(model) > MODEL_MAX:
        raise MemoryLimit(f"a model of {len(model)} bytes is over the limit of {MODEL_MAX}")
    if model_hash(model) != spec.model_hash:
        raise CommitmentMismatch("the model is not the one that the spec names")
    check_spec(spec)
    copies = ROW_COPIES * sum(map(len, chunks)) + MODEL_COPIES * len(model)
    threads = max(1, min(threads, spec.shards if spec.dp is None else max(spec.shards, 2)))
    if not chunks and init_key is not None:
        copies += ROW_COPIES * RESIDENT_MAX
    data = HEADROOM + threads * (limits.memory + STACK) + copies
    processor_ms = limits.deadline_ms if limits.processor_ms is None else limits.processor_ms
    return wire.Job(
        train=init_key is not None,
        model=model,
        spec=spec,
        rows=rows,
        schema=schema,
        memory=limits.memory,
        fuel=min(limits.fuel, 2**63 - 1),
        address_space=(threads + (spec.dp is not None)) * RESERVED
        + data,  # the noise has a memory of its own
        data=data,
        cpu_seconds=threads * (processor_ms // 1000 + 2),
        init_key=init_key or bytes(KEY_SIZE),
        losses=losses,
        threads=threads,
        describe=False,
        streamed=False,
        snapshots=False,
        epochs_done=0,
        states=b"",
    )


def _of_this_run(secret: Secrets, spec: TrainingSpec, root: bytes, init_key: bytes) -> Secrets:
    """The key for the noise of this run alone: the same when it is repeated, and another one if anything else
    is trained under the same key, as after a revert of the chain. One noise on two different sums would fall
    out of their difference. Into how many shards a batch is cut changes no sum.
    """
    whole = replace(spec, shards=1).hash
    return Secrets(tagged("noise-run", secret.noise_key, whole, root, init_key))


def _large(rows: RowSource) -> bool:
    """More rows than the child should hold; text columns do not count."""
    fixed = sum(column.row_bytes or 0 for column in rows.schema.columns)
    return rows.rows * fixed > RESIDENT_MAX


def _processors() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _quoted(planned: wire.Planned) -> Quoted:
    return Quoted(
        work=planned.work,
        steps=planned.steps,
        parameters=planned.parameters,
        given=planned.given,
        module_hash=planned.module_hash,
        module_bytes=planned.module_bytes,
        imports=planned.imports,
        unconfined=tuple(planned.unconfined),
    )


def _slots(planned: wire.Planned) -> list[Span]:
    return [Span(slot.offset, slot.length) for slot in planned.slots]


def _weights(planned: wire.Planned, values: bytes) -> bytes:
    weights = filled(planned.template, _slots(planned), values)
    if not np.isfinite(np.frombuffer(values, dtype="<f4")).all():
        raise Diverged("training ended in NaN or infinity; a smaller learning rate may help")
    return weights


# --- the child ----------------------------------------------------------------------------------------------


@contextmanager
def _child(command: list[str], deadline_ms: int) -> Iterator["_Child"]:
    """A child that is dead when the block ends, whatever happens; killed when the deadline passes."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # a traceback could quote a row
        env={"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
        cwd="/",
        close_fds=True,
        start_new_session=True,
    )
    late = threading.Event()

    def kill() -> None:
        late.set()
        _kill(process)

    timer = threading.Timer(deadline_ms / 1000, kill)
    timer.daemon = True
    timer.start()
    try:
        assert process.stdin is not None and process.stdout is not None
        yield _Child(process.stdin, process.stdout)
    except (wire.Broken, BrokenPipeError, ScaleError):
        if late.is_set():
            raise DeadlineExceeded(f"the job took longer than {deadline_ms} ms and was stopped") from None
        raise _crash(process) from None
    finally:
        timer.cancel()
        _kill(process)
        for pipe in (process.stdin, process.stdout):
            _close(pipe)
        process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """The child, and what it may have started where the system did not forbid that: a process that outlived
    it would keep its end of the pipe open, and the parent waiting. The child leads a group of its own, whose
    number is nobody else's until it has been waited for."""
    if process.returncode is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()


def _close(pipe: IO[bytes] | None) -> None:
    try:
        if pipe is not None:
            pipe.close()
    except BrokenPipeError:
        pass  # what the dead child did not read


def _crash(process: subprocess.Popen[bytes]) -> ExecutorError:
    """What to say of a child that ended or spoke nonsense."""
    try:
        code = process.wait(timeout=1)
    except subprocess.TimeoutExpired:
        return EnclaveCrashed("the enclave's process broke its protocol")
    if code == 0:
        return EnclaveCrashed("the enclave's process ended without an answer")
    if code == -signal.SIGXCPU:
        return DeadlineExceeded("the job used up its processor time and was stopped")
    how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return EnclaveCrashed(f"the enclave's process ended with {how} before it answered")


class _Child:
    """The conversation with the child; see `executor.wire`."""

    def __init__(self, to: IO[bytes], answers: IO[bytes]) -> None:
        self._to = to
        self._from = answers

    def plan(self, job: wire.Job) -> wire.Planned:
        """Send the job, read its plan. Raises what the child refuses it for."""
        wire.send(self._to, Kind.JOB, encode(wire.Job, job))
        bounds = {Kind.PLANNED: len(job.model) + TEMPLATE_ROOM, Kind.REFUSED: 8 * wire.TEXT_MAX}
        kind, payload = wire.receive(self._from, bounds)
        if kind == Kind.REFUSED:
            refused = decode(wire.Refused, payload)
            raise by_name().get(refused.name, EnclaveCrashed)(_readable(refused.text))
        planned = decode(wire.Planned, payload)
        if planned.steps != steps(job.spec, job.rows):
            raise wire.Broken("a plan of another number of steps")
        check_slots(planned.template, _slots(planned))
        if planned.state_bytes > STATES_MAX * sum(slot.length for slot in planned.slots) + STATES_ROOM:
            raise wire.Broken("a plan of more optimizer state than any optimizer has")
        if not 0 < planned.rows_per_call <= ROWS_PER_CALL_MAX:
            raise wire.Broken("a plan of another number of rows a call")
        return planned

    def description(self) -> wire.Description:
        """What follows the plan when the job asked for it."""
        _, payload = wire.receive(self._from, {Kind.DESCRIBED: wire.DESCRIPTION_MAX})
        return decode(wire.Description, payload)

    def run(
        self, chunks: Sequence[bytes], secret: Secrets, talk: "Talk", stream: Stream | None = None
    ) -> wire.Done:
        """Send the rows, read step counts and the result. Raises what the run failed for, and Stopped."""
        for chunk in chunks:
            wire.send(self._to, Kind.CHUNK, chunk)
        wire.send(self._to, Kind.RUN, encode(wire.Run, wire.Run(noise_key=secret.noise_key)))
        if stream is not None:
            parts = stream.parts(talk.job.spec, talk.planned.rows_per_call, talk.job.epochs_done)
            threading.Thread(target=self._send_rows, args=(parts,), daemon=True).start()
        bounds = talk.bounds()
        for _ in range(talk.planned.steps + talk.job.spec.epochs + 1):
            kind, payload = wire.receive(self._from, bounds)
            if kind == Kind.DONE:
                return decode(wire.Done, payload)
            if kind == Kind.FAILED:
                raise _failure(decode(wire.Failed, payload).code)
            talk.hear(kind, payload)
        raise wire.Broken("more steps than there are")

    def _send_rows(self, parts: Iterator[bytes]) -> None:
        """A thread of its own: the child may have to be heard before it can read on."""
        with suppress(BrokenPipeError, ValueError):  # the child has ended, and with it the pipe
            for part in parts:
                wire.send(self._to, Kind.ROWS, part)


class Talk:
    """What a run tells on its way: step counts, and epochs where they were asked for."""

    def __init__(
        self,
        job: wire.Job,
        planned: wire.Planned,
        progress: Callable[[int, int], None] | None,
        on_epoch: Callable[[EpochResult], bool] | None = None,
    ) -> None:
        self.job, self.planned = job, planned
        self._progress, self._on_epoch = progress, on_epoch
        self._epochs = job.epochs_done

    def bounds(self) -> dict[Kind, int]:
        """The longest that each answer may be."""
        length = sum(slot.length for slot in self.planned.slots)
        bounds = {Kind.PROGRESS: 8, Kind.FAILED: 1, Kind.DONE: wire.DONE_ROOM + length}
        if self.job.losses:
            told = length + self.planned.state_bytes if self.job.snapshots else 0
            bounds[Kind.EPOCH] = wire.EPOCH_ROOM + told
        return bounds

    def hear(self, kind: Kind, payload: bytes) -> None:
        """One answer. Raises Stopped where `on_epoch` ends the run."""
        if kind == Kind.PROGRESS:
            if self._progress is not None:
                total = self.planned.steps
                self._progress(min(decode(wire.Progress, payload).steps, total), total)
            return
        told = decode(wire.Epoch, payload)
        self._epochs += 1
        if self._on_epoch is None:
            return
        weights = filled(self.planned.template, _slots(self.planned), told.weights) if told.weights else b""
        loss = bits_float(told.loss)
        if not self._on_epoch(EpochResult(self._epochs, loss, told.fuel, weights, told.states)):
            raise Stopped


def _failure(code: int) -> ExecutorError:
    kind = wire.FAILURES[code] if code < len(wire.FAILURES) else EnclaveCrashed
    return kind((kind.__doc__ or "").strip().removesuffix("."))


def _readable(text: str) -> str:
    """The child's sentence on one line, without control characters: it may quote a hostile model's names."""
    return "".join(character if character.isprintable() else "?" for character in text[: wire.TEXT_MAX])
