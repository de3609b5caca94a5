"""`gristmill train`: the enclave alone, on data and a model of one's own, without a chain."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from executor.enclave import Enclave, Limits, Quoted, Secrets, TrainResult
from executor.initialise import init_key
from executor.metrics import METRICS
from executor.options import configure_spec, training_spec
from executor.readers import Reading, Table, parse_classes, parse_dtypes, parse_shapes, segments
from executor.rows import column_name
from executor.spool import rows_of
from primitives.command import Command
from primitives.job import NUMERICS

MIB = 1 << 20


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill train`."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="ONNX model")
    add(
        "--data",
        type=Path,
        required=True,
        help="training rows: .csv, .npz, .parquet, folder of image folders",
    )
    add(
        "--eval",
        "--test",
        dest="test",
        type=Path,
        metavar="FILE",
        help="rows to evaluate on, before and after",
    )
    add(
        "--metrics",
        type=_names,
        default=(),
        metavar="NAME,…",
        help=f"what to tell of them: {', '.join(METRICS)}",
    )
    add("--output", type=Path, default=Path("weights.onnx"), help="where the trained model goes")
    configure_reader(parser)
    configure_spec(parser)
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


def reading_of(arguments: Namespace) -> Reading:
    """What the arguments of `configure_reader` say."""
    shapes, dtypes = parse_shapes(arguments.shape), parse_dtypes(arguments.dtype)
    return Reading(shapes, dtypes, arguments.fill, parse_classes(arguments.classes))


def run(arguments: Namespace) -> int:
    """Quote, or train and write the model."""
    model = arguments.model.read_bytes()
    source = rows_of(arguments.data, reading_of(arguments))
    spec = training_spec(arguments, model, list(map(column_name, source.schema.columns)))
    if arguments.quote:
        return _show_quote(Enclave().quote(model, spec, source.rows, source.schema), arguments.json)
    from executor.evaluate import evaluate  # loads onnxruntime, which other commands do without

    test = _table(arguments, arguments.test) if arguments.test else None
    before = evaluate(model, spec, test.columns, arguments.metrics) if test else None
    limits = Limits(arguments.memory * MIB, arguments.fuel, round(arguments.deadline * 1000))
    with progress_bar("training") as progress:
        result = Enclave().train(
            model,
            source,
            spec,
            limits,
            Secrets(os.urandom(32)),  # unknown to everybody, or the noise could be taken off again
            init_key=init_key(spec.seed, 0),
            losses=True,
            progress=progress,
        )
    arguments.output.write_bytes(result.weights)
    after = evaluate(result.weights, spec, test.columns, arguments.metrics) if test else None
    figures = _figures(result, source.rows, str(arguments.output))
    if before and after:
        for name in after.values:
            figures |= {f"{name}_before": before.values[name], f"{name}_after": after.values[name]}
    _show(figures, arguments.json)
    _warn(result.quoted)
    return 0


def _table(arguments: Namespace, path: Path) -> Table:
    (table,) = segments(path, reading_of(arguments))
    return table


# --- showing ------------------------------------------------------------------------------------------------


def _figures(result: TrainResult, rows: int, output: str) -> dict[str, object]:
    return {
        "rows": rows,
        "steps": result.steps,
        "loss_first_epoch": result.first_loss,
        "loss_last_epoch": result.last_loss,
        "fuel_quoted": result.quoted.work.fuel,
        "fuel_used": result.fuel,
        "memory": result.quoted.work.memory,
        "enclave_imports": result.quoted.imports,
        "module_hash": "0x" + result.quoted.module_hash.hex(),
        "weights_hash": "0x" + result.weights_hash.hex(),
        "unconfined": list(result.quoted.unconfined),
        "output": output,
    }


def _show_quote(quoted: Quoted, as_json: bool) -> int:
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
    }
    _show(figures, as_json)
    _warn(quoted)
    return 0


def _show(figures: dict[str, object], as_json: bool) -> None:
    if as_json:
        print(json.dumps(figures))
        return
    width = max(map(len, figures))
    for name, value in figures.items():
        if value != []:
            text = f"{value:,}" if isinstance(value, int) else str(value)
            print(f"{name.replace('_', ' '):<{width}}  {text}")


def _warn(quoted: Quoted) -> None:
    for name in quoted.unconfined:
        print(f"note: this system does not give the enclave: {name}", file=sys.stderr)


@contextmanager
def progress_bar(title: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr, drawn only where a person reads it."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (
        TextColumn(title),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("steps"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


COMMANDS = {
    "train": Command(
        help="train an ONNX model in the enclave on this machine, without a chain",
        configure=configure,
        run=run,
    )
}
