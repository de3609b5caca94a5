"""Initialisers that are no parameters: a run that names nothing to train leaves them as they are.

ONNX does not tell a weight from a table. What the graph or its exporter says is believed: running statistics
that the graph only reads, numbers that an operator must know while the graph is read (the scales of a
Resize), what PyTorch's newer exporter lists as buffers and constants, and what the converters of TensorFlow
and scikit-learn tell by their names. A spec may name statistics, buffers and such numbers all the same.
"""

import re
from collections.abc import Iterator, Sequence

from executor.graph.parse import Graph, Step

KNOWN = {"Resize": (1, 2), "Upsample": (1,), "Pad": (2,), "Range": (0, 1, 2)}
"""Inputs whose numbers decide on shapes or places."""
SIGNATURE = re.compile(r"^[ \t]*\S+: (PARAMETER|BUFFER|CONSTANT_TENSOR) target='([^'\n]*)'", re.MULTILINE)
WRITTEN = {
    # TensorFlow calls a number of the program by the operator that reads it: sub/x, zeros/Const.
    "tf2onnx": re.compile(r"(?:.*/)?(?:x|y|Const(?:_\d+)?|ConstantFolding/.*_recip):0(?:__\d+)?"),
    # skl2onnx names what it fitted for a scaler by the operator: Su_Subcst; weights are none of these.
    "skl2onnx": re.compile(r"(?!(?:coef|coefficient|intercepts?)\d*$).*"),
}
"""By producer: names of initialisers that are numbers of the program, not weights."""
MOVING = re.compile(r".*/moving_(?:mean|variance)")
"""Keras' statistics of a BatchNormalization, which its backends write out as arithmetic."""
FOLDED = re.compile(r"const_fold_opt__\d+(?:__\d+)?")
"""What tf2onnx computed of constants: a weight in another shape, but a single element is an epsilon."""


def constants(graph: Graph) -> frozenset[str]:
    """Names of initialisers that are no parameters unless a spec names them."""
    kinds = {name: kind for kind, name in SIGNATURE.findall(graph.signature)}
    found = {name for name, kind in kinds.items() if kind != "PARAMETER"}
    if kinds:
        # Such as the factor of attention's scores, written as a tensor of one element.
        found.update(n for n, value in graph.initialisers.items() if value.size == 1 and n not in kinds)
    found.update(name for name in graph.initialisers if MOVING.fullmatch(name))
    written = WRITTEN.get(graph.producer)
    if written is not None:
        found.update(name for name in graph.initialisers if written.fullmatch(name))
    if graph.producer == "tf2onnx":
        found.update(n for n, value in graph.initialisers.items() if value.size == 1 and FOLDED.fullmatch(n))
    for step in graph.steps:
        found.update(_inputs(step, KNOWN.get(step.op, ())))
        if step.op == "BatchNormalization" and not step.attributes.get("training_mode"):
            found.update(_inputs(step, (3, 4)))
        if step.op == "InstanceNormalization" and kinds:
            # Group normalisation is written with ones and zeros here, and its own factors behind.
            found.update(name for name in _inputs(step, (1, 2)) if name not in kinds)
    return frozenset(found & graph.initialisers.keys())


def _inputs(step: Step, places: Sequence[int]) -> Iterator[str]:
    return (step.inputs[place] for place in places if place < len(step.inputs))
