"""The enclave's process: parses, checks, compiles and runs a hostile model, confined, and speaks only frames.

Started by `executor.enclave` with an empty environment and two pipes, standard input and output. See
`executor.wire` for what may be said when, `executor.confine` for what the process gives up.
"""

import math
import sys
from collections.abc import Mapping, Sequence
from typing import IO

import wasmtime

from executor import errors, training, weights, wire
from executor.compiler.compile import compile_training
from executor.compiler.plan import Plan
from executor.confine import confine
from executor.describe import described
from executor.rows import Array, row_dtype
from executor.sandbox import Sandbox
from executor.stream import columns_of, record_schema
from executor.team import Helpers, Team, sandbox_for
from executor.wasm.pages import reserve_shared
from executor.wire import Kind
from primitives.data import CHUNK_MAX, Schema, chunk_count
from primitives.hashing import tagged
from primitives.job import Work
from primitives.scale import decode, encode
from primitives.spec import float_bits

JOB_MAX = 1 << 31
"""The parent is trusted, and bounds the model itself."""


def main() -> None:
    """Serve one job and end."""
    reader, writer = sys.stdin.buffer, sys.stdout.buffer
    _, payload = wire.receive(reader, {Kind.JOB: JOB_MAX})
    job = decode(wire.Job, payload)
    started: list[Helpers] = []

    def start() -> None:
        """What the process may not make once it is confined."""
        if job.spec.shards > 1 and job.threads > 1:
            reserve_shared(job.memory)
        started.append(Helpers(job.threads - 1))

    unconfined = confine(job.address_space, job.data, job.cpu_seconds, start)
    helpers = started[0] if started else Helpers(0)
    planned = _plan(job, helpers, unconfined, writer)
    if planned is not None and job.describe:
        wire.send(writer, Kind.DESCRIBED, encode(wire.Description, described(job.model, planned[0])))
    if planned is None or not job.train:
        return
    _train(job, planned, helpers, reader, writer)


def _plan(
    job: wire.Job, helpers: Helpers, unconfined: list[str], writer: IO[bytes]
) -> tuple[Plan, Sandbox | Team, list[bytes]] | None:
    """Compile and tell the figures, or tell why not. No row has been seen: sentences are allowed."""
    try:
        plan = compile_training(job.model, job.spec, job.rows)
        if job.schema is not None:
            training.check_columns(plan, job.spec, job.schema)
        sandbox = sandbox_for(plan, job.memory, job.fuel, helpers)
        if plan.fuel > job.fuel:
            raise errors.OutOfFuel(f"the job needs {plan.fuel} units of fuel, over the limit of {job.fuel}")
        training.check_begin(plan, job.spec, training.Begin(job.epochs_done, job.states))
        start = training.initial(plan, job.spec, job.init_key)
        announcement = _announce(job, plan, sandbox, unconfined)
    except errors.ExecutorError as error:
        _refuse(writer, type(error).__name__, str(error))
    except MemoryError:
        _refuse(writer, "MemoryLimit", "checking and compiling the model needs too much memory")
    except RecursionError:
        _refuse(writer, "TooLarge", "the model is nested too deeply")
    except Exception as error:
        _refuse(writer, "EnclaveCrashed", f"compiling the model ended in {type(error).__name__}: {error}")
    else:
        wire.send(writer, Kind.PLANNED, encode(wire.Planned, announcement))
        return plan, sandbox, start
    return None


def _announce(job: wire.Job, plan: Plan, sandbox: Sandbox | Team, unconfined: list[str]) -> wire.Planned:
    template, slots = weights.template(job.model, plan)
    return wire.Planned(
        work=Work(flops=plan.flops, memory=plan.memory, work=plan.work, fuel=plan.fuel),
        steps=plan.steps,
        parameters=sum(parameter.region.size for parameter in plan.parameters) // 4,
        given=max(0, plan.given),
        module_hash=tagged("module", plan.module),
        module_bytes=len(plan.module),
        imports=sandbox.imports,
        template=template,
        slots=[wire.Slot(offset=slot.offset, length=slot.length) for slot in slots],
        unconfined=unconfined,
        rows_per_call=plan.rows_per_call,
        state_bytes=sum(region.size for region in training.state_regions(plan)),
    )


