"""What training must know of normalisations: running statistics, and which parameters are factors."""

from collections.abc import Iterator, Mapping, Sequence

from executor.compiler import ir
from executor.compiler.ir import Node, const
from executor.compiler.op import Op
from executor.graph.parse import Graph, Step
from executor.ops.values import Value

FACTORS = frozenset(
    (
        "BatchNormalization",
        "LayerNormalization",
        "InstanceNormalization",
        "GroupNormalization",
        "RMSNormalization",
        "SimplifiedLayerNormalization",
    )
)
"""Their second input multiplies what has mean 0 and variance 1; from zeros nothing could be learned."""

SAME = frozenset(("Reshape", "Cast", "Identity", "Unsqueeze", "Squeeze"))
SAME_MAX = 8


def factors(graph: Graph) -> frozenset[str]:
    """Initialisers that are factors of a normalisation, also of one that is written out: a vector times what
    was divided, or multiplied, by a norm or deviation."""
    made = _made(graph)
    found = {step.inputs[1] for step in graph.steps if step.op in FACTORS and len(step.inputs) > 1}
    for _, name, other in _with_vectors(graph, "Mul"):
        if _is_normalised(made, other) or _is_inverse_root(made, other):
            found.add(name)
    return frozenset(found)


def shifts(graph: Graph) -> frozenset[str]:
    """Vectors in whatever shape that Keras' normalisations end with: x·(g/√v) + (b − m·(g/√v))."""
    made = _made(graph)
    factor = {
        step.outputs[0] for step, _, other in _with_vectors(graph, "Mul") if _is_inverse_root(made, other)
    }
    scaled = {step.outputs[0] for step in graph.steps if step.op == "Mul" and factor & set(step.inputs)}
    return frozenset(name for _, name, other in _with_vectors(graph, "Add") if other in scaled)


def _made(graph: Graph) -> dict[str, Step]:
    return {name: step for step in graph.steps for name in step.outputs if name}


def _with_vectors(graph: Graph, op: str) -> Iterator[tuple[Step, str, str]]:
    """Steps of one operator, with an operand that is a vector among the initialisers, and the other one."""
    for step in graph.steps:
        if step.op == op and len(step.inputs) == 2 and step.outputs:
            for name, other in (step.inputs, step.inputs[::-1]):
                if _is_vector(graph, name):
                    yield step, name, other


def _is_vector(graph: Graph, name: str) -> bool:
    value = graph.initialisers.get(name)
    return value is not None and value.ndim > 0 and value.size == max(value.shape)


def _is_normalised(made: Mapping[str, Step], name: str) -> bool:
    """Whether a tensor is x / √… or x · (1 / √…), or a normalisation in another shape."""
    step = _maker(made, name)
    if step is None:
        return False
    if step.op in FACTORS:
        return True
    if step.op not in ("Mul", "Div") or len(step.inputs) != 2:
        return False
    root = _maker(made, step.inputs[1])
    if step.op == "Mul" and root is not None and _is_inverse(made, root):
        root = _maker(made, root.inputs[-1])
    elif step.op == "Mul":
        return False
    return root is not None and root.op == "Sqrt"


def _is_inverse_root(made: Mapping[str, Step], name: str) -> bool:
    """Whether a tensor is 1 / √…"""
    step = _maker(made, name)
    if step is None or not _is_inverse(made, step):
        return False
    root = _maker(made, step.inputs[-1])
    return root is not None and root.op == "Sqrt"


def _is_inverse(made: Mapping[str, Step], step: Step) -> bool:
    """1 / x, in either way of writing it."""
    if step.op == "Div" and len(step.inputs) == 2:
        above = _maker(made, step.inputs[0])
        return above is None or above.op == "Constant"
    return step.op == "Reciprocal" and len(step.inputs) == 1


def _maker(made: Mapping[str, Step], name: str) -> Step | None:
    """The operator that a tensor comes from, through what only changes its shape or type."""
    step = made.get(name)
    for _ in range(SAME_MAX):
        if step is None or step.op not in SAME or not step.inputs:
            return step
        step = made.get(step.inputs[0])
    return None


def trained_statistics(graph: Graph) -> dict[str, float]:
    """Initialisers that hold running statistics of a BatchNormalization in training mode, and what fresh ones
    start as: means 0, variances 1."""
    found: dict[str, float] = {}
    for step in _in_training(graph.steps):
        found[step.inputs[3]], found[step.inputs[4]] = 0.0, 1.0
    return {name: start for name, start in found.items() if name in graph.initialisers}


def new_statistics(graph: Graph, values: Mapping[str, Value]) -> dict[str, Node]:
    """The statistics after a step, by initialiser, as PyTorch keeps them.

    ONNX mixes in the batch's variance Σ(x − mean)²/n, PyTorch the unbiased one, /(n − 1): the operator's
    output is kept·old + share·variance, so PyTorch's is that plus share·variance/(n − 1)
    (torch.nn.BatchNorm2d; for n = 1, which PyTorch refuses, n − 1 counts as 1).
    """
    found: dict[str, Node] = {}
    for step in _in_training(graph.steps):
        for place, name in ((1, step.inputs[3]), (2, step.inputs[4])):
            new = values.get(step.outputs[place]) if len(step.outputs) > place else None
            old, x = values.get(name), values.get(step.inputs[0])
            if not isinstance(new, Node) or not isinstance(old, Node) or not isinstance(x, Node):
                continue
            kept = step.attributes.get("momentum", 0.9)
            assert isinstance(kept, float)
            found[name] = new if place == 1 else new + (new - old * const(kept)) / _others(x)
    return found


def _in_training(steps: Sequence[Step]) -> list[Step]:
    return [
        step
        for step in steps
        if step.op == "BatchNormalization" and step.attributes.get("training_mode") and len(step.inputs) > 4
    ]


def _others(x: Node) -> Node:
    """n − 1 for the n values of each channel of a batch [channels, places…]; at least 1."""
    places = x.size // x.shape[0] if x.shape else 1
    live = ir.where(Op.WHERE_GT, ir.make(Op.ROW_WEIGHT, (), (), True), const(0.0), const(1.0), const(0.0))
    count = ir.batch_sum(live) * const(float(places)) - const(1.0)
    return ir.elementwise(Op.MAX, count, const(1.0))
