"""`gristmill train`: the enclave alone, on data and a model of one's own, without a chain."""

import dataclasses
import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from executor.advice import looked_up, of_batch, of_model, of_places, of_rows, of_work, whole
from executor.curve import check_plots, save_plot, terminal_curve
from executor.enclave import (
    EXECUTOR_VERSION,
    Enclave,
    EpochResult,
    Limits,
    Quoted,
    Resume,
    Secrets,
    Stopped,
    TrainResult,
)
from executor.errors import DataError, ReceiptError, SpecError
from executor.initialise import init_key
from executor.metrics import LOWER_IS_BETTER, METRICS
from executor.model_file import model_file
from executor.options import configure_spec, training_spec
from executor.privacy.accounting import epsilon
from executor.readers import Reading, Table, parse_classes, parse_dtypes, parse_joins, parse_shapes, segments
from executor.record import (
    VERSION,
    Record,
    differences,
    differing_tensor,
    read_record,
    spec_hex,
    state_hash,
    write_record,
)
from executor.rows import RowSource, column_name
from executor.spool import rows_of
from primitives.command import Command
from primitives.files import check_place, write_whole
from primitives.job import model_hash, weights_hash
from primitives.scale import replace
from primitives.spec import NUMERICS, Init, TrainingSpec, rho_nano

if TYPE_CHECKING:
    from rich.progress import Progress

