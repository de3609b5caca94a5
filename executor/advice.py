"""What the owner of a model and of rows is told beside the result, or beside an error that names no row.

The enclave says only which error there was: its messages never hold a value from a row. On one's own machine
the rows are at hand, and so is what the exporter did to the model.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from executor.compiler.compile import LANES
from executor.graph.normalisation import SAME
from executor.graph.parse import Graph, Step, parse
from executor.team import WORTH
from primitives.spec import LossSpec, TrainingSpec

SHARDS_MAX = 8
"""As many keep a few cores busy to the end of each step; more have more gradients to add up."""
LONG = 10**11
"""Float operations of a run that takes some seconds."""

Columns = Mapping[str, NDArray[np.generic]]
ENDS = {"Sigmoid": "bce", "Softmax": "cross-entropy", "LogSoftmax": "cross-entropy"}
WITH_BIAS = frozenset(("MatMul", "Conv", "ConvTranspose"))
WASTED = 4
"""An idle share of a batch that is larger than one of so many is told."""
PLACES = SAME | {"Add", "Less", "Mul", "Not", "Transpose", "Where"}
"""What exporters write between an input and the table that it is looked up in."""
TAKES_LOGITS = (LossSpec.CrossEntropy, LossSpec.WeightedCrossEntropy, LossSpec.BinaryCrossEntropy)


def of_model(model: bytes, spec: TrainingSpec) -> Iterator[str]:
    """Sentences about what is probably not meant. Raises a ModelError, as the enclave would."""
    graph = parse(model)
    makers = {name: step.op for step in graph.steps for name in step.outputs}
    for term in spec.terms:
        output = term.target.tensor.decode()
        loss = ENDS.get(makers.get(output, ""))
        if loss is not None and isinstance(term.loss, TAKES_LOGITS):
            yield f"the output {output!r} comes from {makers[output]}, which {loss} does itself: give logits"
    bare = sum(_without_bias(graph)) if graph.producer == "tf2onnx" else 0
    if bare:
        yield (
            f"{bare} layers have no bias: tf2onnx leaves out those that are zero, as all are in a fresh "
            "Keras model. docs/training.md says how to keep them"
        )
    merged = sorted(_merged(graph))
    if merged:
        more = f" and {len(merged) - 1} more" if len(merged) > 1 else ""
        yield (
            f"{merged[0]!r}{more}: one tensor for several layers, trained as one. Exporters merge weights "
            "that are equal when exported; docs/training.md says how to keep them apart"
        )


def of_work(model: bytes, spec: TrainingSpec, flops: int, steps: int, cores: int) -> Iterator[str]:
    """How several cores could share a run of `flops` float operations, where one does all of it."""
    parts = [count for count in range(2, SHARDS_MAX + 1) if spec.batch % (count * LANES) == 0]
    across = any(isinstance(term.loss, LossSpec.WeightedCrossEntropy) for term in spec.terms) or any(
        step.op == "BatchNormalization" and step.attributes.get("training_mode")
        for step in parse(model).steps
    )
    if parts and spec.shards == 1 and cores > 1 and flops >= max(LONG, steps * WORTH) and not across:
        yield (
            f"one core does all the work; with --shards {parts[-1]} several share it, "
            "and the weights differ in their last bits"
        )


def _without_bias(graph: Graph) -> Iterator[bool]:
    """For each product or convolution with an initialiser, whether none is added to it."""
    readers: dict[str, list[Step]] = {}
    for step in graph.steps:
        for name in step.inputs:
            readers.setdefault(name, []).append(step)
    for step in graph.steps:
        weighs = len(step.inputs) == 2 and step.inputs[1] in graph.initialisers
        if step.op in WITH_BIAS and weighs and step.attributes.get("group", 1) == 1:
            after = readers.get(step.outputs[0], [])
            while len(after) == 1 and after[0].op in SAME:
                after = readers.get(after[0].outputs[0], [])
            yield not any(
                item.op == "Add" and any(name in graph.initialisers for name in item.inputs) for item in after
            )


def of_batch(spec: TrainingSpec) -> Iterator[str]:
    """A sentence where a good part of the lanes stays empty: the module works on LANES rows at a time."""
    part = spec.batch // spec.shards
    full = -(-part // LANES) * LANES
    if WASTED * (full - part) > full:
        of = "batches" if spec.shards == 1 else "parts of a batch"
        yield (
            f"{of} of {part} row{'s' * (part > 1)} take as long as of {full}: rows are worked on {LANES} at "
            f"a time, so multiples of {LANES} cost least"
        )


def _merged(graph: Graph) -> Iterator[str]:
    """Vectors of one repeated number that several normalisations or biases read, and what Identity copies."""
    uses = Counter(name for step in graph.steps for name in step.inputs)
    copied = {name for step in graph.steps if step.op == "Identity" for name in step.inputs}
    for name, value in graph.initialisers.items():
        shared = uses[name] > 1 and value.size == max(value.shape, default=0)
        if value.dtype == np.float32 and (name in copied or (shared and _repeats(value))):
            yield name


def _repeats(values: NDArray[np.generic]) -> bool:
    return values.size > 1 and bool((values == values.flat[0]).all())


def looked_up(model: bytes, spec: TrainingSpec) -> dict[str, tuple[str, int]]:
    """Columns whose numbers are places in a table of the model, such as words: its name and its rows."""
    graph = parse(model)
    columns = {item.tensor.decode(): item.column.decode() for item in spec.inputs if item.affine is None}
    made = {name: step for step in graph.steps for name in step.outputs}
    found: dict[str, tuple[str, int]] = {}
    for step in graph.steps:
        table = graph.initialisers.get(step.inputs[0]) if step.op == "Gather" else None
        if table is None or not table.ndim or step.attributes.get("axis"):
            continue
        for column in (columns[name] for name in _origins(graph, made, step.inputs[1]) if name in columns):
            found[column] = min(
                (step.inputs[0], len(table)), found.get(column, ("", len(table) + 1)), key=_rows
            )
    return found


def _rows(table: tuple[str, int]) -> int:
    return table[1]


def _origins(graph: Graph, made: Mapping[str, Step], name: str) -> set[str]:
    """The graph inputs that a tensor of places comes from unchanged, or counted from the end."""
    seen, found, left = {name}, set(), [name]
    while left:
        step = made.get(name := left.pop())
        if step is None:
            found.add(name)
        elif step.op not in PLACES:
            return set()
        left += [item for item in (step.inputs if step else ()) if item and item not in seen]
        seen.update(left)
    return found - graph.initialisers.keys()


def of_places(tables: Mapping[str, tuple[str, int]], rows: Iterable[Columns]) -> Iterator[str]:
    """Sentences about numbers outside the tables of `looked_up`."""
    ends: dict[str, list[int]] = {name: [0, 0] for name in tables}
    for columns in rows:
        for name, (least, most) in ends.items():
            values = np.asarray(columns.get(name, []))
            if values.size and values.dtype.kind in "iu":
                ends[name] = [min(least, int(values.min())), max(most, int(values.max()))]
    for name, (least, most) in ends.items():
        table, count = tables[name]
        if least < -count or most >= count:
            yield (
                f"column {name!r} holds {least if least < -count else most}, but {table!r} has {count} rows: "
                "a place outside of it is moved to the nearest inside"
            )


def whole(model: bytes, spec: TrainingSpec) -> frozenset[str]:
    """Columns that feed inputs of whole numbers."""
    numbers = {port.name for port in parse(model).inputs if not port.dtype.floating}
    return frozenset(item.column.decode() for item in spec.inputs if item.tensor.decode() in numbers)


def of_rows(spec: TrainingSpec, tables: Iterable[Columns], numbers: Collection[str] = ()) -> str:
    """What is wrong with the columns that a refused run reads; empty where nothing is found. `numbers` are
    those that have to be whole."""
    classes = {
        term.target.column.decode(): getattr(term.loss, "ignore", None)
        for term in spec.terms
        if isinstance(term.loss, LossSpec.CrossEntropy | LossSpec.WeightedCrossEntropy)
        and not getattr(term.loss, "probabilities", False)
    }
    read = {item.column.decode() for item in spec.inputs} | {
        term.target.column.decode() for term in spec.terms
    }
    seen: dict[str, set[float]] = {}
    for table in tables:
        for name in sorted(read & set(table)):
            values = np.asarray(table[name])
            if values.dtype.kind in "OUS":
                return f"column {name!r} holds text; --classes {name}=NAME,NAME makes class numbers of it"
            if name in numbers and values.dtype.kind == "f":
                return (
                    f"column {name!r} holds {values.dtype}, its input takes whole numbers: --dtype {name}=i64"
                )
            if name not in classes or not values.size:
                continue
            values = values[values != classes[name]] if classes[name] is not None else values
            if np.any(values != np.floor(values.astype(np.float64))):
                return f"column {name!r} is to hold class numbers, but holds numbers that are not whole"
            seen.setdefault(name, set()).update(
                {float(values.min()), float(values.max())} if values.size else ()
            )
    found = [
        f"column {name!r} holds classes {min(ends):.0f} … {max(ends):.0f}"
        for name, ends in seen.items()
        if ends
    ]
    if not found:
        return ""
    return f"{', '.join(found)}; classes count from 0 up to one less than the output gives scores"
