"""Plans for a graph over whole tensors of any type, without a batch: what the ONNX backend runs."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from executor.compiler.compile import Layout
from executor.compiler.plan import Plan
from executor.compiler.schedule import Sinks
from executor.graph.build import build_whole
from executor.graph.parse import parse


def compile_whole(
    model: bytes,
    shapes: Mapping[str, tuple[int, ...]],
    known: Mapping[str, NDArray[np.generic]] | None = None,
) -> Plan:
    """A plan that computes every graph output from inputs of these shapes. Inputs that are `known` are
    constants of the plan: what shapes depend on. Raises ModelError; DynamicShape names, in `inputs`, the
    graph inputs that would have to be known."""
    built = build_whole(parse(model), shapes, known or {})
    layout = Layout(1, 1)
    layout.whole_inputs(built.inputs)
    values = [(node, layout.output(name, node)) for name, node in built.outputs.items()]
    return layout.plan(built, Sinks(values=values), 1, 1)