MIB = 1 << 20


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill train`."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="ONNX model")
    rows = ".csv, .npz, .parquet, or a folder of image folders"
    add("--data", type=Path, required=True, help=f"training rows: {rows}")
    add("--output", type=Path, default=Path("weights.onnx"), help="where the trained model goes")
    configure_reader(parser)
    configure_spec(parser)
    add = parser.add_argument_group("looking at the result").add_argument
    add("--eval", "--test", dest="test", type=Path, metavar="FILE", help="rows to evaluate on")
    add("--metrics", type=_names, default=(), metavar="NAME,…", help=f"figures of them: {', '.join(METRICS)}")
    add(
        "--early-stop", type=int, metavar="N",
        help="end after N epochs without a better first metric on --eval, and keep the best weights",
    )  # fmt: skip
    add("--plot", type=Path, metavar="PNG", help="draw the loss curve into a file")
    add = parser.add_argument_group("receipts").add_argument
    add("--receipt", type=Path, metavar="FILE", help="where it goes (default: beside the output)")
    add("--resume", type=Path, metavar="RECEIPT", help="go on from a receipt, up to --epochs in all")
    add("--verify", type=Path, metavar="RECEIPT", help="run it again, compare byte for byte, write nothing")
    add = parser.add_argument_group("limits and output").add_argument
    add("--memory", type=int, default=1024, metavar="MIB", help="limit on the enclave's memory")
    add("--fuel", type=int, default=10**13, help="limit on instructions")
    add("--deadline", type=float, default=600.0, metavar="SECONDS", help="limit on time")
    add("--quote", action="store_true", help="print what the run would cost, and do not run it")
    add("--json", action="store_true", help="print one JSON object")


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split(","))


def configure_reader(parser: ArgumentParser) -> None:
    """Arguments that say how a file becomes a table; see `executor.readers`."""
    add = parser.add_argument
    add("--shape", action="append", default=[], metavar="COLUMN=SIZES", help="shape of one row, pixels=1,8,8")
    add("--dtype", action="append", default=[], metavar="COLUMN=TYPE", help="type of a column, age=u8")
    add("--fill", metavar="TEXT", help="what stands in for missing values (default: refuse them)")
    add("--classes", action="append", default=[], metavar="COLUMN=NAMES", help="class names, pet=cat,dog")
    add(
        "--join", action="append", default=[], metavar="COLUMN=NAMES",
        help="columns that become one, x=age,height; * and ? match, x=* takes all but targets",
    )  # fmt: skip


def reading_of(arguments: Namespace) -> Reading:
    """What the arguments of `configure_reader` say."""
    shapes, dtypes = parse_shapes(arguments.shape), parse_dtypes(arguments.dtype)
    targets = {getattr(arguments, "target", None)}
    targets |= {option.partition("=")[0] for option in getattr(arguments, "also", ())}
    return Reading(
        shapes, dtypes, arguments.fill, parse_classes(arguments.classes),
        joins=parse_joins(arguments.join), apart=frozenset(name for name in targets if name),
    )  # fmt: skip


def run(arguments: Namespace) -> int:
    """Quote, verify, or train and write the model. Returns 1 where a receipt does not hold."""
    model = model_file(arguments.model)
    source = rows_of(arguments.data, reading_of(arguments))
    if arguments.verify is not None:
        return _verify(arguments, model, source)
    resumed = _resumed(arguments, model, source) if arguments.resume is not None else None
    columns = list(map(column_name, source.schema.columns))
    spec = resumed.spec if resumed else training_spec(arguments, model, columns)
    _tell(of_batch(spec))
    _tell(of_model(model, spec))
    if arguments.quote:
        quoted = Enclave().quote(model, spec, source.rows, source.schema)
        _show_quote(quoted, spec, arguments.json)
        _note(quoted, model, spec)
        return 0
    tables = looked_up(model, spec)
    if tables:
        reading = dataclasses.replace(reading_of(arguments), segment=1 << 16)
        _tell(of_places(tables, (table.columns for table in segments(arguments.data, reading))))
    watch = _watch(arguments, model, spec)
    for place in (arguments.output, arguments.receipt, arguments.plot):
        if place is not None:
            check_place(place)
    if arguments.plot is not None:
        check_plots()
    try:
        found = _run(arguments, model, source, spec, resumed, watch)
    except DataError as error:
        raise _explained(error, arguments, model, spec) from None
    write_whole(arguments.output, found.weights)
    figures = _figures(found, source.rows, str(arguments.output))
    figures |= _kept(arguments, model, source, found)
    if watch.rows is not None:
        before, after = watch.measured(model), watch.measured(found.weights)
        for name in after:
            figures |= {f"{name}_before": before[name], f"{name}_after": after[name]}
    _show(figures, arguments.json)
    if not arguments.json:
        print(terminal_curve(found.losses), end="\n" if len(found.losses) > 1 else "")
    if arguments.plot is not None:
        save_plot(arguments.plot, found.losses, arguments.model.name)
    _note(found.quoted, model, spec)
    return 0


def _explained(error: DataError, arguments: Namespace, model: bytes, spec: TrainingSpec) -> DataError:
    """The enclave's error, with what the rows at hand say about it."""
    reading = dataclasses.replace(reading_of(arguments), segment=1 << 16)
    numbers = whole(model, spec) - reading.dtypes.keys()
    found = of_rows(spec, (table.columns for table in segments(arguments.data, reading)), numbers)
    return type(error)(found) if found else error


# --- running ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Found:
    """A finished run: of all epochs, or of those up to the best one."""

    spec: TrainingSpec
    weights: bytes
    states: bytes
    losses: tuple[float, ...]
    quoted: Quoted
    fuel: int


@dataclass
class Watch:
    """Rows that the training never sees, and how the model does on them, epoch by epoch."""

    spec: TrainingSpec
    rows: Table | None
    metrics: tuple[str, ...]
    patience: int | None
    best: EpochResult | None = None
    _best_value: float = float("nan")

    def measured(self, weights: bytes) -> Mapping[str, float]:
        """The figures of these weights."""
        from executor.evaluate import evaluate  # loads onnxruntime, which other commands do without

        assert self.rows is not None
        return evaluate(weights, self.spec, self.rows.columns, self.metrics).values

    def goes_on(self, epoch: EpochResult) -> bool:
        """Whether there is hope for more; remembers the best epoch."""
        if self.patience is None:
            return True
        name, value = next(iter(self.measured(epoch.weights).items()))
        lower = name.rpartition(".")[2] in LOWER_IS_BETTER
        better = value < self._best_value if lower else value > self._best_value
        if isfinite(value) and (self.best is None or better):
            self.best, self._best_value = epoch, value
        return self.best is None or epoch.number - self.best.number < self.patience


def _watch(arguments: Namespace, model: bytes, spec: TrainingSpec) -> Watch:
    if arguments.early_stop is not None and (arguments.test is None or arguments.early_stop < 1):
        raise SpecError("--early-stop takes a number of epochs, and rows to judge by: --eval FILE")
    if arguments.early_stop is not None and spec.dp is not None:
        raise SpecError("a differentially private run has a fixed number of epochs: its cost is theirs")
    rows = _table(arguments, arguments.test) if arguments.test is not None else None
    watch = Watch(spec, rows, arguments.metrics, arguments.early_stop)
    if rows is not None:
        watch.measured(model)  # what does not fit should be said before the run
    return watch


def _run(
    arguments: Namespace,
    model: bytes,
    source: RowSource,
    spec: TrainingSpec,
    resumed: "_Resumed | None",
    watch: Watch,
) -> Found:
    """Train; what came out, with the losses of all epochs."""
    told: list[EpochResult] = []
    losses = list(resumed.record.losses) if resumed else []
    start = resumed.weights if resumed else model
    wanted = replace(spec, model_hash=model_hash(start), init=Init.Given()) if resumed else spec
    with progress_bar("training") as progress:

        def on_epoch(epoch: EpochResult) -> bool:
            told[:] = [epoch]
            losses.append(epoch.loss)
            progress.loss(epoch.number, epoch.loss)
            return watch.goes_on(epoch)

        try:
            result: TrainResult | None = Enclave().train(
                start,
                source,
                wanted,
                _limits(arguments),
                Secrets(os.urandom(32)),  # unknown to everybody, or the noise could be taken off again
                init_key=init_key(spec.seed, 0),
                losses=True,
                progress=progress,
                on_epoch=on_epoch,
                snapshots=True,
                resume=Resume(resumed.record.epochs, resumed.states) if resumed else None,
            )
        except Stopped:
            result = None
    best = watch.best
    if best is not None and best.number < spec.epochs:
        spec = replace(spec, epochs=best.number)
        quoted = Enclave().quote(model, spec, source.rows, source.schema)
        return Found(spec, best.weights, best.states, tuple(losses[: best.number]), quoted, quoted.work.fuel)
    assert result is not None
    states = told[0].states if told else b""
    fuel = result.quoted.work.fuel if resumed else result.fuel
    return Found(spec, result.weights, states, tuple(losses), result.quoted, fuel)


def _limits(arguments: Namespace) -> Limits:
    return Limits(arguments.memory * MIB, arguments.fuel, round(arguments.deadline * 1000))


# --- receipts -----------------------------------------------------------------------------------------------


def _record(model: bytes, source: RowSource, found: Found) -> Record:
    return Record(
        version=VERSION,
        spec=spec_hex(found.spec),
        spec_hash=found.spec.hash.hex(),
        numerics=found.spec.numerics,
        executor=EXECUTOR_VERSION.decode(),
        model_hash=model_hash(model).hex(),
        dataset_root=source.root.hex(),
        rows=source.rows,
        module_hash=found.quoted.module_hash.hex(),
        weights_hash=weights_hash(found.weights).hex(),
        state=state_hash(found.states),
        epochs=found.spec.epochs,
        steps=found.quoted.steps,
        fuel=found.fuel,
        losses=found.losses,
    )


def _kept(arguments: Namespace, model: bytes, source: RowSource, found: Found) -> dict[str, object]:
    """Write the receipt and the optimizer's state; none under privacy, whose noise key is not kept."""
    if found.spec.dp is not None:
        return {}
    receipt = arguments.receipt or arguments.output.with_suffix(".receipt.json")
    if found.states:
        write_whole(arguments.output.with_suffix(".state"), found.states)
    write_record(receipt, _record(model, source, found))
    return {"receipt": str(receipt)}


@dataclass(frozen=True)
class _Resumed:
    """Where a run goes on: its receipt, weights and state, and the spec with all epochs."""

    record: Record
    spec: TrainingSpec
    weights: bytes
    states: bytes


def _resumed(arguments: Namespace, model: bytes, source: RowSource) -> _Resumed:
    record = read_record(arguments.resume)
    spec = record.training_spec()
    _same_start(record, model, source)
    if arguments.epochs <= record.epochs:
        raise SpecError(f"the receipt's run has {record.epochs} epochs; say how many in all: --epochs")
    weights = arguments.output.read_bytes()
    if weights_hash(weights).hex() != record.weights_hash:
        raise ReceiptError(f"{arguments.output} does not hold the weights of the receipt")
    states = b""
    if record.state:
        states = arguments.output.with_suffix(".state").read_bytes()
        if state_hash(states) != record.state:
            raise ReceiptError("the optimizer's state beside the weights is not that of the receipt")
    return _Resumed(record, replace(spec, epochs=arguments.epochs), weights, states)


def _same_start(record: Record, model: bytes, source: RowSource) -> None:
    if model_hash(model).hex() != record.model_hash:
        raise ReceiptError("the receipt speaks of another model")
    if source.root.hex() != record.dataset_root:
        raise ReceiptError("the receipt speaks of other rows, or of the same rows read with other options")


def _tell(sentences: Iterable[str]) -> None:
    for sentence in sentences:
        print(f"note: {sentence}", file=sys.stderr)


def _verify(arguments: Namespace, model: bytes, source: RowSource) -> int:
    """Execute a receipt's run again and compare all that came out of it."""
    record = read_record(arguments.verify)
    spec = record.training_spec()
    _same_start(record, model, source)
    found = _run(arguments, model, source, spec, None, Watch(spec, None, (), None))
    parts = {
        name: f"the receipt says {said}, the run gives {given}"
        for name, (said, given) in differences(record, _record(model, source, found)).items()
    }
    if arguments.output.exists():
        difference = differing_tensor(arguments.output.read_bytes(), found.weights)
        if difference is not None:
            parts[str(arguments.output)] = difference
    figures: dict[str, object] = {"verified": not parts, "epochs": record.epochs, "steps": found.quoted.steps}
    figures |= {"weights_hash": "0x" + weights_hash(found.weights).hex(), "differences": parts}
    if arguments.json:
        _show(figures, True)
    else:
        _show({name: value for name, value in figures.items() if name != "differences"}, False)
        for name, text in parts.items():
            print(f"differs: {name}: {text}")
    return 1 if parts else 0


def _table(arguments: Namespace, path: Path) -> Table:
    (table,) = segments(path, reading_of(arguments))
    return table


# --- showing ------------------------------------------------------------------------------------------------


def _figures(found: Found, rows: int, output: str) -> dict[str, object]:
    return {
        "rows": rows,
        "epochs": found.spec.epochs,
        "steps": found.quoted.steps,
        "loss_first_epoch": found.losses[0] if found.losses else None,
        "loss_last_epoch": found.losses[-1] if found.losses else None,
        "fuel_quoted": found.quoted.work.fuel,
        "fuel_used": found.fuel,
        "memory": found.quoted.work.memory,
        "enclave_imports": found.quoted.imports,
        "module_hash": "0x" + found.quoted.module_hash.hex(),
        "weights_hash": "0x" + weights_hash(found.weights).hex(),
        "unconfined": list(found.quoted.unconfined),
        **_privacy(found.spec),
        "output": output,
    }


def _privacy(spec: TrainingSpec) -> dict[str, object]:
    """What a run under differential privacy costs every row: rho, and epsilon at delta = 10^-5."""
    if spec.dp is None:
        return {}
    rho = rho_nano(spec)
    return {"rho_nano": rho, "epsilon": float(epsilon(rho)), "delta": 1e-5}


def _show_quote(quoted: Quoted, spec: TrainingSpec, as_json: bool) -> None:
    work = quoted.work
    figures: dict[str, object] = {
        "work": work.work,
        "flops": work.flops,
        "memory": work.memory,
        "fuel": work.fuel,
        "steps": quoted.steps,
        "parameters": quoted.parameters,
        "module_bytes": quoted.module_bytes,
        "module_hash": "0x" + quoted.module_hash.hex(),
        "enclave_imports": quoted.imports,
        "numerics": NUMERICS,
        **_privacy(spec),
    }
    _show(figures, as_json)


def _show(figures: dict[str, object], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        if value is not None and value != []:
            print(f"{name.replace('_', ' '):<{width}}  {_plain(value)}")


def _plain(value: object) -> str:
    """A figure for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _note(quoted: Quoted, model: bytes, spec: TrainingSpec) -> None:
    """What this system does not give, and what it could give more."""
    for name in quoted.unconfined:
        print(f"note: this system does not give the enclave: {name}", file=sys.stderr)
    _tell(of_work(model, spec, quoted.work.flops, quoted.steps, Enclave().threads))


class Bar:
    """A progress bar on stderr, drawn only where a person reads it: steps, and the last epoch's loss."""

    def __init__(self, bar: "Progress", title: str) -> None:
        self._bar, self._title = bar, title
        self._task = bar.add_task(title, total=None)

    def __call__(self, done: int, total: int) -> None:
        """Steps done, of all."""
        self._bar.update(self._task, completed=done, total=total)

    def loss(self, epoch: int, loss: float) -> None:
        """An epoch has ended."""
        self._bar.update(self._task, description=f"{self._title}, epoch {epoch}, loss {loss:.4g}")


@contextmanager
def progress_bar(title: str) -> Iterator[Bar]:
    """A bar for as long as the block runs."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        yield Bar(bar, title)


COMMANDS = {
    "train": Command(
        help="train an ONNX model in the enclave on this machine, without a chain",
        configure=configure,
        run=run,
    )
}