def _refuse(writer: IO[bytes], name: str, text: str) -> None:
    refused = wire.Refused(name=name, text=text[: wire.TEXT_MAX])
    wire.send(writer, Kind.REFUSED, encode(wire.Refused, refused))


def _train(
    job: wire.Job,
    planned: tuple[Plan, Sandbox | Team, list[bytes]],
    helpers: Helpers,
    reader: IO[bytes],
    writer: IO[bytes],
) -> None:
    """Read the rows and train. From the first row on, errors are codes only."""
    plan, sandbox, start = planned
    assert job.schema is not None

    def progress(steps: int) -> None:
        wire.send(writer, Kind.PROGRESS, encode(wire.Progress, wire.Progress(steps=steps)))

    def epoch(found: training.Epoch) -> None:
        told = wire.Epoch(
            loss=_loss_bits(found.loss),
            fuel=found.fuel,
            weights=found.parameters() if job.snapshots else b"",
            states=found.states() if job.snapshots else b"",
        )
        wire.send(writer, Kind.EPOCH, encode(wire.Epoch, told))

    try:
        data, noise_key = _rows(job, job.schema, plan, reader)
        begin = training.Begin(job.epochs_done, job.states)
        told = epoch if job.losses else None
        trained = training.train(
            plan, job.spec, sandbox, start, data, job.rows, progress, noise_key, begin, told, helpers
        )
    except Exception as error:
        wire.send(writer, Kind.FAILED, encode(wire.Failed, wire.Failed(code=_code(error))))
        return
    done = wire.Done(
        fuel=trained.fuel,
        first_loss=_loss_bits(trained.first_loss) if job.losses else 0,
        last_loss=_loss_bits(trained.last_loss) if job.losses else 0,
        weights=b"".join(trained.parameters),
    )
    wire.send(writer, Kind.DONE, encode(wire.Done, done))


def _rows(
    job: wire.Job, schema: Schema, plan: Plan, reader: IO[bytes]
) -> tuple[training.Held | training.Streamed, bytes]:
    """All rows, or those of one call after another, and the key of privacy's noise."""
    if not job.streamed:
        chunks, noise_key = _chunks(reader, chunk_count(schema, job.rows))
        return training.Held(training.dataset(plan, job.spec, schema, chunks, job.rows)), noise_key
    read = record_schema(schema, job.spec)
    width = row_dtype(read).itemsize

    def rows(count: int) -> Mapping[str, Array]:
        _, payload = wire.receive(reader, {Kind.ROWS: count * width})
        return columns_of(read, payload)

    _, noise_key = _chunks(reader, 0)
    return training.Streamed(rows), noise_key


def _chunks(reader: IO[bytes], count: int) -> tuple[Sequence[bytes], bytes]:
    """The rows, and the key of privacy's noise."""
    chunks = [wire.receive(reader, {Kind.CHUNK: CHUNK_MAX})[1] for _ in range(count)]
    _, payload = wire.receive(reader, {Kind.RUN: 32})
    return chunks, decode(wire.Run, payload).noise_key


def _loss_bits(loss: float | None) -> int:
    """The float32 pattern; one NaN for every NaN, zero for none."""
    if loss is None:
        return 0
    return 0x7FC0_0000 if math.isnan(loss) else float_bits(loss)


def _code(error: Exception) -> int:
    """The place of an error in the fixed list; anything unforeseen is EnclaveCrashed."""
    if isinstance(error, (MemoryError, wasmtime.WasmtimeError)):
        return wire.FAILURES.index(errors.MemoryLimit)
    matches = (code for code, kind in enumerate(wire.FAILURES) if type(error) is kind)
    return next(matches, wire.FAILURES.index(errors.EnclaveCrashed))


if __name__ == "__main__":
    main()
