"""`gristmill train`: the enclave alone, on data and a model of one's own, without a chain."""

import json
import os
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from executor.enclave import Enclave, Limits, Quoted, Secrets, TrainResult
from executor.errors import SpecError
from executor.initialise import init_key
from executor.readers import Table, parse_dtypes, parse_shapes, read_table
from executor.rows import MemoryRows
from primitives.command import Command
from primitives.hashing import tagged
from primitives.job import (
    NUMERICS,
    SPEC_VERSION,
    Affine,
    Dp,
    Init,
    InputMap,
    LossSpec,
    OptimizerSpec,
    Schedule,
    Target,
    TrainingSpec,
    float_bits,
    model_hash,
)

LOSSES = {"cross-entropy": LossSpec.CrossEntropy(), "mse": LossSpec.MeanSquaredError()}
MIB = 1 << 20


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill train`."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="ONNX model")
    add("--data", type=Path, required=True, help="training rows: .csv or .npz")
    add("--test", type=Path, metavar="FILE", help="rows to evaluate on, before and after")
    add("--output", type=Path, default=Path("weights.onnx"), help="where the trained model goes")
    configure_reader(parser)
    configure_spec(parser)
    add("--memory", type=int, default=1024, metavar="MIB", help="limit on the enclave's memory")
    add("--fuel", type=int, default=10**13, help="limit on instructions")
    add("--deadline", type=float, default=600.0, metavar="SECONDS", help="limit on time")
    add("--quote", action="store_true", help="print what the run would cost, and do not run it")
    add("--json", action="store_true", help="print one JSON object")


def configure_reader(parser: ArgumentParser) -> None:
    """Arguments that say how a file becomes a table; see `executor.readers`."""
    add = parser.add_argument
    add("--shape", action="append", default=[], metavar="COLUMN=SIZES", help="shape of one row, pixels=1,8,8")
    add("--dtype", action="append", default=[], metavar="COLUMN=TYPE", help="type of a column, age=u8")
    add("--fill", metavar="TEXT", help="what stands in for empty CSV cells (default: refuse them)")


def configure_spec(parser: ArgumentParser) -> None:
    """Arguments that say what is trained and how: those of `training_spec`."""
    add = parser.add_argument
    add("--target", required=True, metavar="COLUMN", help="the column to predict")
    add("--input", action="append", default=[], metavar="COLUMN[=TENSOR]", help="a column for a graph input")
    add(
        "--output-tensor", metavar="NAME", help="graph output to compare with the target (default: the first)"
    )
    add("--scale", type=float, metavar="X", help="multiply every input by X")
    add("--mean", type=float, default=0.0, metavar="X", help="subtract X from every input first")
    add("--loss", choices=sorted(LOSSES), default="cross-entropy")
    add("--optimizer", choices=["sgd"], default="sgd")
    add("--rate", type=float, default=0.1, help="learning rate (default 0.1)")
    add("--momentum", type=float, default=0.9, help="default 0.9; 0 turns it off")
    add("--epochs", type=int, default=5)
    add("--batch", type=int, default=32)
    add("--seed", default="0", help="any text; decides shuffling and initial weights")
    add("--init", choices=["fresh", "given"], default="fresh", help="start anew, or from the model's weights")
    add("--trainable", action="append", default=[], metavar="TENSOR", help="train only these (default: all)")
    add(
        "--dp",
        type=float,
        metavar="SIGMA",
        help="differential privacy with this noise multiplier (DP-SGD); more noise costs less privacy",
    )
    add("--clip", type=float, default=1.0, metavar="NORM", help="under --dp: clip each row's gradient (1.0)")
    add("--no-shuffle", action="store_true", help="read the rows in the dataset's order")


@dataclass(frozen=True)
class Names:
    """A model's graph inputs and outputs, as the user's own file says."""

    inputs: list[str]
    outputs: list[str]


def run(arguments: Namespace) -> int:
    """Quote, or train and write the model."""
    model = arguments.model.read_bytes()
    table = _table(arguments, arguments.data)
    spec = training_spec(arguments, model, list(table.columns))
    if arguments.quote:
        return _show_quote(Enclave().quote(model, spec, table.rows, table.schema()), arguments.json)
    source = MemoryRows(table.schema(), table.columns)
    from executor.evaluate import evaluate  # loads onnxruntime, which other commands do without

    test = _table(arguments, arguments.test) if arguments.test else None
    before = evaluate(model, spec, test.columns) if test else None
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
    after = evaluate(result.weights, spec, test.columns) if test else None
    figures = _figures(result, table.rows, str(arguments.output))
    if before and after:
        measure = "accuracy" if spec.loss == LossSpec.CrossEntropy() else "mse"
        figures |= {f"{measure}_before": asdict(before)[measure], f"{measure}_after": asdict(after)[measure]}
    _show(figures, arguments.json)
    _warn(result.quoted)
    return 0


def _table(arguments: Namespace, path: Path) -> Table:
    return read_table(path, parse_shapes(arguments.shape), parse_dtypes(arguments.dtype), arguments.fill)


def training_spec(arguments: Namespace, model: bytes, columns: Sequence[str]) -> TrainingSpec:
    """The spec that the arguments of `configure_spec` describe, for a dataset with these columns.

    Raises SpecError. The model is the caller's own and is parsed here.
    """
    names = graph_names(model)
    if not 0 < arguments.epochs < 2**16 or not 0 < arguments.batch < 2**32:
        raise SpecError("epochs lie in 1 … 65535 and a batch has at least one row")
    affine = None
    if arguments.scale is not None or arguments.mean:
        scale = 1.0 if arguments.scale is None else arguments.scale
        affine = Affine(mean=float_bits(arguments.mean), scale=float_bits(scale))
    pairs = _pairs(arguments, names, columns)
    target = arguments.output_tensor or names.outputs[0]
    return TrainingSpec(
        version=SPEC_VERSION,
        numerics=NUMERICS,
        model_hash=model_hash(model),
        inputs=[InputMap(column=c.encode(), tensor=t.encode(), affine=affine) for c, t in pairs],
        target=Target(column=arguments.target.encode(), tensor=target.encode()),
        loss=LOSSES[arguments.loss],
        optimizer=OptimizerSpec.Sgd(rate=float_bits(arguments.rate), momentum=float_bits(arguments.momentum)),
        schedule=Schedule.Constant(),
        epochs=arguments.epochs,
        batch=arguments.batch,
        seed=tagged("seed", arguments.seed.encode()),
        init=Init.Given() if arguments.init == "given" else Init.Beacon(),
        trainable=[name.encode() for name in arguments.trainable],
        dp=None if arguments.dp is None else privacy(arguments.dp, arguments.clip),
        shuffle=not arguments.no_shuffle,
        shards=1,
    )


def privacy(sigma: float, clip: float) -> Dp:
    """The section for a noise multiplier (in thousandths) and a clip (in millionths). Raises SpecError."""
    sigma_milli, clip_num = round(sigma * 1000), round(clip * 10**6)
    if not (0 < sigma_milli < 2**32 and 0 < clip_num < 2**64):
        raise SpecError("the noise multiplier and the clip of differential privacy are above zero")
    return Dp(clip_num=clip_num, clip_den=10**6, sigma_milli=sigma_milli)


def _pairs(arguments: Namespace, names: Names, columns: Sequence[str]) -> list[tuple[str, str]]:
    """(column, tensor) pairs: as told; else tensors take the columns of their name; else the only ones
    left.
    """
    if arguments.input:
        split = [option.partition("=") for option in arguments.input]
        free = iter(names.inputs)
        return [(column, tensor or next(free, column)) for column, _, tensor in split]
    if all(name in columns for name in names.inputs):
        return [(name, name) for name in names.inputs]
    left = [name for name in columns if name != arguments.target]
    if len(left) == len(names.inputs) == 1:
        return [(left[0], names.inputs[0])]
    raise SpecError(
        f"say which columns feed the inputs {', '.join(names.inputs)}: --input COLUMN=TENSOR, each of them"
    )


def graph_names(model: bytes) -> Names:
    """Inputs and outputs of a model of one's own. Raises SpecError for bytes that are no model."""
    import onnx
    from google.protobuf.message import DecodeError

    try:
        graph = onnx.load_model_from_string(model).graph
    except DecodeError:
        raise SpecError("the model file is no ONNX model") from None
    held = {tensor.name for tensor in graph.initializer}
    inputs = [value.name for value in graph.input if value.name not in held]
    if not inputs or not graph.output:
        raise SpecError("the model has no inputs or no outputs")
    return Names(inputs, [value.name for value in graph.output])


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
