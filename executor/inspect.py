"""`gristmill inspect`: what a model would become in the enclave, before anything runs.

The plan in full: the graph's operators, the memory map, each kernel's fuel and float operations, the module's
exports and that it imports nothing. `--module` writes the module itself, for any wasm tool to read. Parsing
and compiling happen in the enclave's process, so that a stranger's model may be looked at too.
"""

import json
from argparse import ArgumentParser, Namespace
from collections.abc import Iterable, Sequence
from pathlib import Path

from executor.enclave import Enclave, Quoted
from executor.model_file import model_file
from executor.options import configure_spec, graph_names, training_spec
from executor.wire import Description
from primitives.command import Command, printable

KERNELS_SHOWN = 40


def configure(parser: ArgumentParser) -> None:
    """Arguments of `gristmill inspect`."""
    add = parser.add_argument
    add("--model", type=Path, required=True, help="ONNX model")
    add("--rows", type=int, default=1000, help="rows of the dataset (default 1000)")
    add("--columns", default="", metavar="NAME,…", help="the dataset's columns (default: the model's inputs)")
    add("--module", type=Path, metavar="FILE", help="write the wasm module too")
    add("--all", action="store_true", help=f"list every kernel, not only the {KERNELS_SHOWN} dearest")
    add("--json", action="store_true", help="print one JSON object")
    configure_spec(parser)


def run(arguments: Namespace) -> int:
    """Describe, and print."""
    model = model_file(arguments.model)
    columns = [name for name in arguments.columns.split(",") if name] or graph_names(model).inputs
    spec = training_spec(arguments, model, columns)
    quoted, found = Enclave().describe(model, spec, arguments.rows)
    if arguments.module:
        arguments.module.write_bytes(found.module)
    if arguments.json:
        print(json.dumps(_figures(quoted, found)))
    else:
        _show(quoted, found, arguments.all)
    return 0


def _figures(quoted: Quoted, found: Description) -> dict[str, object]:
    return {
        "operators": dict(found.operators),
        "steps": quoted.steps,
        "flops": quoted.work.flops,
        "work": quoted.work.work,
        "fuel": quoted.work.fuel,
        "fuel_per_step": found.fuel_per_step,
        "fuel_per_call": found.fuel_per_call,
        "fuel_of_finish": found.fuel_of_finish,
        "rows_per_call": found.rows_per_call,
        "memory": quoted.work.memory,
        "parameters": quoted.parameters,
        "areas": [
            {
                "role": area.role,
                "name": area.name,
                "kind": area.kind,
                "shape": area.shape,
                "offset": area.offset,
                "size": area.size,
            }
            for area in found.areas
        ],
        "kernels": [
            {"name": kernel.name, "fuel": kernel.fuel, "flops": kernel.flops} for kernel in found.kernels
        ],
        "module_bytes": quoted.module_bytes,
        "module_hash": "0x" + quoted.module_hash.hex(),
        "imports": quoted.imports,
        "exports": {export.name: export.type for export in found.exports},
    }


def _show(quoted: Quoted, found: Description, everything: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    operators = ", ".join(f"{name} × {count}" for name, count in found.operators)
    console.print(f"operators  {printable(operators)}", markup=False)
    console.print(
        f"run        {quoted.steps:,} steps, {quoted.work.flops:,} flops, work {quoted.work.work:,}, "
        f"fuel {quoted.work.fuel:,}"
    )
    console.print(
        f"fuel       {found.fuel_per_step:,} a step, {found.fuel_per_call:,} a call of "
        f"{found.rows_per_call:,} rows, {found.fuel_of_finish:,} at the end"
    )
    areas = [
        (area.role, printable(area.name), f"{area.kind}{area.shape}", f"{area.offset:,}", f"{area.size:,}")
        for area in found.areas
    ]
    _table("memory map", ("for", "name", "elements", "first byte", "bytes"), areas)
    fixed = max(area.offset + area.size for area in found.areas)
    console.print(f"scratch from byte {fixed:,} on, {quoted.work.memory:,} bytes in all\n")
    shown = found.kernels if everything else sorted(found.kernels, key=lambda k: -k.fuel)[:KERNELS_SHOWN]
    kernels = [
        (
            kernel.name,
            f"{kernel.fuel:,}",
            f"{100 * kernel.fuel / found.fuel_per_step:.1f} %",
            f"{kernel.flops:,}",
        )
        for kernel in shown
    ]
    order = "in order of execution" if everything else "the dearest first"
    _table(f"{len(found.kernels)} kernels a step, {order}", ("kernel", "fuel", "share", "flops"), kernels)
    console.print(f"module     {quoted.module_bytes:,} bytes, 0x{quoted.module_hash.hex()}")
    console.print(f"imports    {quoted.imports or 'none'}")
    for export in found.exports:
        console.print(f"exports    {printable(export.name)}: {export.type}", markup=False)


def _table(title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place and name not in ("name", "elements") else "left")
    for row in rows:
        table.add_row(*map(escape, row))
    Console(highlight=False).print(table)


COMMANDS = {
    "inspect": Command(
        help="show the plan and the module that a model would become",
        configure=configure,
        run=run,
    )
}
